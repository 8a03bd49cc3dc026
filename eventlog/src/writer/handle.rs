//! The writer's handle: start, wait, flush, shut down.

use std::{
    fmt, io,
    sync::{Arc, atomic::Ordering},
    thread::{self, Thread, ThreadId},
    time::Duration,
};

use serde::Serialize;

use super::{
    ack::{Flush, NotStored, Stored, Wait},
    config::WriterConfig,
    control::Control,
    destination::{Destination, DestinationError, Level},
    follower::Follower,
    stats::WriterStats,
    worker::Worker,
};
#[cfg(feature = "sse")]
use crate::frontier::Frontier;
use crate::{
    cursor::Start,
    log::EventLog,
    seq::{Seq, SeqRange},
    shared::Shared,
    subscribe::Subscription,
    waiters::{block_on, block_on_for, may_block},
};

/// Stores the events of a log at a destination, on a thread of its own.
///
/// The thread follows the log's ring. A batch is whatever was appended during the previous commit,
/// so one event is stored at once and many share a sync, without timers. While the destination is
/// busy a second thread serialises what comes; an event may be serialised there once more, only to
/// learn how long it is. No fault or stall of the destination reaches [`append`](EventLog::append):
/// events wait in memory, up to a backlog beyond the ring, and writing is tried again until it
/// succeeds. What exceeds that bound is lost, and counted by a gap line.
///
/// # The end of a process
///
/// Dropping the writer, at the end of `main` or by unwinding, waits until what was appended is
/// stored, at most `drop_timeout` (1 s unless set otherwise), and blocks the thread for that. In
/// asynchronous code `writer.shutdown().await` before the drop makes it free. The writer is not
/// dropped by `std::process::exit`, by an abort, in a static or by SIGKILL: what was not stored by
/// then is lost.
///
/// ```
/// # use std::time::Duration;
/// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// # let log = EventLog::new(None);
/// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
/// log.append(Tick(1));
/// // … until `tokio::signal::ctrl_c().await`, say, and then:
/// log.close(); // subscribers come to their end
/// match tokio::time::timeout(Duration::from_secs(5), writer.shutdown()).await {
///     Ok(Ok(_)) => {} // all is stored, and dropping the writer is free
///     Ok(Err(error)) => eprintln!("{error}"), // says which events were lost
///     Err(_) => eprintln!("the disk is too slow, or full: {:?}", writer.missing()),
/// }
/// # Ok(())
/// # }
/// ```
///
/// # One event, to the disk and back
///
/// ```
/// # use std::time::Duration;
/// # use eventlog::{EventLog, disk::{self, DiskConfig, DiskWriter, Record}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = EventLog::new(None);
/// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
/// let seq = log.append(Tick(1));
/// writer.durable(seq).await?; // `blocking_durable(seq)` elsewhere
/// writer.shutdown().await?;
///
/// let records: Vec<_> = disk::read::<Tick>(&path).collect::<Result<_, _>>()?;
/// assert_eq!(records, [Record::Event(Tick(1))]);
/// # Ok(())
/// # }
/// ```
///
/// A writer that is dropped at once is most likely a mistake, and the compiler says so:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, SpawnError}};
/// # #[derive(serde::Serialize)]
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// # fn main() -> Result<(), SpawnError> {
/// let log = EventLog::<Tick>::new(None);
/// DiskWriter::spawn(&log, DiskConfig::new("events.log"))?; // ends here: nothing is written
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping the writer ends it; keep it until the program ends"]
pub struct Writer<E> {
    shared: Arc<Shared<E>>,
    control: Arc<Control>,
    /// Whether the next life of the log can tell what was stored.
    is_durable: bool,
    thread: Thread,
    /// The thread that serialises ahead.
    ahead: ThreadId,
    drop_timeout: Duration,
}

/// Why a writer could not be started.
///
/// ```
/// # use eventlog::{Epoch, EventLog};
/// # use eventlog::writer::{Destination, DestinationError, Level, Records, Standing, StartError, Writer, WriterConfig};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # struct Nowhere;
/// # impl Destination for Nowhere {
/// #     fn level(&self) -> Level { Level::new(1, false) }
/// #     fn open(&mut self, _: Epoch) -> Result<Standing, DestinationError> {
/// #         Err(DestinationError::Retry("no server answers".into()))
/// #     }
/// #     fn write(&mut self, _: Records<'_>, _: &mut dyn FnMut(u64)) -> Result<(), DestinationError> { Ok(()) }
/// #     fn sync(&mut self) -> Result<(), DestinationError> { Ok(()) }
/// #     fn stored(&self) -> u64 { 0 }
/// # }
/// let log = EventLog::<Tick>::new(None); // goes on without a writer
/// match Writer::spawn_to(&log, WriterConfig::new("orders"), Nowhere) {
///     Err(StartError::Destination(error)) => assert_eq!(error.to_string(), "no server answers"),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The destination cannot take anything.
    Destination(DestinationError),
    /// The operating system refused a thread.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination(error) => error.fmt(f),
            Self::Thread(_) => f.write_str(
                "cannot start a thread for the event log's writer: raise the limit of threads",
            ),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Destination(error) => error.source(),
            Self::Thread(error) => Some(error),
        }
    }
}

impl<E: Serialize + Send + Sync + 'static> Writer<E> {
    /// Starts a writer to any destination.
    ///
    /// It goes on from where the destination says that it stands; if it does not know, from where
    /// the last writer of this name left off; else it begins with the oldest event of the log.
    ///
    /// ```
    /// # use std::sync::{Arc, Mutex};
    /// # use eventlog::{Epoch, EventLog};
    /// # use eventlog::writer::{Destination, DestinationError, Level, Records, Standing, Writer, WriterConfig};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # #[derive(Clone, Default)]
    /// # struct Memory(Arc<Mutex<Vec<String>>>);
    /// # impl Destination for Memory {
    /// #     fn level(&self) -> Level { Level::new(1, false) }
    /// #     fn open(&mut self, _: Epoch) -> Result<Standing, DestinationError> { Ok(Standing::Unknown) }
    /// #     fn write(&mut self, records: Records<'_>, _: &mut dyn FnMut(u64)) -> Result<(), DestinationError> {
    /// #         self.0.lock().unwrap().extend(records.iter().map(|line| String::from_utf8_lossy(line).into_owned()));
    /// #         Ok(())
    /// #     }
    /// #     fn sync(&mut self) -> Result<(), DestinationError> { Ok(()) }
    /// #     fn stored(&self) -> u64 { self.0.lock().unwrap().len() as u64 }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // `Memory` is the destination of the example at `Destination`.
    /// let (log, memory) = (EventLog::new(None), Memory::default());
    /// let writer = Writer::spawn_to(&log, WriterConfig::new("memory"), memory.clone())?;
    /// writer.stored(log.append(Tick(1))).await?;
    /// assert_eq!(*memory.0.lock().unwrap(), ["1\n"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StartError`] if the destination cannot be opened, or the system refuses a thread.
    pub fn spawn_to<D: Destination>(
        log: &EventLog<E>,
        config: WriterConfig,
        mut destination: D,
    ) -> Result<Self, StartError> {
        let standing = destination
            .open(log.epoch())
            .map_err(StartError::Destination)?;
        let follower = Follower::new(&log.shared, &config, standing).map_err(StartError::Thread)?;
        let ahead = follower.thread();
        let is_durable = destination.begin(Seq::new(follower.begin()));
        let level = destination.level();
        let control = Arc::new(Control::new(
            config.name.clone(),
            level,
            follower.begin(),
            config.drop_timeout,
        ));
        let drop_timeout = config.drop_timeout;
        let thread = Worker::start(follower, destination, config, control.clone())
            .map_err(StartError::Thread)?;
        let frontier = Arc::downgrade(&control.frontier);
        log.shared.with(|inner| {
            let frontiers = &mut inner.writers.made().frontiers;
            frontiers.retain(|other| other.strong_count() > 0);
            frontiers.push(frontier);
        });
        Ok(Self {
            shared: log.shared.clone(),
            control,
            is_durable,
            thread,
            ahead,
            drop_timeout,
        })
    }
}

impl<E> Writer<E> {
    /// Resolves once the event is stored, with the [`Level`] at which it is.
    ///
    /// Cancel safe. An event that is not yet appended is waited for.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, SyncPolicy}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let config = DiskConfig::new(&path).sync(SyncPolicy::Never);
    /// let writer = DiskWriter::spawn(&log, config)?;
    /// let level = writer.stored(log.append(Tick(1))).await?;
    /// assert!(!level.synced); // the system has it: it outlives this process, but no power cut
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotStored`] if the event was lost, or the writer has ended before it came to it.
    pub fn stored(&self, seq: Seq) -> Stored {
        Stored::new(&self.control, seq, false)
    }

    /// As [`stored`](Self::stored), blocking the thread. Not for asynchronous code.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let level = writer.blocking_stored(log.append(Tick(1)))?;
    /// assert_eq!(level.to_string(), "1 replica, synced");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that drives a `tokio` runtime, whose tasks it would stop.
    ///
    /// # Errors
    ///
    /// As [`stored`](Self::stored).
    pub fn blocking_stored(&self, seq: Seq) -> Result<Level, NotStored> {
        block_on(self.stored(seq))
    }

    /// Resolves once the event is durable: written, synced, and so is every directory entry that
    /// is needed to find it.
    ///
    /// Cancel safe. An event that is not yet appended is waited for.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let seq = log.append(Tick(1));
    /// writer.durable(seq).await?;
    /// // Only now is the order confirmed to the customer.
    /// assert_eq!(std::fs::read_to_string(&path)?, "1\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`stored`](Self::stored), and at once [`NotStored::NotSynced`] where nothing that this
    /// writer stores is synced.
    pub fn durable(&self, seq: Seq) -> Stored {
        Stored::new(&self.control, seq, true)
    }

    /// As [`durable`](Self::durable), blocking the thread. Not for asynchronous code.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let batch = log.append_batch((1..=1_000).map(Tick)).unwrap();
    /// writer.blocking_durable(batch.last())?; // all of them, with few syncs
    /// assert_eq!(std::fs::read_to_string(&path)?.lines().count(), 1_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that drives a `tokio` runtime, whose tasks it would stop.
    ///
    /// # Errors
    ///
    /// As [`durable`](Self::durable).
    pub fn blocking_durable(&self, seq: Seq) -> Result<Level, NotStored> {
        block_on(self.durable(seq))
    }

    /// Has everything that was appended so far stored without delay. Resolves once it is, with the
    /// sequence number up to which that is so.
    ///
    /// It has no clock: bound it with the timeout of your runtime. Cancel safe: the flush itself
    /// goes on when the future is dropped.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, SyncPolicy}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let config = DiskConfig::new(&path).sync(SyncPolicy::Interval(Duration::from_secs(60)));
    /// let writer = DiskWriter::spawn(&log, config)?;
    /// log.append_batch((1..=3).map(Tick));
    /// // Not in a minute, but now, and for no longer than this request may take.
    /// let settled = tokio::time::timeout(Duration::from_secs(30), writer.flush()).await??;
    /// assert_eq!(settled.get(), 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotStored::Incomplete`] with exactly the events that were lost since the last flush, or
    /// that are not stored because the writer has ended.
    pub fn flush(&self) -> Flush {
        Flush::new(&self.control, self.flush_all())
    }

    /// As [`flush`](Self::flush), blocking the thread for at most `timeout`. Not for asynchronous
    /// code.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, NotStored}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// log.append_batch((1..=3).map(Tick));
    /// match writer.blocking_flush(Duration::from_secs(30)) {
    ///     Ok(settled) => assert_eq!(settled.get(), 3),
    ///     Err(NotStored::Incomplete { missing, failing, .. }) => panic!("{missing:?}: {failing:?}"),
    ///     Err(other) => return Err(other.into()),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that drives a `tokio` runtime, whose tasks it would stop.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush), and what is not stored when the timeout has passed.
    pub fn blocking_flush(&self, timeout: Duration) -> Result<Seq, NotStored> {
        self.block_for(self.flush(), timeout)
    }

    /// Has everything that was appended so far stored, ends the writer and frees its destination
    /// for another one. Resolves once that is done, with the sequence number up to which everything
    /// is stored. A second shutdown joins the first.
    ///
    /// It has no clock: where the destination fails, the writer keeps trying until it is dropped.
    /// Cancel safe: the writer ends also if the future is dropped.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// log.append_batch((1..=3).map(Tick));
    /// assert_eq!(writer.shutdown().await?.get(), 3);
    /// // The path is free, for another writer here or in another process.
    /// let next = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotStored::Incomplete`] with exactly the events that were lost since the last flush.
    pub fn shutdown(&self) -> Flush {
        let to = self.flush_all();
        self.control.stop.store(true, Ordering::Release);
        self.thread.unpark();
        Flush::and_end(&self.control, to)
    }

    /// As [`shutdown`](Self::shutdown), blocking the thread for at most `timeout`. Not for
    /// asynchronous code.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// log.append(Tick(1));
    /// // At the end of `main`, where somebody should know what was not stored.
    /// if let Err(error) = writer.blocking_shutdown(Duration::from_secs(5)) {
    ///     eprintln!("{error}");
    /// }
    /// assert_eq!(writer.missing(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that drives a `tokio` runtime, whose tasks it would stop.
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Self::shutdown), and what is not stored when the timeout has passed.
    pub fn blocking_shutdown(&self, timeout: Duration) -> Result<Seq, NotStored> {
        self.block_for(self.shutdown(), timeout)
    }

    /// The events that were appended and wait to be stored; `None` if there are none. Lost events
    /// wait for nothing.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let seq = log.append(Tick(1));
    /// if let Some(waiting) = writer.missing() {
    ///     assert!(waiting.contains(seq)); // how far the disk is behind, for a dashboard
    /// }
    /// writer.flush().await?;
    /// assert_eq!(writer.missing(), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn missing(&self) -> Option<SeqRange> {
        SeqRange::of(self.control.frontier.settled() + 1, self.newest())
    }

    /// What an acknowledgement of this writer is worth.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, SyncPolicy}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::<Tick>::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// assert!(writer.level().synced); // so there is a sense in waiting for `durable`
    /// # drop(writer);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path).sync(SyncPolicy::Never))?;
    /// assert!(!writer.level().synced);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn level(&self) -> Level {
        self.control.level
    }

    /// Follows what the writer has stored, from a [`Start`] on: like
    /// [`EventLog::subscribe`], but no event is delivered before it is stored, and a lost one never
    /// is; a `Lagged` counts it. Once the writer has ended and all it stored was delivered, the
    /// subscription is closed.
    ///
    /// With a writer that syncs every batch, nothing is delivered that a crash can take back.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let mut subscription = writer.subscribe(0);
    /// log.append(Tick(7));
    /// assert_eq!(subscription.recv().await?.version(), 7); // it is on disk by now
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(&self, start: impl Into<Start>) -> Subscription<E> {
        let (shared, frontier) = (&self.shared, &self.control.frontier);
        Subscription::to_stored(shared, start.into(), frontier, self.is_durable)
    }

    /// What the writer has done so far.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// log.append_batch((1..=3).map(Tick));
    /// writer.flush().await?;
    /// let stats = writer.stats();
    /// assert_eq!((stats.events, stats.bytes, stats.lost), (3, 6, 0));
    /// assert_eq!(stats.failing, None); // what to alert on
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> WriterStats {
        self.control.stats()
    }

    /// What it stores, how far it is, and whether the next life of the log can tell.
    #[cfg(feature = "sse")]
    pub(crate) fn parts(&self) -> (&Arc<Shared<E>>, &Arc<Frontier>, bool) {
        (&self.shared, &self.control.frontier, self.is_durable)
    }

    fn newest(&self) -> u64 {
        self.shared.with(|inner| inner.ring.next()) - 1
    }

    /// Has everything that was appended so far stored without delay; says up to where that is.
    fn flush_all(&self) -> u64 {
        let to = self.newest();
        self.control.flush_to(to);
        self.control.hurry();
        self.thread.unpark();
        to
    }

    fn block_for(&self, flush: Flush, timeout: Duration) -> Result<Seq, NotStored> {
        may_block();
        let span = flush.span();
        block_on_for(flush, timeout)
            .unwrap_or_else(|| Flush::timed_out(&self.control, span, timeout))
    }
}

impl<E> Drop for Writer<E> {
    fn drop(&mut self) {
        if !self.control.is_stopping() {
            self.flush_all();
        }
        let was_stopping = self.control.drop_writer();
        self.thread.unpark();
        let here = thread::current().id();
        if !was_stopping && here != self.thread.id() && here != self.ahead {
            block_on_for(Wait::for_end(&self.control), self.drop_timeout);
        }
    }
}

impl<E> fmt::Debug for Writer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("name", &self.control.name)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
