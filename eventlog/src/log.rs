//! The shared handle: append, ask, subscribe.

use std::{
    fmt,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Builder, Cursor, Epoch, Replay, Seq, Stats, Subscription, Versioned,
    follow::Follower,
    replay::cursor_at_end,
    ring::{Entry, Ring, Snapshot},
    shared::Shared,
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
    shared: Arc<Shared<E>>,
    disk_path: Option<PathBuf>,
}

impl<E: Versioned> EventLog<E> {
    /// A log of 4096 events. The path, if there is one, is only remembered, for a disk writer to
    /// ask for: nothing is opened here.
    #[must_use]
    pub fn new(disk_path: Option<PathBuf>) -> Self {
        Self::with(Ring::new(Builder::<E>::DEFAULT_CAPACITY), disk_path)
    }

    /// A log with other settings.
    pub fn builder() -> Builder<E> {
        Builder::new()
    }

    /// Appends an event and wakes the subscribers. The oldest event makes room if the log is full.
    ///
    /// Never waits for a reader or a disk. A panic in the `Drop` of an event that made room reaches
    /// the caller after the append is done; the log stays usable.
    pub fn append(&self, event: E) -> Seq {
        let entry = Entry {
            version: event.version(),
            event,
        };
        Seq::new(self.shared.append(|ring, freed| ring.push(entry, freed)))
    }

    /// Appends several events at once: every replay sees all of them or none. Returns their
    /// sequence numbers, or `None` if there were none.
    ///
    /// ```
    /// # use eventlog::{EventLog, Seq};
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let batch = log.append_batch([Tick(2), Tick(3)]);
    /// assert_eq!(batch, Some(Seq::new(2)..=Seq::new(3)));
    /// assert_eq!(log.append_batch([]), None);
    /// ```
    pub fn append_batch(&self, events: impl IntoIterator<Item = E>) -> Option<RangeInclusive<Seq>> {
        let entries: Vec<_> = events
            .into_iter()
            .map(|event| Entry {
                version: event.version(),
                event,
            })
            .collect();
        if entries.is_empty() {
            return None;
        }
        let (first, last) = self.shared.append(|ring, freed| {
            let first = ring.next();
            for entry in entries {
                ring.push(entry, freed);
            }
            (first, ring.next() - 1)
        });
        Some(Seq::new(first)..=Seq::new(last))
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
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// let log = EventLog::new(None);
    /// for _ in 0..3 {
    ///     log.append_with(|newest| Tick(newest.map_or(1, |version| version + 1)));
    /// }
    /// assert_eq!(log.newest_version(), Some(3));
    /// ```
    pub fn append_with(&self, make: impl FnOnce(Option<u64>) -> E) -> Seq {
        Seq::new(self.shared.append(|ring, freed| {
            let event = make(ring.newest_version());
            ring.push(
                Entry {
                    version: event.version(),
                    event,
                },
                freed,
            )
        }))
    }
}

impl<E> EventLog<E> {
    pub(crate) fn with(ring: Ring<E>, disk_path: Option<PathBuf>) -> Self {
        Self {
            shared: Arc::new(Shared::new(ring)),
            disk_path,
        }
    }

    /// The retained events with a version above `since`, oldest first. They are cloned outside the
    /// lock; [`replay`](Self::replay) clones nothing.
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
    #[must_use]
    pub fn replay_truncated(&self, since: u64) -> bool {
        self.shared.lock().ring.missed_through(since).is_some()
    }

    /// The retained events with a version above `since`, what they cover, and the newest version:
    /// all of one instant. Clones nothing, and costs the same at every capacity, except where
    /// versions fall: those events are looked at one by one.
    #[must_use]
    pub fn replay(&self, since: u64) -> Replay<E> {
        Replay::since(self.snapshot(), self.epoch(), since)
    }

    /// As [`replay`](Self::replay), for a subscriber that has kept a cursor: exact also where
    /// versions repeat or fall.
    #[must_use]
    pub fn replay_after(&self, cursor: &Cursor) -> Replay<E> {
        Replay::after(self.snapshot(), self.epoch(), cursor)
    }

    /// Follows the log from version `since` on: what is retained, then what is appended, with no
    /// gap and no duplicate between the two.
    #[must_use]
    pub fn subscribe(&self, since: u64) -> Subscription<E> {
        Subscription::open(&self.shared, since, |snapshot| {
            Replay::since(snapshot, self.epoch(), since)
        })
    }

    /// Follows the log from a cursor on: goes on exactly where that subscription stood. A cursor of
    /// another epoch starts from the oldest event, with coverage `Foreign`.
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog};
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(5), Tick(5), Tick(5)]); // a version alone cannot tell them apart
    ///
    /// let mut subscription = log.subscribe(0);
    /// subscription.blocking_recv()?;
    /// let cursor = subscription.cursor();
    /// drop(subscription);
    ///
    /// let mut resumed = log.resume(&cursor);
    /// assert_eq!(resumed.coverage(), Coverage::Complete);
    /// resumed.blocking_recv()?;
    /// resumed.blocking_recv()?;
    /// assert!(resumed.try_recv().is_err());
    /// # Ok::<(), eventlog::RecvError>(())
    /// ```
    #[must_use]
    pub fn resume(&self, cursor: &Cursor) -> Subscription<E> {
        Subscription::open(&self.shared, cursor.version(), |snapshot| {
            Replay::after(snapshot, self.epoch(), cursor)
        })
    }

    /// Everything that is retained, whatever its version. Its coverage is `Complete` if that is
    /// the whole history: nothing was evicted, and a recovery left nothing on the disk.
    #[must_use]
    pub fn retained(&self) -> Replay<E> {
        Replay::whole(self.snapshot(), self.epoch())
    }

    /// Where a subscriber stands that has seen everything so far.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        cursor_at_end(&self.snapshot(), self.epoch())
    }

    /// The version of the newest event; `None` if there never was one.
    #[must_use]
    pub fn newest_version(&self) -> Option<u64> {
        self.shared.lock().ring.newest_version()
    }

    /// The id of this life of the log.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.shared.epoch
    }

    /// Where the log's disk writer keeps its file; `None` without one.
    #[must_use]
    pub fn disk_path(&self) -> Option<&Path> {
        self.disk_path.as_deref()
    }

    /// Counters of this instant.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let inner = self.shared.lock();
        let (oldest, next) = (inner.ring.oldest(), inner.ring.next());
        let slowest = inner.readers.slowest().unwrap_or(next);
        let end = self.shared.not_past_end(next);
        Stats {
            appended: next - 1,
            evicted: oldest - 1,
            retained: next - oldest,
            subscribers: inner.readers.len(),
            slowest_distance: end.saturating_sub(slowest),
            lagged: self.shared.lagged(),
            pinned_segments: inner.ring.pinned_segments(),
        }
    }

    /// Ends the live stream and wakes every subscriber: each still gets what was appended before,
    /// then [`RecvError::Closed`](crate::RecvError::Closed).
    ///
    /// Appends and replays go on to work; what is appended after this reaches no subscription.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Notes that a follower of this name has everything that is in the log now.
    pub(crate) fn mark_followed(&self, name: &Path) {
        let mut inner = self.shared.lock();
        let end = inner.ring.left_off(inner.ring.next());
        inner.left_off.insert(name.into(), end);
    }

    /// Follows under a name: goes on where the last follower of that name left off.
    pub(crate) fn follow(&self, name: &Path, backlog: u64) -> Follower<E> {
        Follower::new(&self.shared, name, backlog)
    }

    fn snapshot(&self) -> Snapshot<E> {
        self.shared.lock().ring.snapshot()
    }
}

impl<E> Drop for EventLog<E> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<E> fmt::Debug for EventLog<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog")
            .field("epoch", &self.epoch())
            .field("disk_path", &self.disk_path)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
