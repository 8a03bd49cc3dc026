//! A fixed run of slots, filled once each, shared with readers while it fills.

use std::{
    collections::{VecDeque, vec_deque},
    mem,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    slice,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{cursor::Epoch, sync::Slot};

/// An event beside its version, which was asked for once, outside the lock.
pub(crate) struct Entry<E> {
    pub(crate) version: u64,
    pub(crate) event: E,
}

/// Slots for the sequence numbers `first..end`.
pub(crate) struct Segment<E> {
    /// The life of the log that the numbers belong to, so that a reference to an event need not
    /// carry it.
    epoch: Epoch,
    first: u64,
    slots: Box<[Slot<Entry<E>>]>,
    alive: Arc<AtomicUsize>,
}

impl<E> Segment<E> {
    /// An empty segment that counts itself in `alive` for as long as it is held.
    pub(super) fn new(epoch: Epoch, first: u64, len: usize, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self {
            epoch,
            first,
            slots: (0..len).map(|_| Slot::new()).collect(),
            alive: alive.clone(),
        }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    pub(super) fn slots(&self) -> &[Slot<Entry<E>>] {
        &self.slots
    }

    /// The slot's index, if `seq` has its place here.
    pub(crate) fn index_of(&self, seq: u64) -> Option<usize> {
        let offset = seq.checked_sub(self.first)?;
        usize::try_from(offset)
            .ok()
            .filter(|index| *index < self.slots.len())
    }

    /// The event at `seq`, if it has its place here and was appended.
    pub(crate) fn get(&self, seq: u64) -> Option<&Entry<E>> {
        self.slots.get(self.index_of(seq)?)?.get()
    }

    /// Fills the slot of `seq`, which the ring does once per sequence number.
    pub(super) fn fill(&self, seq: u64, entry: Entry<E>) {
        if let Some(index) = self.index_of(seq) {
            self.slots[index].fill(entry);
        }
    }
}

impl<E> Drop for Segment<E> {
    /// A panic in the `Drop` of one event reaches the thread that drops the segment, and every other event
    /// is dropped all the same.
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
        let mut remains = Remains(self.slots.iter_mut());
        for slot in &mut remains.0 {
            // What was in it is dropped in its place.
            *slot = Slot::new();
        }
    }
}

/// What is left to be dropped. There is nothing, unless a drop has panicked: another panic would
/// then abort the process, so it is caught.
struct Remains<'a, E>(slice::IterMut<'a, Slot<Entry<E>>>);

impl<E> Drop for Remains<'_, E> {
    fn drop(&mut self) {
        for slot in &mut self.0 {
            caught_all([mem::replace(slot, Slot::new())]);
        }
    }
}

/// Drops all of them, one by one: two panics at once would abort the process. The first panic of a
/// user's `Drop` reaches the caller after that.
pub(crate) fn bury_all<T>(all: impl IntoIterator<Item = T>) {
    let mut panicked = None;
    for one in all {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(one))) {
            // The panic before can reach no caller any more, and may panic in its own drop.
            mem::forget(panicked.replace(payload));
        }
    }
    if let Some(payload) = panicked {
        resume_unwind(payload);
    }
}

/// As [`bury_all`], and a panic goes no further.
pub(crate) fn caught_all<T>(all: impl IntoIterator<Item = T>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| bury_all(all))) {
        mem::forget(payload);
    }
}

/// Segments of one ring, oldest first, without holes, all of one length: a power of two, so that a
/// slot is found with a shift and a mask.
pub(crate) struct SegmentList<E> {
    list: VecDeque<Arc<Segment<E>>>,
    segment_len: usize,
}

impl<E> SegmentList<E> {
    /// No segments. `segment_len` must be a power of two.
    pub(super) fn new(segment_len: usize) -> Self {
        debug_assert!(segment_len.is_power_of_two());
        Self {
            list: VecDeque::new(),
            segment_len,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Slots per segment.
    pub(super) fn segment_len(&self) -> usize {
        self.segment_len
    }

    /// The sequence number after the last that has a slot; `None` without segments.
    pub(super) fn end(&self) -> Option<u64> {
        self.list.back().map(|back| back.end())
    }

    /// The segment with a slot for `seq`, if there is one.
    pub(super) fn segment(&self, seq: u64) -> Option<&Arc<Segment<E>>> {
        self.list.get(self.index(seq)?)
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

    /// The segments with these positions in the list.
    pub(super) fn range(&self, positions: Range<usize>) -> vec_deque::Iter<'_, Arc<Segment<E>>> {
        self.list.range(positions)
    }

    /// The position in the list of the segment that has, or would have, a slot for `seq`.
    pub(super) fn index(&self, seq: u64) -> Option<usize> {
        let distance = seq.checked_sub(self.list.front()?.first)?;
        // A shift, because a division is felt in each append. The segments of a distance beyond
        // the address space are not in any list.
        Some(usize::try_from(distance >> self.segment_len.trailing_zeros()).unwrap_or(usize::MAX))
    }

    /// Adds a segment that follows the last one.
    pub(super) fn push(&mut self, segment: Arc<Segment<E>>) {
        self.list.push_back(segment);
    }

    /// The last segment; `None` without segments.
    pub(super) fn last(&self) -> Option<&Arc<Segment<E>>> {
        self.list.back()
    }

    /// Takes the first segment out if all its numbers are below `needed`.
    pub(super) fn pop_below(&mut self, needed: u64) -> Option<Arc<Segment<E>>> {
        let front = self.list.front()?;
        if front.end() > needed {
            return None;
        }
        self.list.pop_front()
    }

    /// Whether the first segment has only numbers below `needed`.
    pub(super) fn has_below(&self, needed: u64) -> bool {
        self.list.front().is_some_and(|front| front.end() <= needed)
    }
}

impl<E> Drop for SegmentList<E> {
    fn drop(&mut self) {
        bury_all(self.list.drain(..));
    }
}

impl<E> Clone for SegmentList<E> {
    fn clone(&self) -> Self {
        Self {
            list: self.list.clone(),
            segment_len: self.segment_len,
        }
    }
}
