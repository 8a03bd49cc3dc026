//! What a line of the log says.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

/// Events that never reached the disk, counted by a line in their place.
///
/// ```
/// use eventlog::disk::{Gap, GapReason};
///
/// let gap = Gap { count: 3, min_version: 7, max_version: 9, reason: GapReason::Backlog };
/// let line = gap.to_line();
/// assert_eq!(
///     line,
///     "{\"eventlog\":{\"gap\":{\"count\":3,\"min_version\":7,\"max_version\":9,\
///      \"reason\":\"backlog\"}}}\n",
/// );
/// assert_eq!(Gap::parse(line.as_bytes()), Some(gap));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// How many events are missing.
    pub count: u64,
    /// The smallest version among them.
    pub min_version: u64,
    /// The largest version among them.
    pub max_version: u64,
    /// Why they are missing.
    pub reason: GapReason,
}

/// Why events never reached the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GapReason {
    /// The disk stalled or failed for longer than the backlog's bound.
    Backlog,
    /// Their `Serialize` failed.
    Unserializable,
    /// They were gone before the writer came to them.
    Missed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GapLine {
    eventlog: GapBody,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GapBody {
    gap: Gap,
}

impl Gap {
    /// The line, with its newline.
    #[must_use]
    pub fn to_line(&self) -> String {
        let body = GapLine {
            eventlog: GapBody { gap: *self },
        };
        #[expect(
            clippy::expect_used,
            reason = "numbers and fixed names cannot fail to serialise"
        )]
        let mut line = serde_json::to_string(&body).expect("a gap line is plain numbers");
        line.push('\n');
        line
    }

    /// The gap that a line declares; `None` unless the line has exactly a gap line's shape.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        // Almost every line is an event: look before parsing.
        if !line.trim_ascii_start().starts_with(b"{\"eventlog\"") {
            return None;
        }
        let line: GapLine = serde_json::from_slice(line).ok()?;
        Some(line.eventlog.gap)
    }
}

/// One line, read back.
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
    pub fn into_event(self) -> Option<E> {
        match self {
            Self::Event(event) => Some(event),
            Self::Gap(_) => None,
        }
    }

    /// The event, if it is one.
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
        None => serde_json::from_slice(line).map(Record::Event),
    }
}

/// Where the record in a line starts: behind the last zero byte.
///
/// JSON holds no zero byte, but a file system may leave zeros for bytes that it lost. What stands
/// behind them was written later and is whole.
pub(crate) fn record_start(line: &[u8]) -> usize {
    line.iter()
        .rposition(|byte| *byte == 0)
        .map_or(0, |zero| zero + 1)
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
    fn only_the_exact_shape_is_a_gap() {
        let gap = Gap {
            count: 1,
            min_version: 2,
            max_version: 3,
            reason: GapReason::Missed,
        };
        let line = gap.to_line();
        assert_eq!(Gap::parse(line.as_bytes()), Some(gap));
        for other in [
            line.replace("count", "counts"),
            line.replace("}}}", ",\"x\":1}}}"),
            line.replace("}}}", "},\"x\":1}}"),
            line.replace("}}}", "}},\"x\":1}"),
            line.replace("\"count\":1,", ""),
            line.replace(":1,", ":-1,"),
        ] {
            assert_eq!(Gap::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn zeros_before_a_record_do_not_hide_it() {
        assert!(is_whole(b"{\"a\":\0\0\0{\"b\":1}"));
        assert!(!is_whole(b"{\"a\":1}\0\0"));
        assert!(!is_whole(b""));
        assert!(!is_whole(b"\"no text: \xff\""));
    }
}
