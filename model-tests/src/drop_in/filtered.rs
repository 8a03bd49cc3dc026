//! A subscription that passes over events, with what the model says of those.

use std::{
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use eventlog::{Coverage, Cursor, EventRef, Lagged, RecvError, TryRecvError};
use futures_core::Stream;

use super::{
    beside::Beside,
    following::Following,
    subscription::{Subscription, as_item, blocking},
};
use crate::subject::adapter::Event;

/// [`eventlog::Filtered`] with the model's reader beside it.
///
/// The filter runs while the model waits, so it must not call the log.
#[must_use = "a subscription that is dropped reads nothing"]
pub struct Filtered<E, F> {
    subscription: Subscription<E>,
    keep: F,
}

impl<E: Event> Subscription<E> {
    /// As [`eventlog::Subscription::filter`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let even = |event: &Tick| event.version() % 2 == 0;
    /// let log = EventLog::new(None);
    /// let mut evens = log.subscribe(0).filter(even);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// assert_eq!(evens.try_recv().unwrap().version(), 2);
    /// ```
    pub fn filter<F: FnMut(&E) -> bool>(self, keep: F) -> Filtered<E, F> {
        Filtered {
            subscription: self,
            keep,
        }
    }
}

impl<E: Event, F> Filtered<E, F> {
    /// As [`eventlog::Filtered::coverage`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::{Coverage, EventLog}};
    /// let log = EventLog::<Tick>::new(None);
    /// let evens = log.subscribe(0).filter(|event| event.version() % 2 == 0);
    /// assert_eq!(evens.coverage(), Coverage::Complete); // of all, kept or not
    /// ```
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.subscription.coverage()
    }

    /// As [`eventlog::Filtered::cursor`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let even = |event: &Tick| event.version() % 2 == 0;
    /// let log = EventLog::new(None);
    /// let mut evens = log.subscribe(0).filter(even);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// evens.try_recv().unwrap();
    /// assert_eq!(log.replay(evens.cursor()).len(), 1); // what comes after 2
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.subscription.cursor()
    }

    /// As [`eventlog::Filtered::is_live`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let even = |event: &Tick| event.version() % 2 == 0;
    /// let log = EventLog::new(None);
    /// let mut evens = log.subscribe(0).filter(even);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// evens.try_recv().unwrap();
    /// assert!(evens.try_recv().is_err() && evens.is_live()); // 3 is passed over
    /// ```
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.subscription.is_live()
    }

    /// As [`eventlog::Filtered::skip_to_newest`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let even = |event: &Tick| event.version() % 2 == 0;
    /// let log = EventLog::new(None);
    /// let mut evens = log.subscribe(0).filter(even);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// assert_eq!(evens.skip_to_newest(), 3); // kept or not
    /// ```
    pub fn skip_to_newest(&mut self) -> u64 {
        self.subscription.skip_to_newest()
    }

    /// As [`eventlog::Filtered::into_inner`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let even = |event: &Tick| event.version() % 2 == 0;
    /// let log = EventLog::new(None);
    /// let mut evens = log.subscribe(0).filter(even);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// let mut all = evens.into_inner();
    /// assert_eq!(all.try_recv().unwrap().version(), 1);
    /// ```
    pub fn into_inner(self) -> Subscription<E> {
        self.subscription
    }
}

impl<E: Event, F: FnMut(&E) -> bool> Filtered<E, F> {
    /// As [`eventlog::Filtered::recv`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::{EventLog, RecvError}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), RecvError> {
    /// let log = EventLog::new(None);
    /// let mut evens = log.subscribe(0).filter(|event: &Tick| event.version() % 2 == 0);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// assert_eq!(evens.recv().await?.version(), 2);
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

    /// As [`eventlog::Filtered::blocking_recv`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let even = |event: &Tick| event.version() % 2 == 0;
    /// let log = EventLog::new(None);
    /// let mut evens = log.subscribe(0).filter(even);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// assert_eq!(evens.blocking_recv().unwrap().version(), 2);
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub fn blocking_recv(&mut self) -> Result<EventRef<E>, RecvError> {
        blocking(|context| self.poll_recv(context))
    }

    /// As [`eventlog::Filtered::try_recv`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let even = |event: &Tick| event.version() % 2 == 0;
    /// let log = EventLog::new(None);
    /// let mut evens = log.subscribe(0).filter(even);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// assert_eq!(evens.try_recv().unwrap().version(), 2);
    /// assert!(evens.try_recv().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is of one lifetime only"
    )]
    pub fn try_recv(&mut self) -> Result<EventRef<E>, TryRecvError> {
        let shared = self.subscription.ours.beside.clone();
        let mut beside = Beside::lock(&shared);
        self.receive(&mut beside, "try_recv", |theirs| theirs.try_recv(), tried)
    }

    /// As [`eventlog::Filtered::poll_recv`].
    ///
    /// ```
    /// # use std::task::{Context, Waker};
    /// # use model_tests::{Tick, Versioned as _, drop_in::EventLog};
    /// # let even = |event: &Tick| event.version() % 2 == 0;
    /// let log = EventLog::new(None);
    /// let mut evens = log.subscribe(0).filter(even);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// let polled = evens.poll_recv(&mut Context::from_waker(Waker::noop()));
    /// assert!(polled.is_ready());
    /// ```
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<EventRef<E>, RecvError>> {
        let shared = self.subscription.ours.beside.clone();
        let mut beside = Beside::lock(&shared);
        let mut poll = |this: &mut Self, beside: &mut Beside<E>| {
            this.receive(beside, "recv", |theirs| theirs.poll_recv(context), polled)
        };
        let mut received = poll(self, &mut beside);
        if received.is_pending() && self.subscription.ours.keeps_nothing(&beside) {
            received = poll(self, &mut beside);
            self.subscription.ours.end_lease(&mut beside);
        }
        received
    }

    /// Receives through the real filter, which is lent the real subscription and notes what it was
    /// asked; and compares that, and what was received. The subscription comes back whatever the
    /// user's code does.
    #[track_caller]
    fn receive<T>(
        &mut self,
        beside: &mut Beside<E>,
        call: &str,
        receive: impl FnOnce(&mut eventlog::Filtered<E, &mut dyn FnMut(&E) -> bool>) -> T,
        given: impl FnOnce(&T) -> Option<Result<&E, TryRecvError>>,
    ) -> T {
        let Self { subscription, keep } = self;
        let mut asked = Vec::new();
        let mut noting = |event: &E| {
            let keeps = keep(event);
            asked.push((event.clone(), keeps));
            keeps
        };
        let noting: &mut dyn FnMut(&E) -> bool = &mut noting;
        let mut filtered = subscription.take().filter(noting);
        let received = catch_unwind(AssertUnwindSafe(|| receive(&mut filtered)));
        subscription.put(filtered.into_inner());
        match received {
            Ok(received) => {
                compare(
                    &mut subscription.ours,
                    beside,
                    call,
                    &asked,
                    given(&received),
                );
                received
            }
            Err(panic) => {
                compare(&mut subscription.ours, beside, call, &asked, None);
                resume_unwind(panic)
            }
        }
    }
}

/// What `try_recv` gave.
#[expect(clippy::unnecessary_wraps, reason = "as what a poll gave")]
fn tried<E>(received: &Result<EventRef<E>, TryRecvError>) -> Option<Result<&E, TryRecvError>> {
    Some(received.as_deref().map_err(|error| *error))
}

/// What `poll_recv` gave.
fn polled<E>(received: &Poll<Result<EventRef<E>, RecvError>>) -> Option<Result<&E, TryRecvError>> {
    match received {
        Poll::Ready(received) => Some(received.as_deref().map_err(|error| (*error).into())),
        Poll::Pending => None,
    }
}

/// Compares what the filter passed over, and then what was given: all were asked about, in order,
/// and the first that was wanted was given.
#[track_caller]
fn compare<E: Event>(
    ours: &mut Following<E>,
    beside: &mut Beside<E>,
    call: &str,
    asked: &[(E, bool)],
    given: Option<Result<&E, TryRecvError>>,
) {
    let last = usize::from(matches!(given, Some(Ok(_))));
    let passed = asked.len().saturating_sub(last);
    let mut expected = vec![false; passed];
    expected.resize(passed + last, true);
    let wanted: Vec<_> = asked.iter().map(|(_, keeps)| *keeps).collect();
    beside.compare(&format!("{call}, its filter"), &expected, &wanted);
    for (event, _) in &asked[..passed] {
        ours.compare(beside, call, Ok(event));
    }
    if let Some(given) = given {
        ours.compare(beside, call, given);
    }
}

// The filter is called, and never pinned.
impl<E, F> Unpin for Filtered<E, F> {}

impl<E: Event, F: FnMut(&E) -> bool> Stream for Filtered<E, F> {
    type Item = Result<EventRef<E>, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(context).map(as_item)
    }
}

impl<E, F> fmt::Debug for Filtered<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.subscription.fmt(f)
    }
}
