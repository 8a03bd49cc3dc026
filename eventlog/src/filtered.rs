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
    received::{EventRef, Lagged, RecvError, TryRecvError, as_item},
    subscribe::{Subscription, now_or_wait},
};

/// A [`Subscription`] that delivers what a filter keeps: see [`Subscription::filter`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), eventlog::RecvError> {
/// # use eventlog::{EventLog, Filtered, Numbered};
/// let log = EventLog::<Numbered<u32>>::new(None);
/// let mut even = log.subscribe(0).filter(|number| **number % 2 == 0);
/// for number in 1..=4 {
///     log.push(number);
/// }
/// assert_eq!(**even.recv().await?, 2);
/// assert_eq!(**even.recv().await?, 4);
/// # Ok(())
/// # }
/// ```
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
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
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
    /// assert_eq!(opened.recv().await?.version(), 1);
    /// assert!(opened.try_recv().is_err());
    /// assert_eq!(opened.cursor(), log.cursor());
    /// # Ok(())
    /// # }
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
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::builder().capacity(1).build()?;
    /// log.append_batch((1..=3).map(Tick));
    /// let even = log.subscribe(1).filter(|tick| tick.version() % 2 == 0);
    /// assert!(!even.coverage().is_complete()); // 2 is gone
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.subscription.coverage()
    }

    /// As [`Subscription::cursor`], where an event that was passed over counts as received.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(1), Tick(2), Tick(3)]);
    /// let mut none = log.subscribe(0).filter(|_| false);
    /// assert!(none.try_recv().is_err());
    /// assert_eq!(none.cursor(), log.cursor()); // it need not look at them again
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.subscription.cursor()
    }

    /// As [`Subscription::is_live`].
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(1), Tick(2)]);
    /// let mut even = log.subscribe(0).filter(|tick| tick.version() % 2 == 0);
    /// even.recv().await?;
    /// assert!(even.is_live());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.subscription.is_live()
    }

    /// As [`Subscription::skip_to_newest`]: how many events that were, kept or not.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::<Tick>::new(None);
    /// let mut even = log.subscribe(0).filter(|tick| tick.version() % 2 == 0);
    /// log.append_batch((1..=10).map(Tick));
    /// assert_eq!(even.skip_to_newest(), 10); // of all, not of those that it would have kept
    /// log.append(Tick(12));
    /// assert_eq!(even.recv().await?.version(), 12);
    /// # Ok(())
    /// # }
    /// ```
    pub fn skip_to_newest(&mut self) -> u64 {
        self.subscription.skip_to_newest()
    }

    /// The subscription, which delivers everything from here on.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(1), Tick(2), Tick(3)]);
    /// let mut even = log.subscribe(0).filter(|tick| tick.version() % 2 == 0);
    /// even.recv().await?;
    /// let mut all = even.into_inner();
    /// assert_eq!(all.recv().await?.version(), 3);
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::<Tick>::new(None);
    /// let mut even = log.subscribe(0).filter(|tick| tick.version() % 2 == 0);
    /// log.append_batch((1..=4).map(Tick));
    /// assert_eq!(even.recv().await?.version(), 2);
    /// assert_eq!(even.recv().await?.version(), 4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Subscription::recv`].
    pub async fn recv(&mut self) -> Result<EventRef<E>, RecvError> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// As [`Subscription::blocking_recv`].
    ///
    /// ```
    /// # use std::thread;
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(None);
    /// let mut even = log.subscribe(0).filter(|tick| tick.version() % 2 == 0);
    /// let reader = thread::spawn(move || even.blocking_recv().map(|tick| tick.version()));
    /// log.append_batch([Tick(1), Tick(2)]);
    /// assert_eq!(reader.join().unwrap(), Ok(2));
    /// ```
    ///
    /// # Panics
    ///
    /// As there, and if the filter does.
    ///
    /// # Errors
    ///
    /// As [`Subscription::recv`].
    pub fn blocking_recv(&mut self) -> Result<EventRef<E>, RecvError> {
        now_or_wait(self.try_recv(), self.recv())
    }

    /// The next event that is kept, if it is there already. Passes over all that is not.
    ///
    /// ```
    /// # use eventlog::{EventLog, TryRecvError};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let mut even = log.subscribe(0).filter(|tick| tick.version() % 2 == 0);
    /// assert_eq!(even.try_recv().err(), Some(TryRecvError::Empty));
    /// log.append(Tick(2));
    /// assert_eq!(even.try_recv().unwrap().version(), 2);
    /// ```
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
    ///
    /// ```
    /// # use std::task::{Context, Waker};
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(None);
    /// let mut even = log.subscribe(0).filter(|tick| tick.version() % 2 == 0);
    /// let mut context = Context::from_waker(Waker::noop());
    /// log.append(Tick(1));
    /// assert!(even.poll_recv(&mut context).is_pending());
    /// log.append(Tick(2));
    /// assert!(even.poll_recv(&mut context).is_ready());
    /// ```
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
        self.poll_recv(context).map(as_item)
    }
}

impl<E, F> fmt::Debug for Filtered<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filtered")
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}
