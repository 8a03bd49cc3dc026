//! Iteration over a range of slots, across segments.

use std::{collections::vec_deque, ops::Range, slice, sync::Arc};

use super::segment::{Entry, Segment, SegmentList};
use crate::sync::Slot;

type Slots<'a, E> = slice::Iter<'a, Slot<Entry<E>>>;

/// The entries of a range of sequence numbers with these numbers, from both ends.
pub(crate) struct Entries<'a, E> {
    /// The number after the last that is left. The number of the first follows from it, so that
    /// iterating forward pays for no second counter.
    end: u64,
    segment_len: usize,
    front: Slots<'a, E>,
    middle: vec_deque::Iter<'a, Arc<Segment<E>>>,
    back: Slots<'a, E>,
}

impl<'a, E> Entries<'a, E> {
    /// Every number in `range` must have been appended, and its segment be in the list.
    pub(super) fn new(segments: &'a SegmentList<E>, range: Range<u64>) -> Self {
        let positions = segments
            .index(range.start)
            .zip(segments.index(range.end.saturating_sub(1)))
            .filter(|_| !range.is_empty());
        let Some((first, last)) = positions else {
            let none = [].iter();
            return Self {
                end: range.end,
                segment_len: 0,
                front: none.clone(),
                middle: segments.range(0..0),
                back: none,
            };
        };
        let slots = |at: usize| {
            let segment = segments.range(at..at + 1).next();
            segment.map_or([].iter(), |segment| part(segment, &range))
        };
        let back = if first == last {
            [].iter()
        } else {
            slots(last)
        };
        Self {
            end: range.end,
            segment_len: segments.segment_len(),
            front: slots(first),
            middle: segments.range((first + 1).min(last)..last),
            back,
        }
    }
}

/// The slots of `segment` that are in `range`.
fn part<'a, E>(segment: &'a Segment<E>, range: &Range<u64>) -> Slots<'a, E> {
    let from = segment.index_of(range.start).unwrap_or(0);
    let to = segment.index_of(range.end).unwrap_or(segment.slots().len());
    segment.slots()[from..to].iter()
}

impl<E> Entries<'_, E> {
    /// The number of the first that is left.
    pub(crate) fn start(&self) -> u64 {
        self.end - self.len() as u64
    }

    /// The number after the last that is left.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }
}

impl<'a, E> Iterator for Entries<'a, E> {
    type Item = &'a Entry<E>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(slot) = self.front.next() {
                return slot.get();
            }
            self.front = match self.middle.next() {
                Some(segment) => segment.slots().iter(),
                None if self.back.len() > 0 => std::mem::take(&mut self.back),
                None => return None,
            };
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.front.len() + self.middle.len() * self.segment_len + self.back.len();
        (len, Some(len))
    }
}

impl<E> DoubleEndedIterator for Entries<'_, E> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(slot) = self.back.next_back() {
                self.end -= 1;
                return slot.get();
            }
            self.back = match self.middle.next_back() {
                Some(segment) => segment.slots().iter(),
                None if self.front.len() > 0 => std::mem::take(&mut self.front),
                None => return None,
            };
        }
    }
}

impl<E> ExactSizeIterator for Entries<'_, E> {}

impl<E> Clone for Entries<'_, E> {
    fn clone(&self) -> Self {
        Self {
            end: self.end,
            segment_len: self.segment_len,
            front: self.front.clone(),
            middle: self.middle.clone(),
            back: self.back.clone(),
        }
    }
}
