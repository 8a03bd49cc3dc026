//! The records back from the disk.

use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::decode::{push_line, torn_tail};
use super::files::open_all;
use super::forward::{Lines, MAX_LINE_BYTES};
use super::log_file::{LogFile, OpenFile};
use crate::disk::format::damage::{Damage, may_miss, no_file_name, unreadable};
use crate::disk::format::paths::Paths;
use crate::disk::format::record::Record;
use crate::disk::storage::{RealStorage, Storage};

/// Reads the log at `path`: its full files, the oldest first, then the current one.
///
/// The files are looked for here and now, and read as the iterator goes on. Rotations that come
/// later change nothing for a log that keeps up to sixteen files or so; of a longer one, what is
/// removed before its turn comes is told ([`DamageKind::Missed`](crate::disk::DamageKind)). A log
/// that does not exist has no records.
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
            let Some(next) = self.files.pop_front() else {
                return false;
            };
            if next.may_miss {
                self.items.push_back(Err(may_miss(next.path.clone())));
            }
            match next.into_open(&self.storage) {
                Ok(OpenFile { path, file, .. }) => {
                    let lines = Lines::new(file, self.max_line_bytes);
                    self.current = Some(Open { path, lines });
                }
                Err(damage) => self.items.push_back(Err(damage)),
            }
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
                    .push_back(Err(unreadable(open.path.clone(), offset, &error)));
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
