//! What is found in the bytes up to a newline, or to the end of the file.

use std::io;

use super::super::line::{Found, RawLine, Span};
use super::FileLines;
use crate::disk::format::damage::{Damage, unreadable};
use crate::disk::format::record::record_start;

impl<F> FileLines<F> {
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
    pub(super) fn take(&mut self, end: usize) {
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
}
