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
    #[must_use]
    pub const fn events(events: u64) -> Self {
        Self(Kept {
            events,
            bytes: u64::MAX,
        })
    }

    /// The same, and no more than these weigh together, where the log
    /// [weighs](crate::Builder::max_bytes) its events. Elsewhere they weigh nothing.
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
    /// # use eventlog::{Coverage, EventLog};
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
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
    /// assert_eq!(subscription.blocking_recv().unwrap().0, 2);
    /// # Ok::<(), eventlog::BuildError>(())
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
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Whether there was more to keep than its bound. Never false again.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        !self.shared.with(|inner| inner.ring.has_lease(&self.id))
    }

    /// As [`EventLog::subscribe`]. The lease is given up once the subscription finds nothing more to
    /// read; should it be revoked before, the subscription is told how many events it
    /// [lost](crate::RecvError::Lagged).
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
