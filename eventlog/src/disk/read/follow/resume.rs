//! Finding the place again at which an earlier follower stood.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use super::super::files::open_all;
use super::super::log_file::LogFile;
use super::super::position::{FileBefore, Position};
use super::super::trace::{Trace, kept_of};
use super::open::Open;
use super::trail::{Ahead, Begin, Trail};
use crate::disk::format::damage::{Damage, DamageKind, may_miss};
use crate::disk::format::paths::LogFileName;
use crate::disk::storage::{Storage, read_exact};

/// Why a follower cannot go on at a [`Position`].
///
/// ```
/// # use eventlog::disk::{ResumeError, follow};
/// # let dir = tempfile::tempdir()?;
/// # let (path, other) = (dir.path().join("x.log"), dir.path().join("other.log"));
/// # std::fs::write(&path, "1\n2\n")?;
/// # let mut first = follow::<u64>(&path);
/// # first.next();
/// # let saved = first.position();
/// let follow = match follow::<u64>(&other).resuming(&saved) {
///     Ok(follow) => follow,
///     // The position belongs to another log: begin this one from its oldest record.
///     Err(ResumeError::OtherLog { .. }) => follow::<u64>(&other),
///     Err(error) => return Err(error.into()),
/// };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// It was taken in another log, or in this one under another path, and no file that is here
    /// begins with what was read then.
    #[error(
        "cannot follow {} from position {position}: it was taken at another path, and no file here \
         begins with the {read} bytes that were read there; use the position of this log, or follow \
         without one",
        .path.display(), read = .position.offset
    )]
    OtherLog {
        /// The log that was to be followed.
        path: PathBuf,
        /// The position.
        position: Position,
    },
}

impl<S: Storage> Trail<S> {
    /// Begins where an earlier follower stood.
    pub(super) fn resume(&mut self, position: &Position) -> Result<(), ResumeError> {
        if position.log != self.left.log {
            self.recognise(position)?;
        }
        self.left = Position {
            log: self.left.log,
            ..*position
        };
        self.begin = Some(Begin::At(self.left));
        Ok(())
    }

    /// A log that was moved is known by its bytes.
    fn recognise(&self, position: &Position) -> Result<(), ResumeError> {
        let paths = self.paths.as_ref();
        let files = paths.map(|paths| open_all(&self.storage, paths).0.into());
        let found = files.and_then(|files| find(&self.storage, &files, position));
        if !position.is_beginning() && found.is_some() {
            return Ok(());
        }
        Err(ResumeError::OtherLog {
            path: paths.map(|paths| paths.log.clone()).unwrap_or_default(),
            position: *position,
        })
    }

    /// Goes on at the place among these files, or says what is missing and goes on as near to it as
    /// can be.
    pub(super) fn pick_up(
        &mut self,
        position: &Position,
        mut files: VecDeque<LogFile<S::File>>,
        mut damage: Vec<Damage>,
    ) -> Ahead {
        let here = find(&self.storage, &files, position)
            .or_else(|| find_before(&self.storage, &files, position));
        let Some(here) = here else {
            self.notices.extend(damage);
            self.notices.extend(self.missing_before(&files, position));
            self.next = files;
            return self.take_next();
        };
        self.next = files.split_off(here.index + 1);
        let Some(Ok(open)) = files.pop_back().map(|file| file.into_open(&self.storage)) else {
            // It is gone by now: everything is looked at anew.
            self.next.clear();
            self.begin = Some(Begin::At(*position));
            return Ahead::More;
        };
        if let Some(paths) = &self.paths {
            // What is older was read before.
            damage.retain(|found| paths.name_of(&found.file) > paths.name_of(&open.path));
        }
        if here.is_certain {
            self.before = position.before;
        } else {
            let read = here.read.len();
            self.notices
                .push_back(gone(open.path.clone(), read, position));
        }
        self.notices.extend(damage);
        self.current = Some(Open::after(
            open,
            self.max_line_bytes,
            here.lines,
            here.read,
        ));
        Ahead::More
    }

    /// What is told where the place is not found, and the oldest file is the next.
    fn missing_before(
        &self,
        files: &VecDeque<LogFile<S::File>>,
        position: &Position,
    ) -> Option<Damage> {
        let oldest = files.front()?.path.clone();
        if !position.is_beginning() {
            return Some(gone(oldest, 0, position));
        }
        let name = self.paths.as_ref()?.name_of(&oldest);
        // Before these there was never another.
        let is_first = name == Some(LogFileName::Current) || name == LogFileName::numbered(1);
        (!is_first).then(|| may_miss(oldest))
    }
}

/// The place is gone, and it is read on at `offset` of this file.
fn gone(file: PathBuf, offset: u64, position: &Position) -> Damage {
    Damage {
        file,
        line: None,
        offset,
        len: 0,
        kind: DamageKind::PlaceGone {
            read: position.offset,
        },
    }
}

/// A place in one of a log's files.
struct Here {
    /// Which of the files it is.
    index: usize,
    read: Trace,
    /// How many lines that was.
    lines: u64,
    /// Whether it is the very place that was looked for: not where several files fit, nor where the
    /// file is gone and this is the end of the one before it.
    is_certain: bool,
}

/// Finds the file that begins with what was read, whatever its name is now.
fn find<S: Storage>(
    storage: &S,
    files: &VecDeque<LogFile<S::File>>,
    position: &Position,
) -> Option<Here> {
    if position.is_beginning() {
        return None;
    }
    let fits = |(index, file): (usize, &LogFile<S::File>)| {
        let read = look(storage, file, |open| {
            begins_as_read(storage, open, position)
        })?;
        Some((index, read))
    };
    let mut fitting: Vec<_> = files.iter().enumerate().filter_map(fits).collect();
    if fitting.len() > 1 {
        // Logs that begin alike, or a copy and its original. The file before tells them apart.
        let is_after_before = |index: usize| {
            let before = index.checked_sub(1).map(|before| &files[before]);
            let (Some(before), Some(read)) = (before, position.before) else {
                return false;
            };
            look(storage, before, |open| begins_as(storage, open, read)).is_some()
        };
        let certain = fitting
            .iter()
            .position(|(index, _)| is_after_before(*index));
        let is_certain = certain.is_some();
        // The oldest: what comes again is told, what is passed over would be lost.
        let (index, read) = fitting.swap_remove(certain.unwrap_or(0));
        return Some(Here::new(index, read, is_certain));
    }
    let (index, read) = fitting.pop()?;
    Some(Here::new(index, read, true))
}

/// Finds the end of the file before the one in which the follower stood.
fn find_before<S: Storage>(
    storage: &S,
    files: &VecDeque<LogFile<S::File>>,
    position: &Position,
) -> Option<Here> {
    let before = position.before?;
    files.iter().enumerate().find_map(|(index, file)| {
        let read = look(storage, file, |open| begins_as(storage, open, before))?;
        Some(Here::new(index, read, false))
    })
}

impl Here {
    fn new(index: usize, (read, lines): (Trace, u64), is_certain: bool) -> Self {
        Self {
            index,
            read,
            lines,
            is_certain,
        }
    }
}

/// A file that cannot be read is none that fits.
fn look<S: Storage, T>(
    storage: &S,
    file: &LogFile<S::File>,
    fits: impl FnOnce(&S::File) -> io::Result<Option<T>>,
) -> Option<T> {
    file.with(storage, fits).ok()?.ok()?
}

fn begins_as_read<S: Storage>(
    storage: &S,
    file: &S::File,
    position: &Position,
) -> io::Result<Option<(Trace, u64)>> {
    let len = position.offset;
    if storage.stat(file)?.len < len {
        return Ok(None);
    }
    let mut end = vec![0; kept_of(len)];
    read_exact(storage, file, len - end.len() as u64, &mut end)?;
    if crc32c::crc32c(&end) != position.end_sum {
        return Ok(None);
    }
    begins_as(storage, file, position.as_before())
}

fn begins_as<S: Storage>(
    storage: &S,
    file: &S::File,
    FileBefore { len, sum }: FileBefore,
) -> io::Result<Option<(Trace, u64)>> {
    if storage.stat(file)?.len < len {
        return Ok(None);
    }
    let read = Trace::read(storage, file, len)?;
    Ok((read.0.sum() == sum).then_some(read))
}
