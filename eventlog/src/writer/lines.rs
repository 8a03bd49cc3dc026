//! Whole lines back to back, and what each accounts for.

use std::ops::Range;

use super::records::{Meta, Records};

/// Whole lines back to back, and what each accounts for. The text of the next line is put at the
/// end of `bytes`, and is no line before it is [ended](Self::end_line).
#[derive(Default)]
pub(super) struct Lines {
    pub(super) bytes: Vec<u8>,
    /// The end of each line in `bytes`.
    ends: Vec<usize>,
    metas: Vec<Meta>,
}

impl Lines {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn meta(&self, line: usize) -> Option<&Meta> {
        self.metas.get(line)
    }

    pub(super) fn last(&self) -> Option<&Meta> {
        self.metas.last()
    }

    /// The first line that accounts for this event or for later ones, where events rise.
    pub(super) fn place(&self, seq: u64) -> usize {
        self.metas.partition_point(|meta| meta.seq.get() < seq)
    }

    /// All of them, for a destination.
    pub(super) fn records(&self) -> Records<'_> {
        Records::new(&self.bytes, &self.ends).with_metas(&self.metas)
    }

    /// Where the line after the first `lines` starts.
    pub(super) fn start_of(&self, lines: usize) -> usize {
        lines.checked_sub(1).map_or(0, |line| self.ends[line])
    }

    /// Makes the text at the end a line.
    pub(super) fn end_line(&mut self, meta: Meta) {
        self.bytes.push(b'\n');
        self.ends.push(self.bytes.len());
        self.metas.push(meta);
    }

    /// Keeps the first `lines`, and no text after them.
    pub(super) fn truncate(&mut self, lines: usize) {
        self.bytes.truncate(self.start_of(lines));
        self.ends.truncate(lines);
        self.metas.truncate(lines);
    }

    /// Puts another line in place of one, and says how many bytes that one had.
    pub(super) fn replace(&mut self, line: usize, with: &[u8], meta: Meta) -> usize {
        let (start, end) = (self.start_of(line), self.ends[line]);
        self.bytes.splice(start..end, with.iter().copied());
        for later in &mut self.ends[line..] {
            *later = *later - (end - start) + with.len();
        }
        self.metas[line] = meta;
        end - start
    }

    /// Adds some lines of others.
    pub(super) fn extend_from(&mut self, others: &Self, lines: Range<usize>) {
        let (start, end) = (others.start_of(lines.start), others.start_of(lines.end));
        let base = self.bytes.len();
        self.bytes.extend_from_slice(&others.bytes[start..end]);
        let ends = others.ends[lines.clone()].iter();
        self.ends.extend(ends.map(|end| base + end - start));
        self.metas.extend_from_slice(&others.metas[lines]);
    }

    /// Forgets all, and keeps memory for so many bytes: not for long the size of a giant.
    pub(super) fn clear(&mut self, keep_bytes: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(keep_bytes);
        self.ends.clear();
        self.metas.clear();
    }
}
