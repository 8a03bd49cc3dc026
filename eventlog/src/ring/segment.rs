//! A fixed run of slots, filled once each, shared with readers while it fills.

use std::{
    mem,
    ops::Range,
    slice,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{dead::caught_all, versions::Versions};
#[cfg(feature = "sse")]
use crate::sync::Mutex;
use crate::{cursor::Epoch, sync::Slot};

/// What somebody made of the events of a segment.
#[cfg(feature = "sse")]
pub(crate) type Beside = Arc<dyn std::any::Any + Send + Sync>;

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
    /// Filled when all slots are.
    versions: Slot<Versions>,
    alive: Arc<AtomicUsize>,
    /// By the id of who made it. It goes when the segment goes.
    #[cfg(feature = "sse")]
    beside: Mutex<Vec<(u64, Beside)>>,
}

impl<E> Segment<E> {
    /// An empty segment that counts itself in `alive` for as long as it is held.
    pub(super) fn new(epoch: Epoch, slots: Range<u64>, alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self {
            epoch,
            first: slots.start,
            slots: slots.map(|_| Slot::new()).collect(),
            versions: Slot::new(),
            alive: alive.clone(),
            #[cfg(feature = "sse")]
            beside: Mutex::default(),
        }
    }

    /// What is kept beside the events under this id; `make` makes it where there is nothing yet,
    /// and must not be a user's code.
    #[cfg(feature = "sse")]
    pub(crate) fn beside(&self, id: u64, make: impl FnOnce() -> Beside) -> Beside {
        let mut beside = self.beside.lock();
        if let Some((_, found)) = beside.iter().find(|(other, _)| *other == id) {
            return found.clone();
        }
        let new = make();
        beside.push((id, new.clone()));
        new
    }

    /// Lets go of what is kept under this id.
    #[cfg(feature = "sse")]
    pub(crate) fn forget_beside(&self, id: u64) {
        self.beside.lock().retain(|(other, _)| *other != id);
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// What is known of the versions, once all slots are filled.
    pub(super) fn versions(&self) -> Option<Versions> {
        self.versions.get().copied()
    }

    pub(crate) fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    pub(super) fn slots(&self) -> &[Slot<Entry<E>>] {
        &self.slots
    }

    /// The slots of the numbers in `range` that have their place here.
    pub(crate) fn slots_of(&self, range: Range<u64>) -> &[Slot<Entry<E>>] {
        let from = self.index_of(range.start).unwrap_or(0);
        let to = self.index_of(range.end).unwrap_or(self.slots.len());
        self.slots.get(from..to).unwrap_or_default()
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
    #[inline]
    pub(super) fn fill(&self, seq: u64, entry: Entry<E>) {
        if let Some(index) = self.index_of(seq) {
            self.slots[index].fill(entry);
        }
    }

    /// Notes that all slots are filled, and whether versions rise from the first to the last.
    pub(super) fn note_full(&self, rises: bool) {
        let versions = || {
            self.slots
                .iter()
                .filter_map(|slot| Some(slot.get()?.version))
        };
        // Two looks are enough where the others lie between them.
        let known = if rises {
            Versions::of(versions().take(1).chain(versions().next_back()))
        } else {
            Versions::of(versions())
        };
        if let Some(known) = known {
            self.versions.fill(known);
        }
    }
}

impl<E> Drop for Segment<E> {
    /// A panic in the `Drop` of one event reaches the thread that drops the segment, and every other event
    /// is dropped all the same.
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
        if !mem::needs_drop::<E>() {
            return; // and do not write to each slot for nothing
        }
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
