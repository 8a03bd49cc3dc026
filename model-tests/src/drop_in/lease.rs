//! A lease that the model keeps as well.

use std::{fmt, ops::Deref};

use eventlog::Start;

use super::{
    beside::{Beside, Shared},
    subscription::Subscription,
};
use crate::subject::adapter::Event;

/// [`eventlog::LeaseBound`], which the model can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeaseBound {
    pub(super) events: u64,
    pub(super) bytes: Option<u64>,
}

impl LeaseBound {
    /// As [`eventlog::LeaseBound::events`].
    ///
    /// ```
    /// # use model_tests::drop_in::LeaseBound;
    /// assert_eq!(LeaseBound::from(100), LeaseBound::events(100)); // a number will do
    /// ```
    #[must_use]
    pub const fn events(events: u64) -> Self {
        Self {
            events,
            bytes: None,
        }
    }

    /// As [`eventlog::LeaseBound::bytes`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::{EventLog, LeaseBound}};
    /// # let log = EventLog::<Tick>::new(None);
    /// let lease = log.lease(LeaseBound::events(1_000).bytes(1 << 20)); // whichever comes first
    /// assert!(!lease.is_revoked());
    /// ```
    #[must_use]
    pub const fn bytes(self, bytes: u64) -> Self {
        Self {
            bytes: Some(bytes),
            ..self
        }
    }
}

impl From<u64> for LeaseBound {
    fn from(events: u64) -> Self {
        Self::events(events)
    }
}

impl From<LeaseBound> for eventlog::LeaseBound {
    fn from(LeaseBound { events, bytes }: LeaseBound) -> Self {
        let bound = Self::events(events);
        bytes.map_or(bound, |bytes| bound.bytes(bytes))
    }
}

/// [`eventlog::Lease`] with the model beside it.
#[must_use = "a lease that is dropped keeps nothing"]
pub struct Lease<E> {
    /// There until it is given up, or a subscription has it.
    theirs: Option<eventlog::Lease<E>>,
    ours: usize,
    beside: Shared<E>,
}

impl<E: Event> Lease<E> {
    pub(super) fn new(theirs: eventlog::Lease<E>, ours: usize, beside: Shared<E>) -> Self {
        Self {
            theirs: Some(theirs),
            ours,
            beside,
        }
    }

    /// As [`eventlog::Lease::is_revoked`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let event = |version| Tick::new(version, 0);
    /// let log = EventLog::builder().capacity(1).build()?;
    /// let lease = log.lease(2);
    /// log.append_batch([1, 2, 3].map(event));
    /// assert!(!lease.is_revoked()); // two more than the log would retain
    /// log.append(event(4));
    /// assert!(lease.is_revoked());
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        let beside = Beside::lock(&self.beside);
        let revoked = (**self).is_revoked();
        beside.compare("is_revoked", &beside.model.is_revoked(self.ours), &revoked);
        revoked
    }

    /// As [`eventlog::Lease::subscribe`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let event = |version| Tick::new(version, 0);
    /// let log = EventLog::builder().capacity(1).build()?;
    /// let lease = log.lease(2);
    /// log.append_batch([1, 2, 3].map(event)); // while a snapshot is fetched
    /// let mut events = lease.subscribe(0);
    /// assert_eq!(events.try_recv().unwrap().version(), 1);
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn subscribe(mut self, start: impl Into<Start>) -> Subscription<E> {
        let start = start.into();
        let shared = self.beside.clone();
        let beside = Beside::lock_now(&shared);
        let theirs = self.theirs.take().map(|lease| lease.subscribe(start));
        #[expect(
            clippy::expect_used,
            reason = "only this call and `drop` take the lease"
        )]
        let theirs = theirs.expect("a lease that was not given up");
        let ours = beside.reader(start, theirs.coverage());
        let beside = shared.clone();
        Subscription::new(theirs, ours, beside, false).holding(self.ours)
    }
}

/// What changes nothing.
impl<E> Deref for Lease<E> {
    type Target = eventlog::Lease<E>;

    #[expect(
        clippy::expect_used,
        reason = "only `subscribe` and `drop` take the lease"
    )]
    fn deref(&self) -> &Self::Target {
        self.theirs.as_ref().expect("a lease that was not given up")
    }
}

impl<E> Drop for Lease<E> {
    fn drop(&mut self) {
        let Some(theirs) = self.theirs.take() else {
            return;
        };
        let mut beside = Beside::lock(&self.beside);
        drop(theirs);
        beside.model.end_lease(self.ours);
    }
}

impl<E> fmt::Debug for Lease<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.theirs.fmt(f)
    }
}
