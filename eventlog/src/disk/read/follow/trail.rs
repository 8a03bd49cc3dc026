//! The lines to come: through the files of a log, whatever becomes of them meanwhile.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{io, mem};

use super::super::files::open_all;
use super::super::forward::{Advance, MAX_LINE_BYTES};
use super::super::line::RawLine;
use super::super::log_file::LogFile;
use super::super::position::{FileBefore, Position};
use super::super::sums::Sum;
use super::super::timeline::files_since;
use super::super::trace::Trace;
use super::open::Open;
use super::seen::Seen;
use crate::disk::format::damage::{Damage, DamageKind, may_miss, no_file_name, unreadable};
use crate::disk::format::paths::Paths;
use crate::disk::storage::Storage;

/// Where a follower is, among the files of a log.
pub(super) struct Trail<S: Storage> {
    pub(super) storage: S,
    pub(super) paths: Option<Paths>,
    /// The file read before the current one. Held open so that its identity stays its own.
    pub(super) previous: Option<Open<S::File>>,
    pub(super) current: Option<Open<S::File>>,
    /// Files after the current one, the oldest first.
    pub(super) next: VecDeque<LogFile<S::File>>,
    /// What is told before the next line.
    pub(super) notices: VecDeque<Damage>,
    pub(super) max_line_bytes: usize,
    /// Whether the last attempt failed, which is reported once.
    failed: bool,
    /// Where it begins, until that place was looked for; `None` for the oldest line.
    pub(super) begin: Option<Begin>,
    /// The last place that was after something: it counts as long as nothing was read since.
    pub(super) left: Position,
    /// What was read of the file before the current one.
    pub(super) before: Option<FileBefore>,
    /// What stood at the log's path when there was nothing to read.
    pub(super) seen: Seen,
}

/// Where a follower begins.
pub(super) enum Begin {
    /// Where an earlier one stood.
    At(Position),
    /// With what was written then.
    Since(SystemTime),
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
pub(super) enum Ahead {
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
        let log = paths.as_ref().map_or(0, checksum_of);
        Self {
            storage,
            paths,
            begin: None,
            left: Position::beginning(log),
            before: None,
            seen: Seen::Unknown,
            previous: None,
            current: None,
            next: VecDeque::new(),
            notices,
            max_line_bytes: MAX_LINE_BYTES,
            failed: false,
        }
    }

    /// The file that is being followed, and where in it the next line starts.
    pub(super) fn place(&self) -> Option<(&Path, u64)> {
        let lines = &self.current.as_ref()?.lines;
        Some((lines.path(), lines.offset()))
    }

    /// Where it stands: after what was found last.
    pub(super) fn position(&self) -> Position {
        match &self.current {
            Some(open) if open.lines.offset() > 0 => {
                Position::after(&open.lines.read_so_far(), self.left.log, self.before)
            }
            _ => self.left,
        }
    }

    /// Remembers where the current file is left.
    pub(super) fn leave(&mut self) {
        self.left = self.position();
        if let Some(open) = &self.current
            && open.lines.offset() > 0
        {
            self.before = Some(self.left.as_before());
        }
    }

    /// Where the log's files are.
    #[cfg(feature = "watch")]
    pub(super) fn directory(&self) -> Option<&Path> {
        self.paths.as_ref().map(|paths| &*paths.dir)
    }

    /// Has [`position`](Self::position) cost little until more is read.
    pub(super) fn catch_up(&mut self) {
        if let Some(open) = &mut self.current {
            open.lines.catch_up();
        }
    }

    /// What was found in the current file.
    #[inline]
    pub(super) fn found(&self) -> Option<Result<RawLine<'_>, Damage>> {
        self.current.as_ref().map(|open| open.lines.found())
    }

    /// Goes to the next line, or to what is to be told before it.
    #[inline]
    pub(super) fn step(&mut self) -> Step {
        let step = self.look();
        if !matches!(step, Step::Nothing) {
            self.seen = Seen::Unknown;
        }
        step
    }

    #[inline]
    fn look(&mut self) -> Step {
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
                Err(_) if self.failed => {
                    self.seen = self.at_path();
                    return Step::Nothing;
                }
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
        match open.lines.advance(&self.storage) {
            Ok(Advance::Found) => Ok(Ahead::Found),
            Ok(Advance::DiffersAfter(offset)) => self.go_on_in_cut_file(offset),
            Ok(Advance::End) => {
                let torn = open.lines.find_torn();
                let end = open.lines.offset() + torn.as_ref().map_or(0, |torn| torn.len);
                open.lines.rewind();
                self.move_on(torn, end)
            }
            Err(error) => Err(open.lines.unreadable(&error)),
        }
    }

    /// Takes up a log of which nothing was seen before, with its oldest file.
    fn start(&mut self) -> Result<Ahead, Damage> {
        self.seen = self.at_path();
        let Some(paths) = &self.paths else {
            return Ok(Ahead::Nothing);
        };
        let (files, at, damage) = if let Some(Begin::Since(time)) = self.begin {
            files_since(&self.storage, paths, time)
        } else {
            let (files, damage) = open_all(&self.storage, paths);
            (files.into(), Sum::default(), damage)
        };
        // A log that is not there yet is taken up from its first line.
        let begin = self.begin.take_if(|_| !files.is_empty());
        if let Some(Begin::At(position)) = begin {
            return Ok(self.pick_up(&position, files, damage));
        }
        self.next = files;
        let taken = self.take_next_at(at);
        self.go_past(damage, taken)
    }

    /// Where there is something to go on with, what could not be read is a hole before it.
    /// Elsewhere it is the reason why there is nothing.
    pub(super) fn go_past(&mut self, damage: Vec<Damage>, more: Ahead) -> Result<Ahead, Damage> {
        if matches!(more, Ahead::More) {
            self.notices.extend(damage);
            return Ok(more);
        }
        damage.into_iter().next().map_or(Ok(Ahead::Nothing), Err)
    }

    pub(super) fn take_next(&mut self) -> Ahead {
        self.take_next_at(Sum::default())
    }

    /// Takes up the next file at a place in it, or the one after it at its beginning.
    fn take_next_at(&mut self, mut at: Sum) -> Ahead {
        while let Some(file) = self.next.pop_front() {
            if file.may_miss {
                self.notices.push_back(may_miss(file.path.clone()));
            }
            match self.open_at(file, mem::take(&mut at)) {
                Ok(open) => {
                    self.leave();
                    self.previous = self.current.replace(open);
                    return Ahead::More;
                }
                Err(damage) => self.notices.push_back(damage),
            }
        }
        Ahead::Nothing
    }

    fn open_at(&self, file: LogFile<S::File>, at: Sum) -> Result<Open<S::File>, Damage> {
        let open = file.into_open(&self.storage)?;
        Ok(match Trace::up_to(&self.storage, &open.file, at) {
            Ok(read) => Open::after(open, self.max_line_bytes, at.lines, read),
            // It was cut meanwhile, or what is wrong with it is told where it is read.
            Err(_) => Open::after(open, self.max_line_bytes, 0, Trace::default()),
        })
    }

    /// At the end of the current file, which was found there: finds out whether it is the end of the
    /// log.
    fn move_on(&mut self, torn: Option<Damage>, end: u64) -> Result<Ahead, Damage> {
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
        self.seen = Seen::at(named.as_ref());
        let here = named.filter(|stat| stat.id == open.id);
        match here {
            Some(stat) if stat.len >= open.lines.offset() => {
                // What came between the two looks was not looked at.
                self.seen = Seen::File(stat.id, end);
                return Ok(Ahead::Nothing);
            }
            Some(stat) if stat.id.is_some() => return self.go_on_in_cut_file(0),
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

    /// The current file was cut or written anew, and is read on at `offset`.
    fn go_on_in_cut_file(&mut self, offset: u64) -> Result<Ahead, Damage> {
        if offset == 0 {
            self.leave();
        }
        if let Some(open) = &mut self.current {
            let file = open.lines.path().to_path_buf();
            let (read, lines) = Trace::read(&self.storage, open.lines.file(), offset)
                .map_err(|error| unreadable(file.clone(), offset, &error))?;
            open.lines.jump(lines, read);
            self.notices.push_back(cut(file, offset));
        }
        Ok(Ahead::More)
    }

    /// Takes another line of the current file, if one was appended between the look that found its
    /// end and the renaming that puts it aside.
    fn reads_on_before_leaving(&mut self) -> bool {
        let Some(open) = &mut self.current else {
            return false;
        };
        let more = matches!(open.lines.advance(&self.storage), Ok(Advance::Found));
        if !more {
            open.lines.rewind();
        }
        more
    }
}

/// The file was cut or written anew, and is read on at `offset`.
fn cut(file: PathBuf, offset: u64) -> Damage {
    Damage {
        file,
        line: None,
        offset,
        len: 0,
        kind: DamageKind::Cut,
    }
}

/// What tells the log from others, as far as nothing of it is known.
fn checksum_of(paths: &Paths) -> u32 {
    crc32c::crc32c(paths.log.as_os_str().as_encoded_bytes())
}
