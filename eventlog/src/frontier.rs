//! How far a writer has come: what is settled, what was lost, and what waits for more.
//!
//! The writer's thread moves it on; the futures of its handle and the subscriptions that deliver
//! only what is stored wait for it.

use std::{collections::BTreeMap, mem, ops::RangeInclusive, task::Waker};

use crate::{
    sync::{AtomicU64, Mutex, Ordering},
    waiters::wake_all,
};

/// A writer's progress through the sequence numbers.
pub(crate) struct Frontier {
    /// Everything up to here is stored or lost. Written only under the lock.
    settled: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Adjacent ranges are merged, so there is at most one per gap line.
    lost: Vec<RangeInclusive<u64>>,
    /// Events that were written, but will not be read back as they are.
    disowned: Vec<u64>,
    /// Whether the writer has ended: nothing more will be settled.
    ended: bool,
    /// By the sequence number that is waited for, and an id of its own.
    waiters: BTreeMap<(u64, u64), Waker>,
    next_id: u64,
}

/// What is known of one event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It waits to be stored.
    Waiting,
    /// It is stored, and so are those after it up to this one.
    Stored { through: u64 },
    /// It never will be, and neither will those after it up to this one: gap lines that are stored
    /// count them.
    Lost { through: u64 },
    /// The writer ended before it was stored.
    Ended,
}

impl State {
    fn fate(&self, seq: u64, settled: u64) -> Fate {
        let next = self.lost.partition_point(|range| *range.end() < seq);
        let next = self.lost.get(next);
        if seq <= settled {
            if let Some(lost) = next.filter(|range| range.contains(&seq)) {
                let through = (*lost.end()).min(settled);
                return Fate::Lost { through };
            }
            let through = next.map_or(settled, |lost| (lost.start() - 1).min(settled));
            Fate::Stored { through }
        } else if self.ended {
            Fate::Ended
        } else {
            Fate::Waiting
        }
    }
}

impl Frontier {
    /// Nothing is settled yet but what was there before the writer: everything below `from`.
    pub(crate) fn new(from: u64) -> Self {
        Self {
            settled: AtomicU64::new(from.saturating_sub(1)),
            state: Mutex::new(State::default()),
        }
    }

    /// Everything up to here is stored or lost.
    pub(crate) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Acquire)
    }

    /// What is known of the event at `seq`.
    pub(crate) fn fate(&self, seq: u64) -> Fate {
        self.with(|state| state.fate(seq, self.settled()))
    }

    /// What of `from..=to` is not stored, in order: lost or still waiting.
    pub(crate) fn missing(&self, from: u64, to: u64) -> Vec<RangeInclusive<u64>> {
        self.with(|state| {
            let settled = self.settled();
            let unsettled = settled.max(from.saturating_sub(1)) + 1..=to;
            state
                .lost
                .iter()
                .map(|range| (*range.start()).max(from)..=(*range.end()).min(to).min(settled))
                .chain([unsettled])
                .filter(|range| !range.is_empty())
                .collect()
        })
    }

    /// Everything up to `seq` is stored, except what is lost.
    pub(crate) fn settle(&self, seq: u64) -> usize {
        let woken = self.with(|state| {
            if seq <= self.settled() {
                return BTreeMap::new();
            }
            self.settled.store(seq, Ordering::Release);
            let still_waiting = state.waiters.split_off(&(seq + 1, 0));
            mem::replace(&mut state.waiters, still_waiting)
        });
        let count = woken.len();
        wake_all(woken.into_values());
        count
    }

    /// These events, which were not lost before, will never be stored. Their numbers mostly rise
    /// from call to call; an event that is refused may come before some that were lost earlier.
    pub(crate) fn lose(&self, range: RangeInclusive<u64>) {
        self.with(|state| {
            let lost = &mut state.lost;
            let place = lost.partition_point(|other| other.end() < range.start());
            let (before, after) = (place.checked_sub(1), lost.get(place).cloned());
            let after = after.filter(|after| *range.end() + 1 == *after.start());
            let end = after.as_ref().map_or(*range.end(), |after| *after.end());
            match before.and_then(|before| lost.get_mut(before)) {
                Some(before) if *before.end() + 1 == *range.start() => {
                    *before = *before.start()..=end;
                    if after.is_some() {
                        lost.remove(place);
                    }
                }
                _ if after.is_some() => lost[place] = *range.start()..=end,
                _ => lost.insert(place, range),
            }
        });
    }

    /// This event will be written, but not read back as it is. The numbers rise from call to call.
    pub(crate) fn disown(&self, seq: u64) {
        self.with(|state| state.disowned.push(seq));
    }

    /// Whether this event will not be read back as it is.
    pub(crate) fn is_disowned(&self, seq: u64) -> bool {
        self.with(|state| state.disowned.binary_search(&seq).is_ok())
    }

    /// The writer has ended: nothing more will be settled.
    pub(crate) fn end(&self) {
        self.with(|state| state.ended = true);
        self.wake();
    }

    /// Wakes all that wait, so that they look again.
    pub(crate) fn wake(&self) {
        let woken = self.with(|state| mem::take(&mut state.waiters));
        wake_all(woken.into_values());
    }

    /// An id to wait under.
    pub(crate) fn new_id(&self) -> u64 {
        self.with(|state| {
            state.next_id += 1;
            state.next_id
        })
    }

    /// Has `waker` woken when the event at `seq` is settled or the writer ends, unless that has
    /// happened, or `ready` says that there is no need to wait: then it says `false`.
    pub(crate) fn wait(
        &self,
        seq: u64,
        id: u64,
        waker: Waker,
        ready: impl FnOnce() -> bool,
    ) -> bool {
        // What is replaced, or not needed, is handed out: a waker's drop is user code.
        let (waits, _dropped_unlocked) = self.with(|state| {
            if state.ended || seq <= self.settled() || ready() {
                (false, Some(waker))
            } else {
                (true, state.waiters.insert((seq, id), waker))
            }
        });
        waits
    }

    /// Nobody waits under this id for `seq` any more.
    pub(crate) fn leave(&self, seq: u64, id: u64) {
        let _dropped_unlocked = self.with(|state| state.waiters.remove(&(seq, id)));
    }

    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_events_are_told_from_stored_ones() {
        let frontier = Frontier::new(3);
        assert_eq!(frontier.settled(), 2);
        frontier.lose(4..=5);
        frontier.lose(6..=6);
        assert_eq!(frontier.fate(4), Fate::Waiting, "its line is not stored");
        frontier.settle(7);
        assert_eq!(frontier.fate(3), Fate::Stored { through: 3 });
        assert_eq!(frontier.fate(5), Fate::Lost { through: 6 });
        assert_eq!(frontier.fate(7), Fate::Stored { through: 7 });
        assert_eq!(frontier.fate(8), Fate::Waiting);
        assert_eq!(frontier.missing(3, 9), [4..=6, 8..=9]);
        assert_eq!(frontier.missing(7, 7), []);
        frontier.lose(9..=9);
        frontier.end();
        assert_eq!(frontier.fate(8), Fate::Ended);
        assert_eq!(frontier.fate(9), Fate::Ended, "its gap line is not stored");
    }

    #[test]
    fn what_is_lost_out_of_turn_takes_its_place_among_the_rest() {
        let frontier = Frontier::new(1);
        for lost in [6..=7, 2..=2, 4..=4, 5..=5, 3..=3, 9..=9] {
            frontier.lose(lost);
        }
        frontier.settle(9);
        assert_eq!(frontier.missing(1, 9), [2..=7, 9..=9]);
        assert_eq!(frontier.fate(2), Fate::Lost { through: 7 });
        assert_eq!(frontier.fate(8), Fate::Stored { through: 8 });
    }
}
