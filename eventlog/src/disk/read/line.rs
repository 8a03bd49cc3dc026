//! A line, and where it stands.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::disk::format::damage::{Damage, DamageKind};

/// A place in a log: where a line stands.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// std::fs::write(&path, "1\n2\n")?;
/// let newest = eventlog::disk::read::<u64>(&path).with_places().last().unwrap()?;
/// assert_eq!((newest.place.line, newest.place.offset), (Some(2), 2));
/// assert!(newest.place.to_string().ends_with("x.log line 2 at byte 2"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file, under the name that it had when it was opened.
    pub file: Arc<Path>,
    /// The line, from 1, where it is known: not when reading backwards.
    pub line: Option<u64>,
    /// Where in the file the line starts, in bytes; after zeros that stand before its text.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        write!(f, " at byte {}", self.offset)
    }
}

/// A whole line as it stands in a file, which [`lines`](super::lines::lines) lends.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// std::fs::write(&path, "1\n22\n")?;
/// let mut lines = eventlog::disk::lines(&path);
/// lines.next_line();
/// let line = lines.next_line().unwrap()?;
/// assert_eq!((line.number, line.offset, line.bytes), (Some(2), 2, &b"22"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawLine<'a> {
    pub(super) file: &'a Arc<Path>,
    /// The line, from 1, where it is known.
    pub number: Option<u64>,
    /// Where in the file it starts, in bytes; after zeros that stand before its text.
    pub offset: u64,
    /// Its bytes, without the newline.
    pub bytes: &'a [u8],
}

impl RawLine<'_> {
    /// The file, under the name that it had when it was opened.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(dir.path().join("x.log.old"), "1\n")?;
    /// let mut lines = eventlog::disk::lines(&path);
    /// assert!(lines.next_line().unwrap()?.file().ends_with("x.log.old"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn file(&self) -> &Path {
        self.file
    }

    /// Where the line stands, to be kept for longer than its bytes.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n2\n")?;
    /// let (mut lines, mut places) = (eventlog::disk::lines(&path), Vec::new());
    /// while let Some(line) = lines.next_line() {
    ///     places.push(line?.place()); // the line itself is gone at the next call
    /// }
    /// assert!(places[1].to_string().ends_with("line 2 at byte 2"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            file: self.file.clone(),
            line: self.number,
            offset: self.offset,
        }
    }
}

impl fmt::Debug for RawLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawLine")
            .field("file", &self.file)
            .field("number", &self.number)
            .field("offset", &self.offset)
            .field("bytes", &format_args!("b\"{}\"", self.bytes.escape_ascii()))
            .finish()
    }
}

/// What was found where a line should be.
#[derive(Clone, Copy)]
pub(crate) enum Found {
    /// A line, or what stands of it after zeros.
    Whole,
    /// Zeros, up to the last one in the line.
    Zeros,
    /// More bytes than a reader takes into memory.
    TooLong { limit: usize },
    /// The end of the file, without a newline.
    Torn,
}

/// Something that was found in a file: where it starts, and how long it is. Its bytes are in
/// whatever it was read into.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) found: Found,
    pub(crate) number: Option<u64>,
    pub(crate) offset: u64,
    /// Length in bytes without the newline.
    pub(crate) len: u64,
}

impl Span {
    /// As what readers give: a line, or the damage that stands in place of one.
    #[inline]
    pub(crate) fn with<'a>(
        self,
        file: &'a Arc<Path>,
        bytes: &'a [u8],
    ) -> Result<RawLine<'a>, Damage> {
        let kind = match self.found {
            Found::Whole => {
                return Ok(RawLine {
                    file,
                    number: self.number,
                    offset: self.offset,
                    bytes,
                });
            }
            Found::Zeros => DamageKind::Zeros,
            Found::TooLong { limit } => DamageKind::TooLong { limit },
            Found::Torn => DamageKind::TornTail,
        };
        Err(Damage {
            file: file.to_path_buf(),
            line: self.number,
            offset: self.offset,
            len: self.len,
            kind,
        })
    }
}
