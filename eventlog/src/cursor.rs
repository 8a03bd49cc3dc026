//! Where a subscriber stands, in a form that travels.

use std::{
    error::Error,
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
};

use crate::seq::Seq;

/// A random id of one life of a log. Sequence numbers are comparable only within one epoch.
///
/// It prints as 16 hexadecimal digits, and is read back from exactly these.
///
/// ```
/// # use eventlog::{Epoch, EventLog};
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// let epoch = EventLog::<Tick>::new(None).epoch();
/// assert_eq!(epoch.to_string().parse::<Epoch>()?, epoch);
/// # Ok::<(), eventlog::CursorError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch of no log: a cursor in it is `Foreign` everywhere.
    pub(crate) const NONE: Self = Self(0);

    /// A new epoch, different from any other with a probability of 1 − 2⁻⁶⁴.
    pub(crate) fn random() -> Self {
        // The standard library seeds its hash maps from the operating system's entropy.
        Self(RandomState::new().hash_one(std::time::SystemTime::now()))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = CursorError;

    /// Reads what `Display` wrote, and nothing else.
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let epoch = u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| CursorError)?;
        if epoch.to_string() == text {
            Ok(epoch)
        } else {
            Err(CursorError)
        }
    }
}

/// Where a subscriber stands: the last event it has, by epoch, sequence number and version.
///
/// A version alone cannot say where a subscriber stands when versions repeat or when a history was
/// rewound and has caught up again; a cursor can. Its printable form has only letters, digits and
/// dots, so that it rides unchanged in a header, a URL or an SSE `id:` line. `serde` writes that
/// same form as a string.
///
/// ```
/// # use eventlog::{Cursor, EventLog};
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// let log = EventLog::new(None);
/// log.append(Tick(7));
/// let cursor = log.cursor();
/// assert_eq!((cursor.seq().get(), cursor.version()), (1, 7));
///
/// let text = cursor.to_string(); // such as "9f86d081884c7d65.1.7"
/// assert_eq!(text.parse::<Cursor>()?, cursor);
/// # Ok::<(), eventlog::CursorError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cursor {
    epoch: Epoch,
    seq: Seq,
    version: u64,
}

impl Cursor {
    pub(crate) fn new(epoch: Epoch, seq: u64, version: u64) -> Self {
        Self::from_parts(epoch, Seq::new(seq), version)
    }

    /// The cursor of the event with this number and version in this life of a log, for those that
    /// have kept the three apart.
    #[must_use]
    pub const fn from_parts(epoch: Epoch, seq: Seq, version: u64) -> Self {
        Self {
            epoch,
            seq,
            version,
        }
    }

    /// The life of the log that the sequence number belongs to.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The sequence number of the last event that the subscriber has; 0 before the first.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The version that the subscriber has reached.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.epoch, self.seq, self.version)
    }
}

/// A text that is no cursor, or no epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CursorError;

impl fmt::Display for CursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a cursor: expected `EPOCH.SEQ.VERSION` (16 hexadecimal digits and two numbers, \
             such as `9f86d081884c7d65.12.340`); pass on the text exactly as the log printed it",
        )
    }
}

impl Error for CursorError {}

impl FromStr for Cursor {
    type Err = CursorError;

    /// Reads what `Display` wrote, and nothing else: a cursor has one spelling.
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('.');
        let (Some(epoch), Some(seq), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(CursorError);
        };
        let epoch = epoch.parse()?;
        let seq = seq.parse().map_err(|_| CursorError)?;
        let version = version.parse().map_err(|_| CursorError)?;
        let cursor = Self::new(epoch, seq, version);
        if cursor.to_string() == text {
            Ok(cursor)
        } else {
            Err(CursorError)
        }
    }
}

/// From where to read: the one argument of [`replay`](crate::EventLog::replay),
/// [`subscribe`](crate::EventLog::subscribe) and all that reads from a place on.
///
/// A version or a cursor is a start too: `log.replay(7)`, `log.subscribe(&cursor)`.
///
/// ```
/// # use eventlog::{Coverage, EventLog, Start};
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// let log = EventLog::builder().capacity(2).build()?;
/// for version in 1..=3 {
///     log.append(Tick(version));
/// }
/// assert_eq!(log.replay(2).len(), 1);
/// assert_eq!(log.replay(log.cursor()).len(), 0);
/// assert!(log.replay(Start::Now).coverage().is_complete());
/// assert_eq!(
///     log.replay(Start::Oldest).coverage(),
///     Coverage::Truncated { missed_through: 1, missed: Some(1) },
/// );
/// # Ok::<(), eventlog::BuildError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Start {
    /// With the oldest event that is there, whatever its version. Complete only if nothing was
    /// ever evicted.
    Oldest,
    /// With what comes next. Always complete.
    Now,
    /// After the state of this version: with the first event that has a version above it.
    After(u64),
    /// Exactly where a subscriber stood, also where versions repeat or fall.
    Cursor(Cursor),
}

impl From<u64> for Start {
    fn from(version: u64) -> Self {
        Self::After(version)
    }
}

impl From<Cursor> for Start {
    fn from(cursor: Cursor) -> Self {
        Self::Cursor(cursor)
    }
}

impl From<&Cursor> for Start {
    fn from(cursor: &Cursor) -> Self {
        Self::Cursor(*cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_spelling() {
        let cursor = Cursor::new(Epoch(0xabc), u64::MAX, 0);
        assert_eq!(
            cursor.to_string(),
            "0000000000000abc.18446744073709551615.0"
        );
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for other in [
            "",
            ".",
            "..",
            "abc.1.0",
            "0000000000000abc.1",
            "0000000000000abc.1.0.",
            "0000000000000ABC.1.0",
            "0000000000000abc.+1.0",
            "0000000000000abc.01.0",
            "0000000000000abc.1.-0",
            "0000000000000abc.18446744073709551616.0",
            " 0000000000000abc.1.0",
        ] {
            assert_eq!(other.parse::<Cursor>(), Err(CursorError), "{other:?}");
        }
    }
}
