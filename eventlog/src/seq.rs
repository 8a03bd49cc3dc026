//! The log's own counter.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The log's own dense number of an event: 1 for the first append, then one more for each.
///
/// It is given under the log's lock, so the order of sequence numbers is the order of the history.
/// It is a type of its own, so that nobody mixes it up with a [version](crate::Versioned::version),
/// which belongs to the user and may skip, repeat and fall.
///
/// ```
/// # use eventlog::EventLog;
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// let log = EventLog::new(None);
/// let first = log.append(Tick(70));
/// assert_eq!(first.get(), 1);
/// assert!(log.append(Tick(80)) > first);
/// ```
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(u64);

impl Seq {
    /// The place before the first event.
    pub const ZERO: Self = Self(0);

    /// A sequence number from its value.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
