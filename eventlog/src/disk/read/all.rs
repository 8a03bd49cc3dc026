//! The records back from the disk.

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::decode;
use super::line::RawLine;
use super::lines::Lines;
use super::placed::{Placed, WithPlaces};
use crate::disk::format::damage::Damage;
use crate::disk::format::record::Record;
use crate::disk::storage::{RealStorage, Storage};

/// Reads the log at `path`: its full files, the oldest first, then the current one.
///
/// The files are looked for and read as [`lines`](crate::disk::lines) does it. A log that does not
/// exist has no records.
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
    lines: Lines<S>,
    event: PhantomData<fn() -> E>,
}

impl<S: Storage> Lines<S> {
    /// What the lines say, as [`read`] gives it.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n2\n")?;
    /// let mut lines = eventlog::disk::lines(&path);
    /// lines.next_line(); // passed over, whatever it says
    /// let rest: Vec<_> = lines.records::<u64>().collect::<Result<_, _>>()?;
    /// assert_eq!(rest.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn records<E: DeserializeOwned>(self) -> Reader<E, S> {
        Reader::of(self)
    }
}

impl<E: DeserializeOwned, S: Storage> Reader<E, S> {
    /// As [`read`], from any storage.
    #[doc(hidden)]
    pub fn open(storage: S, path: impl AsRef<Path>) -> Self {
        Self::of(Lines::open(storage, path))
    }

    fn of(lines: Lines<S>) -> Self {
        Self {
            lines,
            event: PhantomData,
        }
    }

    /// Sets how many bytes a line may have (default 64 MiB). Longer ones are damage and are never
    /// held in memory whole.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n22222\n3\n")?;
    /// let reader = eventlog::disk::read::<u64>(&path).max_line_bytes(4);
    /// assert_eq!(reader.filter(Result::is_ok).count(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.lines = self.lines.max_line_bytes(bytes);
        self
    }

    /// Gives each record with the place where it stands.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n2\n")?;
    /// let offsets = eventlog::disk::read::<u64>(&path)
    ///     .with_places()
    ///     .map(|placed| placed.map(|placed| placed.place.offset));
    /// assert!(offsets.eq([Ok(0), Ok(2)]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_places(self) -> WithPlaces<Self> {
        WithPlaces(self)
    }

    #[inline]
    fn next_as<T>(
        &mut self,
        make: impl FnOnce(Record<E>, &RawLine<'_>) -> T,
    ) -> Option<Result<T, Damage>> {
        let line = match self.lines.next_line()? {
            Ok(line) => line,
            Err(damage) => return Some(Err(damage)),
        };
        Some(decode::record(&line).map(|record| make(record, &line)))
    }
}

impl<E: DeserializeOwned, S: Storage> Iterator for Reader<E, S> {
    type Item = Result<Record<E>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_as(|record, _| record)
    }
}

impl<E: DeserializeOwned, S: Storage> FusedIterator for Reader<E, S> {}

impl<E: DeserializeOwned, S: Storage> Iterator for WithPlaces<Reader<E, S>> {
    type Item = Result<Placed<E>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_as(Placed::on)
    }
}

impl<E: DeserializeOwned, S: Storage> FusedIterator for WithPlaces<Reader<E, S>> {}

impl<E, S: Storage> fmt::Debug for Reader<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("file", &self.lines.file())
            .field("files_left", &self.lines.files_left())
            .finish_non_exhaustive()
    }
}
