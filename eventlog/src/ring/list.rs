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

/// Segments of one ring, oldest first, without holes, all of one length: a power of two, so that a
/// slot is found with a shift and a mask. Segment `n` has the slots from `n << shift` on.
pub(crate) struct SegmentList<E> {
    blocks: VecDeque<Arc<Block<E>>>,
    /// Number of the first segment, and the number after the last.
    first: u64,
    end: u64,
    shift: u32,
}

impl<E> SegmentList<E> {
    /// No segments. `segment_len` must be a power of two.
    pub(super) fn new(segment_len: usize) -> Self {
        debug_assert!(segment_len.is_power_of_two());
        Self {
            blocks: VecDeque::new(),
            first: 0,
            end: 0,
            shift: segment_len.trailing_zeros(),
        }
    }

    /// How many segments there are.
    pub(super) fn len(&self) -> usize {
        usize::try_from(self.end - self.first).unwrap_or(usize::MAX)
    }

    /// Slots per segment.
    pub(super) fn segment_len(&self) -> usize {
        1 << self.shift
    }

    /// The number of the segment that has, or would have, a slot for `seq`.
    pub(super) fn number(&self, seq: u64) -> u64 {
        seq >> self.shift
    }

    /// The first sequence number of the segment that has, or would have, a slot for `seq`.
    pub(super) fn start_of(&self, seq: u64) -> u64 {
        self.number(seq) << self.shift
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
            return (next << self.shift, of_block);
        }
        let of_segment = self
            .numbered(number)
            .and_then(|segment| segment.versions())
            .filter(|versions| is_enough(versions));
        ((number + 1) << self.shift, of_segment)
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
