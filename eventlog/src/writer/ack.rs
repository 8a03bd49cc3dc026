//! Acknowledgements: futures that say what is stored, and why something is not.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use super::{
    control::{Control, Ending},
    destination::Level,
};
use crate::{
    frontier::Fate,
    seq::{Seq, SeqRange},
};

/// Why events are not stored.
///
/// ```
/// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, NotStored, SyncPolicy}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = EventLog::new(None);
/// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path).sync(SyncPolicy::Never))?;
/// let seq = log.append(Tick(1));
/// match writer.durable(seq).await {
///     Err(NotStored::NotSynced { .. }) => { /* the settings promise no more than `stored` */ }
///     other => panic!("{other:?}"),
/// }
/// writer.shutdown().await?;
/// assert!(matches!(writer.stored(log.append(Tick(2))).await, Err(NotStored::Stopped { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NotStored {
    /// The event never reached the destination, and never will: a gap line counts it.
    Lost {
        /// The event.
        seq: Seq,
    },
    /// The event was written, but it will not be read back as it is, because JSON has no form for
    /// it.
    Unfaithful {
        /// The event.
        seq: Seq,
    },
    /// The writer ended before the event was stored.
    Stopped {
        /// The event.
        seq: Seq,
        /// Everything up to here is stored, or was lost and is counted by a gap line.
        settled: Seq,
    },
    /// Another writer took over the destination, and this one has ended.
    Fenced {
        /// The event.
        seq: Seq,
        /// The writer's name.
        name: String,
        /// What the destination said.
        error: String,
    },
    /// The destination takes nothing from this writer, which has ended.
    Refused {
        /// The event.
        seq: Seq,
        /// The writer's name.
        name: String,
        /// What the destination said.
        error: String,
    },
    /// Nothing that this writer stores is synced, so nothing is durable.
    NotSynced {
        /// The event.
        seq: Seq,
        /// What an acknowledgement of this writer is worth.
        level: Level,
    },
    /// Some events were lost, or not stored when the timeout passed or the writer ended.
    Incomplete {
        /// Exactly the events that are not stored, in order: lost ones and those still to come.
        missing: Vec<SeqRange>,
        /// Why the last attempt to write failed, if it did.
        failing: Option<String>,
        /// The timeout that has passed, if that is why.
        timeout: Option<Duration>,
    },
}

impl fmt::Display for NotStored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { seq } => write!(
                f,
                "event {seq} was lost before it was stored (a gap line counts it): raise \
                 `backlog_events` and `backlog_bytes`, or find out why it could not be serialised"
            ),
            Self::Unfaithful { seq } => write!(
                f,
                "event {seq} was written, but will not be read back as it is (the writer's notice \
                 says why): keep NaN, infinities and deep nesting out of events"
            ),
            Self::Stopped { seq, settled } => write!(
                f,
                "the writer stopped when events up to {settled} were settled, and event {seq} was \
                 not: it may or may not be stored"
            ),
            Self::Fenced { seq, name, error } => write!(
                f,
                "event {seq} was not stored: another writer took over {name} ({error}); keep one \
                 of the two"
            ),
            Self::Refused { seq, name, error } => write!(
                f,
                "event {seq} was not stored: {name} takes nothing from this writer ({error}); \
                 mend that and start another writer"
            ),
            Self::NotSynced { seq, level } => write!(
                f,
                "event {seq} will not be durable: this writer stores at the level {level}; ask \
                 for `stored`, or choose a sync policy that syncs"
            ),
            Self::Incomplete {
                missing,
                failing,
                timeout,
            } => {
                write!(f, "these events are not stored: {}", Ranges(missing))?;
                if let Some(timeout) = timeout {
                    write!(f, "; {timeout:?} have passed")?;
                }
                match failing {
                    Some(error) => write!(f, "; the last attempt failed: {error}"),
                    None => f.write_str(
                        "; those that were lost are counted by gap lines, others may need more \
                         time",
                    ),
                }
            }
        }
    }
}

impl Error for NotStored {}

/// The first few ranges, and how many more there are.
struct Ranges<'a>(&'a [SeqRange]);

impl fmt::Display for Ranges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        for (index, range) in self.0.iter().take(SHOWN).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{range}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more ranges"),
        }
    }
}

/// Waits until a sequence number is settled, or the writer has ended.
pub(crate) struct Wait {
    control: Arc<Control>,
    seq: u64,
    /// Its id among those that wait, once it has waited.
    id: Option<u64>,
}

impl Wait {
    pub(super) fn new(control: &Arc<Control>, seq: u64) -> Self {
        Self {
            control: control.clone(),
            seq,
            id: None,
        }
    }

    /// Waits for the end of the writer, which has then freed its destination.
    pub(crate) fn for_end(control: &Arc<Control>) -> Self {
        Self::new(control, u64::MAX)
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let frontier = self.control.frontier.clone();
        if self.seq <= frontier.settled() {
            return Poll::Ready(());
        }
        let id = *self.id.get_or_insert_with(|| frontier.new_id());
        if frontier.wait(self.seq, id, context.waker().clone(), || false) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.control.frontier.leave(self.seq, id);
        }
    }
}

/// The future of [`Writer::stored`](super::Writer::stored) and
/// [`Writer::durable`](super::Writer::durable).
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
/// let first = writer.durable(log.append(Tick(1)));
/// let second = writer.durable(log.append(Tick(2)));
/// let (first, second) = tokio::join!(first, second); // at once, and with one sync if it can be
/// first.and(second)?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a future does nothing until it is awaited"]
pub struct Stored {
    wait: Wait,
    /// Whether only a synced level will do.
    synced: bool,
}

impl Stored {
    pub(super) fn new(control: &Arc<Control>, seq: Seq, synced: bool) -> Self {
        Self {
            wait: Wait::new(control, seq.get()),
            synced,
        }
    }
}

impl Future for Stored {
    type Output = Result<Level, NotStored>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let seq = Seq::new(self.wait.seq);
        let level = self.wait.control.level;
        if self.synced && !level.synced {
            return Poll::Ready(Err(NotStored::NotSynced { seq, level }));
        }
        ready!(Pin::new(&mut self.wait).poll(context));
        Poll::Ready(outcome(&self.wait.control, seq))
    }
}

fn outcome(control: &Control, seq: Seq) -> Result<Level, NotStored> {
    let frontier = &control.frontier;
    match frontier.fate(seq.get()) {
        Fate::Stored { .. } if frontier.is_disowned(seq.get()) => {
            Err(NotStored::Unfaithful { seq })
        }
        Fate::Stored { .. } => Ok(control.level),
        Fate::Lost { .. } => Err(NotStored::Lost { seq }),
        Fate::Waiting | Fate::Ended => {
            let name = control.name.to_string();
            Err(match control.ended_because.get().cloned() {
                Some(Ending::Fenced(error)) => NotStored::Fenced { seq, name, error },
                Some(Ending::Refused(error)) => NotStored::Refused { seq, name, error },
                None => NotStored::Stopped {
                    seq,
                    settled: Seq::new(frontier.settled()),
                },
            })
        }
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("seq", &self.wait.seq)
            .finish_non_exhaustive()
    }
}

/// The future of [`Writer::flush`](super::Writer::flush) and
/// [`Writer::shutdown`](super::Writer::shutdown).
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
/// log.append(Tick(1));
/// let flush = writer.flush(); // of what was appended before this
/// log.append(Tick(2));
/// assert!(flush.await?.get() >= 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a future does nothing until it is awaited"]
pub struct Flush {
    wait: Wait,
    /// The answer covers everything from the event after this one up to `to`.
    after: u64,
    to: u64,
}

impl Flush {
    /// Waits until everything up to `to` is settled.
    pub(super) fn new(control: &Arc<Control>, to: u64) -> Self {
        Self {
            wait: Wait::new(control, to),
            after: control.flushed.load(Ordering::Acquire),
            to,
        }
    }

    /// As [`new`](Self::new), and until the writer has ended.
    pub(super) fn and_end(control: &Arc<Control>, to: u64) -> Self {
        Self {
            wait: Wait::for_end(control),
            ..Self::new(control, to)
        }
    }

    /// The answer when the timeout has passed.
    pub(super) fn timed_out(
        control: &Control,
        (after, to): (u64, u64),
        timeout: Duration,
    ) -> Result<Seq, NotStored> {
        match incomplete(control, after, to, Some(timeout)) {
            Some(error) => Err(error),
            None => Ok(Seq::new(to)),
        }
    }

    /// The range that the answer covers: after the first, up to the second.
    pub(super) fn span(&self) -> (u64, u64) {
        (self.after, self.to)
    }
}

impl Future for Flush {
    type Output = Result<Seq, NotStored>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(Pin::new(&mut self.wait).poll(context));
        let control = &self.wait.control;
        let answer = match incomplete(control, self.after, self.to, None) {
            Some(error) => Err(error),
            None => Ok(Seq::new(self.to)),
        };
        // Losses that were reported are not reported again; what may still be stored is.
        let spoken = self.to.min(control.frontier.settled());
        control.flushed.fetch_max(spoken, Ordering::AcqRel);
        Poll::Ready(answer)
    }
}

fn incomplete(
    control: &Control,
    after: u64,
    to: u64,
    timeout: Option<Duration>,
) -> Option<NotStored> {
    let missing: Vec<_> = control
        .frontier
        .missing(after + 1, to)
        .into_iter()
        .filter_map(|range| SeqRange::of(*range.start(), *range.end()))
        .collect();
    (!missing.is_empty()).then(|| NotStored::Incomplete {
        missing,
        failing: control.stats().failing,
        timeout,
    })
}

impl fmt::Debug for Flush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flush")
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}
