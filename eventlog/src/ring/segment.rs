//! A fixed run of slots, filled once each, shared with readers while it fills.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The segments of one ring, oldest first, without holes.
pub(crate) type SegmentList<E> = VecDeque<Arc<Segment<E>>>;

/// An event beside its version, which was asked for once, outside the lock.
pub(crate) struct Entry<E> {
    pub(crate) version: u64,
    pub(crate) event: E,
}

/// Slots for the sequence numbers `first..end`.
pub(crate) struct Segment<E> {
    first: u64,
    slots: Box<[OnceLock<Entry<E>>]>,
    alive: Arc<AtomicUsize>,
}

impl<E> Segment<E> {
    /// An empty segment that counts itself in `alive` for as long as anyone holds it.
    pub(crate) fn new(first: u64, len: usize, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self {
            first,
            slots: (0..len).map(|_| OnceLock::new()).collect(),
            alive: alive.clone(),
        }
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    pub(crate) fn slots(&self) -> &[OnceLock<Entry<E>>] {
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

    /// Fills the slot of `seq`, which the ring does once a sequence number.
    pub(super) fn fill(&self, seq: u64, entry: Entry<E>) {
        debug_assert!(self.get(seq).is_none(), "{seq} has a slot that is empty");
        if let Some(index) = self.index_of(seq) {
            self.slots[index].get_or_init(|| entry);
        }
    }
}

impl<E> Drop for Segment<E> {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}
