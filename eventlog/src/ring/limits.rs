//! Which events a ring lets go, where more counts than how many there are: what they weigh, how old
//! they are, and who asked for them to be kept.

use std::{collections::VecDeque, time::Duration};

/// What is known of an event beside its version, from before it was appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) weight: u64,
    /// What the clock said.
    pub(crate) at: Duration,
}

/// What the retained events may weigh, and how old they may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Most {
    pub(crate) bytes: Option<u64>,
    pub(crate) age: Option<Duration>,
}

/// What an export of counters tells of the limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) bytes: u64,
    pub(crate) evicted_by_bytes: u64,
    pub(crate) evicted_by_age: u64,
}

/// The limits of one ring, and what it takes to keep to them.
pub(super) struct Limits {
    most: Most,
    /// Of the retained events, oldest first.
    tallies: VecDeque<Tally>,
    /// What all events weighed that were ever appended, and those of them that were let go. Wide,
    /// so that no weights make them wrap.
    added: u128,
    gone: u128,
    /// The latest that the clock has said. It may go back: time does not.
    now: Duration,
    by_bytes: u64,
    by_age: u64,
}

impl Limits {
    pub(super) fn new(most: Most) -> Self {
        Self {
            most,
            tallies: VecDeque::new(),
            added: 0,
            gone: 0,
            now: Duration::ZERO,
            by_bytes: 0,
            by_age: 0,
        }
    }

    /// Notes an event that was appended.
    pub(super) fn add(&mut self, tally: Tally) {
        self.pass(tally.at);
        self.added += u128::from(tally.weight);
        self.tallies.push_back(Tally {
            at: self.now,
            ..tally
        });
    }

    /// Notes what the clock said.
    pub(super) fn pass(&mut self, now: Duration) {
        self.now = self.now.max(now);
    }

    /// Notes the weight of an event that was appended without one; `from_oldest` is how many
    /// retained events come before it.
    pub(super) fn weigh(&mut self, from_oldest: u64, weight: u64) {
        let at = usize::try_from(from_oldest).ok();
        if let Some(tally) = at.and_then(|at| self.tallies.get_mut(at)) {
            self.added += u128::from(weight);
            tally.weight = weight;
        }
    }

    /// Lets go of the oldest events, as long as there are more than `capacity` or another limit is
    /// exceeded. Says how many those are.
    pub(super) fn evict(&mut self, capacity: u64) -> u64 {
        let before = self.tallies.len();
        while let Some(oldest) = self.tallies.front().copied() {
            if self.tallies.len() as u64 <= capacity {
                if self.is_too_heavy() {
                    self.by_bytes += 1;
                } else if self.is_too_old(oldest) {
                    self.by_age += 1;
                } else {
                    break;
                }
            }
            self.gone += u128::from(oldest.weight);
            self.tallies.pop_front();
        }
        (before - self.tallies.len()) as u64
    }

    /// What all events weighed that were ever appended.
    pub(super) fn added(&self) -> u128 {
        self.added
    }

    /// What those of them weighed that were let go.
    pub(super) fn gone(&self) -> u128 {
        self.gone
    }

    fn bytes(&self) -> u128 {
        self.added - self.gone
    }

    /// The counters, where all that is not retained weighed so much: with leases, that is less than
    /// what the limits have let go.
    pub(super) fn counts(&self, gone: u128) -> Counts {
        Counts {
            bytes: u64::try_from(self.added - gone).unwrap_or(u64::MAX),
            evicted_by_bytes: self.by_bytes,
            evicted_by_age: self.by_age,
        }
    }

    fn is_too_heavy(&self) -> bool {
        self.most
            .bytes
            .is_some_and(|most| self.bytes() > u128::from(most))
    }

    fn is_too_old(&self, oldest: Tally) -> bool {
        self.most
            .age
            .is_some_and(|most| self.now.saturating_sub(oldest.at) > most)
    }
}
