//! What a disk writer's handle and its thread tell each other.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicU64},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{NotDurable, ack::Acks};
use crate::Seq;

/// What the handle tells the thread, and the thread tells the handle.
pub(super) struct Control {
    pub(super) acks: Arc<Acks>,
    /// Everything up to here is to be synced without delay.
    pub(super) flush_to: AtomicU64,
    /// Set once: write what there is, go on trying until the instant, and end.
    pub(super) stop_until: OnceLock<Instant>,
    stats: Mutex<WriterStats>,
}

impl Control {
    /// Of a writer that begins with event `from`.
    pub(super) fn new(from: u64) -> Self {
        Self {
            acks: Arc::new(Acks::new(from)),
            flush_to: AtomicU64::new(0),
            stop_until: OnceLock::new(),
            stats: Mutex::default(),
        }
    }

    pub(super) fn stats(&self) -> MutexGuard<'_, WriterStats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a disk writer has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct WriterStats {
    /// Everything up to here is durable, or was lost and is counted by a gap line.
    pub settled: Seq,
    /// Events that got a line.
    pub events: u64,
    /// Bytes of these lines.
    pub bytes: u64,
    /// Commits that succeeded, each with one fsync for its whole batch.
    pub commits: u64,
    /// Attempts to write or sync that failed.
    pub failures: u64,
    /// Events that never reached the disk.
    pub lost: u64,
    /// Gap lines that count those.
    pub gap_lines: u64,
    /// Whether the last attempt failed, so that events wait in memory.
    pub failing: bool,
}

/// A deadline. One that no clock can show is far enough away.
pub(super) fn from_now(duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    Instant::now() + duration.min(CENTURY)
}

/// What a caller of `flush` or `shutdown` waits for.
#[derive(Clone)]
pub(super) struct Wait {
    pub(super) control: Arc<Control>,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) deadline: Instant,
    /// Whether to wait for the end of the thread too.
    pub(super) end: bool,
}

impl Wait {
    pub(super) fn blocking(&self) -> Result<Seq, NotDurable> {
        let settled = self
            .control
            .acks
            .wait_settled(self.from, self.to, self.deadline);
        if self.end {
            self.control.acks.wait_stopped(self.deadline);
        }
        settled
    }

    /// Waits on a thread of its own: a deadline needs a clock, and no asynchronous runtime is
    /// assumed here. Where the system refuses a thread, blocks.
    pub(super) async fn off_thread(self) -> Result<Seq, NotDurable> {
        let (sender, receiver) = oneshot::channel();
        let wait = self.clone();
        let waiting = thread::Builder::new()
            .name("eventlog-deadline".to_owned())
            .spawn(move || sender.send(wait.blocking()));
        match waiting {
            Ok(_) => receiver.await.unwrap_or_else(|_| self.blocking()),
            Err(_) => self.blocking(),
        }
    }
}
