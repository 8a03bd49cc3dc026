//! The disk writer's handle: start, wait, flush, shut down.

use std::{
    fmt, io,
    sync::{Arc, atomic::Ordering},
    thread::Thread,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    Destination, DiskConfig, Durable, FileLog, NotDurable, RealStorage, WriterStats,
    control::{Control, Wait, from_now},
    worker::Worker,
};
use crate::{EventLog, Seq, waiters::block_on};

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
    thread: Thread,
    /// Asks the log for the newest sequence number, whatever its event type.
    newest: Box<dyn Fn() -> u64 + Send + Sync>,
    from: u64,
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
        let newest = follower.newest();
        let control = Arc::new(Control::new(from));
        let thread = Worker::start(follower, destination, config, control.clone())?;
        Ok(Self {
            control,
            thread,
            newest: Box::new(newest),
            from,
        })
    }

    /// Resolves once the event is durable: written, fsynced, and so is every directory entry that
    /// is needed to find it. What that means is up to the [`SyncPolicy`](super::SyncPolicy).
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
        block_on(self.durable(seq))
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
