//! A thread that follows the ring and makes its events durable.

use std::{
    fmt, io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::oneshot;

use super::{
    Destination, DiskConfig, FileLog, Gap, GapReason, RealStorage, SyncPolicy,
    ack::{Acks, Durable, NotDurable},
    committer::{Committer, Totals},
};
use crate::{
    EventLog, Seq,
    follow::Follower,
    ring::{Lost, Taken},
    waiters::thread_waker,
};

/// Events taken from the ring at a time. The rest are taken in the next round.
const MAX_TAKE: u64 = 8192;

/// How long a writer that nobody waits for any more goes on trying to write to a failing disk.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

/// Makes the events of a log durable, on a thread of its own.
///
/// The thread follows the log's ring. A batch is whatever was appended during the previous fsync,
/// so one event is durable at once and many share an fsync, without timers. No fault or stall of
/// the disk reaches [`append`](EventLog::append): events wait in memory, up to
/// [`backlog_events`](DiskConfig::backlog_events) beyond the ring, and writing is tried again until
/// it succeeds. What goes past that bound is counted by a gap line in the file.
///
/// Dropping the handle tells the thread to write what there is and to end, without waiting for it;
/// [`shutdown`](Self::shutdown) waits, and says what is not durable.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use eventlog::{EventLog, disk::{self, DiskConfig, DiskWriter, Record}};
/// # #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = Arc::new(EventLog::new(None));
/// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
/// let seq = log.append(Tick(1));
/// writer.blocking_durable(seq)?; // `durable(seq).await` in asynchronous code
/// writer.blocking_shutdown(Duration::from_secs(5))?;
///
/// let records: Vec<_> = disk::read::<Tick>(&path).collect::<Result<_, _>>()?;
/// assert_eq!(records, [Record::Event(Tick(1))]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DiskWriter {
    control: Arc<Control>,
    thread: thread::Thread,
    /// Asks the log for the newest sequence number, whatever its event type.
    newest: Box<dyn Fn() -> u64 + Send + Sync>,
    from: u64,
}

/// What the handle tells the thread, and the thread tells the handle.
struct Control {
    acks: Arc<Acks>,
    /// Everything up to here is to be synced without delay.
    flush_to: AtomicU64,
    /// Set once: write what there is, go on trying until the instant, and end.
    stop_until: OnceLock<Instant>,
    stats: Mutex<WriterStats>,
}

impl Control {
    fn stats(&self) -> MutexGuard<'_, WriterStats> {
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

impl DiskWriter {
    /// Opens the file (repairing what a crash left) and starts the thread.
    ///
    /// Events that the log already retains are written first, except those that were read back
    /// from the disk by [`EventLog::recover`].
    ///
    /// # Errors
    ///
    /// If the file cannot be opened: the path is a directory, or not writable, or another writer
    /// has it. The log is not affected.
    pub fn spawn<E>(log: &Arc<EventLog<E>>, config: DiskConfig) -> io::Result<Self>
    where
        E: Serialize + Send + Sync + 'static,
    {
        let (file, _) = FileLog::open(RealStorage, &config)?;
        Self::spawn_to(log, config, file)
    }

    /// As [`spawn`](Self::spawn), to another destination than a file.
    ///
    /// # Errors
    ///
    /// If the operating system refuses a thread.
    pub fn spawn_to<E, D>(
        log: &Arc<EventLog<E>>,
        config: DiskConfig,
        destination: D,
    ) -> io::Result<Self>
    where
        E: Serialize + Send + Sync + 'static,
        D: Destination,
    {
        let follower = log.follow(&config.absolute_path(), config.backlog_events as u64);
        let from = follower.begin();
        let control = Arc::new(Control {
            acks: Arc::new(Acks::new(from)),
            flush_to: AtomicU64::new(0),
            stop_until: OnceLock::new(),
            stats: Mutex::default(),
        });
        let newest = follower.newest();
        let end = EndOnDrop {
            control: control.clone(),
            path: config.path.clone(),
        };
        let worker = Worker {
            missed_before: follower.position(),
            committer: Committer::new(destination, &config),
            follower,
            taken: None,
            control: control.clone(),
            config,
            synced_at: Instant::now(),
        };
        let thread = thread::Builder::new()
            .name("eventlog-disk".to_owned())
            .spawn(move || {
                let _end = end;
                worker.run();
            })?
            .thread()
            .clone();
        Ok(Self {
            control,
            thread,
            newest: Box::new(newest),
            from,
        })
    }

    /// Resolves once the event is durable: written, fsynced, and so is every directory entry that
    /// is needed to find it. What that means is up to the [`SyncPolicy`].
    ///
    /// Cancel safe. An event that is not yet appended is waited for.
    ///
    /// # Errors
    ///
    /// [`NotDurable`] if the event was lost, or the writer has ended before it came to it.
    pub fn durable(&self, seq: Seq) -> Durable {
        self.control.acks.durable(seq)
    }

    /// As [`durable`](Self::durable), blocking the thread. Not for asynchronous code.
    ///
    /// # Errors
    ///
    /// As [`durable`](Self::durable).
    pub fn blocking_durable(&self, seq: Seq) -> Result<(), NotDurable> {
        crate::waiters::block_on(self.durable(seq))
    }

    /// Makes everything that was appended so far durable without delay. Returns the sequence
    /// number up to which that is so.
    ///
    /// # Errors
    ///
    /// [`NotDurable::Deadline`] with exactly what is not durable when the time is up, or when some
    /// of it was lost.
    pub async fn flush(&self, deadline: Duration) -> Result<Seq, NotDurable> {
        self.start_flush(deadline).off_thread().await
    }

    /// As [`flush`](Self::flush), blocking the thread. Not for asynchronous code.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    pub fn blocking_flush(&self, deadline: Duration) -> Result<Seq, NotDurable> {
        self.start_flush(deadline).blocking()
    }

    /// Makes everything that was appended so far durable, ends the writer and frees the path for
    /// another one. Returns the sequence number up to which everything is durable.
    ///
    /// # Errors
    ///
    /// [`NotDurable::Deadline`] with exactly what is not durable when the time is up, or when some
    /// of it was lost. A thread that is stuck in the disk then ends as soon as it comes out.
    pub async fn shutdown(self, deadline: Duration) -> Result<Seq, NotDurable> {
        self.start_shutdown(deadline).off_thread().await
    }

    /// As [`shutdown`](Self::shutdown), blocking the thread. Not for asynchronous code.
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Self::shutdown).
    pub fn blocking_shutdown(self, deadline: Duration) -> Result<Seq, NotDurable> {
        self.start_shutdown(deadline).blocking()
    }

    /// What the writer has done so far.
    #[must_use]
    pub fn stats(&self) -> WriterStats {
        let stats = *self.control.stats();
        WriterStats {
            settled: self.control.acks.settled(),
            ..stats
        }
    }

    fn start_flush(&self, deadline: Duration) -> Wait {
        Wait {
            control: self.control.clone(),
            from: self.from,
            to: self.flush_all(),
            deadline: from_now(deadline),
            end: false,
        }
    }

    fn start_shutdown(&self, deadline: Duration) -> Wait {
        let wait = self.start_flush(deadline);
        self.stop(wait.deadline);
        Wait { end: true, ..wait }
    }

    /// Has everything that was appended so far synced without delay; says up to where that is.
    fn flush_all(&self) -> u64 {
        let to = (self.newest)();
        self.control.flush_to.fetch_max(to, Ordering::AcqRel);
        self.thread.unpark();
        to
    }

    fn stop(&self, until: Instant) {
        self.control.stop_until.get_or_init(|| until);
        self.thread.unpark();
    }
}

impl Drop for DiskWriter {
    fn drop(&mut self) {
        self.flush_all();
        self.stop(from_now(FAREWELL));
    }
}

impl fmt::Debug for DiskWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskWriter")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A deadline. One that no clock can show is far enough away.
fn from_now(duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    Instant::now() + duration.min(CENTURY)
}

/// What a caller of `flush` or `shutdown` waits for.
#[derive(Clone)]
struct Wait {
    control: Arc<Control>,
    from: u64,
    to: u64,
    deadline: Instant,
    /// Whether to wait for the end of the thread too.
    end: bool,
}

impl Wait {
    fn blocking(&self) -> Result<Seq, NotDurable> {
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
    async fn off_thread(self) -> Result<Seq, NotDurable> {
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

/// The thread's side.
struct Worker<E, D> {
    follower: Follower<E>,
    taken: Option<Taken<E>>,
    /// What is lost and below this was gone before the writer came.
    missed_before: u64,
    committer: Committer<D>,
    control: Arc<Control>,
    config: DiskConfig,
    synced_at: Instant,
}

impl<E: Serialize, D: Destination> Worker<E, D> {
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
