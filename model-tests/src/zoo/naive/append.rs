//! How a naive log appends, and lets go of its oldest events.

use std::{
    mem,
    sync::{Arc, MutexGuard, PoisonError},
};

use super::state::{Entry, Naive, State};
use crate::{
    subject::{adapter::Event, case::weight_of},
    zoo::bugs::Bug,
};

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
            if self.has(Bug::LocksForEachEvent) {
                drop(state);
                gone.clear();
                state = self.0.lock();
            }
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
        let capacity = self.0.capacity;
        let waits = |state: &mut State<E>| {
            let full = state.retained.len() >= capacity;
            let anyone_at = |most: u64| state.readers.values().any(|at| *at <= most);
            match self.0.bug {
                Some(Bug::WaitsForReaders) => {
                    let behind = state.appended().checked_sub(2 * capacity as u64);
                    behind.is_some_and(anyone_at)
                }
                Some(Bug::WaitsToEvict) => full && anyone_at(state.evicted),
                Some(Bug::WaitsWhileReadersWait) => full && !state.waiters.is_empty(),
                _ => false,
            }
        };
        self.0
            .read
            .wait_while(state, waits)
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
        state.now = state.now.max(self.0.clock.now());
        let now = state.now;
        state.times.push_back(now);
        let keeps_more = state.retained.len() > self.0.capacity + 1;
        if self.revoke_leases(state) || keeps_more {
            self.evict_unleased(state, gone);
            return;
        }
        if state.retained.len() > self.0.capacity {
            self.evict(state, gone);
            let half = self.has(Bug::EvictsHalf);
            while half && state.retained.len() > self.0.capacity.div_ceil(2) {
                self.evict(state, gone);
            }
        }
        self.keep_to_limits(state, gone);
    }

    /// Looks at the clock, and lets go of what is too old by now.
    pub(super) fn pass(&self) {
        if self.0.max_age.is_none() || self.has(Bug::AgesOnAppendOnly) {
            return;
        }
        let mut gone = Vec::new();
        let mut state = self.0.lock();
        state.now = state.now.max(self.0.clock.now());
        self.keep_to_limits(&mut state, &mut gone);
        drop(state);
    }

    fn keep_to_limits(&self, state: &mut State<E>, gone: &mut Vec<Entry<E>>) {
        if self.0.max_bytes.is_none() && self.0.max_age.is_none() {
            return;
        }
        while !state.retained.is_empty() {
            let versions = state.retained.iter().map(|entry| entry.0);
            let weighs: u64 = versions.map(weight_of).sum();
            let oldest = state.times.front().copied().unwrap_or_default();
            let may_go = state.retained.len() > 1 || !self.has(Bug::KeepsOneTooHeavy);
            let is_over = may_go && self.0.max_bytes.is_some_and(|most| weighs > most);
            let is_old = |most| state.now.saturating_sub(oldest) > most;
            if !is_over && !self.0.max_age.is_some_and(is_old) {
                return;
            }
            let told = state.evicted_max;
            self.evict(state, gone);
            if is_over && self.has(Bug::WeightUntold) {
                state.evicted_max = told;
            }
        }
    }

    /// Says whether there are leases. Those that would keep more than they may are gone.
    fn revoke_leases(&self, state: &mut State<E>) -> bool {
        let had_any = !state.leases.is_empty();
        let bare = state.appended().saturating_sub(self.0.capacity as u64);
        if !self.has(Bug::LeaseWithoutBound) {
            state
                .leases
                .retain(|held| bare.saturating_sub(held.from) <= held.most);
        }
        had_any
    }

    fn evict_unleased(&self, state: &mut State<E>, gone: &mut Vec<Entry<E>>) {
        let bare = state.appended().saturating_sub(self.0.capacity as u64);
        let first = state.leases.iter().map(|held| held.from).min();
        let needed = first.unwrap_or(bare).min(bare);
        while state.evicted < needed {
            self.evict(state, gone);
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
        state.times.remove(index);
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
