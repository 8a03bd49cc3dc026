//! A log at a NATS server as a subject: appended events go into a stream, and readers read from a
//! mirror of it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use eventlog::{
    EventLog, EventRef, Filtered, RecvError, Seq, Start, Subscription,
    nats::{self, JetStreamConfig, Mirror, MirrorConfig},
    writer::Writer,
};
use model_tests::{
    AsyncLog, AsyncSubject, AsyncSubscription, BoxFuture, Case, Lease, Log, OpenError, Page,
    Received, Replay, Tick,
};

/// How long a server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a mirror is looked at that wakes nobody any more.
const LOOK: Duration = Duration::from_millis(1);

/// Logs at a server, each in a stream of its own.
#[derive(Clone)]
pub struct Streams {
    pub url: String,
    /// A bug: the mirror remembers one event more than the log is to retain.
    pub remembers_more: bool,
}

/// One of them: what is appended here is in the stream, and what is read comes from the mirror.
pub struct StreamLog {
    log: EventLog<Tick>,
    writer: Writer<Tick>,
    mirror: Mirror<Tick>,
}

impl AsyncSubject for Streams {
    type Event = Tick;
    type Log = StreamLog;

    async fn open(&self, case: &Case) -> Result<StreamLog, OpenError> {
        let log = EventLog::builder().capacity(case.capacity).build()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.stream_of(&log, case).await {
                Ok((writer, mirror)) => {
                    return Ok(StreamLog {
                        log,
                        writer,
                        mirror,
                    });
                }
                // A server that is busy does not answer in time.
                Err(_) if Instant::now() < deadline => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Streams {
    async fn stream_of(
        &self,
        log: &EventLog<Tick>,
        case: &Case,
    ) -> Result<(Writer<Tick>, Mirror<Tick>), OpenError> {
        static OPENED: AtomicU64 = AtomicU64::new(0);
        let stream = format!("case{}", OPENED.fetch_add(1, Ordering::Relaxed));
        let writer = nats::spawn(log, JetStreamConfig::new(&self.url, &stream)).await?;
        let capacity = case.capacity + usize::from(self.remembers_more);
        let config = MirrorConfig::new(&self.url, &stream).capacity(capacity);
        Ok((writer, Mirror::open(config).await?))
    }
}

impl StreamLog {
    /// Waits until everything up to this event is stored, and has come to the mirror.
    async fn arrived(&self, seq: Seq) {
        let stored = self.writer.stored(seq).await;
        stored.unwrap_or_else(|error| panic!("{error}"));
        let mut coming = self.mirror.log().subscribe(Start::Now);
        while self.mirror.log().cursor().seq() < seq {
            // An event, or several that it is too late for: there is more in any case.
            if coming.recv().await.err() == Some(RecvError::Closed) {
                tokio::time::sleep(LOOK).await; // readers have ended, and the log has not
            }
        }
    }
}

impl AsyncLog<Tick> for StreamLog {
    async fn append(&self, event: Tick) -> Option<u64> {
        let seq = self.log.append(event);
        self.arrived(seq).await;
        Some(seq.get())
    }

    async fn events_since(&self, since: u64) -> Vec<Tick> {
        self.mirror.log().events_since(since)
    }

    async fn replay_truncated(&self, since: u64) -> bool {
        self.mirror.log().replay_truncated(since)
    }

    async fn replay(&self, since: u64) -> Replay<Tick> {
        Log::replay(&*self.mirror.log(), since)
    }

    async fn cursor(&self) -> String {
        Log::cursor(&*self.mirror.log())
    }

    async fn replay_after(&self, cursor: &str) -> Replay<Tick> {
        Log::replay_after(&*self.mirror.log(), cursor)
    }

    async fn subscribe(&self, since: u64) -> Box<dyn AsyncSubscription<Tick>> {
        Box::new(Reader(self.mirror.log().subscribe(since)))
    }

    async fn resume(&self, cursor: &str) -> Box<dyn AsyncSubscription<Tick>> {
        let cursor: eventlog::Cursor = cursor.parse().unwrap_or_else(|error| panic!("{error}"));
        Box::new(Reader(self.mirror.log().subscribe(cursor)))
    }

    async fn lease(&self, events: u64) -> Box<dyn Lease> {
        Log::lease(&*self.mirror.log(), events)
    }

    async fn page(&self, since: u64, events: usize) -> Page<Tick> {
        Log::page(&*self.mirror.log(), since, events)
    }

    async fn page_after(&self, cursor: &str, events: usize) -> Page<Tick> {
        Log::page_after(&*self.mirror.log(), cursor, events)
    }

    async fn subscribe_if(
        &self,
        since: u64,
        keeps: fn(&Tick) -> bool,
    ) -> Box<dyn AsyncSubscription<Tick>> {
        Box::new(Reader(self.mirror.log().subscribe(since).filter(keeps)))
    }

    async fn close(&self) {
        self.mirror.log().close();
    }
}

struct Reader<S>(S);

/// What a subscription and a filtered one have by the same names.
macro_rules! reads {
    ($subscription:ty) => {
        impl AsyncSubscription<Tick> for Reader<$subscription> {
            fn recv(&mut self) -> BoxFuture<'_, Received<Tick>> {
                Box::pin(async { told(self.0.recv().await) })
            }

            fn is_live(&self) -> bool {
                self.0.is_live()
            }

            fn cursor(&self) -> String {
                self.0.cursor().to_string()
            }

            fn skip_to_newest(&mut self) -> BoxFuture<'_, u64> {
                Box::pin(async { self.0.skip_to_newest() })
            }
        }
    };
}

reads!(Subscription<Tick>);
reads!(Filtered<Tick, fn(&Tick) -> bool>);

fn told(answer: Result<EventRef<Tick>, RecvError>) -> Received<Tick> {
    match answer {
        Ok(event) => Received::Event((*event).clone()),
        Err(RecvError::Lagged(events)) => Received::Lagged(events),
        Err(RecvError::Closed) => Received::Closed,
    }
}
