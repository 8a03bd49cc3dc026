//! A follower's claim on events that it has not taken yet.

/// Names one hold of one ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HoldId(u64);

/// Events that fell past a hold's limit before its follower took them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lost {
    pub(crate) count: u64,
    pub(crate) min_version: u64,
    pub(crate) max_version: u64,
}

/// Keeps evicted events alive from `from` on, at most `limit` of them.
pub(super) struct Hold {
    id: HoldId,
    from: u64,
    limit: u64,
    lost: Option<Lost>,
}

/// All holds of a ring. There is one per writer, so a plain list serves.
#[derive(Default)]
pub(super) struct Holds {
    list: Vec<Hold>,
    next_id: u64,
}

impl Holds {
    pub(super) fn add(&mut self, from: u64, limit: u64, lost: Option<Lost>) -> HoldId {
        let id = HoldId(self.next_id);
        self.next_id += 1;
        self.list.push(Hold {
            id,
            from,
            limit,
            lost,
        });
        id
    }

    pub(super) fn remove(&mut self, id: HoldId) {
        self.list.retain(|hold| hold.id != id);
    }

    /// The oldest sequence number that any follower still needs.
    pub(super) fn floor(&self) -> Option<u64> {
        self.list.iter().map(|hold| hold.from).min()
    }

    /// The first event that a follower still needs.
    pub(super) fn from(&self, id: HoldId) -> Option<u64> {
        let mut holds = self.list.iter();
        holds.find(|hold| hold.id == id).map(|hold| hold.from)
    }

    pub(super) fn get_mut(&mut self, id: HoldId) -> Option<&mut Hold> {
        self.list.iter_mut().find(|hold| hold.id == id)
    }

    /// Called when `oldest` has moved on: gives up what exceeds a hold's limit, and counts it.
    /// Says whether there was anything.
    #[inline]
    pub(super) fn enforce(&mut self, oldest: u64, version_of: impl Fn(u64) -> u64) -> bool {
        let mut has_lost = false;
        for hold in &mut self.list {
            while oldest.saturating_sub(hold.from) > hold.limit {
                hold.lose(version_of(hold.from));
                has_lost = true;
            }
        }
        has_lost
    }
}

impl Hold {
    pub(super) fn from(&self) -> u64 {
        self.from
    }

    pub(super) fn advance(&mut self, from: u64) {
        self.from = self.from.max(from);
    }

    pub(super) fn limit_to(&mut self, limit: u64) {
        self.limit = limit;
    }

    pub(super) fn take_lost(&mut self) -> Option<Lost> {
        self.lost.take()
    }

    fn lose(&mut self, version: u64) {
        let lost = self.lost.get_or_insert(Lost {
            count: 0,
            min_version: version,
            max_version: version,
        });
        lost.count += 1;
        lost.min_version = lost.min_version.min(version);
        lost.max_version = lost.max_version.max(version);
        self.from += 1;
    }
}
