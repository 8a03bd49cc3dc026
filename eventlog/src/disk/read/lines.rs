//! All lines of a log, as they stand there.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;

use super::files::open_all;
use super::forward::{Advance, FileLines, MAX_LINE_BYTES};
use super::line::RawLine;
use super::log_file::LogFile;
use crate::disk::format::damage::{Damage, may_miss, no_file_name};
use crate::disk::format::paths::Paths;
use crate::disk::storage::{RealStorage, Storage};

/// Reads the lines of the log at `path` without parsing them: those of its full files, the oldest
/// first, then those of the current one.
///
/// Each line is lent, so that none is copied; see [`Lines::next_line`].
///
/// The files are looked for here and now, and read as the lines are asked for. Rotations that come
/// later change nothing for a log that keeps up to sixteen files or so; of a longer one, what is
/// removed before its turn comes is told ([`DamageKind::Missed`](crate::disk::DamageKind)). A log
/// that does not exist has no lines.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// std::fs::write(&path, "{\"version\":1}\n{\"version\":2}\n{\"ver")?;
///
/// let mut lines = eventlog::disk::lines(&path);
/// let mut found = Vec::new();
/// while let Some(line) = lines.next_line() {
///     match line {
///         Ok(line) => found.push((line.number, line.offset, line.bytes.len())),
///         // "…/x.log line 3 at byte 28: the last line is unfinished; …"
///         Err(damage) => assert_eq!((damage.offset, lines.damaged()), (28, &b"{\"ver"[..])),
///     }
/// }
/// assert_eq!(found, [(Some(1), 0, 13), (Some(2), 14, 13)]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn lines(path: impl AsRef<Path>) -> Lines {
    Lines::open(RealStorage, path)
}

/// The lines of a log.
pub struct Lines<S: Storage = RealStorage> {
    storage: S,
    files: VecDeque<LogFile<S::File>>,
    current: Option<FileLines<S::File>>,
    phase: Phase,
    /// What is told before the next line.
    notices: VecDeque<Damage>,
    max_line_bytes: usize,
    /// Where in the first of the files to begin, after so many lines.
    begin: Option<(u64, u64)>,
    /// Whether it is not known how many lines there are before that place.
    lacks_numbers: bool,
}

/// How far the current file is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not yet: what is told before it comes first.
    Opened,
    Reading,
    /// To its end, or as far as it can be, or there is none.
    Done,
}

/// What comes where the current file has no more lines.
enum Between {
    Notice(Damage),
    /// The lines of another file.
    Lines,
    Nothing,
}

impl<S: Storage> Lines<S> {
    /// As [`lines`], from any storage.
    #[doc(hidden)]
    pub fn open(storage: S, path: impl AsRef<Path>) -> Self {
        let (files, damage) = match Paths::on(&storage, path.as_ref()) {
            Some(paths) => open_all(&storage, &paths),
            None => (Vec::new(), vec![no_file_name(path.as_ref())]),
        };
        Self {
            storage,
            files: files.into(),
            current: None,
            phase: Phase::Done,
            notices: damage.into(),
            max_line_bytes: MAX_LINE_BYTES,
            begin: None,
            lacks_numbers: false,
        }
    }

    /// The lines of these files, from a place in the first of them on; what was found wrong comes
    /// first.
    pub(crate) fn of_files(
        storage: S,
        files: VecDeque<LogFile<S::File>>,
        (offset, lines): (u64, u64),
        damage: Vec<Damage>,
    ) -> Self {
        Self {
            storage,
            files,
            current: None,
            phase: Phase::Done,
            notices: damage.into(),
            max_line_bytes: MAX_LINE_BYTES,
            begin: Some((offset, lines)),
            lacks_numbers: false,
        }
    }

    /// The lines of the first file have no numbers.
    pub(super) fn without_numbers(self) -> Self {
        Self {
            lacks_numbers: true,
            ..self
        }
    }

    /// Sets how many bytes a line may have (default 64 MiB). Longer ones are damage and are never
    /// held in memory whole.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n22222\n3\n")?;
    /// let mut lines = eventlog::disk::lines(&path).max_line_bytes(4);
    /// assert_eq!(lines.next_line().unwrap().unwrap().bytes, b"1");
    /// let damage = lines.next_line().unwrap().unwrap_err();
    /// assert_eq!((damage.offset, damage.len), (2, 5));
    /// assert_eq!(lines.next_line().unwrap().unwrap().bytes, b"3");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.max_line_bytes = bytes;
        self
    }

    /// The next line, or the damage that stands in place of one; `None` when there is nothing left.
    ///
    /// A line is what ends in a newline, whatever it says: whether it is an event is for
    /// [`read`](crate::disk::read) to find out. Zeros in front of a line are told as damage of their
    /// own, and what stands after them is the line.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\nno event\n")?;
    /// let (mut lines, mut bytes) = (eventlog::disk::lines(&path), 0);
    /// while let Some(line) = lines.next_line() {
    ///     bytes += line?.bytes.len();
    /// }
    /// assert_eq!(bytes, 9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn next_line(&mut self) -> Option<Result<RawLine<'_>, Damage>> {
        while !self.finds_line() {
            match self.between() {
                Between::Notice(damage) => return Some(Err(damage)),
                Between::Lines => {}
                Between::Nothing => return None,
            }
        }
        let found = self.current.as_ref().map(FileLines::found);
        if self.lacks_numbers {
            return found.map(unnumbered);
        }
        found
    }

    /// As [`next_line`](Self::next_line), for whoever looks for something that few lines hold: lines
    /// in which `find` finds nothing may be passed over, and mostly are.
    ///
    /// `find` is given the bytes of many lines at once, and says where the first of those begins that
    /// it looks for. What is damaged is told nevertheless.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "\"up\"\n\"down\"\n".repeat(1000) + "\"failed\"\n")?;
    /// let mut lines = eventlog::disk::lines(&path);
    /// let mut found = 0;
    /// while let Some(line) = lines.next_match(|bytes| memchr::memmem::find(bytes, b"failed")) {
    ///     found += usize::from(line?.bytes == b"\"failed\"");
    /// }
    /// assert_eq!(found, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_match(
        &mut self,
        mut find: impl FnMut(&[u8]) -> Option<usize>,
    ) -> Option<Result<RawLine<'_>, Damage>> {
        if let Some(current) = &mut self.current
            && self.phase == Phase::Reading
        {
            current.pass_over(&mut find);
        }
        self.next_line()
    }

    /// The bytes that the last damage is about, as far as they are in memory: those of an
    /// unfinished line, for one. Of a line that is too long there are none.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n{\"what it was doing")?;
    /// let mut lines = eventlog::disk::lines(&path);
    /// while let Some(Ok(_)) = lines.next_line() {}
    /// assert_eq!(lines.damaged(), b"{\"what it was doing");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn damaged(&self) -> &[u8] {
        self.current.as_ref().map_or(&[], FileLines::found_bytes)
    }

    /// Goes to the next line of the current file, if there is one.
    #[inline]
    fn finds_line(&mut self) -> bool {
        match &mut self.current {
            Some(current) if self.phase == Phase::Reading => {
                match current.advance(&self.storage) {
                    Ok(Advance::Found) => return true,
                    Ok(_) => {
                        let torn = current.find_torn();
                        let number = |line: Option<u64>| line.filter(|_| !self.lacks_numbers);
                        self.notices.extend(torn.map(|damage| Damage {
                            line: number(damage.line),
                            ..damage
                        }));
                    }
                    Err(error) => self.notices.push_back(current.unreadable(&error)),
                }
                self.phase = Phase::Done;
            }
            _ => {}
        }
        false
    }

    #[cold]
    fn between(&mut self) -> Between {
        loop {
            if let Some(damage) = self.notices.pop_front() {
                return Between::Notice(damage);
            }
            if self.phase == Phase::Opened {
                self.phase = Phase::Reading;
                return Between::Lines;
            }
            match self.files.pop_front() {
                Some(file) => self.take_up(file),
                None => return Between::Nothing,
            }
        }
    }

    fn take_up(&mut self, file: LogFile<S::File>) {
        self.current = None;
        self.lacks_numbers &= self.begin.is_some();
        // A place in the first file is none in another, also where the first is gone.
        let (offset, lines) = self.begin.take().unwrap_or_default();
        if file.may_miss {
            self.notices.push_back(may_miss(file.path.clone()));
        }
        match file.into_open(&self.storage) {
            Ok(open) => {
                let limit = self.max_line_bytes;
                self.current = Some(FileLines::at(open, limit, lines, offset));
                self.phase = Phase::Opened;
            }
            Err(damage) => self.notices.push_back(damage),
        }
    }

    /// The file that is being read.
    pub(crate) fn file(&self) -> Option<&Path> {
        let current = self.current.as_ref();
        let current = current.filter(|_| self.phase != Phase::Done);
        current.map(FileLines::path)
    }

    /// How many files are still to come.
    pub(crate) fn files_left(&self) -> usize {
        self.files.len()
    }
}

#[cold]
fn unnumbered(found: Result<RawLine<'_>, Damage>) -> Result<RawLine<'_>, Damage> {
    match found {
        Ok(line) => Ok(RawLine {
            number: None,
            ..line
        }),
        Err(damage) => Err(Damage {
            line: None,
            ..damage
        }),
    }
}

impl<S: Storage> fmt::Debug for Lines<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("file", &self.file())
            .field("files_left", &self.files_left())
            .finish_non_exhaustive()
    }
}
