//! What a mirror has, for browsers: an edge.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::Response;
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use super::mirror::{Mirror, State};
use crate::{
    coverage::Coverage,
    cursor::Start,
    log::EventLog,
    serve::{Asked, Feed, SseBody},
};

/// How long a subscriber waits here that has seen what the mirror does not know.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked whether the mirror knows it now.
const LOOK: Duration = Duration::from_millis(20);

/// The feed of what a mirror has, in whichever log it has it: an edge.
///
/// A [`Feed`] is of one log, and a mirror goes on with another one where a writer claims the stream:
/// the bodies of the feed before end, and browsers come back with their cursors to a feed of the new
/// log. Each event is still encoded at most once per log, however many subscribers there are.
///
/// It is a handle: clones of it are the same feed. [`Mirror::feed`] makes one.
pub struct MirrorFeed<E> {
    state: Arc<State<E>>,
    /// Of the mirror's thread.
    handle: Handle,
    made: Arc<Made<E>>,
}

/// How feeds are made, and the one of the log that the mirror filled when it was asked last.
struct Made<E> {
    make: Box<Make<E>>,
    feed: Mutex<Option<Of<E>>>,
}

type Make<E> = dyn Fn(&EventLog<E>) -> Feed<E> + Send + Sync;

/// A log and its feed.
type Of<E> = (Arc<EventLog<E>>, Feed<E>);

impl<E: Send + Sync + 'static> Mirror<E> {
    /// An edge: a feed of what this mirror has. `make` is called for each log that the mirror goes on
    /// with. Make one for each kind of subscriber, and not one per subscriber.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// use axum::{Router, extract::State, response::IntoResponse, routing::get};
    /// use eventlog::{nats::{Mirror, MirrorConfig, MirrorFeed}, serve::{Asked, Feed}};
    ///
    /// async fn events(State(feed): State<MirrorFeed<Tick>>, asked: Asked) -> impl IntoResponse {
    ///     feed.sse(asked).await
    /// }
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let mirror = Mirror::open(MirrorConfig::new("nats://127.0.0.1:4222", "orders")).await?;
    /// let feed = mirror.feed(|log| {
    ///     Feed::new(log).retry(Duration::from_secs(10)..=Duration::from_secs(30))
    /// });
    /// let app: Router = Router::new().route("/events", get(events)).with_state(feed);
    /// # Ok(())
    /// # }
    /// ```
    pub fn feed(
        &self,
        make: impl Fn(&EventLog<E>) -> Feed<E> + Send + Sync + 'static,
    ) -> MirrorFeed<E> {
        MirrorFeed {
            state: self.state.clone(),
            handle: self.driver.handle(),
            made: Arc::new(Made {
                make: Box::new(make),
                feed: Mutex::default(),
            }),
        }
    }
}

impl<E: Send + Sync + 'static> MirrorFeed<E> {
    /// The answer to a request, as [`Feed::sse`] gives it.
    ///
    /// A subscriber that comes from a mirror that is further (or that knows of a writer of which
    /// this one has not heard) is answered once this one has caught up, so that nothing is missed or
    /// doubled on the way. After 2 seconds it is answered as things are, with a `reset`.
    pub async fn sse(&self, asked: impl Into<Asked>) -> Response<SseBody<E>> {
        let asked = asked.into();
        let start = asked.start();
        if !self.state.knows(start) {
            let state = self.state.clone();
            // On the mirror's runtime, for its clock. The thread has ended if the mirror has.
            let caught_up = self.handle.spawn(async move {
                let deadline = Instant::now() + PATIENCE;
                while !state.knows(start) && Instant::now() < deadline {
                    sleep(LOOK).await;
                }
            });
            let _ = caught_up.await;
        }
        self.now().sse(asked)
    }

    /// The feed of the log that the mirror fills now. It ends with that log, so ask anew for each
    /// subscriber.
    #[must_use]
    pub fn now(&self) -> Feed<E> {
        let log = self.state.log();
        if let Some(feed) = self.made.feed_of(&log) {
            return feed;
        }
        let made = (self.made.make)(&log);
        self.made.keep(log, made)
    }
}

impl<E> Made<E> {
    fn feed_of(&self, log: &Arc<EventLog<E>>) -> Option<Feed<E>> {
        let kept = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, feed) = kept.as_ref()?;
        Arc::ptr_eq(of, log).then(|| feed.clone())
    }

    /// Keeps a feed, unless another thread was faster.
    fn keep(&self, log: Arc<EventLog<E>>, made: Feed<E>) -> Feed<E> {
        let mut kept = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match &*kept {
            Some((of, feed)) if Arc::ptr_eq(of, &log) => return feed.clone(),
            _ => kept.replace((log, made.clone())),
        };
        drop(kept);
        drop(before); // events are user code
        made
    }
}

impl<E> State<E> {
    /// Whether a subscriber can go on here. If not, it is from elsewhere, or further than this
    /// mirror.
    fn knows(&self, start: Start) -> bool {
        let coverage = self.log().replay(start).coverage();
        !matches!(coverage, Coverage::Ahead { .. } | Coverage::Foreign)
    }
}

impl<E> Clone for MirrorFeed<E> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            handle: self.handle.clone(),
            made: self.made.clone(),
        }
    }
}

impl<E> fmt::Debug for MirrorFeed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MirrorFeed").finish_non_exhaustive()
    }
}
