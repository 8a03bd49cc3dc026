//! What a naive log does beyond the usual: leases, numbers, pages and filters.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use super::state::{Naive, Shared};
use crate::{
    subject::{
        adapter::Event,
        log::{Lease, Log, Numbering, Page, Received, Subscription},
    },
    zoo::bugs::Bug,
};

/// What one lease may keep.
#[derive(Clone, Debug)]
pub(super) struct Held {
    id: u64,
    /// How many events there had been.
    pub(super) from: u64,
    pub(super) most: u64,
}

pub(super) struct NaiveLease<E> {
    log: Naive<E>,
    id: u64,
}

impl<E: Event> Naive<E> {
    pub(super) fn hold(&self, most: u64) -> NaiveLease<E> {
        let mut state = self.0.lock();
        state.next_lease += 1;
        let (id, from) = (state.next_lease, state.appended());
        state.leases.push(Held { id, from, most });
        NaiveLease {
            log: Self(self.0.clone()),
            id,
        }
    }

    /// The first of what a reader since a version is given, or of what comes after a cursor.
    pub(super) fn page_of(&self, since: Option<u64>, cursor: &str, events: usize) -> Page<E> {
        let replay = match since {
            Some(since) => self.replay(since),
            None => self.replay_after(cursor),
        };
        let state = self.0.lock();
        let from = match since {
            Some(since) => Self::place_since(&state, since),
            None => state.appended() - replay.events.len() as u64,
        };
        let skip = usize::try_from(from - state.evicted).unwrap_or(usize::MAX);
        let left = state.retained.iter().skip(skip);
        let len = left.len();
        let taken: Vec<_> = left.take(events).cloned().collect();
        let seen = from + taken.len() as u64;
        let version = taken.last().map_or(state.newest_or_base(), |entry| entry.0);
        let has_more = if self.has(Bug::FullPageHasMore) {
            taken.len() == events
        } else {
            taken.len() < len
        };
        let place = if self.has(Bug::PagesSkipRepeats) {
            let repeats = state.retained.iter().skip(skip + taken.len());
            seen + repeats.take_while(|entry| entry.0 == version).count() as u64
        } else {
            seen
        };
        Page {
            events: taken.iter().map(|entry| E::clone(&entry.1)).collect(),
            coverage: replay.coverage,
            has_more,
            cursor: self.0.cursor(place, version),
        }
    }
}

impl<E: Event> Lease for NaiveLease<E> {
    fn is_revoked(&self) -> bool {
        let state = self.log.0.lock();
        let is_held = state.leases.iter().any(|held| held.id == self.id);
        !is_held && !self.log.has(Bug::LeaseEndsInSilence)
    }
}

impl<E> Drop for NaiveLease<E> {
    fn drop(&mut self) {
        if self.log.0.has(Bug::LeaseKeepsForEver) {
            return;
        }
        let mut state = self.log.0.lock();
        state.leases.retain(|held| held.id != self.id);
    }
}

/// A filter in front of a reader.
pub(super) struct NaiveFilter<E> {
    reader: Box<dyn Subscription<E>>,
    keeps: fn(&E) -> bool,
    shared: Arc<Shared<E>>,
    /// The cursor after the last event that was kept.
    kept: Option<String>,
}

impl<E> NaiveFilter<E> {
    pub(super) fn new(
        reader: Box<dyn Subscription<E>>,
        keeps: fn(&E) -> bool,
        shared: Arc<Shared<E>>,
    ) -> Self {
        Self {
            reader,
            keeps,
            shared,
            kept: None,
        }
    }
}

impl<E: Event> Subscription<E> for NaiveFilter<E> {
    fn try_recv(&mut self) -> Received<E> {
        loop {
            match self.reader.try_recv() {
                Received::Event(event) if !(self.keeps)(&event) => {}
                Received::Lagged(_) if self.shared.has(Bug::FilterHidesLosses) => {}
                Received::Event(event) => {
                    self.kept = Some(self.reader.cursor());
                    return Received::Event(event);
                }
                other => return other,
            }
        }
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        loop {
            match self.reader.poll_recv(context) {
                Poll::Ready(Received::Event(event)) if !(self.keeps)(&event) => {}
                other => return other,
            }
        }
    }

    fn is_live(&self) -> bool {
        self.reader.is_live()
    }

    fn cursor(&self) -> String {
        match &self.kept {
            Some(kept) if self.shared.has(Bug::FilterStaysAtKept) => kept.clone(),
            _ => self.reader.cursor(),
        }
    }

    fn skip_to_newest(&mut self) -> u64 {
        self.reader.skip_to_newest()
    }
}

/// A log of numbers and their payloads.
pub(super) struct NaiveNumbering {
    pub(super) bug: Option<Bug>,
    pub(super) capacity: usize,
    state: Mutex<(u64, Vec<(u64, u32)>)>,
}

impl NaiveNumbering {
    pub(super) fn new(bug: Option<Bug>, capacity: usize) -> Self {
        Self {
            bug,
            capacity,
            state: Mutex::default(),
        }
    }
}

impl Numbering for NaiveNumbering {
    fn push(&self, payload: u32) -> u64 {
        let lock = || self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = lock();
        state.0 += 1;
        let mut number = state.0;
        if self.bug == Some(Bug::NumbersBeforeTheLock) {
            // The window of every other stays open until a later one has come through it, or nobody
            // comes.
            drop(state);
            let began = Instant::now();
            let waits = || !lock().1.iter().any(|(other, _)| *other > number);
            while !number.is_multiple_of(2)
                && began.elapsed() < Duration::from_millis(10)
                && waits()
            {
                thread::yield_now();
            }
            state = lock();
        }
        if self.bug == Some(Bug::NumbersByLength) {
            number = state.1.len() as u64 + 1;
        }
        state.1.push((number, payload));
        if state.1.len() > self.capacity {
            state.1.remove(0);
        }
        number
    }

    fn retained(&self) -> Vec<(u64, u32)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.clone()
    }
}
