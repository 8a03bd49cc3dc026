//! A stream as a writer's destination.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{
    config::JetStreamConfig,
    connection::Connection,
    driver::Local,
    error::{NatsError, SpawnError},
    session::Session,
};
use crate::{
    cursor::Epoch,
    log::EventLog,
    waiters::may_block,
    writer::{Destination, DestinationError, Level, Records, Standing, Writer, handle::StartError},
};

/// How often the stream is looked at for what others have done to it, and the connection kept going:
/// between two calls nobody answers the server, which takes minutes to mind.
const WATCH: Duration = Duration::from_secs(5);

/// A claimed stream.
struct JetStream {
    session: Session<Connection>,
    standing: Standing,
    runtime: Local,
}

/// Writes the events of a log to a stream, on threads of the writer's own.
///
/// Connects, makes the stream if it is not there, and claims it: a writer that had it before is
/// fenced and ends. Events that the stream has are not sent again.
///
/// Works on any runtime, which it never blocks; drop the future to give up.
///
/// ```no_run
/// # use eventlog::{EventLog, nats::{self, JetStreamConfig}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let log = EventLog::new(None);
/// let writer = nats::spawn(&log, JetStreamConfig::new("nats://127.0.0.1:4222", "orders")).await?;
/// let level = writer.stored(log.append(Tick(1))).await?;
/// println!("{level}"); // such as "3 replicas, not synced"
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`SpawnError`] if no server answers, or the stream cannot be claimed. The log is not affected.
pub async fn spawn<E: Serialize + Send + Sync + 'static>(
    log: &EventLog<E>,
    config: JetStreamConfig,
) -> Result<Writer<E>, SpawnError> {
    // On the heap: it is long, and is moved to that thread.
    let open = Box::pin(open(config.clone(), log.epoch()));
    let (runtime, opened) = Local::on_a_thread(open).await.map_err(SpawnError::Thread)?;
    start(log, config, runtime, opened)
}

/// As [`spawn`], blocking the thread until the stream is claimed. Not for asynchronous code.
///
/// ```no_run
/// # use eventlog::{EventLog, nats::{self, JetStreamConfig}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::new(None);
/// let writer = nats::blocking_spawn(&log, JetStreamConfig::new("nats://127.0.0.1:4222", "orders"))?;
/// writer.blocking_stored(log.append(Tick(1)))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// On a thread that drives a `tokio` runtime, whose tasks it would stop.
///
/// # Errors
///
/// As [`spawn`].
pub fn blocking_spawn<E: Serialize + Send + Sync + 'static>(
    log: &EventLog<E>,
    config: JetStreamConfig,
) -> Result<Writer<E>, SpawnError> {
    may_block();
    let runtime = Local::new().map_err(SpawnError::Thread)?;
    let opened = runtime.block_on(open(config.clone(), log.epoch()));
    start(log, config, runtime, opened)
}

/// Connects, and claims the stream.
async fn open(
    config: JetStreamConfig,
    epoch: Epoch,
) -> Result<(Session<Connection>, Standing), NatsError> {
    let link = Connection::connect(&config.at, config.ack_timeout).await?;
    Session::open(link, config, epoch).await
}

fn start<E: Serialize + Send + Sync + 'static>(
    log: &EventLog<E>,
    config: JetStreamConfig,
    runtime: Local,
    opened: Result<(Session<Connection>, Standing), NatsError>,
) -> Result<Writer<E>, SpawnError> {
    let (session, standing) = opened.map_err(SpawnError::Stream)?;
    session.warn_of_level();
    let stream = JetStream {
        session,
        standing,
        runtime,
    };
    Writer::spawn_to(log, config.writer, stream).map_err(|error| match error {
        StartError::Thread(error) => SpawnError::Thread(error),
        StartError::Destination(error) => SpawnError::Stream(NatsError::new(error.to_string())),
    })
}

impl Destination for JetStream {
    fn level(&self) -> Level {
        self.session.level
    }

    fn open(&mut self, _: Epoch) -> Result<Standing, DestinationError> {
        Ok(self.standing)
    }

    fn idle(&mut self) -> Option<Instant> {
        self.watch();
        Some(Instant::now() + WATCH)
    }

    fn write(
        &mut self,
        records: Records<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        self.runtime.block_on(self.session.write(records, progress))
    }

    /// What was written is acknowledged already.
    fn sync(&mut self) -> Result<(), DestinationError> {
        self.watch();
        Ok(())
    }

    fn stored(&self) -> u64 {
        self.session.stored
    }
}

impl JetStream {
    /// Looks now and then. What goes wrong is told by the next `write`.
    fn watch(&mut self) {
        if self.session.looked_at.elapsed() >= WATCH {
            let _ = self.runtime.block_on(self.session.look());
        }
    }
}
