//! The lines that are on their way to a destination, in a buffer that is used again and again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use super::{Gap, Records};

/// Whole lines that are not yet known to be durable.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// The end of each line in `bytes`.
    ends: Vec<usize>,
    /// The last sequence number that each line accounts for.
    through: Vec<u64>,
    /// The first line that is not durable. The lines before it wait for the buffer to be emptied.
    first: usize,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.first == self.ends.len()
    }

    /// Lines that are not known to be durable.
    pub(super) fn len(&self) -> usize {
        self.ends.len() - self.first
    }

    /// Lines in the buffer.
    pub(super) fn lines(&self) -> usize {
        self.ends.len()
    }

    /// Takes back all lines but the first `lines`.
    pub(super) fn truncate(&mut self, lines: usize) {
        self.ends.truncate(lines);
        self.through.truncate(lines);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Bytes in the buffer.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds an event's line. One that cannot be serialised leaves nothing, and says why.
    pub(super) fn push_event(&mut self, seq: u64, event: &impl Serialize) -> Result<(), String> {
        let start = self.bytes.len();
        let serialised = catch_unwind(AssertUnwindSafe(|| {
            serde_json::to_writer(&mut self.bytes, event).map_err(|error| error.to_string())
        }))
        .unwrap_or_else(|_| Err("its `Serialize` implementation panicked".to_owned()));
        if serialised.is_err() {
            self.bytes.truncate(start);
        } else {
            flatten(&mut self.bytes[start..]);
            self.tell_from_gap(start);
            self.end_line(seq);
        }
        serialised
    }

    /// Adds a line that stands for events that never reached the disk.
    pub(super) fn push_gap(&mut self, through: u64, gap: &Gap) {
        self.bytes
            .extend_from_slice(gap.to_line().trim_end().as_bytes());
        self.end_line(through);
    }

    /// The lines behind the first `skip` that are not durable.
    pub(super) fn records(&self, skip: usize) -> Records<'_> {
        Records::new(&self.bytes, &self.ends).skip(self.first + skip)
    }

    /// The first `lines` are durable. Says which sequence number that settles.
    pub(super) fn settle(&mut self, lines: usize) -> Option<u64> {
        let last = lines.checked_sub(1)?;
        let through = self.through.get(self.first + last).copied();
        self.first = (self.first + lines).min(self.ends.len());
        if self.is_empty() {
            self.clear();
        }
        through
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.through.clear();
        self.first = 0;
    }

    /// An event that looks like a gap line would be read as one. Its key is spelt in another way
    /// that means the same.
    fn tell_from_gap(&mut self, start: usize) {
        let line = &self.bytes[start..];
        if Gap::parse(line).is_some()
            && let Some(letter) = line.iter().position(|byte| *byte == b'e')
        {
            let letter = start + letter;
            self.bytes.splice(letter..=letter, *b"\\u0065");
        }
    }

    fn end_line(&mut self, through: u64) {
        self.bytes.push(b'\n');
        self.ends.push(self.bytes.len());
        self.through.push(through);
    }
}

/// JSON holds a line break only between tokens (as `RawValue` may pass through), where a space
/// means the same and keeps the line whole.
fn flatten(line: &mut [u8]) {
    if line.contains(&b'\n') {
        for byte in line.iter_mut().filter(|byte| **byte == b'\n') {
            *byte = b' ';
        }
    }
}
