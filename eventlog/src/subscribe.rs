//! Replay, then live: a place that moves through the log.

use std::{
    fmt,
    future::poll_fn,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures_core::Stream;

use crate::{
    coverage::Coverage,
    cursor::{Cursor, Epoch, Start},
    frontier::{Fate, Frontier},
    lease::Lease,
    received::{Batch, EventRef, Lagged, RecvError, TryRecvError, as_item},
    replay::Replay,
    ring::{Segment, Snapshot, caught_all},
    shared::Shared,
    sync::{AtomicU64, Ordering},
    waiters::{Ticket, block_on},
};

/// How many events a reader that is polled takes in a row before it lets other tasks run.
const TURN: usize = 128;

/// A reader of the log: first what is retained, then what is appended, with no gap and no duplicate
/// between the two.
///
/// It starts at the first retained event that is newer than what it asked for, and is handed
/// *everything* from there on, in order. (Where versions fall, that includes events whose version
/// is not above the one asked for: a reader that has not seen an event has not seen those after
/// it either.)
///
/// Where much waits to be read, an asynchronous reader leaves its thread to other tasks at least
/// once per 128 events.
///
/// It never holds an appender up; what happens to one that is too slow is told under
/// [lagging](#lagging).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), eventlog::RecvError> {
/// # use eventlog::{EventLog, RecvError};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::new(None);
/// log.append(Tick(1));
/// log.append(Tick(2));
///
/// let mut subscription = log.subscribe(1);
/// log.append(Tick(3));
/// log.close();
///
/// assert_eq!(subscription.recv().await?.version(), 2);
/// assert_eq!(subscription.recv().await?.version(), 3);
/// assert_eq!(subscription.recv().await.err(), Some(RecvError::Closed));
/// # Ok(())
/// # }
/// ```
///
/// # Lagging
///
/// *You see* one [`RecvError::Lagged`] with the exact number of events that were evicted before this
/// reader came to them. The next call goes on with the oldest that was retained then.
///
/// *What to do:* what you have is no longer what the producer has, and the events that follow do not
/// mend that. Fetch a snapshot, leave out the events that are in it, and go on with the same
/// subscription. Where only what is new counts, [`skip_to_newest`](Self::skip_to_newest). If it
/// happens often, read [batches](Self::recv_batch), or give the log a larger
/// [capacity](crate::Builder::capacity); [`Stats::slowest_distance`](crate::Stats) shows it coming.
///
/// ```
/// # use eventlog::{EventLog, RecvError};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # async fn fetch_snapshot() -> (u64, Vec<u64>) { (4, vec![1, 2, 3, 4]) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let log = EventLog::builder().capacity(2).build().unwrap();
/// let mut subscription = log.subscribe(0);
/// # log.append_batch((1..=5).map(Tick));
/// # log.close();
/// let (mut version, mut state) = (0, Vec::new());
/// loop {
///     match subscription.recv().await {
///         Ok(tick) if tick.version() <= version => {} // it is in the snapshot
///         Ok(tick) => {
///             version = tick.version();
///             state.push(tick.version());
///         }
///         Err(RecvError::Lagged(_)) => (version, state) = fetch_snapshot().await,
///         Err(RecvError::Closed) => break,
///     }
/// }
/// assert_eq!(state, [1, 2, 3, 4, 5]);
/// # }
/// ```
///
/// # Closing
///
/// *You see* [`RecvError::Closed`], now and at every later call, once the log was
/// [closed](crate::EventLog::close) or its last handle dropped, and everything that was appended
/// before that was delivered. As a [`Stream`] it ends there.
///
/// *What to do:* let the reader end. To go on in the next life of the log, keep the
/// [`cursor`](Self::cursor): it is good there if the log is
/// [recovered](crate::EventLog::recover), and [`Foreign`](Coverage#foreign) otherwise.
///
/// ```
/// # use std::sync::Arc;
/// # use eventlog::EventLog;
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let log = Arc::new(EventLog::<Tick>::new(None));
/// let mut subscription = log.subscribe(0);
/// let reader = tokio::spawn(async move {
///     while let Ok(tick) = subscription.recv().await {
///         println!("{}", tick.version());
///     }
///     subscription.cursor() // for the next life
/// });
/// log.append(Tick(1));
/// drop(log); // or `log.close()`, where others still hold it
/// assert_eq!(reader.await.unwrap().version(), 1);
/// # }
/// ```
#[must_use = "a subscription that is dropped reads nothing"]
pub struct Subscription<E> {
    shared: Arc<Shared<E>>,
    id: u64,
    /// Where its waker is.
    ticket: Ticket,
    /// The sequence number of the next event; `stats` reads it.
    place: Arc<AtomicU64>,
    /// Version of the last event delivered.
    version: u64,
    /// What `cursor` says until the first event is delivered, where the coverage is not complete.
    before: Option<Cursor>,
    /// The number after the newest event of the moment of subscribing; 0 once it has lagged after
    /// that, because it stays live.
    live_from: u64,
    /// Set for a writer's subscription: what it has stored, and nothing else, is delivered.
    stored: Option<Stored>,
    segment: Option<Arc<Segment<E>>>,
    /// After a `Lagged` the next event is kept here, so that every notice is followed by an event
    /// however fast the log goes on.
    in_hand: Option<EventRef<E>>,
    /// Keeps what it has not read, until it is at the newest.
    lease: Option<Lease<E>>,
    /// Events that were delivered by polling since the task last let others run.
    turn: usize,
    coverage: Coverage,
}

impl<E> Subscription<E> {
    /// A subscription to everything that is appended.
    pub(crate) fn open(shared: &Arc<Shared<E>>, start: Start) -> Self {
        Self::up_to(shared, start, None)
    }

    /// A subscription to what a writer has stored, as its frontier tells.
    #[cfg(feature = "disk")]
    pub(crate) fn to_stored(
        shared: &Arc<Shared<E>>,
        start: Start,
        frontier: &Arc<Frontier>,
        is_durable: bool,
    ) -> Self {
        Self::up_to(shared, start, Some(Stored::new(frontier, is_durable)))
    }

    /// Takes a place and a snapshot, then finds where to start.
    fn up_to(shared: &Arc<Shared<E>>, start: Start, stored: Option<Stored>) -> Self {
        let mut snapshot = shared.with_now(|inner| inner.ring.snapshot());
        // What was appended after a close is for nobody.
        let mut live_from = shared.not_past_end(snapshot.retained.end);
        if let Some(stored) = &stored {
            live_from = live_from.min(stored.frontier.settled() + 1);
        }
        if start == Start::Now {
            // Any other start may well lie after what is stored by now.
            snapshot.retained = snapshot.retained.start.min(live_from)..live_from;
        }
        let version = version_before(&snapshot, start);
        let has_evicted = snapshot.evicted() > 0;
        let replay = Replay::open(snapshot, &shared.lineage, start);
        let coverage = replay.coverage();
        let before = match (coverage, start) {
            (Coverage::Complete, _) => None,
            (_, Start::Cursor(cursor)) => Some(cursor),
            (Coverage::Ahead { .. }, _) => {
                Some(Cursor::new(shared.lineage.epoch, u64::MAX, version))
            }
            _ if has_evicted => Some(Cursor::new(shared.lineage.epoch, 0, version)),
            _ => Some(Cursor::new(Epoch::NONE, 0, version)),
        };
        let (id, place) = shared.readers.add(replay.start());
        Self {
            shared: shared.clone(),
            id,
            ticket: Ticket::default(),
            place,
            version,
            before,
            // What was appended after a close is delivered to nobody.
            live_from: shared.not_past_end(live_from),
            stored,
            segment: None,
            in_hand: None,
            lease: None,
            turn: 0,
            coverage,
        }
    }

    /// Keeps the lease until everything is read.
    pub(crate) fn holding(mut self, lease: Lease<E>) -> Self {
        self.lease = Some(lease);
        self
    }

    /// What the part from before the subscription covers.
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::builder().capacity(2).build()?;
    /// log.append_batch((1..=5).map(Tick));
    /// let subscription = log.subscribe(1);
    /// if !subscription.coverage().is_complete() {
    ///     // Versions 2 and 3 are gone: fetch a snapshot before what this delivers is applied.
    /// }
    /// assert_eq!(
    ///     subscription.coverage(),
    ///     Coverage::Truncated { missed_through: 3, missed: None },
    /// );
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// Whether everything was delivered, or told as lost, that was there at the moment of
    /// subscribing: the replay is over, and what comes now is new. Never false again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let mut subscription = log.subscribe(0);
    /// assert!(!subscription.is_live());
    /// subscription.recv().await?;
    /// assert!(subscription.is_live());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live_from == 0 || self.in_hand.is_none() && self.next_seq() >= self.live_from
    }

    /// The position just after the last event received; [`subscribe`](crate::EventLog::subscribe)
    /// goes on from it.
    ///
    /// As long as nothing was delivered, subscribing with it is `Complete` only if this
    /// [`coverage`](Self::coverage) is. After that it does not record what was missed before: keep
    /// it only once the snapshot that an incomplete coverage asks for is there.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(1), Tick(2)]);
    /// let mut subscription = log.subscribe(0);
    /// subscription.recv().await?;
    /// let place = subscription.cursor();
    /// drop(subscription); // the connection is lost
    /// assert_eq!(log.subscribe(place).recv().await?.version(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.before.unwrap_or_else(|| self.place())
    }

    /// As [`cursor`](Self::cursor), for one to whom the coverage was told.
    pub(crate) fn place(&self) -> Cursor {
        let seq = self.next_seq() - 1;
        let cursor = Cursor::new(self.shared.lineage.epoch, seq, self.version);
        // It may have begun after an event that is not stored yet.
        let stored = self.stored.as_ref().filter(|stored| stored.is_durable);
        cursor.seen_durable(stored.is_some_and(|stored| stored.frontier.settled() >= seq))
    }

    /// Stands after the event before `end`, the first that was not used of the batch delivered last.
    #[cfg(feature = "sse")]
    pub(crate) fn give_back(&mut self, version: u64, end: u64) {
        self.note_delivered(version, end);
    }

    /// Keeps nothing of the log in memory until it is asked again.
    #[cfg(feature = "sse")]
    pub(crate) fn let_go(&mut self) {
        caught_all(self.segment.take());
    }

    /// The next event, as soon as there is one.
    ///
    /// Cancel safe: a future that is dropped before it is ready has taken nothing.
    ///
    /// ```
    /// # use eventlog::{EventLog, RecvError};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let log = EventLog::<Tick>::new(None);
    /// let mut subscription = log.subscribe(0);
    /// let reader = tokio::spawn(async move {
    ///     loop {
    ///         match subscription.recv().await {
    ///             Ok(tick) => assert_eq!(tick.version(), 1),
    ///             Err(RecvError::Lagged(missed)) => panic!("fetch a snapshot: {missed} are gone"),
    ///             Err(RecvError::Closed) => break,
    ///         }
    ///     }
    /// });
    /// log.append(Tick(1));
    /// log.close();
    /// reader.await.unwrap();
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`] if this reader missed events (the next call goes on), and
    /// [`RecvError::Closed`] once the log is closed and everything before that was delivered.
    pub async fn recv(&mut self) -> Result<EventRef<E>, RecvError> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// The next event; blocks the thread until there is one. Not for asynchronous code.
    ///
    /// ```
    /// # use std::thread;
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(None);
    /// let mut subscription = log.subscribe(0);
    /// let reader = thread::spawn(move || subscription.blocking_recv().map(|tick| tick.version()));
    /// log.append(Tick(7));
    /// assert_eq!(reader.join().unwrap(), Ok(7));
    /// ```
    ///
    /// # Panics
    ///
    /// Where it would wait on a thread that drives a `tokio` runtime, whose tasks it would stop.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn blocking_recv(&mut self) -> Result<EventRef<E>, RecvError> {
        now_or_wait(self.try_recv(), self.recv())
    }

    /// The next event, if it is there already.
    ///
    /// ```
    /// # use eventlog::{EventLog, TryRecvError};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// log.append(Tick(1));
    /// // Once per frame of a game, say: whatever is there, and no waiting.
    /// while let Ok(tick) = subscription.try_recv() {
    ///     assert_eq!(tick.version(), 1);
    /// }
    /// assert_eq!(subscription.try_recv().err(), Some(TryRecvError::Empty));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`TryRecvError::Empty`] where that would wait.
    pub fn try_recv(&mut self) -> Result<EventRef<E>, TryRecvError> {
        let event = self.next_event()?;
        self.note_delivered(event.version(), EventRef::seq(&event).get() + 1);
        Ok(event)
    }

    /// As [`recv`](Self::recv), for futures written by hand. Only the waker of the last call is
    /// woken.
    ///
    /// ```
    /// # use std::{future::poll_fn, task::Poll};
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let log = EventLog::new(None);
    /// let (mut first, mut second) = (log.subscribe(0), log.subscribe(0));
    /// log.append(Tick(1));
    /// // Whichever of the two is ready.
    /// let tick = poll_fn(|context| match first.poll_recv(context) {
    ///     Poll::Pending => second.poll_recv(context),
    ///     ready => ready,
    /// });
    /// assert_eq!(tick.await.unwrap().version(), 1);
    /// # }
    /// ```
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<EventRef<E>, RecvError>> {
        self.poll_with(context, |this| Ok((this.try_recv()?, 1)))
    }

    /// The next events, as soon as there is one: those that are there, up to 256. More of them come
    /// with the next call (a batch ends where its segment does, and the first of a log are short).
    ///
    /// Cancel safe: a future that is dropped before it is ready has taken nothing.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=1_000).map(Tick));
    /// let mut subscription = log.subscribe(0);
    /// let (mut events, mut messages) = (0, 0);
    /// while !subscription.is_live() {
    ///     events += subscription.recv_batch().await?.len();
    ///     messages += 1; // to the client, one per batch
    /// }
    /// assert!(events == 1_000 && messages < 100);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub async fn recv_batch(&mut self) -> Result<Batch<E>, RecvError> {
        poll_fn(|context| self.poll_recv_batch(context)).await
    }

    /// As [`recv_batch`](Self::recv_batch), blocking the thread. Not for asynchronous code.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=1_000).map(Tick));
    /// let mut subscription = log.subscribe(0);
    /// let mut seen = 0;
    /// while !subscription.is_live() {
    ///     seen += subscription.blocking_recv_batch()?.len();
    /// }
    /// assert_eq!(seen, 1_000);
    /// # Ok::<(), eventlog::RecvError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`blocking_recv`](Self::blocking_recv).
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn blocking_recv_batch(&mut self) -> Result<Batch<E>, RecvError> {
        now_or_wait(self.try_recv_batch(), self.recv_batch())
    }

    /// The next events, if there are any already.
    ///
    /// ```
    /// # use eventlog::{EventLog, TryRecvError};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=3).map(Tick));
    /// let mut subscription = log.subscribe(0);
    /// assert_eq!(subscription.try_recv_batch().unwrap().len(), 3);
    /// assert_eq!(subscription.try_recv_batch().err(), Some(TryRecvError::Empty));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv), and [`TryRecvError::Empty`] where that would wait.
    pub fn try_recv_batch(&mut self) -> Result<Batch<E>, TryRecvError> {
        let first = self.next_event()?;
        let batch = first.into_batch(self.readable_end());
        self.note_delivered(batch.version(), batch.end());
        Ok(batch)
    }

    /// As [`recv_batch`](Self::recv_batch), for futures written by hand. Only the waker of the
    /// last call is woken.
    ///
    /// ```
    /// # use std::task::{Context, Waker};
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(subscription.poll_recv_batch(&mut context).is_pending());
    /// log.append_batch((1..=3).map(Tick));
    /// assert!(subscription.poll_recv_batch(&mut context).is_ready());
    /// ```
    pub fn poll_recv_batch(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Batch<E>, RecvError>> {
        self.poll_with(context, |this| {
            let batch = this.try_recv_batch()?;
            let events = batch.len();
            Ok((batch, events))
        })
    }

    /// Gives up everything that was appended so far and not yet read, and says how many events
    /// that were. Only what is appended from now on is delivered.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// log.append_batch((1..=100).map(Tick));
    /// // The page was in the background: it loads its state anew, and wants none of these.
    /// assert_eq!(subscription.skip_to_newest(), 100);
    /// log.append(Tick(101));
    /// assert_eq!(subscription.recv().await?.version(), 101);
    /// # Ok(())
    /// # }
    /// ```
    pub fn skip_to_newest(&mut self) -> u64 {
        self.in_hand = None;
        self.lease = None;
        let end = match &mut self.stored {
            Some(stored) => stored.frontier.settled() + 1,
            None => u64::MAX,
        };
        let end = self.shared.not_past_end(end);
        let (to, newest) = self.shared.with(|inner| {
            let to = inner.ring.next().min(end);
            (to, inner.ring.segment_of(to - 1))
        });
        let skipped = to.saturating_sub(self.next_seq());
        if skipped > 0 {
            let newest = newest.as_ref().and_then(|segment| segment.get(to - 1));
            let version = newest.map_or(self.version, |entry| entry.version);
            self.note_delivered(version, to);
        }
        skipped
    }

    fn poll_with<T>(
        &mut self,
        context: &mut Context<'_>,
        mut take: impl FnMut(&mut Self) -> Result<(T, usize), TryRecvError>,
    ) -> Poll<Result<T, RecvError>> {
        if self.turn >= TURN {
            self.turn = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            match take(self) {
                Ok((taken, events)) => {
                    self.turn += events;
                    return Poll::Ready(Ok(taken));
                }
                Err(error) => {
                    if let Some(error) = error.unless_empty() {
                        return Poll::Ready(Err(error));
                    }
                }
            }
            let seq = self.next_seq();
            let waker = context.waker().clone();
            let shared = &self.shared;
            let waits = match &mut self.stored {
                Some(stored) => stored.wait(seq, waker, || shared.is_past_end(seq)),
                None => shared.wait(&mut self.ticket, waker, |ring| {
                    ring.next() > seq || shared.is_past_end(seq)
                }),
            };
            if waits {
                self.turn = 0;
                return Poll::Pending;
            }
        }
    }

    /// The next event, if `keep` says yes to it; `None` where it is passed over.
    pub(crate) fn try_next_if(
        &mut self,
        keep: &mut impl FnMut(&E) -> bool,
    ) -> Result<Option<EventRef<E>>, TryRecvError> {
        let event = self.next_event()?;
        // There it stays if the user's code panics.
        let is_kept = keep(self.in_hand.insert(event));
        let event = self.in_hand.take();
        if let Some(event) = &event {
            self.note_delivered(event.version(), EventRef::seq(event).get() + 1);
        }
        Ok(event.filter(|_| is_kept))
    }

    /// As [`try_next_if`](Self::try_next_if), or waits for it. Each counts as one delivery.
    pub(crate) fn poll_next_if(
        &mut self,
        context: &mut Context<'_>,
        keep: &mut impl FnMut(&E) -> bool,
    ) -> Poll<Result<Option<EventRef<E>>, RecvError>> {
        self.poll_with(context, |this| Ok((this.try_next_if(keep)?, 1)))
    }

    /// The next event, which is not yet noted as delivered.
    #[inline]
    fn next_event(&mut self) -> Result<EventRef<E>, TryRecvError> {
        loop {
            if let Some(event) = self.in_hand.take() {
                return Ok(event);
            }
            let seq = self.next_seq();
            let is_evicted = seq < self.shared.oldest();
            let event = if is_evicted { None } else { self.find(seq) };
            // Checked after the look at the event: a reader that sees an event appended after
            // `close` must also see the close.
            if self.shared.is_past_end(seq) {
                return Err(TryRecvError::Closed);
            }
            self.check_stored(seq)?;
            if is_evicted {
                return Err(TryRecvError::Lagged(self.catch_up()));
            }
            if let Some(event) = event {
                return Ok(event);
            }
            if seq >= self.shared.oldest() {
                self.lease = None;
                return Err(TryRecvError::Empty);
            }
        }
    }

    /// Whether the event at `seq` may be delivered: always, unless only what is stored may be.
    fn check_stored(&mut self, seq: u64) -> Result<(), TryRecvError> {
        let Some(stored) = &mut self.stored else {
            return Ok(());
        };
        match stored.fate(seq) {
            Fate::Stored { .. } => Ok(()),
            Fate::Waiting => Err(TryRecvError::Empty),
            Fate::Ended => Err(TryRecvError::Closed),
            Fate::Lost { .. } => Err(TryRecvError::Lagged(self.catch_up())),
        }
    }

    /// The number after the last event that may be delivered together with the next one.
    fn readable_end(&self) -> u64 {
        let end = self.stored.as_ref().map_or(u64::MAX, |stored| stored.end);
        self.shared.not_past_end(end)
    }

    /// Whether what it delivers survives a crash, as the next life can tell.
    fn is_durable(&self) -> bool {
        self.stored.as_ref().is_some_and(|stored| stored.is_durable)
    }

    fn next_seq(&self) -> u64 {
        self.place.load(Ordering::Relaxed)
    }

    fn move_to(&mut self, seq: u64) {
        self.place.store(seq, Ordering::Relaxed);
    }

    fn note_delivered(&mut self, version: u64, next: u64) {
        self.version = version;
        self.before = None;
        self.move_to(next);
    }

    /// The event at `seq`. Takes the lock once per segment.
    #[inline]
    fn find(&mut self, seq: u64) -> Option<EventRef<E>> {
        let is_elsewhere = |segment: &Arc<Segment<E>>| segment.index_of(seq).is_none();
        if self.segment.as_ref().is_none_or(is_elsewhere) {
            self.go_to_segment_of(seq)?;
        }
        EventRef::find(self.segment.as_ref()?, seq, self.is_durable())
    }

    /// In two steps, because what the old segment drops is user code: it must not run under the
    /// lock, and a panic of its must not end the reader.
    #[cold]
    fn go_to_segment_of(&mut self, seq: u64) -> Option<()> {
        let segment = self.shared.with(|inner| inner.ring.segment_of(seq))?;
        caught_all(self.segment.replace(segment));
        Some(())
    }

    /// Moves past what is evicted or lost and takes the event there in hand, if there is one by
    /// now; says how many were passed over.
    #[cold]
    fn catch_up(&mut self) -> u64 {
        let seq = self.next_seq();
        let (oldest, segment) = self.shared.with(|inner| {
            let oldest = inner.ring.oldest().max(seq);
            (oldest, inner.ring.segment_of(oldest))
        });
        let mut to = oldest;
        if let Some(stored) = &self.stored {
            to = stored.skip_lost(seq, to);
        }
        to = self.shared.not_past_end(to);
        let mut is_readable = !self.shared.is_past_end(to);
        if let Some(stored) = &mut self.stored {
            is_readable &= matches!(stored.fate(to), Fate::Stored { .. });
        }
        if self.is_live() {
            self.live_from = 0;
        }
        let lost = to - seq;
        self.shared.count_lagged(lost);
        self.move_to(to);
        caught_all(mem::replace(&mut self.segment, segment));
        if is_readable {
            self.in_hand = self.find(to);
        }
        lost
    }
}

/// What a writer has stored, as far as one subscription has looked.
struct Stored {
    frontier: Arc<Frontier>,
    /// The id under which it waits at the frontier.
    id: u64,
    /// The sequence number that it waits for, if it does.
    waits_for: u64,
    /// The number after the last of those that are known to be stored from its place on.
    end: u64,
    /// Whether what is stored survives a crash, as the next life can tell.
    is_durable: bool,
}

impl Stored {
    #[cfg(feature = "disk")]
    fn new(frontier: &Arc<Frontier>, is_durable: bool) -> Self {
        Self {
            is_durable,
            frontier: frontier.clone(),
            id: frontier.new_id(),
            waits_for: 0,
            end: 0,
        }
    }

    /// The fate of the event at `seq`, which rises from call to call.
    fn fate(&mut self, seq: u64) -> Fate {
        if seq < self.end {
            return Fate::Stored {
                through: self.end - 1,
            };
        }
        let fate = self.frontier.fate(seq);
        if let Fate::Stored { through } = fate {
            self.end = through + 1;
        }
        fate
    }

    /// `seq`, or the end of what is settled if that comes first, but not before `from`; and past
    /// what is lost there.
    fn skip_lost(&self, from: u64, seq: u64) -> u64 {
        let seq = seq.min(self.frontier.settled() + 1).max(from);
        match self.frontier.fate(seq) {
            Fate::Lost { through } => through + 1,
            _ => seq,
        }
    }

    fn wait(&mut self, seq: u64, waker: Waker, ready: impl FnOnce() -> bool) -> bool {
        if self.waits_for != seq {
            self.frontier.leave(self.waits_for, self.id);
            self.waits_for = seq;
        }
        self.frontier.wait(seq, self.id, waker, ready)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.frontier.leave(self.waits_for, self.id);
    }
}

/// The version that a subscriber has reached before its first event, as far as its start tells.
fn version_before<E>(snapshot: &Snapshot<E>, start: Start) -> u64 {
    match start {
        Start::Oldest => snapshot.version_before_first(),
        Start::Now => snapshot.version_at_end(),
        Start::After(version) => version,
        Start::Cursor(cursor) => cursor.version(),
    }
}

/// What was there already, or what comes. What is there costs no waker.
pub(crate) fn now_or_wait<T>(
    tried: Result<T, TryRecvError>,
    receiving: impl Future<Output = Result<T, RecvError>>,
) -> Result<T, RecvError> {
    match tried {
        Ok(received) => Ok(received),
        Err(error) => match error.unless_empty() {
            Some(error) => Err(error),
            None => block_on(receiving),
        },
    }
}

impl<E> Stream for Subscription<E> {
    type Item = Result<EventRef<E>, Lagged>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<EventRef<E>, Lagged>>> {
        self.poll_recv(context).map(as_item)
    }
}

impl<E> Drop for Subscription<E> {
    fn drop(&mut self) {
        self.shared.leave(&mut self.ticket);
        self.shared.readers.remove(self.id);
        caught_all(self.in_hand.take());
        caught_all(self.segment.take());
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
