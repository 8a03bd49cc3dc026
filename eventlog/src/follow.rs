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
    position: u64,
}

impl<E> Follower<E> {
    /// Follows from where a follower of this name left off, or from the oldest retained event on.
    pub(crate) fn new(shared: &Arc<Shared<E>>, name: &Path, backlog: u64) -> Self {
        let mut inner = shared.lock();
        let from = inner.left_off.get(name).copied().unwrap_or(0);
        let position = from.clamp(inner.ring.oldest(), inner.ring.next());
        let hold = inner.ring.hold(position, backlog);
        let id = inner.readers.new_id();
        drop(inner);
        Self {
            shared: shared.clone(),
            name: name.into(),
            hold,
            id,
            position,
        }
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
        self.shared.lock().left_off.insert(self.name.clone(), seq);
    }
}

impl<E> Drop for Follower<E> {
    fn drop(&mut self) {
        let mut freed = Vec::new();
        self.shared.lock().ring.release(self.hold, &mut freed);
        self.shared.leave(self.id);
    }
}
