//! The records back from the disk.

use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::damage::{Damage, DamageKind};
use super::files::{LogFile, open_all, unreadable};
use super::line::{Record, decode, record_start};
use super::lines::{Line, Lines, MAX_LINE_BYTES};
use super::paths::Paths;
use super::{RealStorage, Storage};

/// Reads the log at `path`: its full files, the oldest first, then the current one.
///
/// The files are opened here and now, so rotations that come later change nothing. A log that
/// does not exist has no records.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// std::fs::write(&path, "{\"version\":1}\noops\n{\"version\":2}\n")?;
///
/// #[derive(serde::Deserialize)]
/// struct Event {
///     version: u64,
/// }
///
/// let (good, bad): (Vec<_>, Vec<_>) =
///     eventlog::disk::read::<Event>(&path).partition(Result::is_ok);
/// assert_eq!(good.len(), 2);
/// let damage = bad[0].as_ref().err().unwrap();
/// assert_eq!((damage.line, damage.offset), (Some(2), 14));
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn read<E: DeserializeOwned>(path: impl AsRef<Path>) -> Reader<E> {
    Reader::open(RealStorage, path)
}

/// The records of a log. Each item is a record or the [`Damage`] that stands in place of some.
pub struct Reader<E, S: Storage = RealStorage> {
    storage: S,
    files: VecDeque<LogFile<S::File>>,
    current: Option<Open<S::File>>,
    items: VecDeque<Result<Record<E>, Damage>>,
    max_line_bytes: usize,
    event: PhantomData<fn() -> E>,
}

struct Open<F> {
    path: PathBuf,
    lines: Lines<F>,
}

impl<E: DeserializeOwned, S: Storage> Reader<E, S> {
    /// As [`read`], from any storage.
    pub fn open(storage: S, path: impl AsRef<Path>) -> Self {
        let (files, damage) = match Paths::new(path.as_ref()) {
            Some(paths) => open_all(&storage, &paths),
            None => (Vec::new(), vec![no_file_name(path.as_ref())]),
        };
        Self {
            storage,
            files: files.into(),
            current: None,
            items: damage.into_iter().map(Err).collect(),
            max_line_bytes: MAX_LINE_BYTES,
            event: PhantomData,
        }
    }

    /// Sets how many bytes a line may have (default 64 MiB). Longer ones are damage and are never
    /// held in memory whole.
    #[must_use]
    pub fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.max_line_bytes = bytes;
        self
    }

    /// Reads one step further. False when there is nothing left.
    fn advance(&mut self) -> bool {
        let Some(open) = &mut self.current else {
            let Some(LogFile { path, file, .. }) = self.files.pop_front() else {
                return false;
            };
            self.current = Some(Open {
                path,
                lines: Lines::new(file, self.max_line_bytes),
            });
            return true;
        };
        match open.lines.next(&self.storage) {
            Ok(Some(line)) => {
                push_line(&mut self.items, &open.path, &line, self.max_line_bytes);
                return true;
            }
            Ok(None) => self
                .items
                .extend(torn_tail(&open.path, &open.lines).map(Err)),
            Err(error) => {
                let offset = open.lines.offset();
                self.items
                    .push_back(Err(unreadable(open.path.clone(), offset, error)));
            }
        }
        self.current = None;
        true
    }
}

impl<E: DeserializeOwned, S: Storage> Iterator for Reader<E, S> {
    type Item = Result<Record<E>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Some(item);
            }
            if !self.advance() {
                return None;
            }
        }
    }
}

impl<E: DeserializeOwned, S: Storage> FusedIterator for Reader<E, S> {}

impl<E, S: Storage> fmt::Debug for Reader<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("file", &self.current.as_ref().map(|open| &open.path))
            .field("files_left", &self.files.len())
            .finish_non_exhaustive()
    }
}

/// What a line says: a record, damage, or damage and the record behind it.
pub(crate) fn push_line<E: DeserializeOwned>(
    items: &mut VecDeque<Result<Record<E>, Damage>>,
    file: &Path,
    line: &Line<'_>,
    limit: usize,
) {
    let damage = |len, kind| {
        let file = file.to_path_buf();
        Err(Damage {
            file,
            line: Some(line.number),
            offset: line.offset,
            len,
            kind,
        })
    };
    let Some(bytes) = line.bytes else {
        return items.push_back(damage(line.len, DamageKind::TooLong { limit }));
    };
    let zeros = record_start(bytes);
    match decode(&bytes[zeros..]) {
        Ok(record) => {
            if zeros > 0 {
                items.push_back(damage(zeros as u64, DamageKind::Zeros));
            }
            items.push_back(Ok(record));
        }
        Err(error) => items.push_back(damage(line.len, DamageKind::NotAnEvent(error))),
    }
}

/// The unfinished line at the end of a file that was read to its end.
pub(crate) fn torn_tail<F>(file: &Path, lines: &Lines<F>) -> Option<Damage> {
    let len = lines.unfinished();
    (len > 0).then(|| Damage {
        file: file.to_path_buf(),
        line: Some(lines.number() + 1),
        offset: lines.offset(),
        len,
        kind: DamageKind::TornTail,
    })
}

pub(crate) fn no_file_name(path: &Path) -> Damage {
    let error = std::io::Error::new(std::io::ErrorKind::InvalidInput, "the path names no file");
    unreadable(path.to_path_buf(), 0, error)
}
