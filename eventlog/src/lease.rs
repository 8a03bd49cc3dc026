//! Keeping what comes while a subscriber fetches a snapshot.

use std::{fmt, sync::Arc};

use crate::{
    cursor::{Cursor, Start},
    log::EventLog,
    ring::{Kept, LeaseId},
    shared::Shared,
    subscribe::Subscription,
};

/// How much a [lease](EventLog::lease) may keep beyond what the log retains by itself.
///
/// ```
/// use eventlog::LeaseBound;
///
/// let bound = LeaseBound::events(10_000).bytes(64 << 20);
/// assert_eq!(LeaseBound::from(10_000), LeaseBound::events(10_000));
/// # let _ = bound;
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeaseBound(Kept);

impl LeaseBound {
    /// So many events that the log would have let go otherwise.
    ///
    /// ```
    /// # use eventlog::{EventLog, LeaseBound};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::builder().capacity(1).build()?;
    /// let lease = log.lease(LeaseBound::events(2)); // `log.lease(2)` for short
    /// log.append_batch((1..=3).map(Tick)); // one that the log keeps anyway, and two
    /// assert!(!lease.is_revoked());
    /// log.append(Tick(4));
    /// assert!(lease.is_revoked());
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub const fn events(events: u64) -> Self {
        Self(Kept {
            events,
            bytes: u64::MAX,
        })
    }

    /// The same, and no more than these weigh together, where the log
    /// [weighs](crate::Builder::max_bytes) its events. Elsewhere they weigh nothing.
    ///
    /// ```
    /// # use eventlog::{EventLog, LeaseBound, Numbered};
    /// let log = EventLog::<Numbered<String>>::builder()
    ///     .max_bytes(10, |text| text.len() as u64)
    ///     .build()?;
    /// let lease = log.lease(LeaseBound::events(1_000).bytes(20));
    /// for _ in 0..3 {
    ///     log.push("1234567890".into());
    /// }
    /// assert!(!lease.is_revoked()); // two of them beyond what the log keeps
    /// log.push("1".into());
    /// assert!(lease.is_revoked());
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub const fn bytes(self, bytes: u64) -> Self {
        Self(Kept { bytes, ..self.0 })
    }
}

impl From<u64> for LeaseBound {
    fn from(events: u64) -> Self {
        Self::events(events)
    }
}

/// Holds back the eviction of what was appended since it was taken, within a bound: see
/// [`EventLog::lease`].
///
/// Given up when it is dropped.
///
/// ```
/// # use eventlog::EventLog;
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::builder().capacity(1).build()?;
/// let lease = log.lease(1_000);
/// log.append_batch([Tick(1), Tick(2)]);
/// assert!(!log.replay_truncated(0));
/// drop(lease); // the snapshot could not be made
/// assert!(log.replay_truncated(0));
/// # Ok::<(), eventlog::BuildError>(())
/// ```
#[must_use = "a lease that is dropped keeps nothing"]
pub struct Lease<E> {
    shared: Arc<Shared<E>>,
    id: LeaseId,
    cursor: Cursor,
}

impl<E> EventLog<E> {
    /// Keeps what is appended from now on, so that a subscriber can fetch a snapshot and then go on
    /// from there, however long that takes: for list-then-watch that cannot go round in circles.
    ///
    /// Take the lease first, then make or fetch the snapshot, then
    /// [subscribe](Lease::subscribe) from the snapshot's version or cursor: that is `Complete`, and
    /// stays so until the subscription has read what there was.
    ///
    /// It is kept within `max`: so many events (and bytes) beyond what the log would retain without
    /// any lease. One that would keep more is revoked, and [says so](Lease::is_revoked); what it kept
    /// is let go, and replays and subscriptions are told that as always. An appender never waits.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::BuildError> {
    /// # use eventlog::{Coverage, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::builder().capacity(2).build()?;
    /// log.append(Tick(1));
    ///
    /// let lease = log.lease(1_000);
    /// let snapshot = log.newest_version().unwrap_or(0); // and the state at that version
    /// for version in 2..=100 {
    ///     log.append(Tick(version)); // it takes a while to send the snapshot
    /// }
    /// assert!(!lease.is_revoked());
    /// let mut subscription = lease.subscribe(snapshot);
    /// assert_eq!(subscription.coverage(), Coverage::Complete);
    /// assert_eq!(subscription.recv().await.unwrap().version(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lease(&self, max: impl Into<LeaseBound>) -> Lease<E> {
        let LeaseBound(max) = max.into();
        let (id, cursor) = self.shared.with(|inner| {
            let (ring, epoch) = (&mut inner.ring, self.shared.lineage.epoch);
            let version = ring.newest_or_base();
            let cursor = Cursor::new(epoch, ring.next() - 1, version);
            (ring.lease(max), cursor)
        });
        Lease {
            shared: self.shared.clone(),
            id,
            cursor,
        }
    }
}

impl<E> Lease<E> {
    /// Where a subscriber stands that has everything from before the lease.
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let lease = log.lease(1_000);
    /// log.append(Tick(2));
    /// // Sent along with the snapshot that is made now: what comes after it is kept.
    /// let cursor = lease.cursor();
    /// assert_eq!(cursor.version(), 1);
    /// assert_eq!(lease.subscribe(cursor).coverage(), Coverage::Complete);
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Whether there was more to keep than its bound. Never false again.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered};
    /// let log = EventLog::<Numbered<u32>>::builder().capacity(1).build()?;
    /// let lease = log.lease(10);
    /// for number in 0..100 {
    ///     log.push(number);
    /// }
    /// if lease.is_revoked() {
    ///     // The snapshot took too long: take another lease, with a wider bound, and begin again.
    ///     assert!(!log.lease(1_000).is_revoked());
    /// }
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        !self.shared.with(|inner| inner.ring.has_lease(&self.id))
    }

    /// As [`EventLog::subscribe`]. The lease is given up once the subscription finds nothing more to
    /// read; should it be revoked before, the subscription is told how many events it
    /// [lost](crate::RecvError::Lagged).
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::builder().capacity(1).build().unwrap();
    /// let lease = log.lease(1_000);
    /// log.append_batch((1..=9).map(Tick));
    /// let mut subscription = lease.subscribe(0);
    /// for version in 1..=9 {
    ///     assert_eq!(subscription.recv().await?.version(), version); // and not `Lagged(8)`
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(self, start: impl Into<Start>) -> Subscription<E> {
        Subscription::open(&self.shared.clone(), start.into()).holding(self)
    }
}

impl<E> Drop for Lease<E> {
    fn drop(&mut self) {
        self.shared.evict(|ring| ring.end_lease(&self.id));
    }
}

impl<E> fmt::Debug for Lease<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("cursor", &self.cursor)
            .field("is_revoked", &self.is_revoked())
            .finish_non_exhaustive()
    }
}
