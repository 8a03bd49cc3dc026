//! A subscription with the model's reader beside it.

use std::{
    fmt,
    future::poll_fn,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, ready},
    thread,
};

use eventlog::{Batch, EventRef, Lagged, RecvError, TryRecvError};
use futures_core::Stream;

use super::{
    beside::{Beside, Shared},
    following::Following,
    with_live::WithLive,
};
use crate::{
    model::reader::Reader,
    subject::{adapter::Event, waker::thread_waker},
};

/// [`eventlog::Subscription`] with the model's reader beside it.
pub struct Subscription<E> {
    /// There, but while a filter has it.
    theirs: Option<eventlog::Subscription<E>>,
    pub(super) ours: Following<E>,
}

impl<E: Event> Subscription<E> {
    pub(super) fn new(
        theirs: eventlog::Subscription<E>,
        reader: Reader,
        beside: Shared<E>,
        is_behind: bool,
    ) -> Self {
        let ours = Following {
            reader,
            beside,
            is_behind,
            lease: None,
        };
        Self {
            theirs: Some(theirs),
            ours,
        }
    }

    /// Has the lease until it has read everything.
    pub(super) fn holding(mut self, lease: usize) -> Self {
        self.ours.lease = Some(lease);
        self
    }

    /// As [`eventlog::Subscription::recv`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned, drop_in::EventLog};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// log.append(Tick::new(7, 0));
    /// assert_eq!(subscription.recv().await?.version(), 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn recv(&mut self) -> Result<EventRef<E>, RecvError> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// As [`eventlog::Subscription::blocking_recv`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// log.append(Tick::new(7, 0));
    /// assert_eq!(subscription.blocking_recv()?.version(), 7);
    /// # Ok::<(), eventlog::RecvError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub fn blocking_recv(&mut self) -> Result<EventRef<E>, RecvError> {
        blocking(|context| self.poll_recv(context))
    }

    /// As [`eventlog::Subscription::try_recv`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::{EventLog, TryRecvError}};
    /// let log = EventLog::<Tick>::new(None);
    /// assert_eq!(log.subscribe(0).try_recv().err(), Some(TryRecvError::Empty));
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_recv(&mut self) -> Result<EventRef<E>, TryRecvError> {
        let shared = self.ours.beside.clone();
        let mut beside = Beside::lock(&shared);
        let received = self.theirs().try_recv();
        let given = received.as_deref().map_err(|error| *error);
        self.ours.compare(&mut beside, "try_recv", given);
        received
    }

    /// As [`eventlog::Subscription::poll_recv`].
    ///
    /// ```
    /// # use std::task::{Context, Waker};
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(subscription.poll_recv(&mut context).is_pending());
    /// log.append(Tick::new(7, 0));
    /// assert!(subscription.poll_recv(&mut context).is_ready());
    /// ```
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<EventRef<E>, RecvError>> {
        let shared = self.ours.beside.clone();
        let mut beside = Beside::lock(&shared);
        let received = ready!(self.poll(&mut beside, |theirs| theirs.poll_recv(context)));
        let given = received.as_deref().map_err(|error| (*error).into());
        self.ours.compare(&mut beside, "recv", given);
        Poll::Ready(received)
    }

    /// As [`eventlog::Subscription::recv_batch`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick::new(7, 0), Tick::new(8, 0)]);
    /// assert_eq!(log.subscribe(0).recv_batch().await?.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn recv_batch(&mut self) -> Result<Batch<E>, RecvError> {
        poll_fn(|context| self.poll_recv_batch(context)).await
    }

    /// As [`eventlog::Subscription::blocking_recv_batch`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick::new(7, 0), Tick::new(8, 0)]);
    /// assert_eq!(log.subscribe(0).blocking_recv_batch()?.len(), 2);
    /// # Ok::<(), eventlog::RecvError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub fn blocking_recv_batch(&mut self) -> Result<Batch<E>, RecvError> {
        blocking(|context| self.poll_recv_batch(context))
    }

    /// As [`eventlog::Subscription::try_recv_batch`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick::new(7, 0), Tick::new(8, 0)]);
    /// assert_eq!(log.subscribe(0).try_recv_batch().unwrap().len(), 2);
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_recv_batch(&mut self) -> Result<Batch<E>, TryRecvError> {
        let shared = self.ours.beside.clone();
        let mut beside = Beside::lock(&shared);
        let received = self.theirs().try_recv_batch();
        let given = received.as_ref().map_err(|error| *error);
        self.compare_batch(&mut beside, "try_recv_batch", given);
        received
    }

    /// As [`eventlog::Subscription::poll_recv_batch`].
    ///
    /// ```
    /// # use std::task::{Context, Waker};
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// log.append(Tick::new(7, 0));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(subscription.poll_recv_batch(&mut context).is_ready());
    /// ```
    pub fn poll_recv_batch(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Batch<E>, RecvError>> {
        let shared = self.ours.beside.clone();
        let mut beside = Beside::lock(&shared);
        let received = ready!(self.poll(&mut beside, |theirs| theirs.poll_recv_batch(context)));
        let given = received.as_ref().map_err(|error| (*error).into());
        self.compare_batch(&mut beside, "recv_batch", given);
        Poll::Ready(received)
    }

    /// As [`eventlog::Subscription::is_live`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// log.append(Tick::new(7, 0));
    /// let mut subscription = log.subscribe(0);
    /// assert!(!subscription.is_live());
    /// subscription.blocking_recv()?;
    /// assert!(subscription.is_live());
    /// # Ok::<(), eventlog::RecvError>(())
    /// ```
    #[must_use]
    pub fn is_live(&self) -> bool {
        let beside = Beside::lock(&self.ours.beside);
        let live = (**self).is_live();
        self.ours.compare_live(&beside, live);
        live
    }

    /// As [`eventlog::Subscription::skip_to_newest`]. Of a writer's subscription what is skipped is
    /// not compared, and nothing that follows.
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// log.append_batch([Tick::new(7, 0), Tick::new(8, 0)]);
    /// assert_eq!(subscription.skip_to_newest(), 2);
    /// ```
    pub fn skip_to_newest(&mut self) -> u64 {
        let shared = self.ours.beside.clone();
        let mut beside = Beside::lock(&shared);
        let skipped = self.theirs().skip_to_newest();
        self.ours.end_lease(&mut beside);
        if self.ours.is_behind {
            // Up to where it went, the writer alone knows.
            let cursor = eventlog::Start::Cursor((**self).cursor());
            self.ours.reader = beside.reader(cursor, self.coverage());
        } else if !beside.model.accept_skip(&mut self.ours.reader, skipped) {
            let expected = beside.model.skip_to_newest(&mut self.ours.reader);
            beside.compare("skip_to_newest", &expected, &skipped);
        }
        skipped
    }

    /// As [`eventlog::Subscription::with_live`].
    pub fn with_live(self) -> WithLive<E> {
        WithLive::new(self)
    }

    /// Polls, and once more where that tells what became of a lease.
    fn poll<T>(
        &mut self,
        beside: &mut Beside<E>,
        mut poll: impl FnMut(&mut eventlog::Subscription<E>) -> Poll<T>,
    ) -> Poll<T> {
        let mut polled = poll(self.theirs());
        if polled.is_pending() && self.ours.keeps_nothing(beside) {
            polled = poll(self.theirs());
            self.ours.end_lease(beside);
        }
        polled
    }

    #[track_caller]
    fn compare_batch(
        &mut self,
        beside: &mut Beside<E>,
        call: &str,
        given: Result<&Batch<E>, TryRecvError>,
    ) {
        match given {
            Ok(batch) => batch
                .iter()
                .for_each(|event| self.ours.compare(beside, call, Ok(event))),
            Err(error) => self.ours.compare(beside, call, Err(error)),
        }
    }

    #[expect(clippy::expect_used, reason = "a filter puts back what it takes")]
    pub(super) fn take(&mut self) -> eventlog::Subscription<E> {
        self.theirs
            .take()
            .expect("a subscription that no filter has")
    }

    pub(super) fn put(&mut self, theirs: eventlog::Subscription<E>) {
        self.theirs = Some(theirs);
    }

    #[expect(clippy::expect_used, reason = "a filter puts back what it takes")]
    fn theirs(&mut self) -> &mut eventlog::Subscription<E> {
        self.theirs
            .as_mut()
            .expect("a subscription that no filter has")
    }
}

pub(super) fn blocking<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let waker = thread_waker();
    let mut context = Context::from_waker(&waker);
    loop {
        match poll(&mut context) {
            Poll::Ready(received) => return received,
            Poll::Pending => thread::park(),
        }
    }
}

impl<E: Event> Stream for Subscription<E> {
    type Item = Result<EventRef<E>, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(context).map(as_item)
    }
}

/// What is received as a stream has it.
pub(super) fn as_item<E>(
    received: Result<EventRef<E>, RecvError>,
) -> Option<Result<EventRef<E>, Lagged>> {
    match received {
        Ok(event) => Some(Ok(event)),
        Err(RecvError::Lagged(events)) => Some(Err(Lagged(events))),
        Err(RecvError::Closed) => None,
    }
}

/// What changes nothing.
impl<E> Deref for Subscription<E> {
    type Target = eventlog::Subscription<E>;

    #[expect(clippy::expect_used, reason = "a filter puts back what it takes")]
    fn deref(&self) -> &Self::Target {
        self.theirs
            .as_ref()
            .expect("a subscription that no filter has")
    }
}

/// With a lease, what it keeps goes with it.
impl<E> Drop for Subscription<E> {
    fn drop(&mut self) {
        if self.ours.lease.is_some() {
            let shared = self.ours.beside.clone();
            let mut beside = Beside::lock(&shared);
            self.theirs = None;
            self.ours.end_lease(&mut beside);
        }
    }
}

impl<E> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Checked").field(&self.theirs).finish()
    }
}
