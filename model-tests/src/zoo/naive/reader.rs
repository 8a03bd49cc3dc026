//! A reader of a naive log: a place in it.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll},
};

use super::state::{Entry, Shared};
use crate::{
    subject::{
        adapter::Event,
        log::{Received, Subscription},
    },
    zoo::bugs::Bug,
};

/// How many events a poll gives in a row before it lets others run.
const TURN: u32 = 128;

/// Where a reader stands.
#[derive(Debug)]
pub(super) struct NaiveReader<E> {
    shared: Arc<Shared<E>>,
    id: u64,
    next: u64,
    in_hand: Option<Entry<E>>,
    /// What a broken log hands over before its live stream.
    replay: VecDeque<Entry<E>>,
    last_version: Option<u64>,
    told_again: Option<u64>,
    /// How many events there had been when it subscribed.
    live_from: u64,
    /// Events that polls have delivered in a row.
    in_a_row: u32,
}

impl<E> NaiveReader<E> {
    pub(super) fn new(shared: Arc<Shared<E>>, next: u64) -> Self {
        let mut state = shared.lock();
        state.next_reader += 1;
        let id = state.next_reader;
        let live_from = state.end();
        state.readers.insert(id, next);
        drop(state);
        Self {
            shared,
            id,
            next,
            in_hand: None,
            replay: VecDeque::new(),
            last_version: None,
            told_again: None,
            live_from,
            in_a_row: 0,
        }
    }

    /// The same reader, with a replay before its live stream.
    pub(super) fn after(mut self, replay: VecDeque<Entry<E>>) -> Self {
        self.replay = replay;
        self
    }

    fn has(&self, bug: Bug) -> bool {
        self.shared.has(bug)
    }

    /// Whether there is nothing to read, and no end.
    fn is_idle(&self) -> bool {
        let state = self.shared.lock();
        state.closed_at.is_none() && self.next >= state.appended()
    }
}

impl<E: Event> Subscription<E> for NaiveReader<E> {
    fn try_recv(&mut self) -> Received<E> {
        match self.try_recv_entry() {
            Received::Event((version, event)) => {
                self.last_version = Some(version);
                Received::Event(E::clone(&event))
            }
            Received::Empty => Received::Empty,
            Received::Lagged(lost) => Received::Lagged(lost),
            Received::Closed => Received::Closed,
        }
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        if self.in_a_row >= TURN && !self.has(Bug::NeverYields) {
            self.in_a_row = 0;
            if !self.has(Bug::YieldsForEver) {
                context.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        loop {
            let before = self
                .shared
                .has(Bug::RegistersLate)
                .then(|| self.shared.lock().clone());
            let received = self.try_recv();
            if received != Received::Empty {
                self.in_a_row += 1;
                return Poll::Ready(received);
            }
            self.in_a_row = 0;
            let waker = context.waker().clone();
            if let Some(before) = before {
                self.shared.until_changed(&before);
                self.shared.lock().wait(self.id, waker, false);
                return Poll::Pending;
            }
            let second = self
                .shared
                .second(&[Bug::LocksInTurns, Bug::DropsWakerBetweenLocks]);
            if self.has(Bug::DropsWakerBetweenLocks) {
                let forgotten = self.shared.lock().forget(self.id);
                drop(forgotten);
            }
            let mut state = self.shared.lock();
            drop(second);
            if state.closed_at.is_none() && self.next >= state.appended() {
                let keeps_first = self.has(Bug::KeepsFirstWaker);
                state.wait(self.id, waker, keeps_first);
                return Poll::Pending;
            }
        }
    }

    fn is_live(&self) -> bool {
        match self.shared.bug {
            Some(Bug::LiveAtOnce) => true,
            Some(Bug::LiveOnlyWhenIdle) => self.is_idle(),
            _ => self.next >= self.live_from,
        }
    }

    fn cursor(&self) -> String {
        let ahead = self.has(Bug::CursorRunsAhead) && !self.is_idle();
        let seen = if ahead { self.next + 1 } else { self.next };
        self.shared.cursor(seen, self.last_version.unwrap_or(0))
    }

    fn skip_to_newest(&mut self) -> u64 {
        let end = self.shared.lock().end();
        let skipped = end.saturating_sub(self.next);
        self.next += skipped;
        self.in_hand = None;
        skipped
    }
}

impl<E: Event> NaiveReader<E> {
    fn try_recv_entry(&mut self) -> Received<Entry<E>> {
        if let Some(entry) = self.replay.pop_front() {
            return Received::Event(entry);
        }
        if let Some(lost) = self.told_again.take() {
            return Received::Lagged(lost);
        }
        let shared = self.shared.clone();
        let mut state = shared.lock();
        let closed = state.closed_at.is_some();
        let end = match shared.bug {
            Some(Bug::DeliversAfterClose) => state.appended(),
            Some(Bug::CloseDropsBacklog) if closed => 0,
            _ => state.end(),
        };
        if self.next >= end {
            return if closed {
                Received::Closed
            } else {
                Received::Empty
            };
        }
        if self.in_hand.is_none() && self.next < state.evicted {
            let mut to = state.evicted.min(end);
            let lost = to - self.next;
            if self.has(Bug::LagJumpsToNewest) {
                to = end - 1;
            }
            self.next = to;
            let index = usize::try_from(to - state.evicted.min(to)).unwrap_or(usize::MAX);
            self.in_hand = (to >= state.evicted)
                .then(|| state.retained.get(index).cloned())
                .flatten();
            if self.has(Bug::LagToldTwice) {
                self.told_again = Some(lost);
            }
            if !self.has(Bug::LagUntold) {
                return Received::Lagged(lost - u64::from(self.has(Bug::LagByOne)));
            }
            if self.next >= end {
                return if closed {
                    Received::Closed
                } else {
                    Received::Empty
                };
            }
        }
        let index = usize::try_from(self.next.saturating_sub(state.evicted)).unwrap_or(usize::MAX);
        let Some(entry) = self
            .in_hand
            .take()
            .or_else(|| state.retained.get(index).cloned())
        else {
            return Received::Empty;
        };
        self.next += 1;
        state.readers.insert(self.id, self.next);
        shared.read.notify_all();
        drop(state);
        let repeats = self.last_version.is_some_and(|last| entry.0 <= last);
        if repeats && self.has(Bug::LiveDropsRepeats) {
            return self.try_recv_entry();
        }
        Received::Event(entry)
    }
}

impl<E> Drop for NaiveReader<E> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.readers.remove(&self.id);
        let mut forgotten = Vec::new();
        if self.has(Bug::DropForgetsWaiters) {
            forgotten.append(&mut state.waiters);
        }
        if self.has(Bug::WaitsWhileReadersWait) {
            forgotten.extend(state.forget(self.id).map(|waker| (self.id, waker)));
        }
        drop(state);
        drop(forgotten);
        self.shared.read.notify_all();
    }
}
