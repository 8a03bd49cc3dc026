//! The baseline's call shape: a task that writes what comes over a broadcast channel.

mod channel;
mod heal;

use std::{
    path::Path,
    sync::Arc,
    thread::{self, Thread},
    time::Duration,
};

use serde::Serialize;
use tokio::sync::broadcast;

use self::channel::Channel;
use super::{config::DiskConfig, file_log::FileLog, storage::RealStorage};
use crate::{
    log::EventLog,
    versioned::Versioned,
    waiters::block_on_for,
    writer::{
        ack::Wait,
        config::{Unfaithful, WriterConfig},
        control::Control,
        destination::Destination as _,
        notice::Notice,
        worker::{THREAD_NAME, Worker, chain},
    },
};

/// How long a writer whose channel is closed, or whose task is gone, goes on trying to write to a
/// failing disk.
const FAREWELL: Duration = Duration::from_secs(5);

/// Writes the events that come over a broadcast channel to the log's
/// [`disk_path`](EventLog::disk_path), with the default settings, until the channel is closed and
/// everything is durable. Returns at once if the log has no path.
///
/// What the channel drops because it lagged is taken from the log, as long as that still retains
/// it and holds it between the same neighbours; what cannot be had is counted by a gap line. If the
/// file cannot be opened, it says so in a warning and returns; the log is not affected. Where
/// another writer has the file, it waits for its turn.
///
/// New code is better off with [`DiskWriter`](super::DiskWriter), which follows the log itself: it
/// needs no channel, and says what is durable.
///
/// ```
/// # use std::sync::Arc;
/// # use eventlog::{EventLog, disk::run_disk_writer};
/// # #[derive(Clone, serde::Serialize)]
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = Arc::new(EventLog::new(Some(path.clone())));
/// let (sender, receiver) = tokio::sync::broadcast::channel(64);
/// let writer = tokio::spawn(run_disk_writer(log.clone(), receiver));
///
/// log.append(Tick(1));
/// sender.send(Tick(1)).ok();
/// drop(sender);
/// writer.await?;
/// assert_eq!(std::fs::read_to_string(path)?, "1\n");
/// # Ok(())
/// # }
/// ```
pub fn run_disk_writer<E>(
    log: Arc<EventLog<E>>,
    events: broadcast::Receiver<E>,
) -> impl Future<Output = ()> + Send + use<E>
where
    E: Versioned + Clone + Serialize + Send + Sync + 'static,
{
    let path = log.disk_path().map(Path::to_owned);
    let config = path.map(|path| DiskConfig::new(path).unfaithful(Unfaithful::Write));
    until_the_end(config.and_then(|config| start(log, events, config)))
}

/// As [`run_disk_writer`], with other settings, to the path that they name. Settings that cannot be
/// meant are told as a file that cannot be opened is.
///
/// The writer starts when this is called, whether the future is polled or not. Dropping the future,
/// as the end of a runtime does, has the writer write what the channel holds by then, and end; it
/// blocks the thread for that, at most [`drop_timeout`](DiskConfig::drop_timeout).
///
/// ```
/// # use std::sync::Arc;
/// # use eventlog::{EventLog, disk::{DiskConfig, run_disk_writer_with}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("events.log");
/// let config = DiskConfig::new(path).keep(3).on_notice(|notice| eprintln!("{notice}"));
/// let log = Arc::new(EventLog::<Tick>::new(None));
/// let (sender, receiver) = tokio::sync::broadcast::channel(64);
/// # drop(sender);
/// run_disk_writer_with(log, receiver, config).await;
/// # }
/// ```
pub fn run_disk_writer_with<E>(
    log: Arc<EventLog<E>>,
    events: broadcast::Receiver<E>,
    config: DiskConfig,
) -> impl Future<Output = ()> + Send + use<E>
where
    E: Versioned + Clone + Serialize + Send + Sync + 'static,
{
    until_the_end(start(log, events, config))
}

async fn until_the_end(running: Option<Running>) {
    if let Some(running) = running {
        Wait::for_end(&running.control).await;
    }
}

/// Starts the thread at once, so that also a task that never runs leaves nothing unwritten.
fn start<E>(
    log: Arc<EventLog<E>>,
    events: broadcast::Receiver<E>,
    config: DiskConfig,
) -> Option<Running>
where
    E: Versioned + Clone + Serialize + Send + Sync + 'static,
{
    let WriterConfig {
        name,
        notices,
        drop_timeout,
        ..
    } = config.writer().clone();
    if let Err(error) = config.check() {
        not_started(&config, &error);
        return None;
    }
    let level = match FileLog::detached(RealStorage, &config) {
        Ok(file) => file.level(),
        Err(error) => {
            not_started(&config, &error);
            return None;
        }
    };
    log.note_written_to(config.path());
    let control = Arc::new(Control::new(name.clone(), level, 1, FAREWELL));
    let thread = thread::Builder::new().name(THREAD_NAME.to_owned()).spawn({
        let control = control.clone();
        move || record(Channel::new(log, events), &config, control)
    });
    match thread {
        Ok(thread) => Some(Running {
            control,
            thread: thread.thread().clone(),
            drop_timeout,
        }),
        Err(error) => {
            notices.tell(&Notice::Ended {
                name: name.to_string(),
                reason: format!(
                    "the system refused a thread ({error}): raise the limit of threads"
                ),
            });
            None
        }
    }
}

/// The thread: opens the file, then writes until the channel is closed.
fn record<E>(channel: Channel<E>, config: &DiskConfig, control: Arc<Control>)
where
    E: Versioned + Clone + Serialize + Send + Sync + 'static,
{
    let file = match FileLog::open(RealStorage, config) {
        // The other writer may end: that is tried again like everything later.
        Err(error) if error.is_locked() => FileLog::detached(RealStorage, config),
        opened => opened.map(|(file, _)| file),
    };
    match file {
        Ok(file) => Worker::new(channel, file, config.writer().clone(), control).run(),
        Err(error) => {
            not_started(config, &error);
            // Its receiver is gone when the end is told.
            drop(channel);
            control.end();
        }
    }
}

fn not_started(config: &DiskConfig, error: &dyn std::error::Error) {
    config.writer().notices.tell(&Notice::Ended {
        name: config.writer().name().to_owned(),
        reason: format!("{}; memory is not affected", chain(error)),
    });
}

/// Tells the thread to end when the task that waits for it is dropped, and waits for that.
struct Running {
    control: Arc<Control>,
    thread: Thread,
    drop_timeout: Duration,
}

impl Drop for Running {
    fn drop(&mut self) {
        // All that the channel holds, whatever its number.
        self.control.flush_to(u64::MAX);
        self.control.drop_writer();
        self.thread.unpark();
        block_on_for(Wait::for_end(&self.control), self.drop_timeout);
    }
}
