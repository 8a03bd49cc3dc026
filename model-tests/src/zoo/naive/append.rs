//! How a naive log appends, and lets go of its oldest events.

use std::{
    mem,
    sync::{Arc, MutexGuard, PoisonError},
};

use super::state::{Entry, Naive, State};
use crate::{subject::adapter::Event, zoo::bugs::Bug};

impl<E: Event> Naive<E> {
    pub(super) fn append_all(&self, events: Vec<E>, wakes: bool) -> u64 {
        let version = |event: E| (event.version(), Arc::new(event));
        let entries: Vec<Entry<E>> = events.into_iter().map(version).collect();
        let mut gone = Vec::new();
        let mut state = self.0.lock();
        for (version, event) in entries {
            if self.has(Bug::AsksVersionUnderLock) {
                let _ = event.version();
            }
            state = self.wait_for_readers(state);
            self.push(&mut state, (version, event), &mut gone);
        }
        let seq = state.appended();
        if !wakes {
            return seq;
        }
        let second = self
            .0
            .second(&[Bug::LocksInTurns, Bug::DropsWakerBetweenLocks]);
        let mut waiters = mem::take(&mut state.waiters);
        if self.has(Bug::WakesOne) {
            waiters.truncate(1);
        }
        if self.has(Bug::DropsUnderLock) {
            gone.clear();
        }
        if self.has(Bug::WakesUnderLock) {
            self.0.wake(mem::take(&mut waiters));
        }
        drop(second);
        drop(state);
        drop(gone);
        self.0.wake(waiters);
        seq
    }

    fn wait_for_readers<'a>(&'a self, state: MutexGuard<'a, State<E>>) -> MutexGuard<'a, State<E>> {
        if !self.has(Bug::WaitsForReaders) {
            return state;
        }
        let room = 2 * self.0.capacity as u64;
        let full = |state: &mut State<E>| {
            let appended = state.appended();
            state.readers.values().any(|place| appended >= place + room)
        };
        self.0
            .read
            .wait_while(state, full)
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, state: &mut State<E>, entry: Entry<E>, gone: &mut Vec<Entry<E>>) {
        let version = entry.0;
        if self.has(Bug::RefusesRepeats) && state.newest == Some(version) {
            return;
        }
        state.base.get_or_insert(version.saturating_sub(1));
        state.newest = Some(version);
        state.retained.push_back(entry);
        if state.retained.len() > self.0.capacity {
            self.evict(state, gone);
            let half = self.has(Bug::EvictsHalf);
            while half && state.retained.len() > self.0.capacity.div_ceil(2) {
                self.evict(state, gone);
            }
        }
    }

    pub(super) fn evict(&self, state: &mut State<E>, gone: &mut Vec<Entry<E>>) {
        let newest = self.has(Bug::EvictsNewest);
        let index = if newest {
            state.retained.len().saturating_sub(2)
        } else {
            0
        };
        let Some(entry) = state.retained.remove(index) else {
            return;
        };
        state.evicted += 1;
        state.evicted_max = if self.has(Bug::LastEvictedOnly) {
            Some(entry.0)
        } else {
            state.evicted_max.max(Some(entry.0))
        };
        if self.has(Bug::KeepsEvicted) || self.has(Bug::FreesLate) {
            state.kept_for_nothing.push(entry);
        } else {
            gone.push(entry);
        }
        if self.has(Bug::FreesLate) && state.kept_for_nothing.len() > 3 * self.0.capacity {
            gone.append(&mut state.kept_for_nothing);
        }
    }
}
