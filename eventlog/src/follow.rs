//! A follower: takes every event once, in batches, and keeps those that it has not taken alive
//! after the ring evicted them, up to a limit.

use std::{path::Path, sync::Arc, task::Waker};

use crate::{
    ring::{HoldId, Taken},
    shared::Shared,
};

/// A place in the log that the log does not run away from, within a limit. It has a name, under
/// which a later follower goes on where this one left off.
pub(crate) struct Follower<E> {
    shared: Arc<Shared<E>>,
    name: Arc<Path>,
    hold: HoldId,
    id: u64,
    begin: u64,
    position: u64,
}

impl<E> Follower<E> {
    /// Follows from where a follower of this name left off, or from the first event on. What was
    /// evicted before this comes as lost.
    pub(crate) fn new(shared: &Arc<Shared<E>>, name: &Path, backlog: u64) -> Self {
        let mut inner = shared.lock();
        let left_off = inner.left_off.get(name).copied();
        let left_off = left_off.unwrap_or_else(|| inner.ring.left_off(1));
        let hold = inner.ring.hold(left_off, backlog);
        let position = left_off.next.max(inner.ring.oldest());
        let id = inner.readers.new_id();
        drop(inner);
        Self {
            shared: shared.clone(),
            name: name.into(),
            hold,
            id,
            begin: left_off.next,
            position,
        }
    }

    /// The first sequence number that this follower has to account for.
    pub(crate) fn begin(&self) -> u64 {
        self.begin
    }

    /// The sequence number of the event to be taken next.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next events, at most `max`, and what was lost right before them.
    pub(crate) fn take(&mut self, max: u64) -> Taken<E> {
        let mut freed = Vec::new();
        let taken = self.shared.lock().ring.take(self.hold, max, &mut freed);
        self.position = taken.end();
        taken
    }

    /// Changes how many evicted events are kept.
    pub(crate) fn limit(&self, backlog: u64) {
        self.shared.lock().ring.limit_hold(self.hold, backlog);
    }

    /// Asks for the sequence number of the newest event, from anywhere.
    pub(crate) fn newest(&self) -> impl Fn() -> u64 + Send + Sync + use<E>
    where
        E: Send + Sync + 'static,
    {
        let shared = self.shared.clone();
        move || shared.lock().ring.next() - 1
    }

    /// Has `waker` woken by the next append; `false` if there is something to take already.
    pub(crate) fn wait(&self, waker: Waker) -> bool {
        self.shared
            .wait(self.id, waker, |ring| ring.next() > self.position)
    }

    /// Remembers where a later follower of the same name goes on.
    pub(crate) fn leave_off_at(&self, seq: u64) {
        let mut inner = self.shared.lock();
        let left_off = inner.ring.left_off(seq);
        inner.left_off.insert(self.name.clone(), left_off);
    }
}

impl<E> Drop for Follower<E> {
    fn drop(&mut self) {
        let mut freed = Vec::new();
        self.shared.lock().ring.release(self.hold, &mut freed);
        self.shared.leave(self.id);
    }
}
