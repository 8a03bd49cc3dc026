//! A file's lines, from its end.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::line::{Found, RawLine, Span};
use crate::disk::format::damage::Damage;
use crate::disk::format::record::record_start;
use crate::disk::storage::{Storage, read_exact};

const CHUNK: usize = 64 * 1024;

/// Reads a file's lines from the last to the first, and no more of the file than they need.
pub(crate) struct Backward<'s, S: Storage> {
    storage: &'s S,
    file: &'s S::File,
    limit: usize,
    /// Where in the file the buffer starts.
    base: u64,
    /// The bytes before what has been given out.
    buffer: Vec<u8>,
    /// The line that was given out last.
    given: Vec<u8>,
    bytes_read: u64,
}

/// One line of a file.
pub(crate) struct BackLine<'a> {
    /// Where in the file it starts.
    pub(crate) start: u64,
    /// Where in the file it ends, after its newline.
    pub(crate) end: u64,
    /// Whether it has a newline. Only a file's last line may have none.
    pub(crate) terminated: bool,
    /// The bytes without the newline; `None` if there are too many.
    pub(crate) bytes: Option<&'a [u8]>,
}

impl BackLine<'_> {
    /// What readers give for it, the last first: the line, or damage in its place, and zeros before
    /// it. The limit is the one that it was read with.
    pub(crate) fn found<'a>(
        &'a self,
        file: &'a Arc<Path>,
        limit: usize,
    ) -> impl Iterator<Item = Result<RawLine<'a>, Damage>> {
        let text = self.bytes.unwrap_or_default();
        let zeros = if self.terminated {
            record_start(text)
        } else {
            0
        };
        let found = match self.bytes {
            _ if !self.terminated => Found::Torn,
            None => Found::TooLong { limit },
            Some(_) => Found::Whole,
        };
        let span = |found, from: usize, to: u64| Span {
            found,
            number: None,
            offset: self.start + from as u64,
            len: to - from as u64,
        };
        let len = self.end - self.start - u64::from(self.terminated);
        let rest = (zeros == 0 || zeros < text.len()).then(|| (span(found, zeros, len), zeros));
        let before = (zeros > 0).then(|| (span(Found::Zeros, 0, zeros as u64), 0));
        let items = rest.into_iter().chain(before);
        items.map(move |(span, from)| span.with(file, &text[from..]))
    }
}

impl<'s, S: Storage> Backward<'s, S> {
    /// Starts at `len`, the file's end.
    pub(crate) fn new(storage: &'s S, file: &'s S::File, len: u64, limit: usize) -> Self {
        Self {
            storage,
            file,
            limit,
            base: len,
            buffer: Vec::new(),
            given: Vec::new(),
            bytes_read: 0,
        }
    }

    /// How many bytes were read from the file.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The line before the last one given out; `None` at the start of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<BackLine<'_>>> {
        if self.buffer.is_empty() && !self.fill()? {
            return Ok(None);
        }
        let end = self.base + self.buffer.len() as u64;
        let terminated = self.buffer.last() == Some(&b'\n');
        // How many bytes at the buffer's end belong to the line's end, not to its text.
        let newline = usize::from(terminated);
        let mut searched = newline;
        let mut too_long = false;
        let start = loop {
            let unsearched = &self.buffer[..self.buffer.len() - searched];
            if let Some(at) = memchr::memrchr(b'\n', unsearched) {
                break at + 1;
            }
            searched = self.buffer.len();
            if too_long || searched - newline > self.limit {
                too_long = true;
                self.buffer.clear();
                searched = 0;
            }
            if !self.fill()? {
                break 0;
            }
        };
        let line = self.buffer.split_off(start);
        let text = line.len().saturating_sub(newline);
        let start = self.base + start as u64;
        self.given = line;
        let bytes = (!too_long && text <= self.limit).then(|| &self.given[..text]);
        Ok(Some(BackLine {
            start,
            end,
            terminated,
            bytes,
        }))
    }

    /// Puts the bytes before the buffer in front of it: as many as it holds, so that a long line
    /// is not copied again and again, but not many more than a line may have. False at the start
    /// of the file.
    fn fill(&mut self) -> io::Result<bool> {
        let held = self.buffer.len();
        let want = held.min(self.limit.saturating_sub(held)).max(CHUNK);
        let count = usize::try_from(self.base).map_or(want, |base| base.min(want));
        let mut bytes = vec![0; count];
        let start = self.base - count as u64;
        read_exact(self.storage, self.file, start, &mut bytes)?;
        self.bytes_read += count as u64;
        bytes.append(&mut self.buffer);
        self.buffer = bytes;
        self.base = start;
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::storage::RealStorage;

    /// Start, end, whether there is a newline, and how long the text is if it is not too long.
    type Found = (u64, u64, bool, Option<usize>);

    fn lines(text: &str, limit: usize) -> Vec<Found> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        std::fs::write(&path, text).unwrap();
        let file = RealStorage.open_read(&path).unwrap();
        let mut lines = Backward::new(&RealStorage, &file, text.len() as u64, limit);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let bytes = line.bytes.inspect(|bytes| {
                let start = usize::try_from(line.start).unwrap();
                assert_eq!(*bytes, &text.as_bytes()[start..start + bytes.len()]);
            });
            found.push((
                line.start,
                line.end,
                line.terminated,
                bytes.map(<[u8]>::len),
            ));
        }
        assert_eq!(lines.bytes_read(), text.len() as u64);
        found
    }

    #[test]
    fn all_lines_are_found_from_the_last_to_the_first() {
        assert_eq!(lines("", 9), []);
        assert_eq!(lines("\n", 9), [(0, 1, true, Some(0))]);
        assert_eq!(
            lines("a\n\nb", 9),
            [
                (3, 4, false, Some(1)),
                (2, 3, true, Some(0)),
                (0, 2, true, Some(1)),
            ]
        );
    }

    #[test]
    fn a_line_longer_than_many_chunks_is_found_or_skipped() {
        let long = 1_000_000;
        let text = format!("a\n{}\nb\n", "x".repeat(long));
        let end = text.len() as u64;
        for (limit, expected) in [(long, Some(long)), (long - 1, None), (1, None)] {
            assert_eq!(
                lines(&text, limit),
                [
                    (end - 2, end, true, Some(1)),
                    (2, end - 2, true, expected),
                    (0, 2, true, Some(1)),
                ]
            );
        }
    }
}
