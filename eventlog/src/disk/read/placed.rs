//! Records, and where they stand.

use super::line::{Place, RawLine};
use crate::disk::format::record::Record;

/// A record, and where it stands in the log.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// std::fs::write(&path, "\"one\"\n\"two\"\n")?;
/// for placed in eventlog::disk::read::<String>(&path).with_places() {
///     let placed = placed?;
///     // "…/x.log line 1 at byte 0: one"
///     println!("{}: {}", placed.place, placed.record.into_event().unwrap());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placed<E> {
    /// The record.
    pub record: Record<E>,
    /// Where it stands.
    pub place: Place,
}

impl<E> Placed<E> {
    pub(crate) fn on(record: Record<E>, line: &RawLine<'_>) -> Self {
        Self {
            record,
            place: line.place(),
        }
    }
}

/// The records of a [`Reader`](super::all::Reader) or a [`Follow`](super::follow::Follow), each
/// with its [`Place`].
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless they are consumed"]
pub struct WithPlaces<R>(pub(super) R);
