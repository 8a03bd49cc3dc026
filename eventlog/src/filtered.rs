//! A subscription that passes over what its reader does not want.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use crate::{
    coverage::Coverage,
    cursor::Cursor,
    received::{EventRef, Lagged, RecvError, TryRecvError},
    subscribe::Subscription,
    waiters::block_on,
};

/// A [`Subscription`] that delivers what a filter keeps: see [`Subscription::filter`].
#[must_use = "a subscription that is dropped reads nothing"]
pub struct Filtered<E, F> {
    subscription: Subscription<E>,
    keep: F,
}

impl<E> Subscription<E> {
    /// Delivers only the events that `keep` says yes to, such as those of one
    /// [kind](crate::Versioned::kind).
    ///
    /// What is passed over counts as seen: the [`cursor`](Filtered::cursor) moves on with it, so that
    /// another subscription goes on from there without going through it again, and the coverage is
    /// that of all events. How many were lost, `Lagged` says of all events too, because nobody knows
    /// which of those would have been kept.
    ///
    /// `keep` runs on the reader's thread and outside of the log's lock. If it panics, so does the
    /// call, and the event that it was asked about comes next again.
    ///
    /// ```
    /// use eventlog::{EventLog, Versioned};
    ///
    /// #[derive(Versioned)]
    /// enum Event {
    ///     Opened { version: u64 },
    ///     Moved { version: u64 },
    /// }
    ///
    /// let log = EventLog::new(None);
    /// log.append(Event::Opened { version: 1 });
    /// log.append(Event::Moved { version: 2 });
    /// let mut opened = log.subscribe(0).filter(|event| event.kind() == "Opened");
    /// assert_eq!(opened.blocking_recv()?.version(), 1);
    /// assert!(opened.try_recv().is_err());
    /// assert_eq!(opened.cursor(), log.cursor());
    /// # Ok::<(), eventlog::RecvError>(())
    /// ```
    pub fn filter<F: FnMut(&E) -> bool>(self, keep: F) -> Filtered<E, F> {
        Filtered {
            subscription: self,
            keep,
        }
    }
}

impl<E, F> Filtered<E, F> {
    /// As [`Subscription::coverage`].
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.subscription.coverage()
    }

    /// As [`Subscription::cursor`], where an event that was passed over counts as received.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.subscription.cursor()
    }

    /// As [`Subscription::is_live`].
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.subscription.is_live()
    }

    /// As [`Subscription::skip_to_newest`]: how many events that were, kept or not.
    pub fn skip_to_newest(&mut self) -> u64 {
        self.subscription.skip_to_newest()
    }

    /// The subscription, which delivers everything from here on.
    pub fn into_inner(self) -> Subscription<E> {
        self.subscription
    }
}

impl<E, F: FnMut(&E) -> bool> Filtered<E, F> {
    /// The next event that is kept, as soon as there is one.
    ///
    /// Cancel safe: a future that is dropped before it is ready has passed over some events, and
    /// taken none that is kept. It leaves its thread to others at least once per 128 events, kept or
    /// not.
    ///
    /// # Errors
    ///
    /// As [`Subscription::recv`].
    pub async fn recv(&mut self) -> Result<EventRef<E>, RecvError> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// As [`Subscription::blocking_recv`].
    ///
    /// # Panics
    ///
    /// As there, and if the filter does.
    ///
    /// # Errors
    ///
    /// As [`Subscription::recv`].
    pub fn blocking_recv(&mut self) -> Result<EventRef<E>, RecvError> {
        match self.try_recv() {
            Ok(event) => Ok(event),
            Err(error) => match error.unless_empty() {
                Some(error) => Err(error),
                None => block_on(self.recv()),
            },
        }
    }

    /// The next event that is kept, if it is there already. Passes over all that is not.
    ///
    /// # Errors
    ///
    /// As [`Subscription::try_recv`].
    pub fn try_recv(&mut self) -> Result<EventRef<E>, TryRecvError> {
        loop {
            if let Some(event) = self.subscription.try_next_if(&mut self.keep)? {
                return Ok(event);
            }
        }
    }

    /// As [`recv`](Self::recv), for futures written by hand. Only the waker of the last call is
    /// woken.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<EventRef<E>, RecvError>> {
        loop {
            let next = self.subscription.poll_next_if(context, &mut self.keep);
            match ready!(next) {
                Ok(Some(event)) => return Poll::Ready(Ok(event)),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

// The filter is called, and never pinned.
impl<E, F> Unpin for Filtered<E, F> {}

impl<E, F: FnMut(&E) -> bool> Stream for Filtered<E, F> {
    type Item = Result<EventRef<E>, Lagged>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<EventRef<E>, Lagged>>> {
        Poll::Ready(match ready!(self.poll_recv(context)) {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(events)) => Some(Err(Lagged(events))),
            Err(RecvError::Closed) => None,
        })
    }
}

impl<E, F> fmt::Debug for Filtered<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filtered")
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}
