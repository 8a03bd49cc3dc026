//! Replay, then live: a cursor that moves through the log.

use std::{
    fmt,
    future::poll_fn,
    ops::Deref,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use crate::{
    Coverage, Cursor, Replay, Seq,
    ring::{Entry, Segment, Snapshot},
    shared::Shared,
    sync::{AtomicU64, Ordering},
    waiters::block_on,
};

/// An event as it is delivered: a reference that keeps its segment of the log alive. No event is
/// cloned to be delivered.
pub struct EventRef<E> {
    segment: Arc<Segment<E>>,
    seq: u64,
}

impl<E> EventRef<E> {
    /// The event's sequence number.
    #[must_use]
    pub fn seq(this: &Self) -> Seq {
        Seq::new(this.seq)
    }

    fn entry(&self) -> &Entry<E> {
        #[expect(
            clippy::expect_used,
            reason = "made only of a slot that was seen filled"
        )]
        self.segment
            .get(self.seq)
            .expect("a filled slot stays filled")
    }
}

impl<E> Deref for EventRef<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.entry().event
    }
}

impl<E> Clone for EventRef<E> {
    fn clone(&self) -> Self {
        Self {
            segment: self.segment.clone(),
            seq: self.seq,
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for EventRef<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The reader fell behind: this many events were evicted before it came to them. The next event it
/// gets is the one that was the oldest when it was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{0} events were evicted before this subscriber read them; fetch a snapshot, or give the log a \
     larger capacity"
)]
pub struct Lagged(pub u64);

/// Why [`Subscription::recv`] has no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RecvError {
    /// The reader fell behind by this many events. The next call goes on.
    #[error("{}", Lagged(*.0))]
    Lagged(u64),
    /// The log was closed, and everything before that was delivered.
    #[error("the log was closed and all its events were delivered")]
    Closed,
}

/// Why [`Subscription::try_recv`] has no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TryRecvError {
    /// Everything was delivered so far.
    #[error("there is no event yet")]
    Empty,
    /// The reader fell behind by this many events. The next call goes on.
    #[error("{}", Lagged(*.0))]
    Lagged(u64),
    /// The log was closed, and everything before that was delivered.
    #[error("the log was closed and all its events were delivered")]
    Closed,
}

/// A reader of the log: first what is retained, then what is appended, with no gap and no duplicate
/// between the two.
///
/// It starts at the first retained event that is newer than what it asked for, and is handed
/// *everything* from there on, in order. (Where versions fall, that includes events whose version
/// is not above the one asked for: a reader that has not seen an event has not seen those behind
/// it either.)
///
/// It never holds the writer up. If it falls behind by more than the log's capacity, it gets one
/// [`Lagged`](RecvError::Lagged) with the exact number of events lost, and goes on from the oldest
/// that was retained then.
///
/// ```
/// # use eventlog::{EventLog, RecvError};
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// let log = EventLog::new(None);
/// log.append(Tick(1));
/// log.append(Tick(2));
///
/// let mut subscription = log.subscribe(1);
/// log.append(Tick(3));
/// log.close();
///
/// assert_eq!(subscription.blocking_recv()?.0, 2);
/// assert_eq!(subscription.blocking_recv()?.0, 3);
/// assert_eq!(subscription.blocking_recv().err(), Some(RecvError::Closed));
/// # Ok::<(), RecvError>(())
/// ```
pub struct Subscription<E> {
    shared: Arc<Shared<E>>,
    id: u64,
    /// The sequence number of the next event; `stats` reads it.
    place: Arc<AtomicU64>,
    version: u64,
    segment: Option<Arc<Segment<E>>>,
    /// Behind a `Lagged` the next event is kept here, so that every notice is followed by an event
    /// however fast the log goes on.
    in_hand: Option<EventRef<E>>,
    coverage: Coverage,
}

impl<E> Subscription<E> {
    /// Takes a place and a snapshot in one critical section, then finds where to start.
    pub(crate) fn open(
        shared: &Arc<Shared<E>>,
        version: u64,
        find: impl FnOnce(Snapshot<E>) -> Replay<E>,
    ) -> Self {
        let mut inner = shared.lock();
        let snapshot = inner.ring.snapshot();
        let (id, place) = inner.readers.add(snapshot.retained.start);
        drop(inner);
        let replay = find(snapshot);
        place.store(replay.start(), Ordering::Relaxed);
        let coverage = replay.coverage();
        Self {
            shared: shared.clone(),
            id,
            place,
            version,
            segment: None,
            in_hand: None,
            coverage,
        }
    }

    /// What the part from before the subscription covers.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// Where this subscriber stands: behind the last event that it was given. Another one can
    /// [`resume`](crate::EventLog::resume) from here.
    ///
    /// What was missing before this place, the cursor does not tell: resuming from it is
    /// `Complete` also where this subscription's [`coverage`](Self::coverage) was not. Keep it only
    /// once the snapshot that such a coverage asks for is there. Until the first event its version
    /// is the one that was asked for.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.shared.epoch, self.next_seq() - 1, self.version)
    }

    /// The next event, as soon as there is one.
    ///
    /// Cancel safe: a future that is dropped before it is ready has taken nothing.
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`] if this reader fell behind (the next call goes on), and
    /// [`RecvError::Closed`] once the log is closed and everything before that was delivered.
    pub async fn recv(&mut self) -> Result<EventRef<E>, RecvError> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// The next event; blocks the thread until there is one. Not for asynchronous code.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn blocking_recv(&mut self) -> Result<EventRef<E>, RecvError> {
        // What is there already costs no waker.
        match self.try_recv() {
            Ok(event) => Ok(event),
            Err(TryRecvError::Lagged(events)) => Err(RecvError::Lagged(events)),
            Err(TryRecvError::Closed) => Err(RecvError::Closed),
            Err(TryRecvError::Empty) => block_on(self.recv()),
        }
    }

    /// The next event, if it is there already.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`TryRecvError::Empty`] where that would wait.
    pub fn try_recv(&mut self) -> Result<EventRef<E>, TryRecvError> {
        loop {
            if let Some(event) = self.in_hand.take() {
                return Ok(self.deliver(event));
            }
            let seq = self.next_seq();
            let is_evicted = seq < self.shared.oldest();
            let event = if is_evicted { None } else { self.find(seq) };
            // Looked at last: who sees an append from behind `close` also sees the close.
            if self.shared.is_past_end(seq) {
                return Err(TryRecvError::Closed);
            }
            if is_evicted {
                return Err(TryRecvError::Lagged(self.catch_up()));
            }
            if let Some(event) = event {
                return Ok(self.deliver(event));
            }
            if seq >= self.shared.oldest() {
                return Err(TryRecvError::Empty);
            }
        }
    }

    /// As [`recv`](Self::recv), for futures written by hand. Only the waker of the last call is
    /// woken.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<EventRef<E>, RecvError>> {
        loop {
            match self.try_recv() {
                Ok(event) => return Poll::Ready(Ok(event)),
                Err(TryRecvError::Lagged(events)) => {
                    return Poll::Ready(Err(RecvError::Lagged(events)));
                }
                Err(TryRecvError::Closed) => return Poll::Ready(Err(RecvError::Closed)),
                Err(TryRecvError::Empty) => {}
            }
            let seq = self.next_seq();
            let waker = context.waker().clone();
            let shared = &self.shared;
            if shared.wait(self.id, waker, |ring| {
                ring.next() > seq || shared.is_past_end(seq)
            }) {
                return Poll::Pending;
            }
        }
    }

    /// Gives up everything that was appended so far and not yet read, and says how many events
    /// that were. Only what is appended from now on is delivered.
    pub fn skip_to_newest(&mut self) -> u64 {
        self.in_hand = None;
        let inner = self.shared.lock();
        let to = self.shared.not_past_end(inner.ring.next());
        let newest = inner.ring.segment_of(to - 1);
        drop(inner);
        let skipped = to.saturating_sub(self.next_seq());
        if skipped > 0 {
            if let Some(entry) = newest.as_ref().and_then(|segment| segment.get(to - 1)) {
                self.version = entry.version;
            }
            self.move_to(to);
        }
        skipped
    }

    fn next_seq(&self) -> u64 {
        self.place.load(Ordering::Relaxed)
    }

    fn move_to(&mut self, seq: u64) {
        self.place.store(seq, Ordering::Relaxed);
    }

    fn deliver(&mut self, event: EventRef<E>) -> EventRef<E> {
        self.version = event.entry().version;
        self.move_to(event.seq + 1);
        event
    }

    /// The event at `seq`. Takes the lock once a segment.
    fn find(&mut self, seq: u64) -> Option<EventRef<E>> {
        if self
            .segment
            .as_ref()
            .is_none_or(|segment| segment.index_of(seq).is_none())
        {
            // In two steps, because what the old segment drops is user code and must not run
            // under the lock.
            let segment = self.shared.lock().ring.segment_of(seq)?;
            self.segment = Some(segment);
        }
        let segment = self.segment.as_ref()?;
        segment.get(seq)?;
        Some(EventRef {
            segment: segment.clone(),
            seq,
        })
    }

    /// Moves to the oldest retained event and takes it in hand; says how many were passed over.
    fn catch_up(&mut self) -> u64 {
        let inner = self.shared.lock();
        let oldest = inner.ring.oldest();
        let segment = inner.ring.segment_of(oldest);
        drop(inner);
        let to = self.shared.not_past_end(oldest);
        let lost = to - self.next_seq();
        self.shared.count_lagged(lost);
        self.move_to(to);
        self.segment = segment;
        if !self.shared.is_past_end(oldest) {
            self.in_hand = self.find(oldest);
        }
        lost
    }
}

impl<E> Stream for Subscription<E> {
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

impl<E> Drop for Subscription<E> {
    fn drop(&mut self) {
        self.shared.leave(self.id);
    }
}

impl<E> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("cursor", &self.cursor())
            .field("coverage", &self.coverage)
            .finish_non_exhaustive()
    }
}
