//! Where batches of records go.

use std::{error::Error, fmt, time::Instant};

use super::records::Records;
use crate::{
    cursor::{Cursor, Epoch},
    seq::Seq,
};

/// What an acknowledgement of a destination is worth.
///
/// ```
/// # use eventlog::writer::Level;
/// let level = Level::new(3, false);
/// assert_eq!(level.to_string(), "3 replicas, not synced");
/// assert!(!level.synced); // outlives a machine, but no power cut of all three
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Level {
    /// On how many machines a stored event is.
    pub replicas: u16,
    /// Whether it is synced there: only then does it survive that the power fails, and is called
    /// durable.
    pub synced: bool,
}

impl Level {
    /// Stored on `replicas` machines, synced or not.
    ///
    /// ```
    /// # use eventlog::writer::Level;
    /// assert_eq!(Level::new(1, true).to_string(), "1 replica, synced");
    /// ```
    #[must_use]
    pub const fn new(replicas: u16, synced: bool) -> Self {
        Self { replicas, synced }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let synced = if self.synced { "synced" } else { "not synced" };
        match self.replicas {
            1 => write!(f, "1 replica, {synced}"),
            replicas => write!(f, "{replicas} replicas, {synced}"),
        }
    }
}

/// Where a destination stands when a writer opens it.
///
/// ```
/// # use eventlog::{Cursor, EventLog, writer::Standing};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # let log = EventLog::new(None);
/// # let seq = log.append(Tick(7));
/// // A table that keeps epoch, number and version with each row.
/// let newest_row = Some((log.epoch(), seq, 7));
/// let standing = newest_row.map_or(Standing::Unknown, |(epoch, seq, version)| {
///     Standing::At(Cursor::from_parts(epoch, seq, version))
/// });
/// assert_eq!(standing, Standing::At(log.cursor()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Standing {
    /// It keeps no place. The writer goes on where the last one of its name left off on this log,
    /// or begins with the oldest event that the log has.
    Unknown,
    /// Its newest record is that of this event. Of another life of the log the version counts: the
    /// writer goes on after the newest event of that version, or with the first one above it.
    At(Cursor),
}

/// Where batches of records go: a file, a message broker.
///
/// It is called from the writer's thread only, and may block there.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use eventlog::{Epoch, EventLog, writer::*};
///
/// /// Lines in memory.
/// #[derive(Clone, Default)]
/// struct Memory(Arc<Mutex<Vec<String>>>);
///
/// impl Destination for Memory {
///     fn level(&self) -> Level {
///         Level::new(1, false)
///     }
///     fn open(&mut self, _: Epoch) -> Result<Standing, DestinationError> {
///         Ok(Standing::Unknown) // begin with the log's oldest event
///     }
///     fn write(
///         &mut self,
///         records: Records<'_>,
///         _progress: &mut dyn FnMut(u64),
///     ) -> Result<(), DestinationError> {
///         let lines = records.iter().map(|line| String::from_utf8_lossy(line).into_owned());
///         self.0.lock().unwrap().extend(lines);
///         Ok(())
///     }
///     fn sync(&mut self) -> Result<(), DestinationError> {
///         Ok(())
///     }
///     fn stored(&self) -> u64 {
///         self.0.lock().unwrap().len() as u64
///     }
/// }
/// # #[derive(serde::Serialize)]
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let (log, memory) = (EventLog::new(None), Memory::default());
/// let writer = Writer::spawn_to(&log, WriterConfig::new("memory"), memory.clone())?;
/// writer.stored(log.append(Tick(1))).await?;
/// assert_eq!(*memory.0.lock().unwrap(), ["1\n"]);
/// # Ok(())
/// # }
/// ```
pub trait Destination: Send + 'static {
    /// What an acknowledgement is worth. Asked once, after [`open`](Self::open).
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// # let log = EventLog::<Tick>::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// assert_eq!(writer.level().to_string(), "1 replica, synced"); // as the file answered
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn level(&self) -> Level;

    /// Says where it stands, so that nothing is handed to it twice. Called once, before anything
    /// is written, on the thread that starts the writer. `epoch` is the life of the log that the
    /// sequence numbers of its records will belong to: together they make the cursor with which a
    /// later [`Standing::At`] is exact.
    ///
    /// # Errors
    /// Why nothing can be written; the writer is not started.
    fn open(&mut self, epoch: Epoch) -> Result<Standing, DestinationError>;

    /// Told once, after [`open`](Self::open), before anything is written: the number of the first
    /// event that will be handed over. Says whether what is stored from now on survives a crash *and*
    /// the next life of the log can tell that it did. Cursors of those who see only what is stored
    /// are then of the kind that [`is_durable`](Cursor::is_durable).
    fn begin(&mut self, first: Seq) -> bool {
        let _ = first;
        false
    }

    /// Called where there is nothing to hand over: a time for work that can wait. Says when to call
    /// again at the latest, if nothing comes before that.
    fn idle(&mut self) -> Option<Instant> {
        None
    }

    /// Hands over records, in order. May store them at once, or wait for [`sync`](Self::sync).
    ///
    /// Where it learns of its progress on the way, it may call `progress` with what
    /// [`stored`](Self::stored) would say: those events are acknowledged without waiting for the
    /// rest.
    ///
    /// # Errors
    /// After an error the destination has forgotten every record past [`stored`](Self::stored):
    /// all of them are handed over again, in the same order, if they can be.
    fn write(
        &mut self,
        records: Records<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError>;

    /// Stores all records that were handed over.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn sync(&mut self) -> Result<(), DestinationError>;

    /// How many of the records handed over since opening are stored. Never falls; it may have
    /// grown even when a call failed, because some were stored before.
    fn stored(&self) -> u64;
}

/// Why a destination could not take or keep records.
///
/// ```
/// # use std::io;
/// use eventlog::writer::DestinationError;
///
/// /// What the answer of a server means for the writer.
/// fn told(status: u16) -> Result<(), DestinationError> {
///     let cause = io::Error::other(format!("the server said {status}"));
///     Err(match status {
///         200 => return Ok(()),
///         409 => DestinationError::Fenced(cause.into()), // somebody else has written
///         413 => DestinationError::Refused(cause.into()), // too large, today and tomorrow
///         _ => DestinationError::Retry(cause.into()),
///     })
/// }
/// assert_eq!(told(503).unwrap_err().to_string(), "the server said 503");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum DestinationError {
    /// It may work later: the same records are handed over again after a pause.
    Retry(Box<dyn Error + Send + Sync>),
    /// Another writer has taken over. Permanent: this one ends.
    Fenced(Box<dyn Error + Send + Sync>),
    /// It will never take the first record that is not stored, but may take others: a gap line
    /// takes the record's place. If it refuses that too, the writer ends.
    Refused(Box<dyn Error + Send + Sync>),
}

impl DestinationError {
    fn cause(&self) -> &(dyn Error + Send + Sync + 'static) {
        match self {
            Self::Retry(cause) | Self::Fenced(cause) | Self::Refused(cause) => cause.as_ref(),
        }
    }
}

impl fmt::Display for DestinationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause())
    }
}

impl Error for DestinationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause().source()
    }
}
