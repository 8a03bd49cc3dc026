//! The feed itself: settings, limits, counters.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde::Serialize;

use super::{hooks::Hooks, source::Source};
use crate::log::EventLog;
#[cfg(feature = "disk")]
use crate::writer::Writer;

/// Of everything that is handed over without an id in it, the last this part of the capacity.
const UNTOLD_PART: u64 = 4;

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Serves a log to any number of subscribers in browsers and other processes: what they have
/// missed, then what is appended, each event with the cursor at which to go on.
///
/// Each event is encoded at most once, when the first subscriber comes to it; the others are lent
/// the same bytes, which are freed together with the event. What has come since a subscriber was
/// last asked is one piece of up to 64 KiB. A subscriber that reads slowly costs its place in the
/// log and what its connection buffers, and nothing else.
///
/// It is a handle: clones of it are the same feed, and share all that is encoded and all limits.
/// [`filter`](Self::filter) and [`encode`](Self::encode) make another feed of it.
///
/// ```
/// # use std::time::Duration;
/// # use eventlog::{EventLog, serve::Feed};
/// # #[derive(serde::Serialize)]
/// # struct Tick { version: u64 }
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.version } }
/// let log = EventLog::<Tick>::new(None);
/// let feed = Feed::new(&log)
///     .retry(Duration::from_secs(2)..=Duration::from_secs(10))
///     .bookmark_every(Duration::from_secs(15))
///     .max_subscribers(10_000);
/// let even = feed.clone().filter(|tick| tick.version % 2 == 0);
/// assert_eq!(even.stats().subscribers, 0);
/// ```
pub struct Feed<E> {
    pub(super) inner: Arc<Inner<E>>,
    pub(super) settings: Settings,
}

/// What all handles of a feed share.
pub(super) struct Inner<E> {
    /// Under which the frames are kept beside the log's segments.
    pub(super) id: u64,
    pub(super) source: Source<E>,
    pub(super) hooks: Hooks<E>,
    /// So many events may be passed over before a subscriber is told where it stands.
    pub(super) most_untold: u64,
    finished_at: AtomicU64,
    subscribers: AtomicUsize,
    counters: Counters,
}

#[derive(Default)]
struct Counters {
    encoded: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    resets: AtomicU64,
    refused: AtomicU64,
}

#[derive(Clone)]
pub(super) struct Settings {
    retry: (Duration, Duration),
    pub(super) bookmark_every: Duration,
    max_subscribers: usize,
}

/// What a feed has done and whom it serves, at one instant.
///
/// ```
/// # use eventlog::{EventLog, serve::{Asked, Feed}, Start};
/// # #[derive(serde::Serialize)]
/// # struct Tick { version: u64 }
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.version } }
/// # let log = EventLog::<Tick>::new(None);
/// let feed = Feed::new(&log);
/// let response = feed.sse(Start::Oldest);
/// assert_eq!(feed.stats().subscribers, 1);
/// drop(response); // the client has gone
/// assert_eq!((feed.stats().subscribers, feed.stats().refused), (0, 0));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct FeedStats {
    /// Those who are being served.
    pub subscribers: usize,
    /// Events that were encoded, each counted once.
    pub encoded: u64,
    /// Events that could not be, because the code that filters or encodes them failed or panicked.
    pub failed: u64,
    /// Bytes of events that were handed over, over all subscribers so far.
    pub bytes: u64,
    /// How often a subscriber was told that it misses something.
    pub resets: u64,
    /// How often one was sent away because there were too many.
    pub refused: u64,
}

impl<E: Serialize + Send + Sync + 'static> Feed<E> {
    /// A feed of everything that is appended, as JSON.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # use eventlog::{EventLog, Start, serve::Feed};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick { version: u64 }
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.version } }
    /// let log = EventLog::new(None);
    /// let feed = Feed::new(&log);
    /// log.append(Tick { version: 7 });
    /// log.close();
    /// let piece = feed.lines(Start::Oldest).next().await.unwrap();
    /// assert!(piece.starts_with(b"{\"open\":"));
    /// # }
    /// ```
    #[must_use]
    pub fn new(log: &EventLog<E>) -> Self {
        Self::of(Source::log(log), Hooks::json(), Settings::default())
    }

    /// A feed of what the writer has stored and nothing else, as JSON: with a writer that syncs
    /// every batch, no subscriber is ever told what a crash can take back, and its cursor is good
    /// after any crash.
    ///
    /// ```
    /// # use eventlog::{EventLog, Start, disk::{DiskConfig, DiskWriter}, serve::Feed};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick { version: u64 }
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.version } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let feed = Feed::stored(&writer); // no page shows an order that a power cut takes back
    /// log.append(Tick { version: 7 });
    /// writer.shutdown().await?;
    /// let mut lines = feed.lines(Start::Oldest);
    /// let mut text = Vec::new();
    /// while let Some(piece) = lines.next().await {
    ///     text.extend_from_slice(&piece);
    /// }
    /// assert!(String::from_utf8(text)?.contains("\"version\":7"));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "disk")]
    #[must_use]
    pub fn stored(writer: &Writer<E>) -> Self {
        Self::of(Source::stored(writer), Hooks::json(), Settings::default())
    }
}

impl<E> Feed<E> {
    fn of(source: Source<E>, hooks: Hooks<E>, settings: Settings) -> Self {
        let most_untold = (source.capacity() / UNTOLD_PART).max(1);
        Self {
            inner: Arc::new(Inner {
                id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
                source,
                hooks,
                most_untold,
                finished_at: AtomicU64::new(u64::MAX),
                subscribers: AtomicUsize::new(0),
                counters: Counters::default(),
            }),
            settings,
        }
    }

    /// Another feed, which shows only some of the events. It runs once per event, not once per
    /// subscriber; make a feed for each kind of subscriber, and not for each subscriber.
    ///
    /// Ids go on also where nothing is shown: a subscriber that was away never gets a `reset` for
    /// the sake of events that are not for it.
    ///
    /// Should it panic on an event, all are told that they miss that one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # use eventlog::{EventLog, Start, serve::Feed};
    /// # #[derive(serde::Serialize)]
    /// # struct Order { shop: u32, version: u64 }
    /// # impl eventlog::Versioned for Order { fn version(&self) -> u64 { self.version } }
    /// let log = EventLog::new(None);
    /// let all = Feed::new(&log);
    /// let of_shop_3 = all.clone().filter(|order: &Order| order.shop == 3);
    /// log.append(Order { shop: 2, version: 1 });
    /// log.close();
    /// let mut lines = of_shop_3.lines(Start::Oldest);
    /// while let Some(piece) = lines.next().await {
    ///     assert!(!piece.windows(6).any(|text| text == b"\"shop\""));
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn filter(self, keep: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        let hooks = self.inner.hooks.keeping(keep);
        Self::of(self.inner.source.clone(), hooks, self.settings)
    }

    /// Another feed, with another text of each event than `serde_json`'s: UTF-8, of any number of
    /// lines. It is added to an empty buffer. Runs at most once per event.
    ///
    /// Should it panic on an event, all are told that they miss that one.
    ///
    /// ```
    /// # use std::io::Write;
    /// # use eventlog::{EventLog, Start, serve::Feed};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let log = EventLog::new(None);
    /// let feed = Feed::new(&log).encode(|tick: &Tick, text| {
    ///     write!(text, "\"tick {}\"", tick.version()).ok();
    /// });
    /// log.append(Tick(7));
    /// log.close();
    /// let (mut lines, mut text) = (feed.lines(Start::Oldest), Vec::new());
    /// while let Some(piece) = lines.next().await {
    ///     text.extend_from_slice(&piece);
    /// }
    /// assert!(String::from_utf8(text).unwrap().contains("tick 7"));
    /// # }
    /// ```
    #[must_use]
    pub fn encode(self, write: impl Fn(&E, &mut Vec<u8>) + Send + Sync + 'static) -> Self {
        let hooks = self.inner.hooks.writing(write);
        Self::of(self.inner.source.clone(), hooks, self.settings)
    }

    /// After what time a subscriber that lost its connection comes back. Each is told another one
    /// between the two, so that not all come at once. 2 to 10 seconds unless set otherwise.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::{EventLog, serve::Feed};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let log = EventLog::<Tick>::new(None);
    /// // 50,000 pages, which should not all come back in the same second after a restart.
    /// let feed = Feed::new(&log).retry(Duration::from_secs(5)..=Duration::from_secs(60));
    /// assert_eq!(feed.stats().subscribers, 0);
    /// ```
    #[must_use]
    pub fn retry(mut self, between: RangeInclusive<Duration>) -> Self {
        self.settings.retry = between.into_inner();
        self
    }

    /// How long nothing is sent before a subscriber is told where it stands, which also keeps
    /// proxies from closing the connection. 15 seconds unless set otherwise, and at least 10 ms.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::{EventLog, serve::Feed};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let log = EventLog::<Tick>::new(None);
    /// // Behind a proxy that closes what was silent for 10 seconds.
    /// let feed = Feed::new(&log).bookmark_every(Duration::from_secs(5));
    /// assert_eq!(feed.stats().subscribers, 0);
    /// ```
    #[must_use]
    pub fn bookmark_every(mut self, time: Duration) -> Self {
        self.settings.bookmark_every = time.max(Duration::from_millis(10));
        self
    }

    /// How many are served at once; who comes beyond that is told to come again. 10,000 unless set
    /// otherwise.
    ///
    /// ```
    /// # use eventlog::{EventLog, Start, serve::Feed};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(None);
    /// let feed = Feed::new(&log).max_subscribers(1);
    /// let first = feed.sse(Start::Now);
    /// let second = feed.sse(Start::Now); // told to come again
    /// assert_eq!((feed.stats().subscribers, feed.stats().refused), (1, 1));
    /// ```
    #[must_use]
    pub fn max_subscribers(mut self, subscribers: usize) -> Self {
        self.settings.max_subscribers = subscribers;
        self
    }

    /// Says that nothing comes any more, ever: every subscriber gets what was appended so far, and
    /// then the end, and no browser comes back for more. For a job that is done, say. A program
    /// that ends, and begins again, [closes](EventLog::close) its log instead.
    ///
    /// ```
    /// # use eventlog::{EventLog, Start, serve::Feed};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(None);
    /// let feed = Feed::new(&log);
    /// feed.finish(); // the job is done
    /// assert_eq!(feed.sse(Start::Now).status(), 204); // no browser comes back after that
    /// ```
    pub fn finish(&self) {
        let next = self.inner.source.next();
        self.inner.finished_at.fetch_min(next, Ordering::AcqRel);
        self.inner.source.wake();
    }

    /// What it has done so far.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # use eventlog::{EventLog, Start, serve::Feed};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// let feed = Feed::new(&log);
    /// log.append(Tick(7));
    /// log.close();
    /// for _ in 0..2 {
    ///     let mut lines = feed.lines(Start::Oldest);
    ///     while lines.next().await.is_some() {}
    /// }
    /// assert_eq!(feed.stats().encoded, 1); // once, for both
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> FeedStats {
        let counters = &self.inner.counters;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        FeedStats {
            subscribers: self.inner.subscribers.load(Ordering::Relaxed),
            encoded: get(&counters.encoded),
            failed: get(&counters.failed),
            bytes: get(&counters.bytes),
            resets: get(&counters.resets),
            refused: get(&counters.refused),
        }
    }

    /// A place among the subscribers, if there is one.
    pub(super) fn take_seat(&self) -> Option<Seat<E>> {
        let most = self.settings.max_subscribers;
        let taken = self.inner.subscribers.fetch_update(
            Ordering::Relaxed,
            Ordering::Relaxed,
            |subscribers| (subscribers < most).then_some(subscribers + 1),
        );
        if taken.is_err() {
            self.inner.counters.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(Seat(self.inner.clone()))
    }

    /// After how many milliseconds one subscriber is to come back.
    pub(super) fn draw_retry(&self) -> u64 {
        let (least, most) = self.settings.retry;
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (least, most) = (millis(least), millis(most));
        let span = most.saturating_sub(least).saturating_add(1);
        // The standard library seeds its hash maps at random.
        least + RandomState::new().hash_one(0) % span
    }
}

impl<E> Inner<E> {
    /// The number of the event before which the feed ends.
    pub(super) fn finished_at(&self) -> u64 {
        self.finished_at.load(Ordering::Acquire)
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        let bytes = bytes as u64;
        self.counters.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn count_encoded(&self, events: u64) {
        self.counters.encoded.fetch_add(events, Ordering::Relaxed);
    }

    pub(super) fn count_reset(&self) {
        self.counters.resets.fetch_add(1, Ordering::Relaxed);
    }

    /// Says so of the first one only.
    pub(super) fn count_failed(&self, why: &str) {
        let failed = self.counters.failed.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "tracing")]
        if failed == 0 {
            tracing::warn!(
                "an event cannot be shown in a feed, whose subscribers are told that they miss it; \
                 others will be counted in `FeedStats::failed`: {why}"
            );
        }
        #[cfg(not(feature = "tracing"))]
        let _ = (failed, why);
    }
}

impl<E> Drop for Inner<E> {
    fn drop(&mut self) {
        self.source.forget_beside(self.id);
    }
}

/// One of the places that `max_subscribers` counts; free again when it is dropped.
pub(super) struct Seat<E>(Arc<Inner<E>>);

impl<E> Drop for Seat<E> {
    fn drop(&mut self) {
        self.0.subscribers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retry: (Duration::from_secs(2), Duration::from_secs(10)),
            bookmark_every: Duration::from_secs(15),
            max_subscribers: 10_000,
        }
    }
}

impl<E> Clone for Feed<E> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl<E> fmt::Debug for Feed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Weak,
        task::{Context, Waker},
    };

    use super::*;
    use crate::{cursor::Start, ring::Beside, versioned::Versioned};

    #[derive(Serialize)]
    struct Tick(u64);

    impl Versioned for Tick {
        fn version(&self) -> u64 {
            self.0
        }
    }

    /// Has the first segment encoded, and says what is kept beside it.
    fn encoded(log: &EventLog<Tick>, feed: &Feed<Tick>) -> Weak<dyn std::any::Any + Send + Sync> {
        let mut lines = feed.lines(Start::Oldest);
        while feed.stats().encoded < 10 {
            lines.blocking_next();
        }
        let batch = log.subscribe(Start::Oldest).try_recv_batch();
        let nothing = || -> Beside { panic!("nothing is kept beside the segment") };
        let segment = batch.expect("there are events").segment().clone();
        Arc::downgrade(&segment.beside(feed.inner.id, nothing))
    }

    #[test]
    fn what_was_encoded_goes_with_the_feed_and_with_the_events() {
        let log = EventLog::builder().capacity(256).build().unwrap();
        log.append_batch((1..=10).map(Tick));
        let feed = Feed::new(&log);
        let kept = encoded(&log, &feed);
        assert!(kept.upgrade().is_some());
        drop(feed);
        assert!(kept.upgrade().is_none(), "nobody can ask for it any more");

        let feed = Feed::new(&log);
        let kept = encoded(&log, &feed);
        log.append_batch((11..=1000).map(Tick));
        // One dead segment may wait for a reader that waits, too.
        let mut context = Context::from_waker(Waker::noop());
        let mut reader = log.subscribe(Start::Now);
        assert!(reader.poll_recv(&mut context).is_pending());
        assert!(kept.upgrade().is_none(), "its events are gone");
    }
}
