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
///
/// ```
/// # use std::time::Duration;
/// use eventlog::disk::{DiskConfig, SyncPolicy};
///
/// // Telemetry, of which a power cut may take the last second.
/// let config = DiskConfig::new("events.log").sync(SyncPolicy::Interval(Duration::from_secs(1)));
/// assert_eq!(SyncPolicy::default(), SyncPolicy::EveryBatch);
/// ```
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
///
/// ```
/// # use eventlog::{EventLog, Versioned, disk::{DiskConfig, DiskWriter, NotStored}};
/// #[derive(serde::Serialize)]
/// struct Measured {
///     celsius: f64,
/// }
/// # impl Versioned for Measured { fn version(&self) -> u64 { 1 } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = EventLog::new(None);
/// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
/// let seq = log.append(Measured { celsius: f64::NAN }); // JSON would have `null`
/// assert_eq!(writer.durable(seq).await, Err(NotStored::Lost { seq }));
/// assert!(std::fs::read_to_string(&path)?.contains("unfaithful"));
/// # Ok(())
/// # }
/// ```
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
    ///
    /// ```
    /// # use eventlog::writer::WriterConfig;
    /// assert_eq!(WriterConfig::new("orders-stream").name(), "orders-stream");
    /// ```
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
    ///
    /// ```
    /// # use eventlog::disk::DiskConfig;
    /// // A disk writer is called by its path.
    /// assert!(DiskConfig::new("events.log").writer().name().ends_with("events.log"));
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When written records are synced (default: after every batch).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::writer::{SyncPolicy, WriterConfig};
    /// let config = WriterConfig::new("orders").sync(SyncPolicy::Interval(Duration::from_millis(50)));
    /// assert!(format!("{config:?}").contains("Interval(50ms)"));
    /// ```
    #[must_use]
    pub fn sync(mut self, policy: SyncPolicy) -> Self {
        self.sync = policy;
        self
    }

    /// How many events that the ring has already evicted the writer keeps in memory while the
    /// destination stalls or fails (default 262,144). What exceeds it is lost, and counted
    /// by a gap line.
    ///
    /// ```
    /// # use eventlog::writer::WriterConfig;
    /// // Five minutes without the server, at 10,000 events per second.
    /// let config = WriterConfig::new("orders").backlog_events(3_000_000).backlog_bytes(1 << 30);
    /// assert!(format!("{config:?}").contains("backlog_events: 3000000"));
    /// ```
    #[must_use]
    pub fn backlog_events(mut self, events: usize) -> Self {
        self.backlog_events = events;
        self
    }

    /// How many bytes of such events the writer keeps (default 128 MiB).
    ///
    /// ```
    /// # use eventlog::writer::WriterConfig;
    /// // On a small machine: at most 8 MiB, whatever that is in events.
    /// let config = WriterConfig::new("orders").backlog_bytes(8 << 20);
    /// assert!(format!("{config:?}").contains("backlog_bytes: 8388608"));
    /// ```
    #[must_use]
    pub fn backlog_bytes(mut self, bytes: usize) -> Self {
        self.backlog_bytes = bytes;
        self
    }

    /// The first pause before another attempt while the destination refuses (default 100 ms).
    /// Each further pause is twice as long, and at least 1 ms.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::writer::WriterConfig;
    /// let config = WriterConfig::new("orders")
    ///     .retry_min(Duration::from_millis(10)) // 10, 20, 40… ms,
    ///     .retry_max(Duration::from_secs(1)); // and then each second
    /// assert!(format!("{config:?}").contains("retry_min: 10ms"));
    /// ```
    #[must_use]
    pub fn retry_min(mut self, pause: Duration) -> Self {
        self.retry_min = pause;
        self
    }

    /// The longest such pause (default 30 s).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::writer::WriterConfig;
    /// // Looks more often whether somebody has freed some room.
    /// let config = WriterConfig::new("orders").retry_max(Duration::from_secs(5));
    /// assert!(format!("{config:?}").contains("retry_max: 5s"));
    /// ```
    #[must_use]
    pub fn retry_max(mut self, pause: Duration) -> Self {
        self.retry_max = pause;
        self
    }

    /// How long dropping the writer waits at most until what was appended is stored (default 1 s;
    /// zero means that it does not wait). What cannot be written by then is given up.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// // The drop of this one never blocks the runtime; `shutdown` says that all is stored.
    /// let config = DiskConfig::new(&path).drop_timeout(Duration::ZERO);
    /// let writer = DiskWriter::spawn(&log, config)?;
    /// log.append(Tick(1));
    /// writer.shutdown().await?;
    /// drop(writer);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn drop_timeout(mut self, timeout: Duration) -> Self {
        self.drop_timeout = timeout;
        self
    }

    /// What becomes of events that would not be read back as they are (default: refused).
    ///
    /// ```
    /// # use eventlog::{EventLog, Versioned, disk::{DiskConfig, DiskWriter, NotStored, Unfaithful}};
    /// # #[derive(serde::Serialize)]
    /// # struct Measured { celsius: f64 }
    /// # impl Versioned for Measured { fn version(&self) -> u64 { 1 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let config = DiskConfig::new(&path).unfaithful(Unfaithful::Write);
    /// let writer = DiskWriter::spawn(&log, config)?;
    /// let seq = log.append(Measured { celsius: f64::NAN });
    /// assert_eq!(writer.durable(seq).await, Err(NotStored::Unfaithful { seq }));
    /// assert_eq!(std::fs::read_to_string(&path)?, "{\"celsius\":null}\n");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn unfaithful(mut self, unfaithful: Unfaithful) -> Self {
        self.unfaithful = unfaithful;
        self
    }

    /// Has `listen` called with every [`Notice`], on the writer's thread, beside the warning that
    /// goes to `tracing`: for programs without a subscriber for that.
    ///
    /// ```
    /// # use std::sync::mpsc;
    /// # use eventlog::{EventLog, Versioned, disk::{DiskConfig, DiskWriter, Notice}};
    /// # #[derive(serde::Serialize)]
    /// # struct Measured { celsius: f64 }
    /// # impl Versioned for Measured { fn version(&self) -> u64 { 1 } }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let (sender, notices) = mpsc::channel();
    /// let config = DiskConfig::new(&path).on_notice(move |notice| {
    ///     sender.send(notice.clone()).ok(); // quickly: it is the writer's thread
    /// });
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, config)?;
    /// log.append(Measured { celsius: f64::NAN });
    /// assert!(matches!(notices.recv()?, Notice::Unserializable { version: 1, .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
