//! A file's lines, one after the other.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::line::{Found, RawLine, Span};
use super::log_file::OpenFile;
use super::same_bytes::differs_after;
use super::trace::Trace;
use crate::disk::format::damage::{Damage, unreadable};
use crate::disk::format::record::record_start;
use crate::disk::storage::{Storage, read_some};

pub(crate) use crate::writer::faithful::MAX_LINE_BYTES;

/// How many bytes are asked for at first and at most: small files are common, large ones long.
const FIRST_CHUNK: usize = 2 * 1024;
const LARGEST_CHUNK: usize = 128 * 1024;

/// Reads a file line by line, holding no more of it than one line and some bytes after it.
pub(crate) struct FileLines<F> {
    path: Arc<Path>,
    file: F,
    limit: usize,
    chunk: usize,
    /// What was read, up to `filled`. The rest is room for more.
    buffer: Vec<u8>,
    filled: usize,
    /// Where in the file the buffer starts.
    base: u64,
    /// Where in the buffer the next line starts, and up to where no newline has been found.
    start: usize,
    seen: usize,
    /// How many bytes of that line were dropped from the buffer because it is too long.
    dropped: u64,
    /// Up to where in the buffer there are zero bytes, and whether those of the line that is next
    /// were told, so that what stands after them comes now.
    zeros_end: usize,
    zeros_told: bool,
    /// How many lines were taken.
    number: u64,
    /// What was read of the file up to `traced` in the buffer, if somebody wants to know the place
    /// again: then that is caught up with before anything is dropped.
    trace: Option<Trace>,
    traced: usize,
    /// The same with what was dropped of a line that is too long.
    dropped_trace: Option<Trace>,
    /// Where in the buffer is what was found last, and what it is if it is not simply a line.
    last_at: Range<usize>,
    special: Option<Span>,
}

/// What comes of going to the next line.
pub(crate) enum Advance {
    Found,
    /// The file ends here, for now.
    End,
    /// Somebody cut the file or wrote it anew: after this line it is not what was read of it. Found
    /// out only where a trace is kept.
    DiffersAfter(u64),
}

impl<F> FileLines<F> {
    pub(crate) fn new(open: OpenFile<F>, limit: usize) -> Self {
        Self::at(open, limit, 0, 0)
    }

    /// Starts after what was read of the file, which is so many lines, and keeps trace of the rest.
    pub(crate) fn after(open: OpenFile<F>, limit: usize, number: u64, read: Trace) -> Self {
        let offset = read.len();
        Self {
            trace: Some(read),
            ..Self::at(open, limit, number, offset)
        }
    }

    fn at(open: OpenFile<F>, limit: usize, number: u64, offset: u64) -> Self {
        Self {
            path: open.path.into(),
            file: open.file,
            limit,
            chunk: FIRST_CHUNK,
            buffer: Vec::new(),
            filled: 0,
            base: offset,
            start: 0,
            seen: 0,
            dropped: 0,
            zeros_end: 0,
            zeros_told: false,
            number,
            trace: None,
            traced: 0,
            dropped_trace: None,
            last_at: 0..0,
            special: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &F {
        &self.file
    }

    /// Where in the file the next line starts.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.start as u64 - self.dropped
    }

    /// What was read of the file up to there. Nothing where no trace is kept.
    pub(crate) fn read_so_far(&self) -> Trace {
        let mut trace = self.trace.clone().unwrap_or_default();
        trace.push(&self.buffer[self.traced..self.start]);
        trace
    }

    /// Goes back to the start of the line that is not finished yet: it may still change.
    pub(crate) fn rewind(&mut self) {
        self.catch_up();
        self.base = self.offset();
        self.filled = 0;
        self.start = 0;
        self.seen = 0;
        self.traced = 0;
        self.dropped = 0;
        self.dropped_trace = None;
        self.zeros_end = 0;
        self.zeros_told = false;
        self.last_at = 0..0;
    }

    /// Goes on after the first `number` lines, which are these bytes.
    pub(crate) fn jump(&mut self, number: u64, read: Trace) {
        self.rewind();
        self.base = read.len();
        self.number = number;
        self.trace = Some(read);
    }

    /// Brings the trace up to the next line.
    pub(crate) fn catch_up(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.push(&self.buffer[self.traced..self.start]);
        }
        self.traced = self.start;
    }

    /// Finds the next line that has a newline. After the end of the file more may come later.
    #[inline]
    pub(crate) fn advance<S>(&mut self, storage: &S) -> io::Result<Advance>
    where
        S: Storage<File = F>,
    {
        loop {
            let unseen = &self.buffer[self.seen..self.filled];
            if let Some(at) = memchr::memchr(b'\n', unseen) {
                self.take(self.seen + at);
                return Ok(Advance::Found);
            }
            if let Some(end) = self.read_more(storage)? {
                return Ok(end);
            }
        }
    }

    /// What was found last.
    #[inline]
    pub(crate) fn found(&self) -> Result<RawLine<'_>, Damage> {
        let bytes = self.found_bytes();
        match self.special {
            None => Ok(RawLine {
                file: &self.path,
                number: Some(self.number),
                offset: self.base + self.last_at.start as u64,
                bytes,
            }),
            Some(span) => span.with(&self.path, bytes),
        }
    }

    /// The bytes of what was found last, as far as they are held.
    #[inline]
    pub(crate) fn found_bytes(&self) -> &[u8] {
        &self.buffer[self.last_at.clone()]
    }

    /// The unfinished line at the end of a file that was read to its end. It is what was found last
    /// from now on.
    pub(crate) fn find_torn(&mut self) -> Option<Damage> {
        let len = self.dropped + (self.filled - self.start) as u64;
        self.last_at = self.start..self.filled;
        self.special = Some(self.next_as(Found::Torn, 0, len));
        (len > 0).then(|| self.found().err()).flatten()
    }

    /// As what readers give where the file could not be read.
    pub(crate) fn unreadable(&mut self, error: &io::Error) -> Damage {
        self.last_at = 0..0;
        unreadable(self.path.to_path_buf(), self.offset(), error)
    }

    /// Something in the line that is next, from so many bytes after its start on.
    fn next_as(&self, found: Found, from: usize, len: u64) -> Span {
        Span {
            found,
            number: Some(self.number + 1),
            offset: self.offset() + from as u64,
            len,
        }
    }

    /// The line that ends before the newline at `end` of the buffer.
    #[inline]
    fn take(&mut self, end: usize) {
        let is_too_long = end - self.start > self.limit || self.dropped > 0;
        if is_too_long || self.start < self.zeros_end {
            return self.take_special(end, is_too_long);
        }
        self.special = None;
        self.last_at = self.start..end;
        self.pass(end);
    }

    /// Goes to the line after the one that ends at `end`.
    #[inline]
    fn pass(&mut self, end: usize) {
        self.number += 1;
        self.start = end + 1;
        self.seen = end + 1;
        self.dropped = 0;
        self.zeros_told = false;
    }

    /// Takes a line that is too long; or the zeros of a line, and the next time what stands after
    /// them, if that is not nothing.
    #[cold]
    fn take_special(&mut self, end: usize, is_too_long: bool) {
        if is_too_long {
            let len = self.dropped + (end - self.start) as u64;
            let found = Found::TooLong { limit: self.limit };
            self.special = Some(self.next_as(found, 0, len));
            self.last_at = end..end;
            if let Some(mut trace) = self.dropped_trace.take() {
                trace.push(&self.buffer[self.start..=end]);
                self.trace = Some(trace);
                self.traced = end + 1;
            }
            return self.pass(end);
        }
        let text = self.start + record_start(&self.buffer[self.start..end]);
        if self.zeros_told || text == self.start {
            self.special = None;
            self.last_at = text..end;
            return self.pass(end);
        }
        self.last_at = self.start..text;
        let len = self.last_at.len() as u64;
        self.special = Some(self.next_as(Found::Zeros, 0, len));
        if text == end {
            self.pass(end);
        } else {
            self.zeros_told = true;
        }
    }

    /// Reads more of the file, and says why if there is no more.
    #[cold]
    fn read_more<S: Storage<File = F>>(&mut self, storage: &S) -> io::Result<Option<Advance>> {
        self.seen = self.filled;
        self.make_room();
        if let Some(trace) = &self.trace {
            let differs = differs_after(storage, &self.file, trace.len(), trace.end())?;
            if let Some(offset) = differs {
                return Ok(Some(Advance::DiffersAfter(offset)));
            }
        }
        let room = self.filled..self.filled + self.chunk;
        if self.buffer.len() < room.end {
            self.buffer.resize(room.end, 0);
        }
        let position = self.base + self.filled as u64;
        let count = read_some(storage, &self.file, position, &mut self.buffer[room])?;
        if count == self.chunk {
            self.chunk = LARGEST_CHUNK.min(self.chunk * 2);
        }
        if let Some(zero) = memchr::memrchr(0, &self.buffer[self.filled..self.filled + count]) {
            self.zeros_end = self.filled + zero + 1;
        }
        self.filled += count;
        Ok((count == 0).then_some(Advance::End))
    }

    /// Drops the lines that were taken, and a line that is too long already.
    fn make_room(&mut self) {
        self.catch_up();
        if self.filled - self.start > self.limit {
            self.dropped += (self.filled - self.start) as u64;
            if let Some(trace) = &self.trace {
                let trace = self.dropped_trace.get_or_insert_with(|| trace.clone());
                trace.push(&self.buffer[self.start..self.filled]);
            }
            self.start = self.filled;
        }
        self.base += self.start as u64;
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.seen -= self.start;
        self.zeros_end = self.zeros_end.saturating_sub(self.start);
        self.start = 0;
        self.traced = 0;
        self.last_at = 0..0;
    }
}
