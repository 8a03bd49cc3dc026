//! A file's lines, one after the other.

use std::io;

use crate::disk::storage::{Storage, read_some};

pub(crate) use crate::writer::faithful::MAX_LINE_BYTES;

/// How many bytes are asked for at first and at most: small files are common, large ones long.
const FIRST_CHUNK: usize = 2 * 1024;
const LARGEST_CHUNK: usize = 128 * 1024;

/// Reads a file line by line, holding no more of it than one line and some bytes after it.
pub(crate) struct Lines<F> {
    file: F,
    limit: usize,
    chunk: usize,
    buffer: Vec<u8>,
    /// Where in the buffer the next line starts, and up to where no newline has been found.
    start: usize,
    seen: usize,
    /// Where in the file the next line starts.
    offset: u64,
    /// How many bytes of that line were dropped from the buffer because it is too long.
    dropped: u64,
    number: u64,
}

/// One line of a file.
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) offset: u64,
    /// Length in bytes without the newline.
    pub(crate) len: u64,
    /// The bytes without the newline; `None` if there are too many.
    pub(crate) bytes: Option<&'a [u8]>,
}

impl<F> Lines<F> {
    pub(crate) fn new(file: F, limit: usize) -> Self {
        Self::after(file, limit, 0, 0)
    }

    /// Starts after the first `number` lines, at `offset`.
    pub(crate) fn after(file: F, limit: usize, number: u64, offset: u64) -> Self {
        Self {
            file,
            limit,
            chunk: FIRST_CHUNK,
            buffer: Vec::new(),
            start: 0,
            seen: 0,
            offset,
            dropped: 0,
            number,
        }
    }

    pub(crate) fn file(&self) -> &F {
        &self.file
    }

    /// Where in the file the next line starts.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// How many lines were taken.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// How many bytes of a line without a newline were found at the end so far.
    pub(crate) fn unfinished(&self) -> u64 {
        self.dropped + (self.buffer.len() - self.start) as u64
    }

    /// Goes back to the start of the line that is not finished yet: it may still change.
    pub(crate) fn rewind(&mut self) {
        self.buffer.clear();
        self.start = 0;
        self.seen = 0;
        self.dropped = 0;
    }

    /// Goes on at `offset`, which has to be the start of a line.
    pub(crate) fn jump(&mut self, offset: u64) {
        self.rewind();
        self.offset = offset;
        if offset == 0 {
            self.number = 0;
        }
    }

    /// The next line that has a newline; `None` at the end of the file. More may come later.
    pub(crate) fn next<S>(&mut self, storage: &S) -> io::Result<Option<Line<'_>>>
    where
        S: Storage<File = F>,
    {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.seen..]) {
                return Ok(Some(self.take(self.seen + at)));
            }
            self.seen = self.buffer.len();
            self.make_room();
            if self.fill(storage)? == 0 {
                return Ok(None);
            }
        }
    }

    /// The line that ends before the newline at `end` of the buffer.
    fn take(&mut self, end: usize) -> Line<'_> {
        let bytes = &self.buffer[self.start..end];
        let len = self.dropped + bytes.len() as u64;
        let offset = self.offset;
        self.number += 1;
        self.offset += len + 1;
        self.start = end + 1;
        self.seen = end + 1;
        let whole = std::mem::take(&mut self.dropped) == 0 && bytes.len() <= self.limit;
        Line {
            number: self.number,
            offset,
            len,
            bytes: whole.then_some(bytes),
        }
    }

    /// Drops the lines that were taken, and a line that is too long already.
    fn make_room(&mut self) {
        if self.buffer.len() - self.start > self.limit {
            self.dropped += (self.buffer.len() - self.start) as u64;
            self.start = self.buffer.len();
        }
        self.buffer.drain(..self.start);
        self.seen -= self.start;
        self.start = 0;
    }

    fn fill<S: Storage<File = F>>(&mut self, storage: &S) -> io::Result<usize> {
        let held = self.buffer.len();
        let position = self.offset + self.dropped + held as u64;
        self.buffer.resize(held + self.chunk, 0);
        let read = read_some(storage, &self.file, position, &mut self.buffer[held..]);
        let count = *read.as_ref().unwrap_or(&0);
        if count == self.chunk {
            self.chunk = LARGEST_CHUNK.min(self.chunk * 2);
        }
        self.buffer.truncate(held + count);
        read
    }
}
