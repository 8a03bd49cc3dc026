//! Where the log goes, how large it grows, how safe it is.

use std::path::PathBuf;
use std::time::Duration;

/// When what was written is forced down to the disk.
///
/// A record is durable when its bytes and every directory entry needed to find them have been
/// synced. A crash of the *process* loses no written record under any policy: the operating
/// system still has it. The policies differ in what a crash of the *machine* may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SyncPolicy {
    /// Sync after every batch; a batch is everything that came during the previous sync.
    ///
    /// Does not promise that a record is durable when `append` returns: ask the writer for that.
    #[default]
    EveryBatch,
    /// Sync when this much time has passed since the last sync, and when a file is rotated.
    ///
    /// Does not promise the newest records: those of the last interval may be lost with power.
    Interval(Duration),
    /// Leave it to the operating system. A record counts as durable, and is acknowledged, as soon
    /// as the system has it; a file is still synced before it is rotated.
    ///
    /// Promises that a crash of the program loses nothing that was acknowledged, and nothing at
    /// all for a crash of the machine: after a power cut any part of the current file may be
    /// missing, also in the middle. Readers report such holes as damage.
    Never,
}

/// Settings of a log on disk.
///
/// ```
/// use eventlog::disk::DiskConfig;
///
/// let config = DiskConfig::new("launcher-events.log").max_bytes(1024 * 1024).keep(3);
/// assert_eq!(config.keep, 3);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DiskConfig {
    /// The current file of the log. Full files, the lock and what is set aside stand beside it,
    /// each under this whole name and a suffix.
    pub path: PathBuf,
    /// Size in bytes that no file of the log exceeds (default 8 MiB), unless one record alone is
    /// larger: such a record gets a file of its own.
    pub max_bytes: u64,
    /// How many full files are kept beside the current one (default 1): `<path>.old`,
    /// `<path>.old.2`, … up to the oldest. 0 counts as 1, because a rotation puts the full file
    /// aside before it starts another.
    pub keep: u32,
    /// Unix permission bits of the files that are created (default `0o600`); not used elsewhere.
    pub mode: u32,
    /// When written records are made durable.
    pub sync: SyncPolicy,
    /// How many events that the ring has already evicted the writer keeps in memory while the
    /// disk stalls or fails (default 262,144). Past the bound a gap line counts what is lost.
    pub backlog_events: usize,
    /// How many bytes of such events the writer keeps (default 128 MiB).
    pub backlog_bytes: usize,
    /// The first pause before another attempt while the disk refuses (default 100 ms). Each
    /// further pause is twice as long, and at least 1 ms.
    pub retry_min: Duration,
    /// The longest such pause (default 30 s).
    pub retry_max: Duration,
}

impl DiskConfig {
    /// The defaults, for a log at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_bytes: 8 * 1024 * 1024,
            keep: 1,
            mode: 0o600,
            sync: SyncPolicy::default(),
            backlog_events: 262_144,
            backlog_bytes: 128 * 1024 * 1024,
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_secs(30),
        }
    }

    /// One name for all spellings of the path, whatever the working directory becomes.
    pub(super) fn absolute_path(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    /// Sets [`max_bytes`](Self#structfield.max_bytes).
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets [`keep`](Self#structfield.keep).
    #[must_use]
    pub fn keep(mut self, keep: u32) -> Self {
        self.keep = keep;
        self
    }

    /// Sets [`mode`](Self#structfield.mode).
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Sets [`sync`](Self#structfield.sync).
    #[must_use]
    pub fn sync(mut self, sync: SyncPolicy) -> Self {
        self.sync = sync;
        self
    }

    /// Sets [`backlog_events`](Self#structfield.backlog_events).
    #[must_use]
    pub fn backlog_events(mut self, backlog_events: usize) -> Self {
        self.backlog_events = backlog_events;
        self
    }

    /// Sets [`backlog_bytes`](Self#structfield.backlog_bytes).
    #[must_use]
    pub fn backlog_bytes(mut self, backlog_bytes: usize) -> Self {
        self.backlog_bytes = backlog_bytes;
        self
    }

    /// Sets [`retry_min`](Self#structfield.retry_min).
    #[must_use]
    pub fn retry_min(mut self, retry_min: Duration) -> Self {
        self.retry_min = retry_min;
        self
    }

    /// Sets [`retry_max`](Self#structfield.retry_max).
    #[must_use]
    pub fn retry_max(mut self, retry_max: Duration) -> Self {
        self.retry_max = retry_max;
        self
    }
}
