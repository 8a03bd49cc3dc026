//! The segments of a ring in a list of two levels.
//!
//! Whoever holds a list that the ring goes on to change makes it copy what it changes. In one level
//! that would be the whole list, under the log's lock; in two it is the list of blocks and one block
//! at each end.

use std::{collections::VecDeque, sync::Arc};

use super::{
    dead::bury_all,
    segment::{Entry, Segment},
    versions::Versions,
};
use crate::sync::Slot;

/// Segments per block, about as many as there are blocks in a ring of 2^20 events.
const BLOCK_LEN: u64 = 64;

/// Segments with numbers from one multiple of `BLOCK_LEN` to the next, as far as the list has them.
struct Block<E> {
    segments: VecDeque<Arc<Segment<E>>>,
    /// Filled when all its segments are full. Of segments that are gone since then it tells too.
    versions: Slot<Versions>,
}

/// Slots of the first segment of a history, at most. A power of two.
const FIRST_LEN: usize = 8;

/// Segments of one ring, oldest first, without holes. All have one length, a power of two, so that a
/// slot is found with a shift; but where a history begins, so that a log of a few events is small:
/// the first has `FIRST_LEN` slots, and those after it double what there is until that is one length.
pub(crate) struct SegmentList<E> {
    blocks: VecDeque<Arc<Block<E>>>,
    /// Number of the first segment, and the number after the last.
    first: u64,
    end: u64,
    shift: u32,
    /// How many segments there are before the first of full length, less one.
    doublings: u32,
}

impl<E> SegmentList<E> {
    /// No segments. `segment_len`, the length that they grow to, must be a power of two.
    pub(super) fn new(segment_len: usize) -> Self {
        debug_assert!(segment_len.is_power_of_two());
        Self {
            blocks: VecDeque::new(),
            first: 0,
            end: 0,
            shift: segment_len.trailing_zeros(),
            doublings: (segment_len / FIRST_LEN.min(segment_len)).trailing_zeros(),
        }
    }

    /// How many segments there are.
    pub(super) fn len(&self) -> usize {
        usize::try_from(self.end - self.first).unwrap_or(usize::MAX)
    }

    /// Slots per segment, once they have grown.
    pub(super) fn segment_len(&self) -> usize {
        1 << self.shift
    }

    /// The number of the segment that has, or would have, a slot for `seq`.
    #[inline]
    pub(super) fn number(&self, seq: u64) -> u64 {
        match seq >> self.shift {
            0 => self.small_number(seq),
            grown => grown + u64::from(self.doublings),
        }
    }

    #[cold]
    fn small_number(&self, seq: u64) -> u64 {
        let first = self.shift - self.doublings;
        let doubled = (seq >> first).checked_ilog2();
        doubled.map_or(0, |doubled| u64::from(doubled) + 1)
    }

    /// The first slot of the segment of this number.
    #[inline]
    pub(super) fn start(&self, number: u64) -> u64 {
        match number.checked_sub(u64::from(self.doublings)) {
            Some(grown @ 1..) => grown << self.shift,
            _ => self.small_start(number),
        }
    }

    #[cold]
    fn small_start(&self, number: u64) -> u64 {
        let first = u64::from(self.shift - self.doublings);
        number
            .checked_sub(1)
            .map_or(0, |doubled| 1 << (first + doubled))
    }

    /// The first slot of the segment that has, or would have, one for `seq`.
    pub(super) fn start_of(&self, seq: u64) -> u64 {
        self.start(self.number(seq))
    }

    /// The slot after the last of that segment.
    pub(super) fn end_of(&self, seq: u64) -> u64 {
        self.start(self.number(seq) + 1)
    }

    /// The segment of this number, if there is one.
    pub(super) fn numbered(&self, number: u64) -> Option<&Arc<Segment<E>>> {
        let first_of_block = (number - number % BLOCK_LEN).max(self.first);
        let at = number.checked_sub(first_of_block)?;
        let block = self.block_of(number)?;
        block.segments.get(usize::try_from(at).ok()?)
    }

    /// The segment with a slot for `seq`, if there is one.
    pub(super) fn segment(&self, seq: u64) -> Option<&Arc<Segment<E>>> {
        self.numbered(self.number(seq))
    }

    /// The entry at `seq`, which must be in one of the segments.
    pub(super) fn entry(&self, seq: u64) -> &Entry<E> {
        #[expect(
            clippy::expect_used,
            reason = "callers ask only for what was appended and is held"
        )]
        self.segment(seq)
            .and_then(|segment| segment.get(seq))
            .expect("the slot of a retained sequence number is filled")
    }

    /// What is known of the versions from `seq` on, and up to which number: of a block of segments
    /// if `is_enough` for that, otherwise of one segment.
    pub(super) fn known(
        &self,
        seq: u64,
        is_enough: impl Fn(&Versions) -> bool,
    ) -> (u64, Option<Versions>) {
        let number = self.number(seq);
        let of_block = self
            .block_of(number)
            .and_then(|block| block.versions.get().copied())
            .filter(|versions| is_enough(versions));
        if of_block.is_some() {
            let next = number - number % BLOCK_LEN + BLOCK_LEN;
            return (self.start(next), of_block);
        }
        let of_segment = self
            .numbered(number)
            .and_then(|segment| segment.versions())
            .filter(|versions| is_enough(versions));
        (self.start(number + 1), of_segment)
    }

    /// Adds a segment that follows the last one.
    pub(super) fn push(&mut self, segment: Arc<Segment<E>>) {
        let number = self.number(segment.first());
        if self.blocks.is_empty() {
            self.first = number;
        }
        if self.blocks.is_empty() || number.is_multiple_of(BLOCK_LEN) {
            self.blocks.push_back(Arc::new(Block {
                segments: VecDeque::new(),
                versions: Slot::new(),
            }));
        }
        if let Some(block) = self.blocks.back_mut() {
            Arc::make_mut(block).segments.push_back(segment);
        }
        self.end = number + 1;
    }

    /// Notes that the last segment is full.
    pub(super) fn note_full(&self) {
        if self.end.is_multiple_of(BLOCK_LEN)
            && let Some(block) = self.blocks.back()
        {
            let versions = block.segments.iter().map(|segment| segment.versions());
            let versions = versions.flatten().reduce(Versions::and_then);
            if let Some(versions) = versions {
                block.versions.fill(versions);
            }
        }
    }

    /// Takes the first segment out.
    pub(super) fn pop(&mut self) -> Option<Arc<Segment<E>>> {
        let block = Arc::make_mut(self.blocks.front_mut()?);
        let segment = block.segments.pop_front()?;
        if block.segments.is_empty() {
            self.blocks.pop_front();
        }
        self.first += 1;
        Some(segment)
    }

    /// Whether the first segment has only numbers below `needed`.
    pub(super) fn has_below(&self, needed: u64) -> bool {
        self.first < self.end && self.first < self.number(needed)
    }

    fn block_of(&self, number: u64) -> Option<&Block<E>> {
        let at = (number / BLOCK_LEN).checked_sub(self.first / BLOCK_LEN)?;
        self.blocks.get(usize::try_from(at).ok()?).map(Arc::as_ref)
    }
}

impl<E> Drop for Block<E> {
    fn drop(&mut self) {
        bury_all(self.segments.drain(..));
    }
}

impl<E> Drop for SegmentList<E> {
    fn drop(&mut self) {
        bury_all(self.blocks.drain(..));
    }
}

impl<E> Clone for Block<E> {
    fn clone(&self) -> Self {
        // With room for those to come, because the one that is copied is mostly the last.
        let mut segments = VecDeque::with_capacity(self.segments.len().next_power_of_two());
        segments.extend(self.segments.iter().cloned());
        let versions = Slot::new();
        if let Some(known) = self.versions.get() {
            versions.fill(*known);
        }
        Self { segments, versions }
    }
}

impl<E> Clone for SegmentList<E> {
    fn clone(&self) -> Self {
        Self {
            blocks: self.blocks.clone(),
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each slot is in one segment, and segments double until they are of full length.
    #[test]
    fn numbers_and_places_agree() {
        for shift in 0..=8 {
            let list = SegmentList::<u8>::new(1 << shift);
            let mut next = 0;
            for number in 0..20 {
                let (start, end) = (list.start(number), list.start(number + 1));
                assert_eq!(start, next);
                let len = end - start;
                let grown = len == 1 << shift;
                assert!(
                    grown || (number == 0 && len == 8) || len == start,
                    "{shift} {number}"
                );
                for seq in start..end {
                    assert_eq!(list.number(seq), number);
                    assert_eq!((list.start_of(seq), list.end_of(seq)), (start, end));
                }
                next = end;
            }
        }
    }
}
