//! The specification of leases: what somebody asked a log to keep, and how much of it.

use std::ops::Range;

use crate::model::log::Model;

/// What one lease keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leased {
    id: usize,
    /// The index of the first event that it keeps.
    from: usize,
    /// How many events it may keep that the log would have let go, and what they may weigh.
    events: u64,
    bytes: u64,
}

impl<E> Model<E> {
    /// Keeps what is appended from now on, as long as that would be no more than so many events that
    /// the log would have let go otherwise, which weigh no more than that together. Says the name of
    /// the lease.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(1, None);
    /// let lease = model.lease(1, u64::MAX);
    /// model.append(Tick::new(1, 0));
    /// model.append(Tick::new(2, 0));
    /// assert_eq!(model.retained().len(), 2);
    /// model.append(Tick::new(3, 0));
    /// assert!(model.is_revoked(lease));
    /// assert_eq!(model.retained().len(), 1);
    /// ```
    pub fn lease(&mut self, events: u64, bytes: u64) -> usize {
        let id = self.leases_given;
        self.leases_given += 1;
        self.leases.push(Leased {
            id,
            from: self.history.len(),
            events,
            bytes,
        });
        id
    }

    /// Whether a lease keeps nothing, because that would have been too much or it was ended.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(1, None);
    /// let lease = model.lease(1, u64::MAX);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// assert!(model.is_revoked(lease)); // two were to be kept
    /// ```
    #[must_use]
    pub fn is_revoked(&self, lease: usize) -> bool {
        self.leases.iter().all(|leased| leased.id != lease)
    }

    /// Gives a lease up.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(1, None);
    /// let lease = model.lease(1, u64::MAX);
    /// (1..=2).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// model.end_lease(lease);
    /// assert_eq!(model.retained().len(), 1);
    /// ```
    pub fn end_lease(&mut self, lease: usize) {
        self.leases.retain(|leased| leased.id != lease);
        self.evict();
    }

    /// Revokes what would keep too much, and lets go of what is due and nobody keeps.
    pub(super) fn evict(&mut self) {
        let leases = self.leases.iter().copied();
        self.leases = leases.filter(|lease| self.is_within(lease)).collect();
        let kept = self.leases.iter().map(|lease| lease.from).min();
        self.oldest = kept.map_or(self.due, |kept| kept.min(self.due));
    }

    fn is_within(&self, lease: &Leased) -> bool {
        let kept = lease.from..self.due.max(lease.from);
        kept.len() as u64 <= lease.events && self.weight_of(kept) <= lease.bytes.into()
    }
    /// What these events weigh together.
    pub(super) fn weight_of(&self, events: Range<usize>) -> u128 {
        let weights = self.weights[events].iter();
        weights.map(|weight| u128::from(*weight)).sum()
    }
}
