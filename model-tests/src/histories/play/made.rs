//! Events that can be written down as code.

use eventlog::Versioned;

/// An event and what it was made of, so that it can be written down as code.
#[derive(Clone, Debug)]
pub(super) struct Made<E> {
    pub(super) version: u64,
    pub(super) pick: u32,
    pub(super) event: E,
}

impl<E> Versioned for Made<E> {
    fn version(&self) -> u64 {
        self.version
    }
}

impl<E> Made<E> {
    pub(super) fn code(&self) -> String {
        format!("subject.event({}, {})", self.version, self.pick)
    }
}
