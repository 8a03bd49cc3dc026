//! A log in another process, filled from the stream and following it.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::ConnectOptions;
use serde::de::DeserializeOwned;

use super::{
    backfill::{Backfill, Fetched},
    config::StreamAt,
    connection::Connection,
    driver::Driver,
    error::{NatsError, SpawnError},
    follow::Tail,
};
use crate::{cursor::Cursor, log::EventLog, seq::Seq, versioned::Versioned, waiters::may_block};

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Which stream to mirror, and how much of it to keep in memory.
///
/// ```
/// use eventlog::nats::MirrorConfig;
///
/// let config = MirrorConfig::new("nats://127.0.0.1:4222", "orders").capacity(60_000);
/// # let _ = config;
/// ```
#[derive(Clone)]
pub struct MirrorConfig {
    pub(super) at: StreamAt,
    pub(super) capacity: usize,
}

impl MirrorConfig {
    /// The defaults for a stream of this name at one of these servers: URLs, separated by commas.
    ///
    /// ```
    /// # use eventlog::nats::MirrorConfig;
    /// let config = MirrorConfig::new("nats://one:4222,nats://two:4222", "orders");
    /// assert!(format!("{config:?}").contains("orders"));
    /// ```
    #[must_use]
    pub fn new(servers: impl AsRef<str>, stream: impl Into<String>) -> Self {
        Self {
            at: StreamAt::new(servers.as_ref(), stream.into()),
            capacity: 4096,
        }
    }

    /// How many events the mirror keeps in memory (default 4096): what comes in the longest absence
    /// after which a subscriber should miss nothing.
    ///
    /// ```
    /// # use eventlog::nats::MirrorConfig;
    /// // Pages are away for ten minutes at most, and a hundred events come per second.
    /// let config = MirrorConfig::new("nats://127.0.0.1:4222", "orders").capacity(60_000);
    /// assert!(format!("{config:?}").contains("orders"));
    /// ```
    #[must_use]
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events.max(1);
        self
    }

    /// The subject of the stream's messages, where it is not `eventlog.STREAM`.
    ///
    /// ```
    /// # use eventlog::nats::MirrorConfig;
    /// let config = MirrorConfig::new("nats://127.0.0.1:4222", "ORDERS").on_subject("shop.3.orders");
    /// assert!(format!("{config:?}").contains("ORDERS"));
    /// ```
    #[must_use]
    pub fn on_subject(mut self, subject: impl Into<String>) -> Self {
        self.at.subject = subject.into();
        self
    }

    /// How to connect: credentials, TLS, timeouts. Their `event_callback` is replaced.
    ///
    /// ```no_run
    /// # use eventlog::nats::MirrorConfig;
    /// # use async_nats::ConnectOptions;
    /// let options = ConnectOptions::new().user_and_password("orders".into(), "…".into());
    /// let config = MirrorConfig::new("nats://127.0.0.1:4222", "orders").connect_with(options);
    /// ```
    #[must_use]
    pub fn connect_with(mut self, options: ConnectOptions) -> Self {
        self.at.options = options;
        self
    }
}

impl fmt::Debug for MirrorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MirrorConfig")
            .field("servers", &self.at.servers)
            .field("stream", &self.at.stream)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

/// The newest events of a stream in the memory of any process, and those to come.
///
/// Events have the numbers that the stream gives them, and the epoch of the writer that has claimed
/// it. So a cursor of one mirror is good on every other, and after a restart of the writer, of the
/// servers or of the mirror: [`Complete`](crate::Coverage::Complete) if exactly the events after it
/// follow, [`Truncated`](crate::Coverage::Truncated) if some are gone here (the stream may have
/// them: [`backfill`](Self::backfill)), [`Ahead`](crate::Coverage::Ahead) if this mirror is behind
/// the other, [`Foreign`](crate::Coverage::Foreign) if the stream has lost what its holder saw.
///
/// The producer's own log has other numbers: its cursors are `Foreign` here.
///
/// # The log changes
///
/// When another writer claims the stream, or events are missing in its middle, the mirror goes on
/// with another [`log`](Self::log). The one before is closed: subscriptions deliver all that it had,
/// end, and go on at the new one with their cursors. Ask for the log anew at each subscription;
/// for browsers, `feed` (with the feature `sse`) does.
pub struct Mirror<E> {
    pub(super) state: Arc<State<E>>,
    pub(super) link: Arc<Connection>,
    pub(super) driver: Driver,
}

/// What the thread of a mirror tells its handle.
pub(super) struct State<E> {
    inner: Mutex<Inner<E>>,
}

struct Inner<E> {
    log: Arc<EventLog<E>>,
    fetched: Arc<Fetched<E>>,
    stats: MirrorStats,
}

/// How a mirror is at an instant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct MirrorStats {
    /// The number of the newest event that it has.
    pub newest: Seq,
    /// Whether it hears of the stream. A server that was killed is noticed within 3 seconds; one that
    /// answers and delivers nothing is asked every 5 seconds whether there is anything.
    pub is_connected: bool,
    /// Why it does not, if so.
    pub failing: Option<String>,
    /// How often it went on with another log.
    pub changes: u64,
    /// Messages that were fetched for [`backfill`](Mirror::backfill).
    pub fetched: u64,
}

impl<E: Versioned + DeserializeOwned + Send + Sync + 'static> Mirror<E> {
    /// Fills a log with the newest events of a stream, and follows it from then on. Resolves once
    /// everything is there that the stream had.
    ///
    /// Works on any runtime, which it never blocks.
    ///
    /// ```no_run
    /// # use eventlog::nats::{Mirror, MirrorConfig};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = MirrorConfig::new("nats://127.0.0.1:4222", "orders").capacity(60_000);
    /// let mirror = Mirror::<Tick>::open(config).await?;
    /// let newest = mirror.log().newest_version(); // everything is there that the stream had
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SpawnError`] if no server answers, or there is no such stream.
    pub async fn open(config: MirrorConfig) -> Result<Self, SpawnError> {
        let driver = Driver::start().map_err(SpawnError::Thread)?;
        // On the heap: it is long, and is moved to that thread.
        let opening = driver.spawn(Box::pin(open(config)));
        let opened = opening.await.unwrap_or_else(|_| Err(NatsError::ended()));
        Self::start(driver, opened)
    }

    /// As [`open`](Self::open), blocking the thread. Not for asynchronous code.
    ///
    /// ```no_run
    /// # use eventlog::nats::{Mirror, MirrorConfig};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let config = MirrorConfig::new("nats://127.0.0.1:4222", "orders");
    /// let mirror = Mirror::<Tick>::blocking_open(config)?;
    /// println!("{:?}", mirror.log().stats());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that drives a `tokio` runtime, whose tasks it would stop.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn blocking_open(config: MirrorConfig) -> Result<Self, SpawnError> {
        may_block();
        let driver = Driver::start().map_err(SpawnError::Thread)?;
        let opened = driver.block_on(open(config));
        Self::start(driver, opened)
    }

    fn start(
        driver: Driver,
        opened: Result<(Tail<E, Connection>, EventLog<E>), NatsError>,
    ) -> Result<Self, SpawnError> {
        let (tail, log) = opened.map_err(SpawnError::Stream)?;
        let state = Arc::new(State::new(log));
        state.heard(tail.newest());
        let link = tail.link().clone();
        driver.spawn(tail.run(state.clone()));
        Ok(Self {
            state,
            link,
            driver,
        })
    }

    /// The events after this cursor that the log does not have any more and the stream may: as
    /// far as the log's oldest. All who ask for the same at about the same time share one fetch.
    ///
    /// ```no_run
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # async fn example(
    /// #     mirror: eventlog::nats::Mirror<Tick>,
    /// #     mut cursor: eventlog::Cursor,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut backfill = mirror.backfill(&cursor);
    /// while let Some(events) = backfill.next().await? {
    ///     for event in events.iter() { /* apply it */ }
    ///     cursor = events.cursor();
    /// }
    /// let subscription = mirror.log().subscribe(&cursor);
    /// # Ok(())
    /// # }
    /// ```
    pub fn backfill(&self, cursor: &Cursor) -> Backfill<'_, E> {
        Backfill::new(self, *cursor)
    }
}

impl<E> Mirror<E> {
    /// The log that the mirror fills now.
    ///
    /// ```no_run
    /// # use eventlog::nats::Mirror;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # async fn example(mirror: Mirror<Tick>, mut cursor: eventlog::Cursor) {
    /// loop {
    ///     let mut subscription = mirror.log().subscribe(cursor); // the log of now
    ///     while let Ok(tick) = subscription.recv().await {
    ///         println!("{}", tick.version());
    ///     }
    ///     cursor = subscription.cursor(); // it was closed: the mirror goes on with another
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn log(&self) -> Arc<EventLog<E>> {
        self.state.log()
    }

    /// How the mirror is.
    ///
    /// ```no_run
    /// # use eventlog::nats::Mirror;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # fn example(mirror: Mirror<Tick>) {
    /// let stats = mirror.stats();
    /// if !stats.is_connected {
    ///     eprintln!("the mirror is behind: {:?}", stats.failing);
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> MirrorStats {
        self.state.stats()
    }
}

/// Connects and fills.
async fn open<E: Versioned + DeserializeOwned>(
    config: MirrorConfig,
) -> Result<(Tail<E, Connection>, EventLog<E>), NatsError> {
    let link = Connection::connect(&config.at, TIMEOUT).await?;
    Tail::fill(Arc::new(link), config).await
}

impl<E> State<E> {
    pub(super) fn new(log: EventLog<E>) -> Self {
        let inner = Inner {
            log: Arc::new(log),
            fetched: Arc::new(Fetched::new()),
            stats: MirrorStats::default(),
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    pub(super) fn log(&self) -> Arc<EventLog<E>> {
        self.with(|inner| inner.log.clone())
    }

    /// With what was fetched while it was there.
    pub(super) fn log_and_fetched(&self) -> (Arc<EventLog<E>>, Arc<Fetched<E>>) {
        self.with(|inner| (inner.log.clone(), inner.fetched.clone()))
    }

    /// Counts a message that is fetched.
    pub(super) fn fetches(&self) {
        self.with(|inner| inner.stats.fetched += 1);
    }

    pub(super) fn stats(&self) -> MirrorStats {
        self.with(|inner| inner.stats.clone())
    }

    /// Everything up to this number is there.
    pub(super) fn heard(&self, newest: Seq) {
        self.with(|inner| {
            inner.stats.newest = newest;
            (inner.stats.is_connected, inner.stats.failing) = (true, None);
        });
    }

    /// The stream is not heard of.
    pub(super) fn failed(&self, error: &NatsError) {
        let text = crate::writer::worker::chain(error);
        let was_connected = self.with(|inner| {
            inner.stats.failing = Some(text.clone());
            mem::take(&mut inner.stats.is_connected)
        });
        if was_connected {
            tracing::warn!(error = text, "the mirror of a stream waits for it");
        }
    }

    /// Goes on with another log.
    pub(super) fn change(&self, log: EventLog<E>) {
        let (before, _fetched) = self.with(|inner| {
            inner.stats.changes += 1;
            let fetched = mem::replace(&mut inner.fetched, Arc::new(Fetched::new()));
            (mem::replace(&mut inner.log, Arc::new(log)), fetched)
        });
        before.close();
    }

    fn with<R>(&self, f: impl FnOnce(&mut Inner<E>) -> R) -> R {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<E> Drop for Mirror<E> {
    fn drop(&mut self) {
        self.state.log().close();
    }
}

impl<E> fmt::Debug for Mirror<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
