//! Events that are gone from memory, and lie somewhere else.

use std::{fmt, sync::Arc};

use super::gap::Gap;
use crate::seq::Seq;

/// Where events are found that the backlog could not keep.
pub(crate) trait Bridge: Send {
    /// Goes to the record after this event. Says whether it is there.
    fn seek(&mut self, after: Seq) -> bool;

    /// The next record; `None` if there is none that can be read.
    fn next(&mut self) -> Option<Bridged<'_>>;
}

/// A record that was kept.
pub(crate) enum Bridged<'a> {
    Event {
        version: u64,
        /// Without its newline.
        line: &'a [u8],
    },
    /// Events that are not there either.
    Gap(Gap),
}

/// Makes the bridge of a writer, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Bridges(Option<Arc<Make>>);

type Make = dyn Fn() -> Box<dyn Bridge> + Send + Sync;

impl Bridges {
    pub(crate) fn new(make: impl Fn() -> Box<dyn Bridge> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(make)))
    }

    pub(super) fn make(&self) -> Option<Box<dyn Bridge>> {
        self.0.as_ref().map(|make| make())
    }
}

impl fmt::Debug for Bridges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "disk" } else { "none" })
    }
}

/// Events that are brought over a bridge, instead of from the ring.
pub(super) struct Detour {
    /// The next of them.
    pub(super) next: u64,
    /// The last.
    pub(super) through: u64,
    /// What is told of those that are not there either.
    pub(super) gap: Gap,
    pub(super) is_open: bool,
}

impl Detour {
    /// Events up to `through` that the ring could not keep.
    pub(super) fn new(through: u64, gap: Gap) -> Self {
        Self {
            next: through + 1 - gap.count,
            through,
            gap,
            is_open: false,
        }
    }

    /// Those that are still to come.
    pub(super) fn rest(&self) -> Gap {
        Gap {
            count: self.through + 1 - self.next,
            ..self.gap
        }
    }
}
