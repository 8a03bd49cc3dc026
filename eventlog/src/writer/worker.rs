//! The writer's thread: takes events from a source, commits them in batches, tells what waits.

use std::{
    error::Error,
    io, mem,
    sync::Arc,
    thread::{self, Thread},
    time::{Duration, Instant},
};

use super::{
    config::{SyncPolicy, WriterConfig},
    control::{Control, Ending},
    destination::{Destination, DestinationError},
    notice::Notice,
    pending::Pending,
    retry::Retry,
    source::Source,
    stats::WriterStats,
};

/// The name of every writer's thread.
pub(crate) const THREAD_NAME: &str = "eventlog-writer";

/// The longest sleep of a failing writer between two looks at whether its source is closed.
const LOOK: Duration = Duration::from_millis(200);

/// The thread's side of a writer.
pub(crate) struct Worker<S: Source, D> {
    source: S,
    destination: D,
    pending: Pending,
    /// How many lines of `pending` the destination has.
    written: usize,
    /// How many records the destination had stored when it was last asked.
    stored: u64,
    retry: Retry,
    commits: u64,
    failures: u64,
    /// How many waited for what the last commit stored.
    woken: usize,
    synced_at: Instant,
    /// The last field, so that the destination is free when the end is told.
    end: EndOnDrop,
}

/// What to do next.
enum Step {
    /// Hand over what is pending; with `sync`, until it is stored.
    Commit {
        sync: bool,
    },
    /// There is nothing to do, until the instant at most.
    Wait(Option<Instant>),
    End,
}

/// The outcome of an attempt to hand over.
enum Outcome {
    Done,
    /// It failed: try again after this pause.
    Again(Duration),
    /// It will never succeed; the handle knows why.
    Never,
}

impl<S: Source + 'static, D: Destination> Worker<S, D> {
    /// Starts the thread, and gives back what wakes it.
    pub(super) fn start(
        source: S,
        destination: D,
        config: WriterConfig,
        control: Arc<Control>,
    ) -> io::Result<Thread> {
        let worker = Self::new(source, destination, config, control);
        let handle = thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || worker.run())?;
        Ok(handle.thread().clone())
    }

    /// A worker for the thread that will run it.
    pub(crate) fn new(
        source: S,
        destination: D,
        config: WriterConfig,
        control: Arc<Control>,
    ) -> Self {
        let (name, notices) = (&config.name, &config.notices);
        let frontier = control.frontier.clone();
        Self {
            stored: destination.stored(),
            source,
            destination,
            pending: Pending::new(&config, frontier, S::NUMBERED),
            written: 0,
            retry: Retry::new(
                name.clone(),
                notices.clone(),
                config.retry_min,
                config.retry_max,
            ),
            commits: 0,
            failures: 0,
            woken: 0,
            synced_at: Instant::now(),
            end: EndOnDrop { control, config },
        }
    }

    /// Writes until there is nothing left to write, or it has to end.
    pub(crate) fn run(mut self) {
        loop {
            match self.next() {
                Step::Commit { sync } => {
                    if !self.commit(sync) {
                        return;
                    }
                }
                Step::Wait(until) => self.source.wait(until),
                Step::End => return,
            }
        }
    }

    fn next(&mut self) -> Step {
        // Looked at before the source: what was appended before the stop is then seen.
        let stopping = self.end.control.is_stopping();
        // Threads that were just told that an event is stored may be about to append the next. One
        // alone would have to wait for the others of a busy machine.
        if mem::take(&mut self.woken) > 1 {
            thread::yield_now();
        }
        let took =
            !(stopping && self.end.control.is_flushed()) && self.source.fill(&mut self.pending);
        let ending = stopping || self.source.has_ended();
        let sync = ending || self.sync_is_due();
        if !self.pending.is_empty() && (took || sync) {
            return Step::Commit { sync };
        }
        if ending && !took {
            return Step::End;
        }
        let due = self.destination.idle();
        Step::Wait(due.into_iter().chain(self.next_sync()).min())
    }

    fn sync_is_due(&self) -> bool {
        match self.end.config.sync {
            SyncPolicy::Interval(interval) => {
                self.pending.is_full()
                    || self.synced_at.elapsed() >= interval
                    || !self.end.control.is_flushed()
            }
            SyncPolicy::EveryBatch | SyncPolicy::Never => true,
        }
    }

    fn next_sync(&self) -> Option<Instant> {
        match self.end.config.sync {
            SyncPolicy::Interval(interval) if !self.pending.is_empty() => {
                self.synced_at.checked_add(interval)
            }
            _ => None,
        }
    }

    /// Tries until it succeeds. Returns `false` if the writer has to end before that.
    fn commit(&mut self, sync: bool) -> bool {
        self.source.destination_is_busy();
        let done = self.try_until_done(sync);
        self.source.destination_is_free();
        done
    }

    fn try_until_done(&mut self, sync: bool) -> bool {
        loop {
            // Whoever hurried before it waits for this one.
            self.end.control.take_hurry();
            let outcome = self.attempt(sync);
            match outcome {
                Outcome::Done => {
                    if sync {
                        self.synced_at = Instant::now();
                    }
                    return true;
                }
                Outcome::Again(pause) => {
                    if !self.back_off(pause) {
                        return false;
                    }
                }
                Outcome::Never => return false,
            }
        }
    }

    /// Tries once to hand everything over, and with `sync` to have it stored. Counts, tells and
    /// forgets what is stored by then, also after a failure.
    fn attempt(&mut self, sync: bool) -> Outcome {
        // First the counters, so that they are up to date when a waiter wakes, here of progress.
        self.publish_stats();
        let result = self.hand_over(sync);
        let stored = self.destination.stored();
        let lines = lines_since(self.stored, stored);
        let settled = self.pending.through(lines);
        self.pending.settle(lines);
        self.stored = stored;
        self.written = self.written.saturating_sub(lines);
        let outcome = match result {
            Ok(()) => {
                self.retry.succeeded();
                Outcome::Done
            }
            Err(error) => self.failed(&error),
        };
        self.publish_stats();
        if let Some(seq) = settled {
            self.woken += self.end.control.frontier.settle(seq);
        }
        outcome
    }

    fn hand_over(&mut self, sync: bool) -> Result<(), DestinationError> {
        if self.written < self.pending.len() {
            let (pending, before) = (&self.pending, self.stored);
            let frontier = &self.end.control.frontier;
            let mut progress = |stored| {
                if let Some(seq) = pending.through(lines_since(before, stored)) {
                    frontier.settle(seq);
                }
            };
            let records = pending.records(self.written);
            self.destination.write(records, &mut progress)?;
            self.written = self.pending.len();
        }
        if sync {
            self.destination.sync()?;
            self.commits += 1;
        }
        Ok(())
    }

    /// The destination has forgotten what was not stored: all of it is handed over again.
    fn failed(&mut self, error: &DestinationError) -> Outcome {
        self.written = 0;
        self.failures += 1;
        let text = chain(error);
        match error {
            DestinationError::Retry(_) => Outcome::Again(self.retry.failed(&text)),
            DestinationError::Fenced(_) => self.give_up(Ending::Fenced(text)),
            DestinationError::Refused(_) if self.pending.is_empty() => Outcome::Done,
            DestinationError::Refused(_) if self.pending.refuse_first() => {
                Outcome::Again(Duration::ZERO)
            }
            DestinationError::Refused(_) => self.give_up(Ending::Refused(text)),
        }
    }

    fn give_up(&self, ending: Ending) -> Outcome {
        self.end.control.ended_because.get_or_init(|| ending);
        Outcome::Never
    }

    /// Waits before another attempt; a caller of `flush` or `shutdown` cuts that short, and once
    /// the writer is to end there are no long waits. Says whether to go on trying.
    fn back_off(&self, pause: Duration) -> bool {
        let control = &self.end.control;
        let mut rest = pause;
        loop {
            if self.source.is_closed() {
                // No handle will say that all is to be written, and when to give up.
                control.flush_to(u64::MAX);
                control.drop_writer();
            }
            if control.is_stopping() {
                rest = rest.min(self.end.config.retry_min);
            }
            let left = control.time_left();
            let nap = rest.min(left.unwrap_or(Duration::MAX)).min(LOOK);
            if nap.is_zero() {
                return left.is_none_or(|left| !left.is_zero());
            }
            let began = Instant::now();
            thread::park_timeout(nap);
            let slept = began.elapsed();
            // Woken by a caller that waits.
            rest = if control.take_hurry() || slept < nap {
                Duration::ZERO
            } else {
                rest.saturating_sub(slept)
            };
        }
    }

    fn publish_stats(&self) {
        let counts = self.pending.counts;
        let ending = self.end.control.ended_because.get();
        let failing = ending.map(|ending| ending.text().to_owned());
        self.end.control.set_stats(WriterStats {
            events: counts.events,
            bytes: counts.bytes,
            commits: self.commits,
            failures: self.failures,
            lost: counts.lost,
            gap_lines: counts.gap_lines,
            unacknowledged: counts.unacknowledged,
            failing: failing.or_else(|| self.retry.failing()),
            ..WriterStats::default()
        });
    }
}

/// How many lines were stored between two answers of [`Destination::stored`].
fn lines_since(before: u64, now: u64) -> usize {
    // A batch never has more lines than fit into memory.
    usize::try_from(now.saturating_sub(before)).unwrap_or(usize::MAX)
}

/// The text of an error, followed by those of its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl<S: Source, D> Drop for Worker<S, D> {
    fn drop(&mut self) {
        self.source.leave_off(self.end.control.frontier.settled());
        let lines = self.pending.len();
        if lines > 0 && !thread::panicking() && self.end.control.ended_because.get().is_none() {
            self.end.config.notices.tell(&Notice::Ended {
                name: self.end.config.name.to_string(),
                reason: format!("{lines} lines could not be stored in time"),
            });
        }
    }
}

/// Tells all that wait that the thread has ended and that its destination is free, also if that
/// one's code panicked.
struct EndOnDrop {
    control: Arc<Control>,
    config: WriterConfig,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        let reason = if thread::panicking() {
            Some(
                "its code panicked; events are not written until another writer is started"
                    .to_owned(),
            )
        } else {
            let ending = self.control.ended_because.get();
            ending.map(|ending| match ending {
                Ending::Fenced(text) => format!("another writer has taken over ({text})"),
                Ending::Refused(text) => format!("what it writes is refused ({text})"),
            })
        };
        if let Some(reason) = reason {
            self.config.notices.tell(&Notice::Ended {
                name: self.config.name.to_string(),
                reason,
            });
        }
        let settled = self.control.frontier.settled();
        tracing::debug!(name = %self.config.name, settled, "the writer has ended");
        self.control.frontier.end();
    }
}
