//! The marks beside the file: what a writer says of its own places, for later lives and readers.
//!
//! | when | mark | synced |
//! | --- | --- | --- |
//! | before the first byte of a life, or of a file that somebody else put there | `opened` | yes |
//! | the first batch of a life or file is durable, before it is called so | `committed` | yes |
//! | later, at most once per `mark_every` | `committed` | no |
//! | before a full file is renamed | `rotated` | yes |
//! | the writer ends | `closed` | yes |
//!
//! So a mark speaks only of bytes that are durable, and after an `opened` or a `rotated` nothing was
//! ever acknowledged that a mark does not speak of. Marks are never needed: where they cannot be
//! written, events are written all the same.

use std::{io, mem, time::Instant};

use super::site::{Site, write_all};
use crate::{
    cursor::Epoch,
    disk::{
        error::DiskError,
        format::marks::{Kind, Mark, Marks, Point},
        read::{history::Inherited, marks::read_marks, sums::Sum},
        storage::Storage,
    },
    writer::{notice::Notice, worker::chain},
};

/// Lives whose cursors are known at most.
const MAX_LIVES: usize = 256;
/// Marks of more than this are thinned out, unless the log itself is much larger.
const MIN_BUDGET: u64 = 64 * 1024;

/// Keeps the marks of a log.
pub(super) struct Keeper<S: Storage> {
    state: State<S::File>,
    /// The log's life, where events are numbered.
    life: Option<Epoch>,
    /// What earlier lives left, until this one is opened.
    inherited: Option<Inherited>,
    /// The number of the current file.
    file: u64,
    /// The last place that has a mark, and when it got that.
    marked: (Point, Instant),
    /// Whether nothing is to be called durable before a mark of it is.
    owes_sync: bool,
    /// Length at which the marks are thinned out.
    trim_at: u64,
}

enum State<F> {
    /// There are none, or they cannot be written.
    Off,
    /// Nothing was written in this life.
    Unopened,
    On {
        file: F,
        marks: Marks,
        /// Whether the file that they go on about is one that they know.
        is_placed: bool,
    },
}

impl<S: Storage> Keeper<S> {
    pub(super) fn new(is_on: bool, inherited: Option<Inherited>) -> Self {
        Self {
            state: if is_on { State::Unopened } else { State::Off },
            life: None,
            file: inherited.as_ref().map_or(1, |known| known.end.file),
            inherited,
            marked: (Point::default(), Instant::now()),
            owes_sync: true,
            trim_at: MIN_BUDGET,
        }
    }

    /// Whether places have to be known.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self.state, State::Off)
    }

    /// Events have numbers from here on, in this life of the log.
    pub(super) fn begin(&mut self, life: Epoch) {
        self.life = Some(life).filter(|life| *life != Epoch::NONE);
    }

    /// How the file ended that was left, if that is known.
    pub(super) fn left(&self) -> Option<Sum> {
        self.inherited.as_ref().map(|known| known.end.into())
    }

    /// A file was found, up to here. Where it is not the one that was left, nothing is inherited.
    pub(super) fn found(&mut self, at: Sum) {
        if self.left().is_some_and(|left| left != at) {
            self.inherited = None;
            self.file = 1;
        }
        if let State::On { is_placed, .. } = &mut self.state {
            *is_placed = false;
            self.file += 1;
        }
    }

    /// Whether an earlier life left something to go on with.
    pub(super) fn inherits(&self) -> bool {
        self.inherited.is_some()
    }

    fn point(&self, at: Sum, seq: Option<u64>) -> Point {
        Point {
            file: self.file,
            line: at.lines,
            offset: at.offset,
            seq: seq.filter(|_| self.life.is_some()),
            sum: at.crc,
        }
    }

    /// Sees to it that an opening is durable before anything is written after this place.
    pub(super) fn open(&mut self, site: &Site<S>, at: Sum, seq: Option<u64>) {
        let result = match &mut self.state {
            State::On { is_placed, .. } if !*is_placed => {
                *is_placed = true;
                let mark = self.opened(at, seq, Some((seq, seq)), true);
                self.append(site, mark, true)
            }
            State::Unopened => self.open_first(site, at, seq),
            State::On { .. } | State::Off => return,
        };
        self.owes_sync = true;
        self.give_up_after(site, result);
    }

    /// Begins a life. The marks go to a new file, because those that are there may never have
    /// reached the disk: a sync of them may have failed right before their writer died.
    fn open_first(&mut self, site: &Site<S>, at: Sum, seq: Option<u64>) -> Result<(), DiskError> {
        let inherited = self.inherited.take();
        let inherited = inherited.filter(|known| self.life.is_some() && known.end.seq == seq);
        let (mut marks, left, is_sure) = match inherited {
            Some(known) => {
                let left = (Some(known.live), Some(known.durable));
                (known.marks, Some(left), known.is_sure)
            }
            None => {
                if let Some(marks) = self.resumed(site, at, seq) {
                    (marks, Some((seq, seq)), true)
                } else {
                    self.file = 1;
                    (Marks::default(), None, false)
                }
            }
        };
        let mark = self.opened(at, seq, left, !is_sure);
        self.trim_at = budget(site);
        limit_lives(&mut marks);
        marks.push(mark);
        self.rewrite(site, marks)
    }

    /// The mark of an opening, with the last events of the life before that are left.
    fn opened(
        &self,
        at: Sum,
        seq: Option<u64>,
        left: Option<(Option<u64>, Option<u64>)>,
        fresh: bool,
    ) -> Mark {
        let at = self.point(at, seq);
        let (live, durable) = left.filter(|_| at.seq.is_some()).unwrap_or_default();
        Mark::opened(at, self.life, live.zip(durable), fresh)
    }

    /// The marks that the last writer of this very life left when it ended right here.
    fn resumed(&mut self, site: &Site<S>, at: Sum, seq: Option<u64>) -> Option<Marks> {
        let (marks, is_all) = site.read_marks().ok()?;
        let opened = marks
            .list()
            .iter()
            .rfind(|mark| mark.kind == Kind::Opened)?;
        let last = marks.list().last()?;
        let is_same = is_all
            && at.offset > 0
            && seq.is_some()
            && self.life.is_some()
            && opened.epoch == self.life
            && last.kind == Kind::Closed
            && Sum::from(last.at) == at
            && last.at.seq == seq;
        if !is_same {
            return None;
        }
        self.file = last.at.file;
        Some(marks)
    }

    /// Everything up to here is durable, and about to be called so.
    pub(super) fn durable(&mut self, site: &Site<S>, at: Sum, seq: Option<u64>) {
        let at = self.point(at, seq);
        let is_due = self.due(site, at).is_some_and(|due| due <= Instant::now());
        if !self.owes_sync && !is_due {
            return;
        }
        // Where nothing is synced, nothing is called durable either.
        let sync = self.owes_sync && !site.trusts_system;
        let result = self.append(site, Mark::new(Kind::Committed, at), sync);
        self.owes_sync = false;
        let result = result.and_then(|()| self.thin_out(site));
        self.give_up_after(site, result);
    }

    /// When the place is to have a mark; `None` if it has one.
    fn due(&self, site: &Site<S>, at: Point) -> Option<Instant> {
        let (marked, when) = self.marked;
        let is_on = matches!(self.state, State::On { .. });
        (is_on && marked != at).then(|| when.checked_add(site.mark_every))?
    }

    /// As [`durable`](Self::durable), for a writer that has time: says when the place gets its mark
    /// if it has none yet.
    pub(super) fn idle(&mut self, site: &Site<S>, at: Sum, seq: Option<u64>) -> Option<Instant> {
        if !self.owes_sync {
            self.durable(site, at, seq);
        }
        self.due(site, self.point(at, seq))
            .filter(|_| !self.owes_sync)
    }

    /// The file is full and durable, and about to be put aside.
    pub(super) fn rotating(&mut self, site: &Site<S>, at: Sum, seq: Option<u64>) {
        let mark = Mark::new(Kind::Rotated, self.point(at, seq));
        let result = match &mut self.state {
            State::On { marks, .. } if marks.len() > self.trim_at => {
                let mut marks = mem::take(marks);
                marks.push(mark);
                self.trim(site, marks, self.file + 1)
            }
            _ => self.append(site, mark, true),
        };
        self.owes_sync = true;
        self.give_up_after(site, result);
    }

    /// The file was put aside; the next one is not there yet.
    pub(super) fn rotated(&mut self) {
        self.file += 1;
    }

    /// The writer ends in good order, with everything up to here durable.
    pub(super) fn close(&mut self, site: &Site<S>, at: Sum, seq: Option<u64>) {
        let mark = Mark::new(Kind::Closed, self.point(at, seq));
        if let Err(error) = self.append(site, mark, true) {
            tracing::debug!(%error, "the end of an event log has no mark");
        }
    }

    fn append(&mut self, site: &Site<S>, mark: Mark, sync: bool) -> Result<(), DiskError> {
        let State::On { file, marks, .. } = &mut self.state else {
            return Ok(());
        };
        self.marked = (mark.at, Instant::now());
        let line = marks.push(mark);
        let written = write_all(&site.storage, file, line.as_bytes())
            .map_err(|stopped| stopped.source)
            .and_then(|()| {
                if sync {
                    site.storage.sync(file)
                } else {
                    Ok(())
                }
            });
        if written.is_ok() {
            return Ok(());
        }
        // What an error leaves is never gone on with: a part of a line, or what only seems synced.
        let marks = mem::take(marks);
        self.rewrite(site, marks)
    }

    /// Writes all marks to a new file, which takes the place of the other when it is durable.
    fn rewrite(&mut self, site: &Site<S>, marks: Marks) -> Result<(), DiskError> {
        self.state = State::Off;
        let (marks, text) = marks.rewrite();
        let again = || site.replace_marks(&text);
        let file = again().or_else(|_| again()).inspect_err(|_| {
            // It takes up room.
            let _ = site.remove(&site.paths.marks_tmp);
        })?;
        if let Some(last) = marks.list().last() {
            self.marked = (last.at, Instant::now());
        }
        self.state = State::On {
            file,
            marks,
            is_placed: true,
        };
        Ok(())
    }

    /// Drops every second mark that only says how far a file was durable once, and what else has no
    /// use any more.
    fn thin_out(&mut self, site: &Site<S>) -> Result<(), DiskError> {
        let State::On { marks, .. } = &mut self.state else {
            return Ok(());
        };
        if marks.len() <= self.trim_at {
            return Ok(());
        }
        let mut marks = mem::take(marks);
        let last = marks.list().len() - 1;
        let (mut index, mut committed) = (0, 0);
        marks.retain(|mark| {
            index += 1;
            committed += usize::from(mark.kind == Kind::Committed);
            mark.kind != Kind::Committed || committed % 2 == 0 || index > last
        });
        self.trim(site, marks, self.file)
    }

    /// Writes the marks anew without those of files that are gone, where the current one has this
    /// number. They are trimmed again once they are twice as long.
    fn trim(&mut self, site: &Site<S>, mut marks: Marks, file: u64) -> Result<(), DiskError> {
        let oldest = file.saturating_sub(u64::from(site.keep));
        // Of the one before the oldest its end tells where the oldest begins.
        marks.retain(|mark| mark.at.file + 1 >= oldest || mark.kind == Kind::Opened);
        limit_lives(&mut marks);
        self.rewrite(site, marks)?;
        if let State::On { marks, .. } = &self.state {
            self.trim_at = budget(site).max(2 * marks.len());
        }
        Ok(())
    }

    /// Says once that there are no marks any more.
    fn give_up_after(&mut self, site: &Site<S>, result: Result<(), DiskError>) {
        let Err(error) = result else { return };
        self.state = State::Off;
        site.notices.tell(&Notice::MarksFailing {
            path: site.paths.marks.clone(),
            error: chain(&error),
        });
    }
}

impl From<Point> for Sum {
    fn from(at: Point) -> Self {
        Self {
            offset: at.offset,
            lines: at.line,
            crc: at.sum,
        }
    }
}

fn budget<S: Storage>(site: &Site<S>) -> u64 {
    MIN_BUDGET.max(site.max_bytes / 16)
}

/// Forgets the oldest lives where there are too many. (Without one in the middle, the life before it
/// would seem to end later than it did.)
fn limit_lives(marks: &mut Marks) {
    let lives = marks.list().iter().filter(|mark| mark.kind == Kind::Opened);
    let mut surplus = (lives.count() + 1).saturating_sub(MAX_LIVES);
    marks.retain(|mark| {
        let goes = surplus > 0 && mark.kind == Kind::Opened;
        surplus -= usize::from(goes);
        !goes
    });
}

impl<S: Storage> Site<S> {
    /// The valid beginning of the marks, and whether that is all of them.
    pub(super) fn read_marks(&self) -> io::Result<(Marks, bool)> {
        read_marks(&self.storage, &self.paths.marks)
    }

    fn replace_marks(&self, text: &str) -> Result<S::File, DiskError> {
        let (path, tmp) = (&self.paths.marks, &self.paths.marks_tmp);
        let storage = &self.storage;
        self.remove(tmp)?;
        let mut file = storage
            .create_new(tmp, self.mode)
            .map_err(DiskError::io("create", tmp))?;
        write_all(storage, &mut file, text.as_bytes())
            .map_err(|stopped| DiskError::io("write to", tmp)(stopped.source))?;
        storage
            .sync(&mut file)
            .map_err(DiskError::io("sync", tmp))?;
        storage
            .rename(tmp, path)
            .map_err(DiskError::io("put new marks in place of", path))?;
        self.sync_dir()?;
        Ok(file)
    }
}
