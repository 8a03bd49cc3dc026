//! The shared handle: append, ask, subscribe.

#[cfg(feature = "disk")]
use std::any::Any;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

#[cfg(feature = "disk")]
use crate::sync::Mutex;
use crate::{
    cursor::{Cursor, Epoch, Start},
    lineage::Lineage,
    replay::{Replay, cursor_at_end},
    retention::Retention,
    ring::{DEFAULT_CAPACITY, Entry, Ring, Snapshot},
    seq::{Seq, SeqRange},
    shared::Shared,
    stats::Stats,
    subscribe::Subscription,
    versioned::Versioned,
};

/// A bounded log of events in memory that any number of threads append to, replay and follow.
///
/// Share it as `Arc<EventLog<E>>`. When the last handle is dropped the log closes itself, so
/// subscribers come to an end.
///
/// ```
/// use eventlog::{EventLog, Versioned};
///
/// #[derive(Clone, Debug, PartialEq)]
/// struct Tick(u64);
/// impl Versioned for Tick {
///     fn version(&self) -> u64 {
///         self.0
///     }
/// }
///
/// let log = EventLog::new(None);
/// for version in 1..=5 {
///     log.append(Tick(version));
/// }
/// assert_eq!(log.events_since(3), [Tick(4), Tick(5)]);
/// assert!(!log.replay_truncated(3));
/// ```
///
/// Each place where user code runs is outside the log's lock (`Versioned::version`, `Clone`,
/// `Drop`, `Serialize`, wakers), with one exception: the closure of
/// [`append_with`](Self::append_with).
pub struct EventLog<E> {
    pub(crate) shared: Arc<Shared<E>>,
    /// The number of the first event that did not come from a recovery.
    #[cfg_attr(
        not(feature = "tracing"),
        allow(dead_code, reason = "read by a warning")
    )]
    first_new: u64,
    /// Only where the log has to do with any.
    files: OnceLock<Box<Files>>,
}

/// What a log knows of its files, none of which it opens itself.
#[derive(Default)]
struct Files {
    /// The path that the log was made with.
    disk_path: Option<PathBuf>,
    /// The file of the first disk writer that was started for this log.
    written_to: OnceLock<PathBuf>,
    /// What a recovery left to the writer of a file, as the disk has it.
    #[cfg(feature = "disk")]
    handover: Mutex<Option<(PathBuf, Box<dyn Any + Send>)>>,
}

impl<E: Versioned> EventLog<E> {
    /// A log of 4096 events. The path, if there is one, is only remembered, for a disk writer to
    /// ask for: nothing is opened here.
    ///
    /// Where the system has no randomness, as on `wasm32-unknown-unknown`, it knows no cursor:
    /// use a [builder](crate::Builder::epoch) there.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(Some("events.log".into()));
    /// assert!(log.disk_path().is_some());
    /// assert!(!std::path::Path::new("events.log").exists()); // a writer makes it
    /// ```
    #[must_use]
    pub fn new(disk_path: Option<PathBuf>) -> Self {
        let ring = Ring::new(DEFAULT_CAPACITY, Epoch::of_log(None));
        Self::with(ring, None, disk_path)
    }

    /// Appends an event and wakes the subscribers. The oldest event makes room if the log is full.
    ///
    /// Never waits for a reader or a disk. Events that made room are dropped later, 256 at a time,
    /// here or on the thread of a reader or a writer that has time. A panic in the `Drop` of one
    /// of them goes no further.
    ///
    /// ```
    /// # use eventlog::{EventLog, Seq};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// assert_eq!(log.append(Tick(70)), Seq::new(1));
    /// assert_eq!(log.append(Tick(75)), Seq::new(2)); // versions may skip, numbers do not
    /// assert_eq!(subscription.try_recv().unwrap().version(), 70);
    /// ```
    // Inlined, so that the event is built where it is handed over, and copied once less.
    #[inline]
    pub fn append(&self, event: E) -> Seq {
        if let Some(retention) = &self.shared.retention {
            return self.append_counted(retention, event);
        }
        let entry = Entry {
            version: event.version(),
            event,
        };
        Seq::new(self.shared.append(|ring| ring.push(entry)))
    }

    /// Appends several events at once: every replay sees all of them or none. Returns their
    /// sequence numbers, or `None` if there were none.
    ///
    /// They are gathered first. Everyone else then waits while they are put in place, some tens of
    /// nanoseconds each, so give millions of events in batches of some thousands.
    ///
    /// ```
    /// # use eventlog::{EventLog, Seq, SeqRange};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let batch = log.append_batch([Tick(2), Tick(3)]);
    /// assert_eq!(batch, SeqRange::new(Seq::new(2), Seq::new(3)));
    /// assert_eq!(log.append_batch([]), None);
    /// ```
    pub fn append_batch(&self, events: impl IntoIterator<Item = E>) -> Option<SeqRange> {
        let entries = events.into_iter().map(|event| Entry {
            version: event.version(),
            event,
        });
        let (first, last) = self.shared.append_all(entries)?;
        SeqRange::of(first, last)
    }

    /// Makes an event from the newest version and appends it, so that several producers can number
    /// their events without a race. The closure gets `None` on a log that never had an event.
    ///
    /// The closure (and `version` of what it returns) runs under the log's lock: keep it short, and
    /// do not touch this log in it, which would deadlock. It runs before anything is changed, so if
    /// it panics, nothing has happened.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// for _ in 0..3 {
    ///     log.append_with(|newest| Tick(newest.map_or(1, |version| version + 1)));
    /// }
    /// assert_eq!(log.newest_version(), Some(3));
    /// ```
    pub fn append_with(&self, make: impl FnOnce(Option<u64>) -> E) -> Seq {
        let make = |ring: &mut Ring<E>| {
            let event = make(ring.newest_version());
            Entry {
                version: event.version(),
                event,
            }
        };
        if let Some(retention) = &self.shared.retention {
            return self.append_then_weigh(retention, make);
        }
        Seq::new(self.shared.append(|ring| {
            let entry = make(ring);
            ring.push(entry)
        }))
    }
}

impl<E> EventLog<E> {
    pub(crate) fn with(
        ring: Ring<E>,
        retention: Option<Box<Retention<E>>>,
        disk_path: Option<PathBuf>,
    ) -> Self {
        let lineage = Lineage::new(ring.epoch());
        Self::going_on(ring, lineage, retention, disk_path)
    }

    /// A log that goes on with the lives before it.
    pub(crate) fn going_on(
        ring: Ring<E>,
        lineage: Lineage,
        retention: Option<Box<Retention<E>>>,
        disk_path: Option<PathBuf>,
    ) -> Self {
        let files = disk_path.map(|path| {
            Box::new(Files {
                disk_path: Some(path),
                ..Files::default()
            })
        });
        let files = files.map_or_else(OnceLock::new, OnceLock::from);
        Self {
            first_new: ring.next(),
            shared: Arc::new(Shared::new(ring, lineage, retention)),
            files,
        }
    }

    #[cfg(feature = "disk")]
    fn files(&self) -> &Files {
        self.files.get_or_init(Box::default)
    }

    /// The retained events with a version above `since`, oldest first. They are cloned outside the
    /// lock; [`replay`](Self::replay) clones nothing.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(1), Tick(2), Tick(3)]);
    /// assert_eq!(log.events_since(1), [Tick(2), Tick(3)]);
    /// assert!(log.events_since(3).is_empty());
    /// ```
    #[must_use]
    pub fn events_since(&self, since: u64) -> Vec<E>
    where
        E: Clone,
    {
        self.replay(since).iter().cloned().collect()
    }

    /// Whether a subscriber that has seen version `since` misses events that a replay cannot
    /// return: because they were evicted, or because they were before the log's first.
    ///
    /// Exact, whether versions are dense, skip, repeat or fall. Ask [`replay`](Self::replay) to
    /// get this answer and the events of one and the same instant.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::builder().capacity(2).build()?;
    /// log.append_batch((1..=5).map(Tick)); // 4 and 5 are left
    /// assert!(!log.replay_truncated(3));
    /// assert!(log.replay_truncated(2)); // 3 is gone: a snapshot is needed
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub fn replay_truncated(&self, since: u64) -> bool {
        self.shared
            .with_now(|inner| inner.ring.missed_through(since).is_some())
    }

    /// The retained events from a [`Start`] on (such as those with a version above `since`), what
    /// they cover, and the newest version, all as of one instant. Clones nothing, and costs the same
    /// at every capacity; where versions fall, about a microsecond more at 2^20 events.
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let cursor = log.cursor();
    /// log.append(Tick(1)); // a version repeats: only a cursor can tell the two apart
    ///
    /// assert_eq!(log.replay(1).len(), 0);
    /// assert_eq!(log.replay(cursor).len(), 1);
    /// assert_eq!(log.replay(cursor).coverage(), Coverage::Complete);
    /// ```
    #[must_use]
    #[inline]
    pub fn replay(&self, start: impl Into<Start>) -> Replay<E> {
        Replay::open(self.snapshot(), &self.shared.lineage, start.into())
    }

    /// Follows the log from a [`Start`] on: what is retained, then what is appended, with no gap
    /// and no duplicate between the two.
    ///
    /// A version means what comes *after* it, so `subscribe(0)` leaves out an event of version 0.
    /// Where there may be one, begin with [`Start::Oldest`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// let mut first = log.subscribe(0);
    /// log.append(Tick(1));
    /// log.append(Tick(1));
    /// first.recv().await?;
    ///
    /// // The first subscriber went away; another goes on where it stood.
    /// let mut second = log.subscribe(first.cursor());
    /// second.recv().await?;
    /// assert!(second.try_recv().is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self, start: impl Into<Start>) -> Subscription<E> {
        Subscription::open(&self.shared, start.into())
    }

    /// Where a subscriber stands that has seen everything so far.
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let before = log.cursor(); // taken before the snapshot, which may have more in it already
    /// let snapshot = log.newest_version();
    /// log.append(Tick(2));
    /// let replay = log.replay(before);
    /// assert_eq!((replay.coverage(), replay.len()), (Coverage::Complete, 1));
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        cursor_at_end(&self.snapshot(), self.epoch())
    }

    /// The version of the newest event; `None` if there never was one.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// assert_eq!(log.newest_version(), None);
    /// log.append(Tick(7));
    /// assert_eq!(log.newest_version(), Some(7));
    /// ```
    #[must_use]
    pub fn newest_version(&self) -> Option<u64> {
        self.shared.with(|inner| inner.ring.newest_version())
    }

    /// The id of this life of the log.
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(None);
    /// let after_restart = EventLog::<Tick>::new(None);
    /// assert_ne!(log.epoch(), after_restart.epoch());
    /// // That is how a cursor from before it is not taken for one of this life.
    /// assert_eq!(after_restart.replay(log.cursor()).coverage(), Coverage::Foreign);
    /// ```
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.shared.lineage.epoch
    }

    /// The file of the first disk writer that was started for this log; before that, the path that
    /// the log was made with, where [`run_disk_writer`](crate::disk::run_disk_writer) will write.
    /// `None` if it has neither.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(Some("events.log".into()));
    /// assert_eq!(log.disk_path(), Some(Path::new("events.log")));
    /// assert_eq!(EventLog::<Tick>::new(None).disk_path(), None);
    /// ```
    #[must_use]
    pub fn disk_path(&self) -> Option<&Path> {
        let files = self.files.get()?;
        let path = files.written_to.get().or(files.disk_path.as_ref());
        path.map(PathBuf::as_path)
    }

    /// Keeps what the writer of a file will go on with.
    #[cfg(feature = "disk")]
    pub(crate) fn hand_over(&self, path: PathBuf, left: Box<dyn Any + Send>) {
        *self.files().handover.lock() = Some((path, left));
    }

    /// What was kept for the writer of this file.
    #[cfg(feature = "disk")]
    pub(crate) fn take_over(&self, path: &Path) -> Option<Box<dyn Any + Send>> {
        let mut handover = self.files.get()?.handover.lock();
        let kept = handover.take_if(|(kept, _)| kept == path);
        kept.map(|(_, left)| left)
    }

    /// Notes where a disk writer has been started.
    #[cfg(feature = "disk")]
    pub(crate) fn note_written_to(&self, path: &Path) {
        self.files().written_to.get_or_init(|| path.to_owned());
    }

    /// Counters as of this instant. Looks at each subscription (a few µs for a thousand), which no
    /// appender waits for.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::builder().capacity(2).build()?;
    /// let subscription = log.subscribe(0);
    /// log.append_batch((1..=5).map(Tick));
    /// let stats = log.stats();
    /// assert_eq!((stats.appended, stats.retained, stats.evicted), (5, 2, 3));
    /// assert_eq!((stats.subscribers, stats.slowest_distance), (1, 5)); // it will be `Lagged`
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        // Before the ring: the distance is never less than it was.
        let (subscribers, slowest) = self.shared.readers.summary();
        self.shared.with_now(|inner| {
            let ring = &inner.ring;
            let counts = ring.counts();
            let (first, oldest, next) = (ring.first(), ring.oldest(), ring.next());
            let end = self.shared.not_past_end(next);
            Stats {
                appended: next - first,
                evicted: oldest - first,
                evicted_by_bytes: counts.evicted_by_bytes,
                evicted_by_age: counts.evicted_by_age,
                retained: next - oldest,
                retained_bytes: counts.bytes,
                subscribers,
                slowest_distance: end.saturating_sub(slowest.unwrap_or(next)),
                lagged: self.shared.lagged(),
                pinned_segments: inner.ring.pinned_segments(),
            }
        })
    }

    /// Ends the live stream and wakes every subscriber: each still gets what was appended before,
    /// then [`RecvError::Closed`](crate::RecvError::Closed).
    ///
    /// Appends and replays go on to work; what is appended after this reaches no subscription.
    ///
    /// ```
    /// # use eventlog::{EventLog, RecvError};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// log.append(Tick(1));
    /// log.close();
    /// assert_eq!(subscription.recv().await?.version(), 1);
    /// assert_eq!(subscription.recv().await.err(), Some(RecvError::Closed));
    /// # Ok(())
    /// # }
    /// ```
    pub fn close(&self) {
        self.shared.close();
    }

    #[inline]
    fn snapshot(&self) -> Snapshot<E> {
        self.shared.with_now(|inner| inner.ring.snapshot())
    }
}

impl<E> Drop for EventLog<E> {
    fn drop(&mut self) {
        self.close();
        #[cfg(feature = "tracing")]
        if let Some(files) = self.files.get()
            && let Some(path) = &files.disk_path
            && files.written_to.get().is_none()
            && self.shared.with(|inner| inner.ring.next()) > self.first_new
        {
            tracing::warn!(
                "the event log {} was never written: no disk writer was started for it; use \
                 `DiskWriter::spawn`, or make the log with no path",
                path.display()
            );
        }
    }
}

impl<E> fmt::Debug for EventLog<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog")
            .field("epoch", &self.epoch())
            .field("disk_path", &self.disk_path())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
