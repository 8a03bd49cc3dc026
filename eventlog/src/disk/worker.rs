//! The disk writer's thread: takes events from the ring, commits them in batches, tells who waits.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    task::Waker,
    thread::{self, Thread},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    Destination, DiskConfig, Gap, GapReason, SyncPolicy,
    committer::{Committer, Totals},
    control::{Control, WriterStats},
};
use crate::{
    Seq,
    follow::Follower,
    ring::{Lost, Taken},
    waiters::thread_waker,
};

/// Events taken from the ring at a time. The rest are taken in the next round.
const MAX_TAKE: u64 = 8192;

/// The thread's side of a disk writer.
pub(super) struct Worker<E, D> {
    follower: Follower<E>,
    taken: Option<Taken<E>>,
    /// What is lost and below this was gone before the writer came.
    missed_before: u64,
    committer: Committer<D>,
    control: Arc<Control>,
    config: DiskConfig,
    synced_at: Instant,
}

impl<E, D> Worker<E, D>
where
    E: Serialize + Send + Sync + 'static,
    D: Destination,
{
    /// Starts the thread, and gives back what wakes it.
    pub(super) fn start(
        follower: Follower<E>,
        destination: D,
        config: DiskConfig,
        control: Arc<Control>,
    ) -> io::Result<Thread> {
        let end = EndOnDrop {
            control: control.clone(),
            path: config.path.clone(),
        };
        let worker = Self {
            missed_before: follower.position(),
            committer: Committer::new(destination, &config),
            follower,
            taken: None,
            control,
            config,
            synced_at: Instant::now(),
        };
        let handle = thread::Builder::new()
            .name("eventlog-disk".to_owned())
            .spawn(move || {
                let _end = end;
                worker.run();
            })?;
        Ok(handle.thread().clone())
    }

    fn run(mut self) {
        let waker = thread_waker();
        while self.round(&waker) {}
    }

    /// Takes what there is and commits it, or waits for more. Says whether to go on.
    fn round(&mut self, waker: &Waker) -> bool {
        let stop = self.control.stop_until.get().copied();
        // Whoever was just told that an event is durable may be about to append the next.
        thread::yield_now();
        let took = self.fill();
        let sync = stop.is_some() || self.sync_is_due();
        if !self.committer.is_empty() && (took || sync) && !self.commit(sync) {
            return false;
        }
        let Some(until) = stop else {
            if !took {
                self.wait(waker);
            }
            return true;
        };
        took && !self.is_flushed() && Instant::now() < until
    }

    /// Moves events from the ring into the batch. Says whether there were any.
    fn fill(&mut self) -> bool {
        let mut taken = match self.taken.take() {
            Some(taken) => taken,
            None => self.follower.take(MAX_TAKE),
        };
        let mut took = self.note_lost(&mut taken);
        for (seq, entry) in taken.drain() {
            took = true;
            if !self.committer.push_event(seq, entry.version, &entry.event) {
                self.control.acks.lose(seq..=seq);
            }
            if self.committer.is_full() {
                break;
            }
        }
        self.committer.close_gap();
        if taken.has_more() {
            self.taken = Some(taken);
        }
        self.follower.limit(self.backlog_limit());
        took
    }

    /// Notes what the ring could not keep for us.
    fn note_lost(&mut self, taken: &mut Taken<E>) -> bool {
        let Some(lost) = taken.lost.take() else {
            return false;
        };
        let (first, through) = (taken.start() - lost.count, taken.start() - 1);
        self.control.acks.lose(first..=through);
        let Lost {
            count,
            min_version,
            max_version,
        } = lost;
        let reason = if first < self.missed_before {
            GapReason::Missed
        } else {
            GapReason::Backlog
        };
        self.committer.push_lost(
            through,
            Gap {
                count,
                min_version,
                max_version,
                reason,
            },
        );
        true
    }

    /// The bound in events, or in bytes at the size that events have had so far.
    fn backlog_limit(&self) -> u64 {
        let totals = &self.committer.totals;
        let event_bytes = (totals.bytes / totals.events.max(1)).max(1);
        (self.config.backlog_events as u64).min(self.config.backlog_bytes as u64 / event_bytes)
    }

    fn sync_is_due(&self) -> bool {
        match self.config.sync {
            SyncPolicy::Interval(interval) => {
                self.committer.is_full()
                    || self.synced_at.elapsed() >= interval
                    || !self.is_flushed()
            }
            SyncPolicy::EveryBatch | SyncPolicy::Never => true,
        }
    }

    /// Whether all that was ever to be synced without delay is.
    fn is_flushed(&self) -> bool {
        self.control.acks.settled().get() >= self.control.flush_to.load(Ordering::Acquire)
    }

    /// Tries until it succeeds. Says `false` if it was told to end before that.
    fn commit(&mut self, sync: bool) -> bool {
        loop {
            let (settled, result) = self.committer.attempt(sync);
            // First the counters, so that who is woken finds them up to date.
            self.publish_stats();
            if let Some(seq) = settled {
                self.control.acks.settle(seq);
            }
            match result {
                Ok(()) if sync => {
                    self.synced_at = Instant::now();
                    return true;
                }
                Ok(()) => return true,
                Err(wait) if !self.back_off(wait) => return false,
                Err(_) => {}
            }
        }
    }

    /// Waits before another attempt; a caller of `flush` or `shutdown` cuts that short, and with a
    /// deadline to keep there are no long waits. Says whether there is time for one.
    fn back_off(&self, wait: Duration) -> bool {
        let left = || {
            let until = self.control.stop_until.get()?;
            Some(until.saturating_duration_since(Instant::now()))
        };
        thread::park_timeout(left().map_or(wait, |left| left.min(wait.min(self.config.retry_min))));
        left().is_none_or(|left| !left.is_zero())
    }

    fn wait(&self, waker: &Waker) {
        if !self.follower.wait(waker.clone()) {
            return;
        }
        match self.config.sync {
            SyncPolicy::Interval(interval) if !self.committer.is_empty() => {
                thread::park_timeout(interval.saturating_sub(self.synced_at.elapsed()));
            }
            _ => thread::park(),
        }
    }

    fn publish_stats(&self) {
        let Totals {
            events,
            bytes,
            commits,
            failures,
            gap_lines,
            lost,
        } = self.committer.totals;
        let failing = self.committer.is_failing();
        let settled = Seq::ZERO;
        *self.control.stats() = WriterStats {
            settled,
            events,
            bytes,
            commits,
            failures,
            lost,
            gap_lines,
            failing,
        };
    }
}

impl<E, D> Drop for Worker<E, D> {
    fn drop(&mut self) {
        let settled = self.control.acks.settled().get();
        self.follower.leave_off_at(settled + 1);
    }
}

/// Tells everyone who waits that the thread has ended and that the path is free, also if a
/// destination's code panicked.
struct EndOnDrop {
    control: Arc<Control>,
    path: PathBuf,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!(
                path = %self.path.display(),
                "the event log's writer panicked and has ended; events are no longer written \
                 until another one is started"
            );
        }
        self.control.acks.stop();
    }
}
