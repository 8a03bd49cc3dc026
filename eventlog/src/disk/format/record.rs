//! What a line of the log says.

use serde::de::{DeserializeOwned, IgnoredAny};

use serde_json::{Number, Value};

use crate::writer::gap::Gap;

/// One line, read back.
///
/// ```
/// # use eventlog::disk::{Record, read};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// # let gap = r#"{"eventlog":{"gap":{"count":3,"min_version":2,"max_version":4,"reason":"backlog"}}}"#;
/// # std::fs::write(&path, format!("1\n{gap}\n5\n"))?;
/// let (mut events, mut lost) = (0, 0);
/// for record in read::<u64>(&path) {
///     match record? {
///         Record::Event(_) => events += 1,
///         Record::Gap(gap) => lost += gap.count,
///         _ => {}
///     }
/// }
/// assert_eq!((events, lost), (2, 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record<E> {
    /// An event.
    Event(E),
    /// Events that never reached the disk.
    Gap(Gap),
}

impl<E> Record<E> {
    /// The event, if it is one.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// # std::fs::write(&path, "\"opened\"\n\"closed\"\n")?;
    /// let records = eventlog::disk::read::<String>(&path);
    /// let events: Vec<_> = records.flatten().filter_map(|record| record.into_event()).collect();
    /// assert_eq!(events, ["opened", "closed"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_event(self) -> Option<E> {
        match self {
            Self::Event(event) => Some(event),
            Self::Gap(_) => None,
        }
    }

    /// The event, if it is one.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// # std::fs::write(&path, "1\n2\n")?;
    /// let tail = eventlog::disk::read_last::<u64>(&path, 1);
    /// assert_eq!(tail.records[0].event(), Some(&2));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn event(&self) -> Option<&E> {
        match self {
            Self::Event(event) => Some(event),
            Self::Gap(_) => None,
        }
    }
}

/// Reads a line without its newline.
pub(crate) fn decode<E: DeserializeOwned>(line: &[u8]) -> Result<Record<E>, serde_json::Error> {
    match Gap::parse(line) {
        Some(gap) => Ok(Record::Gap(gap)),
        None => decode_event(line).map(Record::Event),
    }
}

/// Any crate of a program may turn on `serde_json/arbitrary_precision`. Then a float that `serde`
/// has to keep until it knows its type, as in tagged, untagged and flattened values, arrives as a
/// map and is refused. A [`Value`] gives floats as floats, so such a line is read by that detour.
fn decode_event<E: DeserializeOwned>(line: &[u8]) -> Result<E, serde_json::Error> {
    serde_json::from_slice(line).or_else(|error| {
        if !floats_keep_their_digits() {
            return Err(error);
        }
        let value = serde_json::from_slice::<Value>(line);
        value.and_then(E::deserialize).map_err(|_| error)
    })
}

/// Whether `serde_json/arbitrary_precision` is on.
fn floats_keep_their_digits() -> bool {
    const DIGITS: &str = "1.50";
    serde_json::from_str::<Number>(DIGITS).is_ok_and(|number| number.to_string() == DIGITS)
}

/// Where the record in a line starts: after the last zero byte.
///
/// JSON holds no zero byte, but a file system may leave zeros for bytes that it lost. What stands
/// after them was written later and is whole.
pub(crate) fn record_start(line: &[u8]) -> usize {
    memchr::memrchr(0, line).map_or(0, |zero| zero + 1)
}

/// True if the line holds a whole record of whatever type.
pub(crate) fn is_whole(line: &[u8]) -> bool {
    // Skipping a value does not look at the bytes of its strings.
    let text = std::str::from_utf8(&line[record_start(line)..]);
    text.is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_before_a_record_do_not_hide_it() {
        assert!(is_whole(b"{\"a\":\0\0\0{\"b\":1}"));
        assert!(!is_whole(b"{\"a\":1}\0\0"));
        assert!(!is_whole(b""));
        assert!(!is_whole(b"\"no text: \xff\""));
    }
}
