//! Where batches of records go.

use std::{error::Error, fmt, time::Instant};

use super::records::Records;
use crate::{
    cursor::{Cursor, Epoch},
    seq::Seq,
};

/// What an acknowledgement of a destination is worth.
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
pub trait Destination: Send + 'static {
    /// What an acknowledgement is worth. Asked once, after [`open`](Self::open).
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
