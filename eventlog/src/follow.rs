//! A follower: takes every event once, in batches, and keeps those that it has not taken alive
//! after the ring evicted them, up to a limit.

use std::{sync::Arc, task::Waker};

use crate::{
    ring::{HoldId, Segment, Taken},
    shared::Shared,
};

/// A place in the log that the log does not run away from, within a limit.
pub(crate) struct Follower<E> {
    shared: Arc<Shared<E>>,
    hold: HoldId,
    id: u64,
}

impl<E> Follower<E> {
    /// Follows from sequence number `from` on, or the oldest that is retained.
    pub(crate) fn new(shared: &Arc<Shared<E>>, from: u64, backlog: u64) -> Self {
        let mut inner = shared.lock();
        let hold = inner.ring.hold(from, backlog);
        let id = inner.readers.new_id();
        drop(inner);
        Self {
            shared: shared.clone(),
            hold,
            id,
        }
    }

    /// The next events, at most `max`, and what was lost right before them.
    pub(crate) fn take(&self, max: u64) -> Taken<E> {
        self.shared.lock().ring.take(self.hold, max)
    }

    /// Lets go of everything before `from`.
    pub(crate) fn advance(&self, from: u64) {
        self.change(|inner, freed| inner.ring.advance_hold(self.hold, from, freed));
    }

    /// Changes how many evicted events are kept.
    pub(crate) fn limit(&self, backlog: u64) {
        self.shared.lock().ring.limit_hold(self.hold, backlog);
    }

    /// The sequence number that the next append will get.
    pub(crate) fn next_seq(&self) -> u64 {
        self.shared.lock().ring.next()
    }

    /// Has `waker` woken by the next append; `false` if `seq` was appended meanwhile.
    pub(crate) fn wait(&self, seq: u64, waker: Waker) -> bool {
        self.shared.wait(self.id, waker, |ring| ring.next() > seq)
    }

    /// Runs a change that may free segments, and drops those outside the lock.
    fn change(&self, change: impl FnOnce(&mut crate::shared::Inner<E>, &mut Vec<Arc<Segment<E>>>)) {
        let mut freed = Vec::new();
        change(&mut self.shared.lock(), &mut freed);
    }
}

impl<E> Drop for Follower<E> {
    fn drop(&mut self) {
        self.change(|inner, freed| inner.ring.release(self.hold, freed));
        self.shared.leave(self.id);
    }
}
