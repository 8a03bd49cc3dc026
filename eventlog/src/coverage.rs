//! What a replay can promise.

use serde::{Deserialize, Serialize};

/// How far the replayed events cover what the subscriber has not seen.
///
/// Only `Complete` allows a subscriber to apply the events to the state that it has. In every other
/// case it fetches a snapshot first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Coverage {
    /// Nothing is missing: state at the asked version + these events = state at the newest.
    Complete,
    /// Events that the subscriber has not seen are gone, or were before the log's first.
    Truncated {
        /// No missing event has a version above this one.
        missed_through: u64,
        /// How many events are missing, where that is known: from a cursor, not from a version.
        missed: Option<u64>,
    },
    /// The subscriber claims to have seen more than ever happened here: its state is from another
    /// history, or this history was rewound.
    Ahead {
        /// The version of the newest event.
        newest: u64,
    },
    /// The cursor is from another life of the log, so nothing can be said about it, even if
    /// its numbers look as if they fitted.
    Foreign,
}

impl Coverage {
    /// Whether the events can be applied as they are.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }
}
