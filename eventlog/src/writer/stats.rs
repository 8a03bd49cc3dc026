//! Counters of a writer.

use crate::seq::Seq;

/// What a writer has done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct WriterStats {
    /// Everything up to here is stored, or was lost and is counted by a gap line.
    pub settled: Seq,
    /// Events that got a line.
    pub events: u64,
    /// Bytes of these lines.
    pub bytes: u64,
    /// Commits that succeeded, each with one sync for its whole batch.
    pub commits: u64,
    /// Attempts to write or sync that failed.
    pub failures: u64,
    /// Events that never reached the destination.
    pub lost: u64,
    /// Gap lines that count those.
    pub gap_lines: u64,
    /// Events that were written although they will not be read back as they are, and that were
    /// therefore not acknowledged.
    pub unacknowledged: u64,
    /// Why the last attempt failed, if it did: events wait in memory. `None` while all is well.
    pub failing: Option<String>,
}
