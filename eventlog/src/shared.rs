//! What a log's handle, its subscriptions and its followers share: the lock and the wake-ups.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError},
    task::Waker,
};

use crate::{
    Epoch,
    ring::{LeftOff, Ring, Segment},
    sync::{AtomicU64, Mutex, MutexGuard, Ordering},
    waiters::Waiters,
};

/// Of a log that is not closed.
const OPEN: u64 = u64::MAX;

pub(crate) struct Shared<E> {
    inner: Mutex<Inner<E>>,
    pub(crate) epoch: Epoch,
    /// The oldest retained sequence number, for readers that are not at the tip to look at
    /// without the lock. It changes only under the lock.
    oldest: AtomicU64,
    /// The sequence number behind the last event that subscribers get; `OPEN` until `close`.
    end: AtomicU64,
    lagged: AtomicU64,
}

pub(crate) struct Inner<E> {
    pub(crate) ring: Ring<E>,
    pub(crate) waiters: Waiters,
    pub(crate) readers: Readers,
    /// Where followers that have ended left off, by their names.
    pub(crate) left_off: BTreeMap<Arc<Path>, LeftOff>,
}

/// The live subscriptions: where each stands.
#[derive(Default)]
pub(crate) struct Readers {
    next_id: u64,
    places: BTreeMap<u64, Arc<AtomicU64>>,
}

impl Readers {
    /// A reader's id and the place that it keeps up to date.
    pub(crate) fn add(&mut self, place: u64) -> (u64, Arc<AtomicU64>) {
        let id = self.new_id();
        let place = Arc::new(AtomicU64::new(place));
        self.places.insert(id, place.clone());
        (id, place)
    }

    /// An id for someone who waits without being a subscriber.
    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The place of the reader that is furthest behind.
    pub(crate) fn slowest(&self) -> Option<u64> {
        self.places
            .values()
            .map(|place| place.load(Ordering::Relaxed))
            .min()
    }

    fn remove(&mut self, id: u64) {
        self.places.remove(&id);
    }
}

impl<E> Shared<E> {
    pub(crate) fn new(ring: Ring<E>) -> Self {
        Self {
            oldest: AtomicU64::new(ring.oldest()),
            end: AtomicU64::new(OPEN),
            lagged: AtomicU64::new(0),
            epoch: Epoch::random(),
            inner: Mutex::new(Inner {
                ring,
                waiters: Waiters::default(),
                readers: Readers::default(),
                left_off: BTreeMap::new(),
            }),
        }
    }

    /// The lock. The one panic that can happen under it is that of `append_with`'s closure, before
    /// anything was changed, so a poisoned lock guards a sound ring.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner<E>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends under the lock, then, outside it, wakes the readers and drops what was evicted.
    pub(crate) fn append<R>(
        &self,
        append: impl FnOnce(&mut Ring<E>, &mut Vec<Arc<Segment<E>>>) -> R,
    ) -> R {
        let mut freed = Vec::new();
        let mut inner = self.lock();
        let result = append(&mut inner.ring, &mut freed);
        self.oldest.store(inner.ring.oldest(), Ordering::Release);
        Self::unlock_and_wake(inner);
        result
    }

    /// Ends the live stream behind the newest event. Only the first call counts.
    pub(crate) fn close(&self) {
        let inner = self.lock();
        if self.end.load(Ordering::Acquire) == OPEN {
            self.end.store(inner.ring.next(), Ordering::Release);
        }
        Self::unlock_and_wake(inner);
    }

    fn unlock_and_wake(mut inner: MutexGuard<'_, Inner<E>>) {
        let waiters = inner.waiters.take_all();
        drop(inner);
        if let Some(waiters) = waiters {
            waiters.wake();
        }
    }

    pub(crate) fn oldest(&self) -> u64 {
        self.oldest.load(Ordering::Acquire)
    }

    /// Whether subscribers get nothing at `seq` or behind it.
    pub(crate) fn is_past_end(&self, seq: u64) -> bool {
        seq >= self.end.load(Ordering::Acquire)
    }

    /// `seq`, or the end of the stream if that comes first.
    pub(crate) fn not_past_end(&self, seq: u64) -> u64 {
        seq.min(self.end.load(Ordering::Acquire))
    }

    pub(crate) fn lagged(&self) -> u64 {
        self.lagged.load(Ordering::Relaxed)
    }

    pub(crate) fn count_lagged(&self, events: u64) {
        self.lagged.fetch_add(events, Ordering::Relaxed);
    }

    /// Has `waker` woken by the next append or close, unless the reader is `ready` by now: then it
    /// says `false`, and the reader looks again.
    pub(crate) fn wait(&self, id: u64, waker: Waker, ready: impl FnOnce(&Ring<E>) -> bool) -> bool {
        let mut inner = self.lock();
        if ready(&inner.ring) {
            drop(inner);
            return false;
        }
        let replaced = inner.waiters.insert(id, waker);
        drop(inner);
        drop(replaced);
        true
    }

    /// Forgets a reader.
    pub(crate) fn leave(&self, id: u64) {
        let mut inner = self.lock();
        inner.readers.remove(id);
        let waker = inner.waiters.remove(id);
        drop(inner);
        drop(waker);
    }
}
