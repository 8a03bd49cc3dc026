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

use super::beside::{Beside, Shared};
use crate::{
    model::reader::{Lags, Reader},
    subject::{adapter::Event, log::Received, waker::thread_waker},
};

/// [`eventlog::Subscription`] with the model's reader beside it.
pub struct Subscription<E> {
    theirs: eventlog::Subscription<E>,
    ours: Reader,
    beside: Shared<E>,
    /// It may have less than the log, because it follows a writer.
    is_behind: bool,
}

impl<E: Event> Subscription<E> {
    pub(super) fn new(
        theirs: eventlog::Subscription<E>,
        ours: Reader,
        beside: Shared<E>,
        is_behind: bool,
    ) -> Self {
        Self {
            theirs,
            ours,
            beside,
            is_behind,
        }
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
        let beside = self.beside.clone();
        let beside = Beside::lock(&beside);
        let received = self.theirs.try_recv();
        let given = received.as_ref().map(|event| &**event);
        self.compare(&beside, "try_recv", given.map_err(|error| *error));
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
        let beside = self.beside.clone();
        let beside = Beside::lock(&beside);
        let received = ready!(self.theirs.poll_recv(context));
        let given = received.as_ref().map(|event| &**event);
        self.compare(&beside, "recv", given.map_err(|error| (*error).into()));
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
        let beside = self.beside.clone();
        let beside = Beside::lock(&beside);
        let received = self.theirs.try_recv_batch();
        self.compare_batch(
            &beside,
            "try_recv_batch",
            received.as_ref().map_err(|error| *error),
        );
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
        let beside = self.beside.clone();
        let beside = Beside::lock(&beside);
        let received = ready!(self.theirs.poll_recv_batch(context));
        let given = received.as_ref().map_err(|error| (*error).into());
        self.compare_batch(&beside, "recv_batch", given);
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
        let beside = Beside::lock(&self.beside);
        let live = self.theirs.is_live();
        if !self.is_behind
            && let Some(expected) = beside.model.is_live(&self.ours)
        {
            beside.compare("is_live", &expected, &live);
        }
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
        let beside = Beside::lock(&self.beside);
        let skipped = self.theirs.skip_to_newest();
        if self.is_behind {
            // Up to where it went, the writer alone knows.
            let cursor = eventlog::Start::Cursor(self.theirs.cursor());
            self.ours = beside.reader(cursor, self.theirs.coverage());
        } else if !beside.model.accept_skip(&mut self.ours, skipped) {
            let expected = beside.model.skip_to_newest(&mut self.ours);
            beside.compare("skip_to_newest", &expected, &skipped);
        }
        skipped
    }

    #[track_caller]
    fn compare_batch(
        &mut self,
        beside: &Beside<E>,
        call: &str,
        given: Result<&Batch<E>, TryRecvError>,
    ) {
        match given {
            Ok(batch) => batch
                .iter()
                .for_each(|event| self.compare(beside, call, Ok(event))),
            Err(error) => self.compare(beside, call, Err(error)),
        }
    }

    #[track_caller]
    fn compare(&mut self, beside: &Beside<E>, call: &str, given: Result<&E, TryRecvError>) {
        let given = match given {
            Ok(event) => Received::Event(event),
            Err(TryRecvError::Lagged(lost)) => Received::Lagged(lost),
            // A writer has less than its log, and may end before it.
            Err(_) if self.is_behind => return,
            Err(TryRecvError::Empty) => Received::Empty,
            Err(TryRecvError::Closed) => Received::Closed,
        };
        let expected = beside.model.next(&self.ours);
        let same = |ours: &E, theirs: &&E| ours == *theirs;
        if !beside.model.accept(&mut self.ours, &given, Lags::Any, same) {
            let given = match given {
                Received::Event(event) => Received::Event(event.clone()),
                Received::Lagged(lost) => Received::Lagged(lost),
                Received::Empty => Received::Empty,
                Received::Closed => Received::Closed,
            };
            beside.compare(call, &expected, &given);
        }
    }
}

fn blocking<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
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
        Poll::Ready(match ready!(self.poll_recv(context)) {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(events)) => Some(Err(Lagged(events))),
            Err(RecvError::Closed) => None,
        })
    }
}

/// What changes nothing.
impl<E> Deref for Subscription<E> {
    type Target = eventlog::Subscription<E>;

    fn deref(&self) -> &Self::Target {
        &self.theirs
    }
}

impl<E> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Checked").field(&self.theirs).finish()
    }
}
