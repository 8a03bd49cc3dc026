//! Iteration over a range of slots, across segments.

use std::{ops::Range, slice};

use super::{list::SegmentList, segment::Entry};
use crate::sync::Slot;

type Slots<'a, E> = slice::Iter<'a, Slot<Entry<E>>>;

/// The entries of a range of sequence numbers with these numbers, from both ends.
pub(crate) struct Entries<'a, E> {
    /// The number after the last that is left. The number of the first follows from it, so that
    /// iterating forward pays for no second counter.
    end: u64,
    segments: &'a SegmentList<E>,
    front: Slots<'a, E>,
    /// The numbers of the segments between the two ends.
    middle: Range<u64>,
    back: Slots<'a, E>,
}

impl<'a, E> Entries<'a, E> {
    /// Every number in `range` must have been appended, and its segment be in the list.
    pub(super) fn new(segments: &'a SegmentList<E>, range: Range<u64>) -> Self {
        let mut entries = Self {
            end: range.end,
            segments,
            front: [].iter(),
            middle: 0..0,
            back: [].iter(),
        };
        if !range.is_empty() {
            let (first, last) = (segments.number(range.start), segments.number(range.end - 1));
            let slots = |number| {
                let segment = segments.numbered(number);
                segment.map_or([].iter(), |segment| segment.slots_of(range.clone()).iter())
            };
            entries.front = slots(first);
            if first < last {
                entries.middle = first + 1..last;
                entries.back = slots(last);
            }
        }
        entries
    }

    /// The next with a version above `above`, past segments that have none. Never inlined, so that
    /// what takes all versions stays small enough to be.
    #[inline(never)]
    pub(crate) fn next_above(&mut self, above: u64) -> Option<&'a Entry<E>> {
        let segments = self.segments;
        self.next_with(
            |slots| {
                slots
                    .filter_map(Slot::get)
                    .find(|entry| entry.version > above)
            },
            |middle| segments.first_reaching(middle, above),
        )
    }

    /// The last with a version above `above`, past segments that have none.
    pub(crate) fn next_back_above(&mut self, above: u64) -> Option<&'a Entry<E>> {
        loop {
            let entry = self.next_back()?;
            if entry.version > above {
                return Some(entry);
            }
            if self.back.len() > 0 {
                continue;
            }
            let middle = self.middle.clone();
            let next = self.segments.last_reaching(middle, above);
            let next = next.map_or(self.middle.start, |number| number + 1);
            self.end -= self.segments.start(self.middle.end) - self.segments.start(next);
            self.middle.end = next;
        }
    }

    /// What `find` finds in the slots at the front, which are those of the segment that `choose`
    /// chooses next once nothing is found.
    #[inline]
    fn next_with(
        &mut self,
        find: impl Fn(&mut Slots<'a, E>) -> Option<&'a Entry<E>>,
        choose: impl Fn(Range<u64>) -> Option<u64>,
    ) -> Option<&'a Entry<E>> {
        loop {
            if let Some(found) = find(&mut self.front) {
                return Some(found);
            }
            let next = choose(self.middle.clone());
            self.middle.start = next.map_or(self.middle.end, |number| number + 1);
            self.front = match next.and_then(|number| self.segments.numbered(number)) {
                Some(segment) => segment.slots().iter(),
                None if self.back.len() > 0 => std::mem::take(&mut self.back),
                None => return None,
            };
        }
    }
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
        self.next_with(
            |slots| slots.next()?.get(),
            |middle| Some(middle.start).filter(|number| *number < middle.end),
        )
    }

    /// A loop for each segment, which does not look for the next one at every step.
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut f: F) -> B {
        let mut folded = self.front.filter_map(Slot::get).fold(init, &mut f);
        for segment in self
            .middle
            .filter_map(|number| self.segments.numbered(number))
        {
            let slots = segment.slots().iter();
            folded = slots.filter_map(Slot::get).fold(folded, &mut f);
        }
        self.back.filter_map(Slot::get).fold(folded, f)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let middle = if self.middle.is_empty() {
            0
        } else {
            let Range { start, end } = self.middle;
            self.segments.start(end) - self.segments.start(start)
        };
        let middle = usize::try_from(middle).unwrap_or(usize::MAX);
        let len = self.front.len() + middle + self.back.len();
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
            let previous = self.middle.next_back();
            self.back = match previous.and_then(|number| self.segments.numbered(number)) {
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
            segments: self.segments,
            front: self.front.clone(),
            middle: self.middle.clone(),
            back: self.back.clone(),
        }
    }
}
