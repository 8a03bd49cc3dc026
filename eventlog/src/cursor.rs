//! Where a subscriber stands, in a form that travels.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Seq;

/// A random id of one life of a log. Sequence numbers are comparable only within one epoch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Epoch(u64);

impl Epoch {
    /// A new epoch, different from every other with a probability of 1 − 2⁻⁶⁴ a pair.
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
        Self {
            epoch,
            seq: Seq::new(seq),
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

/// A text that is no cursor.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "not a cursor: expected `EPOCH.SEQ.VERSION` (16 hexadecimal digits and two numbers, such as \
     `9f86d081884c7d65.12.340`); pass on the text exactly as the log printed it"
)]
#[non_exhaustive]
pub struct CursorError;

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
        let epoch = u64::from_str_radix(epoch, 16).map_err(|_| CursorError)?;
        let seq = seq.parse().map_err(|_| CursorError)?;
        let version = version.parse().map_err(|_| CursorError)?;
        let cursor = Self::new(Epoch(epoch), seq, version);
        if cursor.to_string() == text {
            Ok(cursor)
        } else {
            Err(CursorError)
        }
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
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

    #[test]
    fn serde_uses_the_printed_form() {
        let cursor = Cursor::new(Epoch::random(), 3, 9);
        let json = serde_json::to_string(&cursor).unwrap();
        assert_eq!(json, format!("\"{cursor}\""));
        assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
        assert!(serde_json::from_str::<Cursor>("\"nonsense\"").is_err());
    }
}
