//! A file's lines, one after the other.

mod take;

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::line::Span;
use super::log_file::OpenFile;
use super::same_bytes::differs_after;
use super::trace::Trace;
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
    /// Starts after what was read of the file, which is so many lines, and keeps trace of the rest.
    pub(crate) fn after(open: OpenFile<F>, limit: usize, number: u64, read: Trace) -> Self {
        let offset = read.len();
        Self {
            trace: Some(read),
            ..Self::at(open, limit, number, offset)
        }
    }

    /// Starts at `offset`, after so many lines.
    pub(crate) fn at(open: OpenFile<F>, limit: usize, number: u64, offset: u64) -> Self {
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

    /// Passes over lines that are in memory already and in which `find` finds nothing, but never over
    /// what must be told.
    pub(crate) fn pass_over(&mut self, find: &mut impl FnMut(&[u8]) -> Option<usize>) {
        let held = &self.buffer[self.start..self.filled];
        let is_special = self.dropped > 0 || self.start < self.zeros_end || held.len() > self.limit;
        if is_special || self.trace.is_some() {
            return;
        }
        let before = find(held).map_or(held, |at| held.get(..at).unwrap_or(held));
        if let Some(newline) = memchr::memrchr(b'\n', before) {
            self.number += memchr::memchr_iter(b'\n', &held[..=newline]).count() as u64;
            self.start += newline + 1;
            self.seen = self.seen.max(self.start);
            self.zeros_told = false;
        }
    }

    /// Finds the next line that has a newline. After the end of the file more may come later.
    #[inline]
    pub(crate) fn advance<S>(&mut self, storage: &S) -> io::Result<Advance>
    where
        S: Storage<File = F>,
    {
        let mut is_compared = false;
        loop {
            let unseen = &self.buffer[self.seen..self.filled];
            if let Some(at) = memchr::memchr(b'\n', unseen) {
                self.take(self.seen + at);
                return Ok(Advance::Found);
            }
            // Once a line: what is written anew while it is read is found out with the next.
            if !std::mem::replace(&mut is_compared, true)
                && let Some(offset) = self.differs_after(storage)?
            {
                return Ok(Advance::DiffersAfter(offset));
            }
            if !self.reads_more(storage)? {
                return Ok(Advance::End);
            }
        }
    }

    /// After which line the file is not what was read of it any more, if a trace is kept and it is
    /// not.
    #[cold]
    fn differs_after<S>(&mut self, storage: &S) -> io::Result<Option<u64>>
    where
        S: Storage<File = F>,
    {
        self.catch_up();
        match &self.trace {
            Some(trace) => differs_after(storage, &self.file, trace.len(), trace.end()),
            None => Ok(None),
        }
    }

    /// Reads more of the file, unless it ends here.
    #[cold]
    fn reads_more<S: Storage<File = F>>(&mut self, storage: &S) -> io::Result<bool> {
        self.seen = self.filled;
        self.make_room();
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
        Ok(count > 0)
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
