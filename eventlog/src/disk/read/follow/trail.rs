//! The lines to come: through the files of a log, whatever becomes of them meanwhile.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use super::super::files::open_all;
use super::super::line::RawLine;
use super::super::log_file::LogFile;
use super::super::same_bytes::{BytesBefore, Common};
use super::open::{Moved, Open, find_copy};
use crate::disk::format::damage::{Damage, DamageKind, may_miss, no_file_name, unreadable};
use crate::disk::format::paths::Paths;
use crate::disk::storage::Storage;

/// Where a follower is, among the files of a log.
pub(super) struct Trail<S: Storage> {
    storage: S,
    paths: Option<Paths>,
    /// The file read before the current one. Held open so that its identity stays its own.
    previous: Option<Open<S::File>>,
    current: Option<Open<S::File>>,
    /// Files after the current one, the oldest first.
    next: VecDeque<LogFile<S::File>>,
    /// What is told before the next line.
    notices: VecDeque<Damage>,
    /// Whether the last attempt failed, which is reported once.
    failed: bool,
}

/// What a look found.
pub(super) enum Step {
    /// Something in the current file.
    Found,
    Notice(Damage),
    /// Nothing yet.
    Nothing,
}

/// How it goes on after one step on the way.
enum Ahead {
    /// Something was found in the current file.
    Found,
    /// There is more to look at.
    More,
    Nothing,
}

impl<S: Storage> Trail<S> {
    pub(super) fn open(storage: S, path: &Path) -> Self {
        let paths = Paths::on(&storage, path);
        let notices = match &paths {
            Some(_) => VecDeque::new(),
            None => VecDeque::from([no_file_name(path)]),
        };
        Self {
            storage,
            paths,
            previous: None,
            current: None,
            next: VecDeque::new(),
            notices,
            failed: false,
        }
    }

    /// The file that is being followed, and where in it the next line starts.
    pub(super) fn place(&self) -> Option<(&Path, u64)> {
        let lines = &self.current.as_ref()?.lines;
        Some((lines.path(), lines.offset()))
    }

    /// What was found in the current file.
    #[inline]
    pub(super) fn found(&self) -> Option<Result<RawLine<'_>, Damage>> {
        self.current.as_ref().map(|open| open.lines.found())
    }

    /// Goes to the next line, or to what is to be told before it.
    #[inline]
    pub(super) fn step(&mut self) -> Step {
        loop {
            if let Some(damage) = self.notices.pop_front() {
                return Step::Notice(damage);
            }
            match self.advance() {
                Ok(ahead) => {
                    self.failed = false;
                    match ahead {
                        Ahead::Found => return Step::Found,
                        Ahead::More => {}
                        Ahead::Nothing => return Step::Nothing,
                    }
                }
                Err(_) if self.failed => return Step::Nothing,
                Err(damage) => {
                    self.failed = true;
                    return Step::Notice(damage);
                }
            }
        }
    }

    /// Reads one step further.
    fn advance(&mut self) -> Result<Ahead, Damage> {
        let Some(open) = &mut self.current else {
            return self.start();
        };
        if let Some(before) = open.before.take()
            && let Ok(Some(offset)) = before.differs_after(&self.storage, open.lines.file())
        {
            self.notices.push_back(cut(open.lines.path(), offset));
            open.lines.jump(offset);
            return Ok(Ahead::More);
        }
        match open.lines.advance(&self.storage) {
            Ok(true) => Ok(Ahead::Found),
            Ok(false) => {
                let torn = open.lines.find_torn();
                open.lines.rewind();
                self.move_on(torn)
            }
            Err(error) => Err(open.lines.unreadable(&error)),
        }
    }

    /// Takes up a log of which nothing was seen before, with its oldest file.
    fn start(&mut self) -> Result<Ahead, Damage> {
        let Some(paths) = &self.paths else {
            return Ok(Ahead::Nothing);
        };
        let (files, damage) = open_all(&self.storage, paths);
        self.next = files.into();
        let taken = self.take_next();
        self.go_past(damage, taken)
    }

    /// Where there is something to go on with, what could not be read is a hole before it.
    /// Elsewhere it is the reason why there is nothing.
    fn go_past(&mut self, damage: Vec<Damage>, more: Ahead) -> Result<Ahead, Damage> {
        if matches!(more, Ahead::More) {
            self.notices.extend(damage);
            return Ok(more);
        }
        damage.into_iter().next().map_or(Ok(Ahead::Nothing), Err)
    }

    fn take_next(&mut self) -> Ahead {
        while let Some(file) = self.next.pop_front() {
            if file.may_miss {
                self.notices.push_back(may_miss(file.path.clone()));
            }
            match file.into_open(&self.storage) {
                Ok(file) => {
                    self.previous = self.current.replace(Open::after(file, 0, 0));
                    return Ahead::More;
                }
                Err(damage) => self.notices.push_back(damage),
            }
        }
        Ahead::Nothing
    }

    /// At the end of the current file: finds out whether it is the end of the log.
    fn move_on(&mut self, torn: Option<Damage>) -> Result<Ahead, Damage> {
        if !self.next.is_empty() {
            if self.reads_on_before_leaving() {
                return Ok(Ahead::Found);
            }
            self.notices.extend(torn);
            return Ok(self.take_next());
        }
        let (Some(paths), Some(open)) = (&self.paths, &mut self.current) else {
            return Ok(Ahead::Nothing);
        };
        let named = match self.storage.stat_path(&paths.log) {
            Ok(stat) => Some(stat),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unreadable(paths.log.clone(), 0, &error)),
        };
        let here = named.filter(|stat| stat.id == open.id);
        match here {
            Some(stat) if stat.len >= open.lines.offset() => {
                let place = open.lines.offset();
                let before = BytesBefore::read(&self.storage, open.lines.file(), place);
                // Without them, a file that is written anew is noticed by its length alone.
                open.before = before.ok();
                return Ok(Ahead::Nothing);
            }
            Some(stat) if stat.id.is_some() => {
                self.notices.push_back(cut(&paths.log, 0));
                open.lines.jump(0);
                return Ok(Ahead::More);
            }
            _ => {}
        }
        if self.reads_on_before_leaving() {
            return Ok(Ahead::Found);
        }
        let Some(paths) = &self.paths else {
            return Ok(Ahead::Nothing);
        };
        let (files, damage) = open_all(&self.storage, paths);
        self.find_place(files.into(), damage)
    }

    /// Takes another line of the current file, if one was appended between the look that found its
    /// end and the renaming that puts it aside.
    fn reads_on_before_leaving(&mut self) -> bool {
        let Some(open) = &mut self.current else {
            return false;
        };
        let more = matches!(open.lines.advance(&self.storage), Ok(true));
        if !more {
            open.lines.rewind();
        }
        more
    }

    /// Finds in the files of the log the place where the current file was left.
    fn find_place(
        &mut self,
        mut files: VecDeque<LogFile<S::File>>,
        mut damage: Vec<Damage>,
    ) -> Result<Ahead, Damage> {
        let (Some(paths), Some(open)) = (&self.paths, &self.current) else {
            return Ok(Ahead::Nothing);
        };
        let position = |id| files.iter().position(|file| file.is(id));
        let current_at = position(open.id);
        let previous = self.previous.as_ref();
        let known_at = current_at.or_else(|| position(previous.and_then(|open| open.id)));
        let held = self.storage.stat(open.lines.file());
        if known_at.is_none() && held.is_ok_and(|stat| stat.links == 0) {
            // The oldest go first: what is there no more may be older, what is there is newer.
            files.retain(|file| !file.is_removed(&self.storage));
        }
        if let Some(at) = known_at {
            // What is older was read when it still could be.
            damage.retain(|found| paths.name_of(&found.file) > paths.name_of(&files[at].path));
        }
        let mut rest = files.split_off(known_at.map_or(0, |at| at + 1));
        if current_at.is_some() || rest.is_empty() {
            // What was appended to the current file before it was put aside is still to be read.
            let more = if rest.is_empty() {
                Ahead::Nothing
            } else {
                Ahead::More
            };
            self.next = rest;
            return self.go_past(damage, more);
        }
        let copy = find_copy(&self.storage, open, &rest, known_at.is_some())?;
        let (read, common) = match copy {
            Moved::BeingWritten => return Ok(Ahead::Nothing),
            Moved::At(index, common) => (index, Some(common)),
            Moved::None => (0, None),
        };
        rest.drain(..read);
        if common.is_none() {
            let nothing_read = open.lines.offset() == 0 && self.previous.is_none();
            let is_after_gap = rest.front().is_some_and(|file| file.may_miss);
            if (known_at.is_none() && !nothing_read) || is_after_gap {
                self.notices.push_back(may_miss(paths.log.clone()));
            }
        }
        self.next = rest;
        self.replace_current(common);
        self.go_past(damage, Ahead::More)
    }

    /// Goes on in the first of the files to come, after what it has in common with the current one.
    fn replace_current(&mut self, common: Option<Common>) {
        let (lines, offset) = common.map_or((0, 0), |common| (common.lines, common.offset));
        let first = self.next.pop_front();
        match first.map(|file| file.into_open(&self.storage)) {
            Some(Ok(file)) => self.current = Some(Open::after(file, lines, offset)),
            Some(Err(damage)) => {
                self.notices.push_back(damage);
                self.take_next();
            }
            None => {}
        }
    }
}

/// The file was cut or written anew, and is read on at `offset`.
fn cut(file: &Path, offset: u64) -> Damage {
    Damage {
        file: file.to_path_buf(),
        line: None,
        offset,
        len: 0,
        kind: DamageKind::Cut,
    }
}
