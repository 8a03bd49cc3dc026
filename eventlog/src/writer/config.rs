//! Settings of a writer, whatever it writes to.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use super::{bridge::Bridges, notice::Notice};

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
    /// Leave it to the operating system. A record counts as stored as soon as the system has it,
    /// and is never called durable; a file is still synced before it is rotated.
    ///
    /// Promises that a crash of the program loses nothing that is stored, and nothing at all for a
    /// crash of the machine: after a power cut any part of the current file may be missing, also
    /// in the middle. Readers report such holes as damage.
    Never,
}

/// What becomes of an event that would not be read back as it is: JSON has no NaN and no infinity
/// and writes `null`, `Some` of nothing is read as `None`, and readers take neither lines of more
/// than 64 MiB nor values nested deeper than 127 levels.
///
/// Looking costs nothing on a line without `null`. It looks at the value, not at the type: what
/// `serde` itself cannot read back (maps with numbers as keys, and 128-bit integers, inside an enum
/// that is untagged or internally tagged, or beside a field that is flattened) is not found here. It
/// is found by one line in the tests of the event, `model_tests::conformance!`. Where a crate of the program turns
/// on `serde_json/arbitrary_precision`, neither is a float in an untagged enum that has a variant
/// for any value after the one for floats: it is read as that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Unfaithful {
    /// A gap line says why, and has the form that JSON has for the event as a text, if that is no
    /// longer than 64 KiB. What is acknowledged is thereby read back as it was.
    #[default]
    Refuse,
    /// The line is written all the same, and the event is not acknowledged: waiting for it gives
    /// [`NotStored::Unfaithful`](super::NotStored::Unfaithful).
    Write,
}

/// Settings of a [`Writer`](super::Writer), whatever it writes to.
///
/// ```
/// use eventlog::writer::WriterConfig;
///
/// let config = WriterConfig::new("orders-stream").backlog_events(1_000_000);
/// assert_eq!(config.name(), "orders-stream");
/// ```
#[derive(Clone, Debug)]
pub struct WriterConfig {
    pub(crate) name: Arc<str>,
    pub(crate) sync: SyncPolicy,
    pub(crate) backlog_events: usize,
    pub(crate) backlog_bytes: usize,
    pub(crate) retry_min: Duration,
    pub(crate) retry_max: Duration,
    pub(crate) drop_timeout: Duration,
    pub(crate) unfaithful: Unfaithful,
    pub(crate) notices: Notices,
    /// Where to find what the backlog cannot keep.
    pub(crate) bridges: Bridges,
}

impl WriterConfig {
    /// The defaults, for a writer of this name. A later writer of the same name on the same log
    /// goes on where the one before left off. Warnings call it by the name, too.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into().into(),
            sync: SyncPolicy::default(),
            backlog_events: 262_144,
            backlog_bytes: 128 * 1024 * 1024,
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_secs(30),
            drop_timeout: Duration::from_secs(1),
            unfaithful: Unfaithful::default(),
            notices: Notices::default(),
            bridges: Bridges::default(),
        }
    }

    /// The writer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When written records are synced (default: after every batch).
    #[must_use]
    pub fn sync(mut self, policy: SyncPolicy) -> Self {
        self.sync = policy;
        self
    }

    /// How many events that the ring has already evicted the writer keeps in memory while the
    /// destination stalls or fails (default 262,144). What exceeds it is lost, and counted
    /// by a gap line.
    #[must_use]
    pub fn backlog_events(mut self, events: usize) -> Self {
        self.backlog_events = events;
        self
    }

    /// How many bytes of such events the writer keeps (default 128 MiB).
    #[must_use]
    pub fn backlog_bytes(mut self, bytes: usize) -> Self {
        self.backlog_bytes = bytes;
        self
    }

    /// The first pause before another attempt while the destination refuses (default 100 ms).
    /// Each further pause is twice as long, and at least 1 ms.
    #[must_use]
    pub fn retry_min(mut self, pause: Duration) -> Self {
        self.retry_min = pause;
        self
    }

    /// The longest such pause (default 30 s).
    #[must_use]
    pub fn retry_max(mut self, pause: Duration) -> Self {
        self.retry_max = pause;
        self
    }

    /// How long dropping the writer waits at most until what was appended is stored (default 1 s;
    /// zero means that it does not wait). What cannot be written by then is given up.
    #[must_use]
    pub fn drop_timeout(mut self, timeout: Duration) -> Self {
        self.drop_timeout = timeout;
        self
    }

    /// What becomes of events that would not be read back as they are (default: refused).
    #[must_use]
    pub fn unfaithful(mut self, unfaithful: Unfaithful) -> Self {
        self.unfaithful = unfaithful;
        self
    }

    /// Has `listen` called with every [`Notice`], on the writer's thread, beside the warning that
    /// goes to `tracing`: for programs without a subscriber for that.
    #[must_use]
    pub fn on_notice(mut self, listen: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.notices = Notices(Some(Arc::new(listen)));
        self
    }
}

/// The listener for what a person should know, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Notices(Option<Arc<Listener>>);

type Listener = dyn Fn(&Notice) + Send + Sync;

impl Notices {
    /// Says it to `tracing` and to the listener, whose panic goes no further.
    pub(crate) fn tell(&self, notice: &Notice) {
        notice.trace();
        let Some(listen) = &self.0 else { return };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| listen(notice))) {
            // The payload may panic in its own drop.
            std::mem::forget(payload);
            tracing::error!("the listener of `on_notice` panicked");
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "listener" } else { "none" })
    }
}
