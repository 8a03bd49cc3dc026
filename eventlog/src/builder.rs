//! Settings of a log.

use std::{error::Error, fmt, path::PathBuf, time::Duration};

use crate::{
    cursor::Epoch,
    log::EventLog,
    retention::{Clock, Retention, Weigher},
    ring::{DEFAULT_CAPACITY, Ring},
    versioned::Versioned,
};

/// Settings of an [`EventLog`].
///
/// ```
/// # use eventlog::{BuildError, Coverage, EventLog};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// // The state was loaded at version 100; its history begins after that.
/// let log = EventLog::<Tick>::builder().capacity(1024).base_version(100).build()?;
/// assert_eq!(log.replay(100).coverage(), Coverage::Complete);
/// assert!(log.replay_truncated(99));
///
/// assert_eq!(EventLog::<Tick>::builder().capacity(0).build().err(), Some(BuildError::ZeroCapacity));
/// # Ok::<(), BuildError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<E> {
    capacity: usize,
    base_version: Option<u64>,
    disk_path: Option<PathBuf>,
    epoch: Option<Epoch>,
    bytes: Option<(u64, Weigher<E>)>,
    age: Option<Duration>,
    clock: Option<Clock>,
}

impl<E: Versioned> EventLog<E> {
    /// A log with other settings.
    ///
    /// ```
    /// # use eventlog::{BuildError, EventLog, Numbered};
    /// let log = EventLog::<Numbered<&str>>::builder().capacity(2).build()?;
    /// for name in ["opened", "moved", "closed"] {
    ///     log.push(name);
    /// }
    /// assert_eq!(log.stats().retained, 2);
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn builder() -> Builder<E> {
        Builder::new()
    }
}

impl<E: Versioned> Builder<E> {
    /// Events that a log retains unless told otherwise.
    pub const DEFAULT_CAPACITY: usize = DEFAULT_CAPACITY;

    fn new() -> Self {
        Self {
            capacity: Self::DEFAULT_CAPACITY,
            base_version: None,
            disk_path: None,
            epoch: None,
            bytes: None,
            age: None,
            clock: None,
        }
    }

    /// How many events are retained, exactly. At least 1; memory is taken as events come.
    ///
    /// ```
    /// # use eventlog::{EventLog, Start};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// // As many as come in the longest absence after which nobody should need a snapshot.
    /// let log = EventLog::builder().capacity(3).build()?;
    /// log.append_batch((1..=100).map(Tick));
    /// assert_eq!(log.replay(Start::Oldest).len(), 3);
    /// assert!(!log.replay_truncated(97));
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// What the retained events may weigh together, beside how many they may be: the oldest go until
    /// the rest weighs no more than `limit`. Weights are in whatever unit `weigh` gives; bytes of
    /// the form in which events are sent are the usual one.
    ///
    /// Exact, and told as any eviction: replays are `Truncated`, subscriptions `Lagged`, and
    /// [`stats`](EventLog::stats) counts. An event that is heavier than the limit alone leaves an
    /// empty log. What was evicted is still in memory until its segment is: up to two times 16 events.
    ///
    /// `weigh` is asked once per event, before it is appended and outside of the log's lock; if it
    /// panics, nothing has happened. Only an event that
    /// [`append_with`](EventLog::append_with) makes under the lock is weighed after that: until the
    /// call returns it weighs nothing, and if `weigh` panics, it is let go.
    ///
    /// What waits for a disk writer is no part of this; the writer's own bounds count it.
    ///
    /// ```
    /// # use eventlog::{BuildError, Coverage, EventLog, Numbered};
    /// let log = EventLog::<Numbered<String>>::builder()
    ///     .max_bytes(10, |message| message.len() as u64)
    ///     .build()?;
    /// log.push("12345".into());
    /// log.push("1234567".into());
    /// assert_eq!(log.replay(1).coverage(), Coverage::Complete);
    /// assert!(log.replay_truncated(0)); // the two weigh 12
    /// assert_eq!((log.stats().evicted_by_bytes, log.stats().retained_bytes), (1, 7));
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn max_bytes(
        mut self,
        limit: u64,
        weigh: impl Fn(&E) -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.bytes = Some((limit, Box::new(weigh)));
        self
    }

    /// How old a retained event may be, beside how many there may be: one that is older is evicted
    /// before a replay, a subscription or [`stats`](EventLog::stats) can show it, also where nobody
    /// appends any more.
    ///
    /// Exact, and told as any eviction. An event's age counts from its append; that of a recovered
    /// event from the recovery. A log that nobody asks or appends to keeps what is too old in memory.
    /// A subscription that has events before it is handed them, as long as nobody has evicted them.
    ///
    /// Time is that of [`Instant`](std::time::Instant), which on some systems stands still while the
    /// machine sleeps, unless there is a [`clock`](Self::clock).
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered};
    /// # use std::time::Duration;
    /// // The last hour, and never more than 100,000 events.
    /// let log = EventLog::<Numbered<&str>>::builder()
    ///     .capacity(100_000)
    ///     .max_age(Duration::from_secs(3600))
    ///     .build()?;
    /// log.push("opened");
    /// assert_eq!((log.stats().retained, log.stats().evicted_by_age), (1, 0));
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn max_age(mut self, limit: Duration) -> Self {
        self.age = Some(limit);
        self
    }

    /// What tells the time for [`max_age`](Self::max_age), as the time since some moment. A clock
    /// that goes back is taken to stand still until it is where it was.
    ///
    /// It is asked outside of the log's lock, at each append, replay, subscription and call to
    /// [`stats`](EventLog::stats); if it panics, nothing has happened.
    ///
    /// ```
    /// # use eventlog::{BuildError, EventLog, Numbered};
    /// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
    /// use std::time::Duration;
    ///
    /// let seconds = Arc::new(AtomicU64::new(0));
    /// let clock = seconds.clone();
    /// let log = EventLog::<Numbered<&str>>::builder()
    ///     .max_age(Duration::from_secs(60))
    ///     .clock(move || Duration::from_secs(clock.load(Ordering::Relaxed)))
    ///     .build()?;
    /// log.push("old");
    /// seconds.store(60, Ordering::Relaxed);
    /// assert!(!log.replay_truncated(0));
    /// seconds.store(61, Ordering::Relaxed);
    /// assert!(log.replay_truncated(0));
    /// # Ok::<(), BuildError>(())
    /// ```
    pub fn clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// The version that a subscriber must have seen before the first event, for a log that starts
    /// in the middle of a history. Unset, it is the first event's version − 1.
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// // The state was loaded at version 100, so who has that version misses nothing.
    /// let log = EventLog::builder().base_version(100).build()?;
    /// log.append(Tick(105));
    /// assert_eq!(log.replay(100).coverage(), Coverage::Complete);
    /// assert!(log.replay_truncated(99)); // without a base it would be complete from 104 on
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn base_version(mut self, version: u64) -> Self {
        self.base_version = Some(version);
        self
    }

    /// Where a disk writer is to keep its file. Nothing is opened here.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::builder().disk_path("events.log").build()?;
    /// assert_eq!(log.disk_path(), Some(Path::new("events.log")));
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn disk_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.disk_path = Some(path.into());
        self
    }

    /// The id of this life of the log. Unset, it is random.
    ///
    /// It has to be set where the system has no randomness, as on `wasm32-unknown-unknown`, if
    /// cursors are used there: without an epoch every one of them is `Foreign`, also the log's own.
    /// What it has to be like is said at [`Epoch::new`].
    ///
    /// ```
    /// # use eventlog::{Epoch, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # fn number_from_the_browser() -> u64 { 0x9f86_d081_884c_7d65 }
    /// let epoch = Epoch::new(number_from_the_browser());
    /// let log = EventLog::<Tick>::builder().epoch(epoch).build()?;
    /// assert_eq!(log.epoch(), epoch);
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn epoch(mut self, epoch: Epoch) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// The log.
    ///
    /// ```
    /// # use eventlog::{BuildError, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::builder().capacity(1).build()?;
    /// let refused = EventLog::<Tick>::builder().capacity(0).build();
    /// assert_eq!(refused.err(), Some(BuildError::ZeroCapacity));
    /// # Ok::<(), BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BuildError::ZeroCapacity`] if it could hold no event.
    pub fn build(mut self) -> Result<EventLog<E>, BuildError> {
        let (mut ring, retention) = self.ring()?;
        ring.set_base(self.base_version);
        Ok(EventLog::with(ring, retention, self.disk_path))
    }

    /// An empty ring of the capacity that was set, and what its limits need of the user. The
    /// limits are gone from here.
    #[expect(clippy::type_complexity, reason = "two halves of one thing")]
    pub(crate) fn ring(&mut self) -> Result<(Ring<E>, Option<Box<Retention<E>>>), BuildError> {
        if self.capacity == 0 {
            return Err(BuildError::ZeroCapacity);
        }
        let mut ring = Ring::new(self.capacity, Epoch::of_log(self.epoch));
        let retention = Retention::new(self.bytes.take(), self.age, self.clock.take());
        if let Some(retention) = &retention {
            ring.limit(retention.most());
        }
        Ok((ring, retention))
    }

    #[cfg(feature = "disk")]
    pub(crate) fn capacity_set(&self) -> usize {
        self.capacity
    }

    #[cfg(feature = "disk")]
    pub(crate) fn base_version_set(&self) -> Option<u64> {
        self.base_version
    }
}

impl<E> fmt::Debug for Builder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("capacity", &self.capacity)
            .field("base_version", &self.base_version)
            .field("disk_path", &self.disk_path)
            .field("epoch", &self.epoch)
            .field("max_bytes", &self.bytes.as_ref().map(|(limit, _)| limit))
            .field("max_age", &self.age)
            .finish_non_exhaustive()
    }
}

/// Settings that make no log.
///
/// ```
/// # use eventlog::{BuildError, EventLog};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let error = EventLog::<Tick>::builder().capacity(0).build().err();
/// assert_eq!(error, Some(BuildError::ZeroCapacity));
/// assert!(error.unwrap().to_string().contains("set `capacity` to at least 1"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A log that retains nothing can replay nothing.
    ZeroCapacity,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroCapacity => f.write_str(
                "cannot build an event log of capacity 0: set `capacity` to at least 1 event",
            ),
        }
    }
}

impl Error for BuildError {}
