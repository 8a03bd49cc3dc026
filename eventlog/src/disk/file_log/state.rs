//! The states of a log's file. Each transition is a method of the state that it starts from.

use std::{collections::BTreeSet, fmt};

use super::block_tail::BlockTail;
use crate::disk::{
    error::DiskError, format::paths::LogFileName, read::sums::Sum, storage::Storage,
};
use crate::writer::records::Records;

/// The full files but the newest.
pub(super) type Names = BTreeSet<LogFileName>;

/// What is known of the path and the file.
pub(super) enum State<S: Storage> {
    Detached(Detached<S>),
    Empty(Empty<S>),
    Open(Open<S>),
    Suspect(Suspect<S>),
}

/// The state after a transition, and how it went.
pub(super) type Step<S, T = ()> = (State<S>, Result<T, DiskError>);

/// Nothing is known of what stands at the path.
pub(super) struct Detached<S: Storage> {
    /// A lock that was taken, and may no longer be in its place.
    pub(super) lock: Option<S::File>,
    /// Where the file is likely to end, with the checksum of what there is before.
    pub(super) left: Option<Sum>,
    /// Whether nothing was opened here in this life yet.
    pub(super) is_first: bool,
}

/// The lock is held, and there is no current file: the next record starts one.
pub(super) struct Empty<S: Storage> {
    pub(super) held: Held<S>,
}

/// The current file, which records are appended to.
pub(super) struct Open<S: Storage> {
    pub(super) held: Held<S>,
    pub(super) file: S::File,
    /// What was called durable.
    pub(super) durable: Extent,
    /// What was written, all of it in whole lines.
    pub(super) written: Extent,
    /// Whether all that was written is known to be on the disk.
    pub(super) synced: bool,
    /// The length at which it was to be put aside, and could not be.
    pub(super) refused_at: Option<u64>,
}

/// The current file, of which nothing is known past its durable bytes: syncing would prove nothing,
/// and nothing may be appended.
pub(super) struct Suspect<S: Storage> {
    pub(super) held: Held<S>,
    pub(super) file: S::File,
    pub(super) durable: Extent,
}

/// The directory and its lock, known to be in order.
pub(super) struct Held<S: Storage> {
    /// `None` where none is wanted.
    pub(super) lock: Option<S::File>,
    /// Whether all names in the directory are known to be on the disk.
    pub(super) synced: bool,
    /// The full files, once they were looked at.
    pub(super) full: Option<Names>,
}

/// How far a file goes, and its last bytes.
#[derive(Clone, Default)]
pub(super) struct Extent {
    pub(super) len: u64,
    pub(super) tail: BlockTail,
    /// Checksum and lines; left alone where nobody asks for them.
    pub(super) sum: Sum,
}

impl<S: Storage> State<S> {
    /// How far the current file is durable, if it is one that can be gone on with.
    pub(super) fn durable_sum(&self) -> Option<Sum> {
        match self {
            Self::Open(open) => Some(open.durable.sum),
            Self::Empty(_) => Some(Sum::default()),
            Self::Suspect(_) | Self::Detached(_) => None,
        }
    }

    /// The lock, to be given up.
    pub(super) fn into_lock(self) -> Option<S::File> {
        match self {
            Self::Detached(detached) => detached.lock,
            Self::Empty(Empty { held })
            | Self::Open(Open { held, .. })
            | Self::Suspect(Suspect { held, .. }) => held.lock,
        }
    }
}

impl<S: Storage> Default for State<S> {
    fn default() -> Self {
        Self::Detached(Detached {
            lock: None,
            left: None,
            is_first: true,
        })
    }
}

impl<S: Storage> Held<S> {
    /// Forgets what is known of the path.
    pub(super) fn detach(self) -> State<S> {
        State::Detached(Detached {
            lock: self.lock,
            left: None,
            is_first: false,
        })
    }
}

impl<S: Storage> Open<S> {
    /// A file all of whose bytes are durable.
    pub(super) fn new(held: Held<S>, file: S::File, durable: Extent) -> Self {
        Self {
            held,
            file,
            written: durable.clone(),
            durable,
            synced: true,
            refused_at: None,
        }
    }

    pub(super) fn call_durable(&mut self) {
        self.durable.len = self.written.len;
        self.durable.sum = self.written.sum;
        self.durable.tail.copy_from(&self.written.tail);
    }

    /// Whether anything written is not durable.
    pub(super) fn is_ahead(&self) -> bool {
        self.written.len != self.durable.len
    }

    /// After an error: what is not durable has to go.
    pub(super) fn forget(self) -> State<S> {
        if self.is_ahead() {
            State::Suspect(self.suspect())
        } else {
            State::Open(self)
        }
    }

    pub(super) fn suspect(self) -> Suspect<S> {
        let Self {
            held,
            file,
            durable,
            ..
        } = self;
        Suspect {
            held,
            file,
            durable,
        }
    }
}

impl Extent {
    /// Bytes were appended.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.tail.push(bytes, self.len);
    }

    /// Lines were appended.
    pub(super) fn append(&mut self, records: Records<'_>, sums: bool) {
        self.extend(records.bytes());
        if sums {
            self.sum.push(records.bytes(), records.len() as u64);
        }
    }
}

impl<S: Storage> fmt::Debug for State<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Detached(_) => f.write_str("Detached"),
            Self::Empty(_) => f.write_str("Empty"),
            Self::Open(open) => write!(f, "Open({} bytes)", open.written.len),
            Self::Suspect(suspect) => write!(f, "Suspect({} bytes)", suspect.durable.len),
        }
    }
}
