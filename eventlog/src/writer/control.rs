//! What a writer's handle and its thread tell each other.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

use super::{destination::Level, stats::WriterStats};
use crate::{frontier::Frontier, seq::Seq};

/// What the handle tells the thread, and the thread tells the handle.
pub(crate) struct Control {
    pub(super) name: Arc<str>,
    pub(super) level: Level,
    /// How long it keeps trying to write what there is once its handle is gone.
    grace: Duration,
    pub(super) frontier: Arc<Frontier>,
    /// Everything up to here is to be stored without delay.
    flush_to: AtomicU64,
    /// Everything up to here was spoken of by a flush.
    pub(super) flushed: AtomicU64,
    /// Whether to write what there is and end.
    pub(super) stop: AtomicBool,
    /// Whether a caller wants no pause between attempts. How long the thread slept does not tell:
    /// it may get its turn late.
    hurried: AtomicBool,
    /// Set once: when to give up what cannot be written. Until then, never.
    pub(super) give_up_at: OnceLock<Instant>,
    /// Why the writer ended before its time.
    pub(super) ended_because: OnceLock<Ending>,
    stats: Mutex<WriterStats>,
}

/// A permanent error that ended a writer.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    Fenced(String),
    Refused(String),
}

impl Ending {
    /// What the destination said.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Fenced(text) | Self::Refused(text) => text,
        }
    }
}

impl Control {
    /// For a writer that begins with event `from`.
    pub(crate) fn new(name: Arc<str>, level: Level, from: u64, grace: Duration) -> Self {
        Self {
            name,
            level,
            grace,
            frontier: Arc::new(Frontier::new(from)),
            flush_to: AtomicU64::new(0),
            flushed: AtomicU64::new(from.saturating_sub(1)),
            stop: AtomicBool::new(false),
            hurried: AtomicBool::new(false),
            give_up_at: OnceLock::new(),
            ended_because: OnceLock::new(),
            stats: Mutex::default(),
        }
    }

    /// Whether all that was ever to be stored without delay is.
    pub(super) fn is_flushed(&self) -> bool {
        self.frontier.settled() >= self.flush_to.load(Ordering::Acquire)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(super) fn set_stats(&self, stats: WriterStats) {
        *self.lock_stats() = stats;
    }

    pub(super) fn stats(&self) -> WriterStats {
        WriterStats {
            settled: Seq::new(self.frontier.settled()),
            ..self.lock_stats().clone()
        }
    }

    /// Tells the thread to write what there is and end, and to give up what it cannot write by then
    /// when the grace is over. Says whether it had been told to end before. It has still to be
    /// woken.
    pub(crate) fn drop_writer(&self) -> bool {
        // An instant that no clock can show never comes.
        if let Some(at) = Instant::now().checked_add(self.grace) {
            self.give_up_at.get_or_init(|| at);
        }
        self.stop.swap(true, Ordering::AcqRel)
    }

    /// The time left until what cannot be written is given up; `None` if there is no such limit.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let at = self.give_up_at.get()?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// Everything up to here is to be stored without delay.
    pub(crate) fn flush_to(&self, seq: u64) {
        self.flush_to.fetch_max(seq, Ordering::AcqRel);
    }

    /// The next pause between two attempts ends at once. The thread has still to be woken.
    pub(super) fn hurry(&self) {
        self.hurried.store(true, Ordering::Release);
    }

    /// Whether somebody hurried since this was asked last.
    pub(super) fn take_hurry(&self) -> bool {
        self.hurried.swap(false, Ordering::AcqRel)
    }

    /// There is no writer any more, or never was.
    #[cfg(feature = "tokio")]
    pub(crate) fn end(&self) {
        self.frontier.end();
    }

    fn lock_stats(&self) -> MutexGuard<'_, WriterStats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
