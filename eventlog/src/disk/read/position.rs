//! Where a follower stands, as a text.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use super::trace::Trace;

/// Where a [`Follow`](crate::disk::Follow) stands, in a form that outlives it.
///
/// It knows the file by what was read of it, and by no name or number that another file may have:
/// by how many bytes that was, and by their checksum. So it is found again after the file was
/// renamed, copied or restored, and a file that only has the old one's name or inode is never taken
/// for it. Its printed form has only letters, digits, dots and one colon; `serde` writes that same
/// form as a string.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// use eventlog::disk::{Position, follow};
///
/// std::fs::write(&path, "1\n2\n")?;
/// let mut first = follow::<u64>(&path);
/// assert_eq!(first.by_ref().count(), 2);
/// let text = first.position().to_string(); // such as "p1:4.4d2e8b10.4d2e8b10.9a0c1f33"
/// drop(first);
///
/// // The log is rotated while nobody follows it.
/// std::fs::write(&path, "1\n2\n3\n")?;
/// std::fs::rename(&path, dir.path().join("x.log.old"))?;
/// std::fs::write(&path, "4\n")?;
///
/// let position: Position = text.parse()?;
/// let next = follow::<u64>(&path).resuming(&position)?;
/// let seen: Vec<_> = next.flatten().filter_map(|record| record.into_event()).collect();
/// assert_eq!(seen, [3, 4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// How many bytes of the file were read; 0 if no file was ever read.
    pub(super) offset: u64,
    /// The checksum of these bytes.
    pub(super) sum: u32,
    /// The checksum of the last 4096 of them, or of all if they are fewer.
    pub(super) end_sum: u32,
    /// The checksum of the log's path.
    pub(super) log: u32,
    /// What was read of the file before, if there was one.
    pub(super) before: Option<FileBefore>,
}

/// The file before the one in which a follower stands: how many bytes of it were read, and their
/// checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FileBefore {
    pub(super) len: u64,
    pub(super) sum: u32,
}

impl Position {
    /// Before the first line of the log whose path has this checksum.
    pub(super) fn beginning(log: u32) -> Self {
        Self {
            offset: 0,
            sum: 0,
            end_sum: 0,
            log,
            before: None,
        }
    }

    /// After what was read of a file, which is not nothing: an empty beginning fits every file.
    pub(super) fn after(read: &Trace, log: u32, before: Option<FileBefore>) -> Self {
        Self {
            offset: read.len(),
            sum: read.sum(),
            end_sum: read.end_sum(),
            log,
            before,
        }
    }

    /// Whether nothing of the log was read yet.
    pub(super) fn is_beginning(&self) -> bool {
        self.offset == 0
    }

    /// The file in which it stands, as the one before another.
    pub(super) fn as_before(&self) -> FileBefore {
        FileBefore {
            len: self.offset,
            sum: self.sum,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            sum,
            end_sum,
            log,
            before,
        } = self;
        write!(f, "p1:{offset}.{sum:08x}.{end_sum:08x}.{log:08x}")?;
        match before {
            Some(FileBefore { len, sum }) => write!(f, ".{len}.{sum:08x}"),
            None => Ok(()),
        }
    }
}

/// A text that is no position.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PositionError;

impl fmt::Display for PositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a position: expected a text such as `p1:412.93ab0012.93ab0012.5c0e77a9`; pass on \
             the text exactly as the follower printed it, or follow without one",
        )
    }
}

impl Error for PositionError {}

impl FromStr for Position {
    type Err = PositionError;

    /// Reads what `Display` wrote, and nothing else: a position has one spelling.
    fn from_str(text: &str) -> Result<Self, PositionError> {
        let position = parse(text).ok_or(PositionError)?;
        if position.to_string() == text {
            Ok(position)
        } else {
            Err(PositionError)
        }
    }
}

fn parse(text: &str) -> Option<Position> {
    let sum = |part| u32::from_str_radix(part, 16).ok();
    let parts: Vec<_> = text.strip_prefix("p1:")?.split('.').collect();
    let (place, before) = parts.split_at_checked(4)?;
    let before = match before {
        [] => None,
        [len, before] => Some(FileBefore {
            len: len.parse().ok()?,
            sum: sum(before)?,
        }),
        _ => return None,
    };
    Some(Position {
        offset: place[0].parse().ok()?,
        sum: sum(place[1])?,
        end_sum: sum(place[2])?,
        log: sum(place[3])?,
        before,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_has_one_spelling() {
        let mut trace = Trace::default();
        trace.push(b"1\n");
        let first = Position::after(&trace, 7, None);
        let second = Position::after(&trace, u32::MAX, Some(first.as_before()));
        for position in [Position::beginning(7), first, second] {
            let text = position.to_string();
            assert_eq!(text.parse(), Ok(position));
            let json = serde_json::to_string(&position).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), position);
        }
        for other in [
            "",
            "p1:",
            "p1:2.00000000.00000000",
            "p1:2.00000000.00000000.0",
            "p1:02.00000000.00000000.00000000",
            "p1:2.00000000.00000000.0000000A",
            "p1:2.00000000.00000000.00000000.",
            "p1:2.00000000.00000000.00000000.1",
            "p1:2.00000000.00000000.00000000.1.00000000.1",
            "p1:18446744073709551616.00000000.00000000.00000000",
            "p2:2.00000000.00000000.00000000",
            "0000000000000abc.1.0",
        ] {
            assert_eq!(other.parse::<Position>(), Err(PositionError), "{other:?}");
        }
    }
}
