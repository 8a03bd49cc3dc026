//! A file's lines, from its end.

use std::io;

use super::Storage;

const CHUNK: usize = 64 * 1024;

/// Reads a file's lines from the last to the first, and no more of the file than they need.
pub(crate) struct Backward<'s, S: Storage> {
    storage: &'s S,
    file: &'s S::File,
    limit: usize,
    /// Where in the file the buffer starts.
    base: u64,
    /// Bytes in front of what has been given out.
    buffer: Vec<u8>,
    /// The line that was given out last.
    given: Vec<u8>,
    bytes_read: u64,
}

/// One line of a file.
pub(crate) struct BackLine<'a> {
    /// Where in the file it starts.
    pub(crate) start: u64,
    /// Where in the file it ends, behind its newline.
    pub(crate) end: u64,
    /// Whether it has a newline. Only a file's last line may have none.
    pub(crate) terminated: bool,
    /// The bytes without the newline; `None` if there are too many.
    pub(crate) bytes: Option<&'a [u8]>,
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
            if let Some(at) = unsearched.iter().rposition(|byte| *byte == b'\n') {
                break at + 1;
            }
            searched = self.buffer.len();
            if searched - newline > self.limit {
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
    /// is not copied again and again. False at the start of the file.
    fn fill(&mut self) -> io::Result<bool> {
        let want = self.buffer.len().max(CHUNK) as u64;
        let count = usize::try_from(want.min(self.base)).unwrap_or(CHUNK);
        let mut bytes = vec![0; count];
        let start = self.base - count as u64;
        let mut filled = 0;
        while filled < count {
            match self
                .storage
                .read_at(self.file, start + filled as u64, &mut bytes[filled..])
            {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.bytes_read += count as u64;
        bytes.append(&mut self.buffer);
        self.buffer = bytes;
        self.base = start;
        Ok(count > 0)
    }
}
