//! Counters that a user can export.

/// What a log has done and what it holds, at one instant.
///
/// ```
/// # use eventlog::EventLog;
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::builder().capacity(2).build()?;
/// log.append_batch((1..=3).map(Tick));
/// let stats = log.stats();
/// // For a dashboard: how soon the slowest reader would miss something.
/// assert!(stats.slowest_distance <= stats.retained);
/// assert_eq!((stats.appended, stats.evicted), (3, 1));
/// # Ok::<(), eventlog::BuildError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Events appended since the log was made, those of a recovery included.
    pub appended: u64,
    /// Events that made room for newer ones.
    pub evicted: u64,
    /// Those of them that were among the newest, and weighed too much
    /// ([`max_bytes`](crate::Builder::max_bytes)).
    pub evicted_by_bytes: u64,
    /// Those of them that were among the newest, and too old ([`max_age`](crate::Builder::max_age)).
    pub evicted_by_age: u64,
    /// Events that a replay can return now.
    pub retained: u64,
    /// What those weigh, where the log [weighs](crate::Builder::max_bytes) its events; 0 elsewhere.
    pub retained_bytes: u64,
    /// Live subscriptions.
    pub subscribers: usize,
    /// Events that the slowest subscriber has still to read; 0 without subscribers.
    pub slowest_distance: u64,
    /// Events that subscribers were told they missed, over all subscribers so far.
    pub lagged: u64,
    /// Segments (of up to 256 events) that only replays, subscribers and delivered events keep
    /// in memory.
    pub pinned_segments: usize,
}
