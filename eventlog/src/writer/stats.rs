//! Counters of a writer.

use crate::seq::Seq;

/// What a writer has done.
///
/// ```
/// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = EventLog::new(None);
/// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
/// log.append_batch((1..=100).map(Tick));
/// writer.flush().await?;
/// let stats = writer.stats();
/// let per_sync = stats.events / stats.commits; // how well syncs are shared
/// assert!(per_sync >= 1 && stats.settled.get() == 100);
/// # Ok(())
/// # }
/// ```
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
