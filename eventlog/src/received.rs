//! What a subscription hands over: events, batches of them, and reasons why there are none.

use std::{
    error::Error,
    fmt,
    iter::FusedIterator,
    ops::{Deref, Range},
    slice,
    sync::Arc,
};

use crate::{
    cursor::Cursor,
    ring::{Entry, Segment},
    seq::Seq,
    sync::Slot,
};

/// An event as it is delivered: a reference that keeps its segment of the log alive. No event is
/// cloned to be delivered.
///
/// Its own functions are called as `EventRef::seq(&event)`, so that they never hide a method or a
/// field of the event.
///
/// It keeps up to 256 events in memory, its whole segment. For a few that are kept for long, take
/// a clone of the event itself with [`into_owned`](Self::into_owned).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), eventlog::RecvError> {
/// # use eventlog::{EventLog, EventRef};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::new(None);
/// let mut subscription = log.subscribe(0);
/// log.append(Tick(7));
/// let event = subscription.recv().await?;
/// assert_eq!(event.version(), 7);
/// assert_eq!(EventRef::seq(&event).get(), 1);
/// assert_eq!(EventRef::cursor(&event), log.cursor());
/// assert_eq!(EventRef::into_owned(event), Tick(7));
/// # Ok(())
/// # }
/// ```
pub struct EventRef<E> {
    segment: Arc<Segment<E>>,
    seq: u64,
    /// Whether it was durable when it was delivered.
    is_durable: bool,
}

impl<E> EventRef<E> {
    /// The event at `seq` of a segment, if it was appended.
    pub(crate) fn find(segment: &Arc<Segment<E>>, seq: u64, is_durable: bool) -> Option<Self> {
        segment.get(seq)?;
        Some(Self {
            segment: segment.clone(),
            seq,
            is_durable,
        })
    }

    /// The event's sequence number.
    ///
    /// ```
    /// # use eventlog::{EventLog, EventRef};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// let appended = log.append(Tick(70));
    /// let event = subscription.recv().await?;
    /// assert_eq!(EventRef::seq(&event), appended); // what a writer is asked for
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn seq(this: &Self) -> Seq {
        Seq::new(this.seq)
    }

    /// Where a subscriber stands that has seen this event, and all before it.
    ///
    /// ```
    /// # use eventlog::{EventLog, EventRef};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(1), Tick(2)]);
    /// let event = log.subscribe(0).recv().await?;
    /// let place = EventRef::cursor(&event).to_string(); // kept with what the event did
    /// let cursor: eventlog::Cursor = place.parse().unwrap();
    /// assert_eq!(log.subscribe(cursor).recv().await?.version(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cursor(this: &Self) -> Cursor {
        Cursor::new(this.segment.epoch(), this.seq, this.version()).seen_durable(this.is_durable)
    }

    /// A clone of the event, which keeps nothing else alive.
    ///
    /// ```
    /// # use eventlog::{EventLog, EventRef};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let mut kept = Vec::new(); // for long: a clone, which keeps no segment in memory
    /// kept.push(EventRef::into_owned(log.subscribe(0).recv().await?));
    /// assert_eq!(kept, [Tick(1)]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what it keeps alive is let go"
    )]
    pub fn into_owned(this: Self) -> E
    where
        E: Clone,
    {
        (*this).clone()
    }

    pub(crate) fn version(&self) -> u64 {
        entry(&self.segment, self.seq).version
    }

    /// This event and those after it in its segment, below `end`.
    pub(crate) fn into_batch(self, end: u64) -> Batch<E> {
        let slots = self.segment.slots_of(self.seq..end);
        let filled = slots.iter().take_while(|slot| slot.get().is_some());
        Batch {
            range: self.seq..self.seq + filled.count() as u64,
            segment: self.segment,
            is_durable: self.is_durable,
        }
    }
}

fn entry<E>(segment: &Segment<E>, seq: u64) -> &Entry<E> {
    #[expect(
        clippy::expect_used,
        reason = "made only of slots that were seen filled"
    )]
    segment.get(seq).expect("a filled slot stays filled")
}

impl<E> Deref for EventRef<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &entry(&self.segment, self.seq).event
    }
}

impl<E> Clone for EventRef<E> {
    fn clone(&self) -> Self {
        Self {
            segment: self.segment.clone(),
            ..*self
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for EventRef<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Events that were there together, in order: at least 1 and at most 256. They cost one reference
/// to their segment, not one per event.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), eventlog::RecvError> {
/// # use eventlog::{EventLog, EventRef};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::new(None);
/// let mut subscription = log.subscribe(0);
/// log.append_batch((1..=3).map(Tick));
/// let batch = subscription.recv_batch().await?;
/// assert_eq!(batch.iter().map(|tick| tick.version()).collect::<Vec<_>>(), [1, 2, 3]);
/// assert_eq!(batch.cursor(), log.cursor());
/// for event in batch {
///     println!("{}", EventRef::seq(&event));
/// }
/// # Ok(())
/// # }
/// ```
pub struct Batch<E> {
    segment: Arc<Segment<E>>,
    /// The sequence numbers. Never empty, all in the segment.
    range: Range<u64>,
    /// Whether they were durable when they were delivered.
    is_durable: bool,
}

#[expect(clippy::len_without_is_empty, reason = "there is no empty batch")]
impl<E> Batch<E> {
    /// How many events these are.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=3).map(Tick));
    /// assert_eq!(log.subscribe(0).recv_batch().await?.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    /// The events, oldest first.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=3).map(Tick));
    /// let batch = log.subscribe(0).recv_batch().await?;
    /// assert_eq!(batch.iter().map(|tick| tick.version()).sum::<u64>(), 6);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn iter(&self) -> BatchIter<'_, E> {
        BatchIter(self.segment.slots_of(self.range.clone()).iter())
    }

    /// Where a subscriber stands that has seen all of them.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=3).map(Tick));
    /// let mut subscription = log.subscribe(0);
    /// let batch = subscription.recv_batch().await?;
    /// // Saved once per batch, after all of it was dealt with.
    /// assert_eq!(batch.cursor(), subscription.cursor());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.segment.epoch(), self.range.end - 1, self.version())
            .seen_durable(self.is_durable)
    }

    /// Version of the last event.
    pub(crate) fn version(&self) -> u64 {
        entry(&self.segment, self.range.end - 1).version
    }

    #[cfg(feature = "sse")]
    pub(crate) fn segment(&self) -> &Arc<Segment<E>> {
        &self.segment
    }

    /// The number of the first event.
    #[cfg(feature = "sse")]
    pub(crate) fn start(&self) -> u64 {
        self.range.start
    }

    /// Whether the events were durable when they were delivered.
    #[cfg(feature = "sse")]
    pub(crate) fn is_durable(&self) -> bool {
        self.is_durable
    }

    /// The number after the last event.
    pub(crate) fn end(&self) -> u64 {
        self.range.end
    }
}

impl<E: fmt::Debug> fmt::Debug for Batch<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl<'a, E> IntoIterator for &'a Batch<E> {
    type Item = &'a E;
    type IntoIter = BatchIter<'a, E>;

    fn into_iter(self) -> BatchIter<'a, E> {
        self.iter()
    }
}

impl<E> IntoIterator for Batch<E> {
    type Item = EventRef<E>;
    type IntoIter = BatchIntoIter<E>;

    fn into_iter(self) -> BatchIntoIter<E> {
        BatchIntoIter(self)
    }
}

/// The events of a [`Batch`], by reference.
pub struct BatchIter<'a, E>(slice::Iter<'a, Slot<Entry<E>>>);

impl<'a, E> Iterator for BatchIter<'a, E> {
    type Item = &'a E;

    #[inline]
    fn next(&mut self) -> Option<&'a E> {
        Some(&self.0.next()?.get()?.event)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<E> ExactSizeIterator for BatchIter<'_, E> {}
impl<E> FusedIterator for BatchIter<'_, E> {}

impl<E> fmt::Debug for BatchIter<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BatchIter").field(&self.len()).finish()
    }
}

/// The events of a [`Batch`], each with a reference of its own.
pub struct BatchIntoIter<E>(Batch<E>);

impl<E> Iterator for BatchIntoIter<E> {
    type Item = EventRef<E>;

    fn next(&mut self) -> Option<EventRef<E>> {
        let seq = self.0.range.next()?;
        EventRef::find(&self.0.segment, seq, self.0.is_durable)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.range.size_hint()
    }
}

impl<E> ExactSizeIterator for BatchIntoIter<E> {}
impl<E> FusedIterator for BatchIntoIter<E> {}

impl<E> fmt::Debug for BatchIntoIter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BatchIntoIter").field(&self.0.range).finish()
    }
}

/// The reader was too slow: this many events were evicted before it came to them. The next event
/// it gets is the one that was the oldest when it was told.
///
/// ```
/// # use std::{future::poll_fn, pin::Pin};
/// # use eventlog::{EventLog, Lagged};
/// # use futures_core::Stream;
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let log = EventLog::builder().capacity(1).build().unwrap();
/// let mut stream = log.subscribe(0);
/// log.append_batch((1..=5).map(Tick));
/// // With a crate of combinators: `stream.next().await`.
/// let item = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await;
/// assert_eq!(item.unwrap().err(), Some(Lagged(4)));
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lagged(pub u64);

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events were evicted before this subscriber read them; fetch a snapshot, or give \
             the log a larger capacity",
            self.0
        )
    }
}

impl Error for Lagged {}

/// Why [`Subscription::recv`](crate::Subscription::recv) has no event.
///
/// ```
/// # use eventlog::{EventLog, RecvError};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let log = EventLog::builder().capacity(1).build().unwrap();
/// let mut subscription = log.subscribe(0);
/// log.append_batch([Tick(1), Tick(2)]);
/// log.close();
/// assert_eq!(subscription.recv().await.err(), Some(RecvError::Lagged(1)));
/// assert_eq!(subscription.recv().await.unwrap().version(), 2);
/// assert_eq!(subscription.recv().await.err(), Some(RecvError::Closed));
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecvError {
    /// The reader missed this many events. The next call goes on.
    Lagged(u64),
    /// The log was closed, and everything before that was delivered.
    Closed,
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TryRecvError::from(*self).fmt(f)
    }
}

impl Error for RecvError {}

/// Why [`Subscription::try_recv`](crate::Subscription::try_recv) has no event.
///
/// ```
/// # use eventlog::{EventLog, RecvError, TryRecvError};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::<Tick>::new(None);
/// let mut subscription = log.subscribe(0);
/// assert_eq!(subscription.try_recv().err(), Some(TryRecvError::Empty)); // look again later
/// log.close();
/// assert_eq!(subscription.try_recv().err(), Some(RecvError::Closed.into())); // never again
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TryRecvError {
    /// Everything was delivered so far.
    Empty,
    /// The reader missed this many events. The next call goes on.
    Lagged(u64),
    /// The log was closed, and everything before that was delivered.
    Closed,
}

impl TryRecvError {
    /// The same for one who waits; `None` if there is something to wait for.
    pub(crate) fn unless_empty(self) -> Option<RecvError> {
        match self {
            Self::Empty => None,
            Self::Lagged(events) => Some(RecvError::Lagged(events)),
            Self::Closed => Some(RecvError::Closed),
        }
    }
}

/// What is received as a stream has it, which ends where the log is closed.
pub(crate) fn as_item<T>(received: Result<T, RecvError>) -> Option<Result<T, Lagged>> {
    match received {
        Ok(received) => Some(Ok(received)),
        Err(RecvError::Lagged(events)) => Some(Err(Lagged(events))),
        Err(RecvError::Closed) => None,
    }
}

impl From<RecvError> for TryRecvError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(events) => Self::Lagged(events),
            RecvError::Closed => Self::Closed,
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no event yet"),
            Self::Lagged(events) => Lagged(*events).fmt(f),
            Self::Closed => f.write_str("the log was closed and all its events were delivered"),
        }
    }
}

impl Error for TryRecvError {}
