//! A stream that says when the replay is over.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use crate::{
    received::{EventRef, RecvError},
    subscribe::Subscription,
};

/// The events of a [`Subscription`] as a [`Stream`], with a notice among them once everything is
/// there that was there at the moment of subscribing. See [`Subscription::with_live`].
#[must_use = "streams do nothing unless they are polled"]
pub struct WithLive<E> {
    subscription: Subscription<E>,
    has_told: bool,
}

/// What comes out of a stream that says when the replay is over.
///
/// ```
/// # use eventlog::{EventLog, Told};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # let log = EventLog::new(None);
/// # log.append(Tick(1));
/// # let event = log.subscribe(0).try_recv().unwrap();
/// # let mut shown = Vec::new();
/// let mut show = |told: Told<Tick>| match told {
///     Told::Event(tick) => shown.push(format!("{}", tick.version())),
///     Told::Lagged(missed) => shown.push(format!("{missed} missed: loading a snapshot")),
///     Told::Live => shown.push("this is current".into()),
/// };
/// show(Told::Event(event));
/// show(Told::Live);
/// assert_eq!(shown, ["1", "this is current"]);
/// ```
pub enum Told<E> {
    /// The next event.
    Event(EventRef<E>),
    /// So many events are gone before the next one.
    Lagged(u64),
    /// The replay is over; what comes now is new. Comes once, also where there was nothing.
    Live,
}

impl<E> Subscription<E> {
    /// The same as a stream that says when the replay is over, without waiting for the first event
    /// after that.
    ///
    /// ```
    /// # use eventlog::{EventLog, Told};
    /// # use futures_core::Stream;
    /// # use std::{future::poll_fn, pin::Pin};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let mut stream = log.subscribe(0).with_live();
    /// // With a crate of combinators: `stream.next().await`.
    /// let mut next = async || poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await;
    /// assert!(matches!(next().await, Some(Told::Event(tick)) if tick.version() == 1));
    /// assert!(matches!(next().await, Some(Told::Live)));
    /// log.append(Tick(2));
    /// log.close();
    /// assert!(matches!(next().await, Some(Told::Event(tick)) if tick.version() == 2));
    /// assert!(next().await.is_none());
    /// # }
    /// ```
    pub fn with_live(self) -> WithLive<E> {
        WithLive {
            subscription: self,
            has_told: false,
        }
    }
}

impl<E> WithLive<E> {
    /// The subscription itself, for what it covers and where it stands.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let stream = log.subscribe(0).with_live();
    /// // Told first, before the stream is polled.
    /// assert!(stream.subscription().coverage().is_complete());
    /// ```
    pub fn subscription(&self) -> &Subscription<E> {
        &self.subscription
    }
}

impl<E> Stream for WithLive<E> {
    type Item = Told<E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Told<E>>> {
        if !self.has_told && self.subscription.is_live() {
            self.has_told = true;
            return Poll::Ready(Some(Told::Live));
        }
        Poll::Ready(match ready!(self.subscription.poll_recv(context)) {
            Ok(event) => Some(Told::Event(event)),
            Err(RecvError::Lagged(events)) => Some(Told::Lagged(events)),
            Err(RecvError::Closed) => None,
        })
    }
}

impl<E> fmt::Debug for WithLive<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.subscription.fmt(f)
    }
}

impl<E: fmt::Debug> fmt::Debug for Told<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
            Self::Lagged(events) => f.debug_tuple("Lagged").field(events).finish(),
            Self::Live => f.write_str("Live"),
        }
    }
}
