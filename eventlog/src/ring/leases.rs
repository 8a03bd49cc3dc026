//! Who asked for events to be kept that the ring would let go, and how many that may be.

use std::sync::Arc;

/// Names one lease by being the same: nobody else has it.
#[derive(Clone, Default)]
pub(crate) struct LeaseId(Arc<u8>);

impl PartialEq for LeaseId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// How much a lease may keep of what the ring would let go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kept {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
}

struct Lease {
    id: LeaseId,
    /// The first event that it keeps.
    from: u64,
    /// What all events before that weighed.
    weighed_before: u128,
    most: Kept,
}

/// The leases of a ring that has any.
pub(super) struct Leases {
    list: Vec<Lease>,
    /// The oldest event that the ring would retain without them.
    oldest: u64,
}

impl Leases {
    pub(super) fn new(oldest: u64) -> Self {
        Self {
            list: Vec::new(),
            oldest,
        }
    }

    /// The oldest event that the ring would retain without leases.
    pub(super) fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Notes that the ring would let so many more go, and revokes the leases for which that is too
    /// much. `gone` is what all those have weighed that it has let go, these included.
    pub(super) fn let_go(&mut self, events: u64, gone: u128) {
        self.oldest += events;
        let oldest = self.oldest;
        self.list.retain(|lease| {
            let bytes = gone.saturating_sub(lease.weighed_before);
            oldest.saturating_sub(lease.from) <= lease.most.events
                && bytes <= u128::from(lease.most.bytes)
        });
    }

    /// The oldest event to retain.
    pub(super) fn needed(&self) -> u64 {
        let first = self.list.iter().map(|lease| lease.from).min();
        first.map_or(self.oldest, |first| first.min(self.oldest))
    }

    /// What all events weighed that came before those that the leases keep.
    pub(super) fn weighed_before(&self) -> u128 {
        let before = self.list.iter().map(|lease| lease.weighed_before).min();
        before.unwrap_or(u128::MAX)
    }

    pub(super) fn add(&mut self, from: u64, weighed_before: u128, most: Kept) -> LeaseId {
        let id = LeaseId::default();
        self.list.push(Lease {
            id: id.clone(),
            from,
            weighed_before,
            most,
        });
        id
    }

    pub(super) fn remove(&mut self, id: &LeaseId) {
        self.list.retain(|lease| lease.id != *id);
    }

    pub(super) fn has(&self, id: &LeaseId) -> bool {
        self.list.iter().any(|lease| lease.id == *id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
