//! What is passed over at the beginning.

use crate::cursor::Start;
use crate::disk::format::record::Record;
use crate::versioned::Versioned;

/// What is passed over at the beginning.
pub(super) enum Skip<E> {
    /// Everything that is there at the first look.
    ToTheEnd,
    /// Records up to a version. It knows how to ask for it.
    Through(u64, fn(&E) -> u64),
}

impl<E> Skip<E> {
    /// Whether the record is before the start.
    pub(super) fn covers(&self, record: &Record<E>) -> bool {
        match (self, record) {
            (Self::ToTheEnd, _) => true,
            (Self::Through(through, version), Record::Event(event)) => version(event) <= *through,
            (Self::Through(through, _), Record::Gap(gap)) => gap.max_version <= *through,
        }
    }
}

impl<E: Versioned> Skip<E> {
    /// What is before the start; `None` if everything is after it.
    pub(super) fn before(start: Start) -> Option<Self> {
        match start {
            Start::Oldest => None,
            Start::Now => Some(Self::ToTheEnd),
            Start::After(version) => Some(Self::Through(version, E::version)),
            Start::Cursor(cursor) => Some(Self::Through(cursor.version(), E::version)),
        }
    }
}
