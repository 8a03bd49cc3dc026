//! The records to come.

mod open;
mod skip;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use self::open::{Moved, Open, find_copy};
use self::skip::Skip;
use super::decode::{push_line, torn_tail};
use super::files::open_all;
use super::forward::MAX_LINE_BYTES;
use super::log_file::LogFile;
use super::same_bytes::{BytesBefore, Common};
use crate::cursor::Start;
use crate::disk::format::damage::{Damage, DamageKind, may_miss, no_file_name, unreadable};
use crate::disk::format::paths::Paths;
use crate::disk::format::record::Record;
use crate::disk::storage::{RealStorage, Storage};
use crate::versioned::Versioned;

/// Follows the log at `path` from its oldest record on, or from where
/// [`starting`](Follow::starting) says, through rotations, into what is still to be written. The
/// log need not exist yet.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// let mut follow = eventlog::disk::follow::<u64>(&path);
/// assert!(follow.next().is_none());
///
/// std::fs::write(&path, "1\n2\n")?;
/// let seen: Vec<_> = follow.by_ref().flatten().filter_map(|record| record.into_event()).collect();
/// assert_eq!(seen, [1, 2]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn follow<E: DeserializeOwned>(path: impl AsRef<Path>) -> Follow<E> {
    Follow::open(RealStorage, path)
}

/// The records of a log as they are written.
///
/// As an iterator it ends when there is nothing *yet*: wait as you like (sleep, watch the file,
/// await a timer) and go on. Each record comes once. Holes come as [`Damage`], and so do files
/// that were rotated away before the follower came to them ([`DamageKind::Missed`]).
///
/// It reads what is written, whether it is durable yet or not. When the writer repairs the log
/// after a failed sync, what was read already is recognised by its bytes and not repeated, as long
/// as they can still be read. Otherwise, and when somebody cuts the file, events may come again
/// after a notice ([`DamageKind::Missed`], [`DamageKind::Cut`]). A log that somebody removed and
/// that begins anew with exactly the same bytes cannot be told from the old one.
///
/// Where files have no identity that can be asked for (outside of Unix), a rotation is noticed
/// only when the current file is missing or shorter than what was read of it.
pub struct Follow<E, S: Storage = RealStorage> {
    storage: S,
    paths: Option<Paths>,
    /// The file read before the current one. Held open so that its identity stays its own.
    previous: Option<Open<S::File>>,
    current: Option<Open<S::File>>,
    /// Files after the current one, the oldest first.
    next: VecDeque<LogFile<S::File>>,
    items: VecDeque<Result<Record<E>, Damage>>,
    /// Whether the last attempt failed, which is reported once.
    failed: bool,
    /// Whether what comes next is passed over, because it is before the start.
    skip: Option<Skip<E>>,
}

impl<E: DeserializeOwned, S: Storage> Follow<E, S> {
    /// As [`follow`], on any storage.
    #[doc(hidden)]
    pub fn open(storage: S, path: impl AsRef<Path>) -> Self {
        let paths = Paths::on(&storage, path.as_ref());
        let mut items = VecDeque::new();
        if paths.is_none() {
            items.push_back(Err(no_file_name(path.as_ref())));
        }
        Self {
            storage,
            paths,
            previous: None,
            current: None,
            next: VecDeque::new(),
            items,
            failed: false,
            skip: None,
        }
    }

    /// Begins elsewhere than with the oldest record that is still there. To be called before the
    /// first record is taken.
    ///
    /// [`Start::Now`] passes over everything that is there at the first look. [`Start::After`]
    /// begins with the first event above a version, or the first gap that reaches above it; if what
    /// comes right after that version is not there any more, that is not told. The files know no
    /// sequence numbers, so of a [`Start::Cursor`] the version counts.
    ///
    /// ```
    /// # use eventlog::Versioned;
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// #[derive(Versioned, serde::Deserialize)]
    /// struct Tick { version: u64 }
    ///
    /// std::fs::write(&path, "{\"version\":1}\n{\"version\":2}\n{\"version\":3}\n")?;
    /// let follow = eventlog::disk::follow::<Tick>(&path).starting(1);
    /// assert_eq!(follow.count(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn starting(mut self, start: impl Into<Start>) -> Self
    where
        E: Versioned,
    {
        self.skip = Skip::before(start.into());
        self
    }

    /// Whether the item is after the start. Damage before it is passed over too.
    fn is_wanted(&mut self, item: &Result<Record<E>, Damage>) -> bool {
        let Some(skip) = &self.skip else {
            return true;
        };
        let is_before = match item {
            Ok(record) => skip.covers(record),
            Err(damage) => !matches!(damage.kind, DamageKind::Unreadable { .. }),
        };
        if !is_before && item.is_ok() {
            self.skip = None;
        }
        !is_before
    }

    /// Reads one step further. False if there is nothing yet.
    fn advance(&mut self) -> bool {
        let Some(open) = &mut self.current else {
            return self.start();
        };
        if let Some(before) = open.before.take()
            && let Ok(Some(offset)) = before.differs_after(&self.storage, open.lines.file())
        {
            self.items.push_back(Err(cut(&open.path, offset)));
            open.lines.jump(offset);
            return true;
        }
        let step = match open.lines.next(&self.storage) {
            Ok(Some(line)) => {
                push_line(&mut self.items, &open.path, &line, MAX_LINE_BYTES);
                Ok(true)
            }
            Ok(None) => {
                let torn = torn_tail(&open.path, &open.lines);
                open.lines.rewind();
                self.move_on(torn)
            }
            Err(error) => Err(unreadable(open.path.clone(), open.lines.offset(), &error)),
        };
        self.report_once(step)
    }

    fn report_once(&mut self, step: Result<bool, Damage>) -> bool {
        match step {
            Ok(more) => {
                self.failed = false;
                more
            }
            Err(_) if self.failed => false,
            Err(damage) => {
                self.failed = true;
                self.items.push_back(Err(damage));
                true
            }
        }
    }

    /// Takes up a log of which nothing was seen before, with its oldest file.
    fn start(&mut self) -> bool {
        let Some(paths) = &self.paths else {
            return false;
        };
        let (files, damage) = open_all(&self.storage, paths);
        self.next = files.into();
        let taken = self.take_next();
        let step = self.go_past(damage, taken);
        self.report_once(step)
    }

    /// Where there is something to go on with, what could not be read is a hole before it.
    /// Elsewhere it is the reason why there is nothing.
    fn go_past(&mut self, damage: Vec<Damage>, more: bool) -> Result<bool, Damage> {
        let mut damage = damage.into_iter();
        if more {
            self.items.extend(damage.map(Err));
            return Ok(true);
        }
        damage.next().map_or(Ok(false), Err)
    }

    fn take_next(&mut self) -> bool {
        while let Some(file) = self.next.pop_front() {
            if file.may_miss {
                self.items.push_back(Err(may_miss(file.path.clone())));
            }
            match file.into_open(&self.storage) {
                Ok(file) => {
                    self.previous = self.current.replace(Open::after(file, 0, 0));
                    return true;
                }
                Err(damage) => self.items.push_back(Err(damage)),
            }
        }
        false
    }

    /// At the end of the current file: finds out whether it is the end of the log.
    fn move_on(&mut self, torn: Option<Damage>) -> Result<bool, Damage> {
        if !self.next.is_empty() {
            if self.read_on_before_leaving() {
                return Ok(true);
            }
            self.items.extend(torn.map(Err));
            return Ok(self.take_next());
        }
        let (Some(paths), Some(open)) = (&self.paths, &mut self.current) else {
            return Ok(false);
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
                return Ok(false);
            }
            Some(stat) if stat.id.is_some() => {
                self.items.push_back(Err(cut(&paths.log, 0)));
                open.lines.jump(0);
                return Ok(true);
            }
            _ => {}
        }
        if self.read_on_before_leaving() {
            return Ok(true);
        }
        let Some(paths) = &self.paths else {
            return Ok(false);
        };
        let (files, damage) = open_all(&self.storage, paths);
        self.find_place(files.into(), damage)
    }

    /// Takes another line of the current file, if one was appended between the look that found its
    /// end and the renaming that puts it aside.
    fn read_on_before_leaving(&mut self) -> bool {
        let Some(open) = &mut self.current else {
            return false;
        };
        let Ok(Some(line)) = open.lines.next(&self.storage) else {
            open.lines.rewind();
            return false;
        };
        push_line(&mut self.items, &open.path, &line, MAX_LINE_BYTES);
        true
    }

    /// Finds in the files of the log the place where the current file was left.
    fn find_place(
        &mut self,
        mut files: VecDeque<LogFile<S::File>>,
        mut damage: Vec<Damage>,
    ) -> Result<bool, Damage> {
        let (Some(paths), Some(open)) = (&self.paths, &self.current) else {
            return Ok(false);
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
            let more = !rest.is_empty();
            self.next = rest;
            return self.go_past(damage, more);
        }
        let copy = find_copy(&self.storage, open, &rest, known_at.is_some())?;
        let (read, common) = match copy {
            Moved::BeingWritten => return Ok(false),
            Moved::At(index, common) => (index, Some(common)),
            Moved::None => (0, None),
        };
        rest.drain(..read);
        if common.is_none() {
            let nothing_read = open.lines.offset() == 0 && self.previous.is_none();
            let is_after_gap = rest.front().is_some_and(|file| file.may_miss);
            if (known_at.is_none() && !nothing_read) || is_after_gap {
                self.items.push_back(Err(may_miss(paths.log.clone())));
            }
        }
        self.next = rest;
        self.replace_current(common);
        self.go_past(damage, true)
    }

    /// Goes on in the first of the files to come, after what it has in common with the current one.
    fn replace_current(&mut self, common: Option<Common>) {
        let (lines, offset) = common.map_or((0, 0), |common| (common.lines, common.offset));
        let first = self.next.pop_front();
        match first.map(|file| file.into_open(&self.storage)) {
            Some(Ok(file)) => self.current = Some(Open::after(file, lines, offset)),
            Some(Err(damage)) => {
                self.items.push_back(Err(damage));
                self.take_next();
            }
            None => {}
        }
    }
}

impl<E: DeserializeOwned, S: Storage> Iterator for Follow<E, S> {
    type Item = Result<Record<E>, Damage>;

    /// The next record or damage; `None` if there is nothing yet.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(item) = self.items.pop_front() {
                if self.is_wanted(&item) {
                    return Some(item);
                }
            }
            if !self.advance() {
                if matches!(self.skip, Some(Skip::ToTheEnd)) {
                    self.skip = None;
                }
                return None;
            }
        }
    }
}

impl<E, S: Storage> fmt::Debug for Follow<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow")
            .field("file", &self.current.as_ref().map(|open| &open.path))
            .field(
                "offset",
                &self.current.as_ref().map(|open| open.lines.offset()),
            )
            .finish_non_exhaustive()
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
