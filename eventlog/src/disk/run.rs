//! The baseline's call shape: a task that writes what comes over a broadcast channel.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc, oneshot,
};

use super::{
    DiskConfig, FileLog, Gap, RealStorage,
    committer::Committer,
    heal::{Missed, heal},
    writer::FAREWELL,
};
use crate::{EventLog, Versioned};

/// Events on their way to the thread. While the disk stalls, the broadcast channel fills up behind
/// them, and what that loses is taken from the ring.
const QUEUE: usize = 1024;

/// The longest sleep between two looks at whether anyone still waits.
const LOOK: Duration = Duration::from_millis(200);

/// What the task hands to the thread.
enum Item<E> {
    Event(E),
    Gap(Gap),
}

/// Writes the events that come over a broadcast channel to the log's
/// [`disk_path`](EventLog::disk_path), with the default settings, until the channel is closed and
/// everything is durable. Returns at once if the log has no path.
///
/// What the channel drops because it lagged is taken from the log, as long as that still retains
/// it and holds it between the same neighbours; what cannot be had is counted by a gap line. If the
/// file cannot be opened, it says so in a warning and returns; the log is not affected.
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
pub async fn run_disk_writer<E>(log: Arc<EventLog<E>>, mut events: broadcast::Receiver<E>)
where
    E: Versioned + Clone + Serialize + Send + Sync + 'static,
{
    let Some(path) = log.disk_path() else { return };
    let config = DiskConfig::new(path);
    let (sender, receiver) = mpsc::channel(QUEUE);
    let (opened, open) = oneshot::channel();
    let (done, ended) = oneshot::channel::<()>();
    let thread = thread::Builder::new()
        .name("eventlog-disk".to_owned())
        .spawn(move || {
            record(&config, receiver, opened);
            drop(done);
        });
    if let Err(error) = thread {
        tracing::warn!(%error, "cannot start a thread for the event log; it will not be written");
        return;
    }
    if open.await.is_ok() {
        forward(&log, &mut events, &sender).await;
    }
    drop(sender);
    // The sender's end is dropped, never used: an error is how it says that it is done.
    ended.await.ok();
}

/// Hands events on until the channel is closed or the thread has ended.
async fn forward<E: Versioned + Clone>(
    log: &EventLog<E>,
    events: &mut broadcast::Receiver<E>,
    sender: &mpsc::Sender<Item<E>>,
) {
    let mut missed = Missed::default();
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(count)) => {
                missed.count += count;
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        let version = event.version();
        let mut items = Vec::new();
        if missed.count > 0 {
            let (gap, healed) = heal(log, &missed, version);
            items.extend(gap.map(Item::Gap));
            items.extend(healed.into_iter().map(Item::Event));
        }
        items.push(Item::Event(event));
        missed = Missed {
            after: Some(version),
            count: 0,
        };
        for item in items {
            if sender.send(item).await.is_err() {
                return;
            }
        }
    }
}

/// The thread: everything that is queued is one batch.
fn record<E: Versioned + Serialize>(
    config: &DiskConfig,
    mut items: mpsc::Receiver<Item<E>>,
    opened: oneshot::Sender<()>,
) {
    let file = match FileLog::open(RealStorage, config) {
        Ok((file, _)) => file,
        Err(error) => {
            tracing::warn!(%error, "the event log will not be written; memory is not affected");
            return;
        }
    };
    // Fails if the task is gone; its queue is then at its end too.
    opened.send(()).ok();
    let mut committer = Committer::new(file, config);
    let mut seq = 0;
    while let Some(first) = items.blocking_recv() {
        let mut item = Some(first);
        while let Some(next) = item {
            seq += 1;
            match next {
                Item::Event(event) => {
                    committer.push_event(seq, event.version(), &event);
                }
                Item::Gap(gap) => committer.push_lost(seq, gap),
            }
            item = if committer.is_full() {
                None
            } else {
                items.try_recv().ok()
            };
        }
        committer.close_gap();
        if !commit(&mut committer, &items) {
            tracing::error!(
                path = %config.path.display(), lines = committer.len(),
                "the event log ends with lines that could not be made durable"
            );
            return;
        }
    }
}

/// Tries until it succeeds, or for a little while once nobody waits any more.
fn commit<E>(committer: &mut Committer<FileLog>, items: &mpsc::Receiver<Item<E>>) -> bool {
    let mut until = None;
    loop {
        let (_, result) = committer.attempt(true);
        let Err(wait) = result else { return true };
        let next = Instant::now() + wait;
        while Instant::now() < next {
            if items.is_closed() {
                let until = *until.get_or_insert_with(|| Instant::now() + FAREWELL);
                if Instant::now() >= until {
                    return false;
                }
            }
            thread::sleep(LOOK.min(next.saturating_duration_since(Instant::now())));
        }
    }
}
