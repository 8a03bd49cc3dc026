//! What readers find that is no record.

use std::io;
use std::path::{Path, PathBuf};

/// A place in the log that could not be read as a record, and why. Readers go on after it.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// std::fs::write(&path, "1\nno number\n3\n")?;
/// let damage = eventlog::disk::read::<u64>(&path).find_map(Result::err).unwrap();
/// assert_eq!((damage.line, damage.offset), (Some(2), 2));
/// println!("{damage}"); // …/x.log line 2 at byte 2: the line is no event (…); it was skipped
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{} at byte {offset}: {kind}", .file.display(), in_line(*line))]
#[non_exhaustive]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1, where it is known: not when reading backwards or after a missed file.
    pub line: Option<u64>,
    /// Where in the file the damage starts, in bytes.
    pub offset: u64,
    /// How many bytes are affected.
    pub len: u64,
    /// What is wrong.
    pub kind: DamageKind,
}

/// What is wrong with a place in the log.
///
/// ```
/// # use eventlog::disk::{DamageKind, read};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// std::fs::write(&path, "1\n2\n3")?;
/// let damage = read::<u64>(&path).find_map(Result::err).unwrap();
/// // What a kill leaves, and no reason to worry: it was never acknowledged.
/// assert_eq!(damage.kind, DamageKind::TornTail);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DamageKind {
    /// The file's last bytes are no whole line: a crash came while it was written, or it is being
    /// written now.
    #[error("the last line is unfinished; the writer sets it aside when it opens the log")]
    TornTail,
    /// A whole line is no record of the type asked for.
    #[error("the line is no event ({reason}); it was skipped")]
    NotAnEvent {
        /// What the parser said, with the column.
        reason: String,
    },
    /// Zero bytes stand before a record: the file system lost what was there.
    #[error("zero bytes in place of what was written; they were skipped")]
    Zeros,
    /// Between two marks the bytes are not those that were written.
    #[error(
        "{lines} lines from here on are not what was written: their checksum is another; do not \
         rely on them"
    )]
    Altered {
        /// How many lines there were.
        lines: u64,
    },
    /// A line is longer than a reader takes into memory.
    #[error("the line is longer than {limit} bytes; it was skipped")]
    TooLong {
        /// The longest line that is read, in bytes.
        limit: usize,
    },
    /// The file cannot be read, or the directory, so that it is not known which files there are.
    #[error("it cannot be read ({reason}); check what it is and who may read it")]
    Unreadable {
        /// The kind of error.
        kind: io::ErrorKind,
        /// What the system said.
        reason: String,
    },
    /// The log was rotated faster than it was read, and files between those that are left may have
    /// been removed unread.
    #[error(
        "files may have been rotated away before they were read; poll more often or keep more files"
    )]
    Missed,
    /// The file was cut, or written anew, while it was followed. It is read on from where it
    /// differs from what was read, or from its start: what follows may have been seen before, and
    /// what was not read of it before may be missing.
    #[error(
        "the file was cut or written anew while it was being followed; it is read on from here"
    )]
    Cut,
    /// A follower was to go on where an earlier one stood, and the file of which that one had read
    /// so many bytes is there no more, was cut, or cannot be told from another. It is read on from
    /// here: what stood after these bytes, and in files between, may be missing, and what follows
    /// may have been seen before.
    #[error(
        "the file that was read up to byte {read} is there no more; what stood after that may be \
         missing, and what follows here may have been seen before"
    )]
    PlaceGone {
        /// How many bytes of the file were read.
        read: u64,
    },
}

fn in_line(line: Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!(" line {line}"))
}

/// A file or directory that cannot be read, from `offset` on.
pub(crate) fn unreadable(file: PathBuf, offset: u64, error: &io::Error) -> Damage {
    Damage {
        file,
        line: None,
        offset,
        len: 0,
        kind: DamageKind::Unreadable {
            kind: error.kind(),
            reason: error.to_string(),
        },
    }
}

/// A path that can be no log's.
pub(crate) fn no_file_name(path: &Path) -> Damage {
    let error = io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
    unreadable(path.to_path_buf(), 0, &error)
}

/// Files before this one may have been removed unread.
pub(crate) fn may_miss(file: PathBuf) -> Damage {
    Damage {
        file,
        line: None,
        offset: 0,
        len: 0,
        kind: DamageKind::Missed,
    }
}
