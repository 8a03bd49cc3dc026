//! Which cursors a log knows: its own, and those of the lives that it goes on with.

use crate::cursor::{Cursor, Epoch};

/// The lives of one history: the one that runs, and those before it that were recovered.
pub(crate) struct Lineage {
    /// The life that runs.
    pub(crate) epoch: Epoch,
    before: Option<Box<Before>>,
}

/// What is known of the lives before.
struct Before {
    lives: Vec<Earlier>,
    trusted: Trusted,
}

/// From where on the lives before are known without a hole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Trusted {
    /// The first event that surely is the one with its number in those lives.
    pub(crate) from: u64,
    /// From where on the numbers say how many events there were.
    pub(crate) counted_from: u64,
}

/// A life that has ended, and how much of it is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Earlier {
    pub(crate) epoch: Epoch,
    /// The last event of its that is left, for those who saw events before they were stored.
    pub(crate) live: u64,
    /// The last that is left, for those who saw only what was durable.
    pub(crate) durable: u64,
}

/// Where a cursor stands in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// In the life that runs: any number, also one that is yet to come.
    Own { seq: u64 },
    /// In a life before, which has this event.
    Earlier {
        seq: u64,
        /// What stands there had a version up to this.
        version: u64,
        trusted: Trusted,
    },
    /// Somewhere else.
    Unknown,
}

impl Lineage {
    /// Of a history that begins with this life.
    pub(crate) fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            before: None,
        }
    }

    /// Of a history that had other lives.
    #[cfg(feature = "disk")]
    pub(crate) fn following(epoch: Epoch, mut earlier: Vec<Earlier>, trusted: Trusted) -> Self {
        // Should an id be given a second time, the running life has it.
        earlier.retain(|life| life.epoch != epoch && life.epoch != Epoch::NONE);
        Self {
            epoch,
            before: Some(Box::new(Before {
                lives: earlier,
                trusted,
            })),
        }
    }

    /// Where a cursor stands.
    pub(crate) fn find(&self, cursor: Cursor) -> Place {
        let (epoch, seq) = (cursor.epoch(), cursor.seq().get());
        if self.epoch.honours(epoch) {
            return Place::Own { seq };
        }
        let Some(before) = &self.before else {
            return Place::Unknown;
        };
        let life = before.lives.iter().find(|life| life.epoch == epoch);
        let earlier = Place::Earlier {
            seq,
            version: cursor.version(),
            trusted: before.trusted,
        };
        life.filter(|life| seq <= life.last(cursor.is_durable()))
            .map_or(Place::Unknown, |_| earlier)
    }

    /// The number that a cursor stands at, if all that comes after it is known.
    #[cfg(feature = "disk")]
    pub(crate) fn known_from(&self, cursor: Cursor) -> Option<u64> {
        let (Place::Own { seq } | Place::Earlier { seq, .. }) = self.find(cursor) else {
            return None;
        };
        let trusted = self.before.as_ref().map_or(0, |before| before.trusted.from);
        (seq.saturating_add(1) >= trusted).then_some(seq)
    }
}

impl Earlier {
    fn last(&self, saw_durable: bool) -> u64 {
        if saw_durable { self.durable } else { self.live }
    }
}

#[cfg(all(test, feature = "disk"))]
mod tests {
    use super::*;
    use crate::seq::Seq;

    const TRUSTED: Trusted = Trusted {
        from: 3,
        counted_from: 0,
    };

    #[test]
    fn a_cursor_of_an_earlier_life_stands_as_far_as_what_it_saw_is_left() {
        let life = Earlier {
            epoch: Epoch::new(2),
            live: 5,
            durable: 7,
        };
        let lineage = Lineage::following(Epoch::new(4), vec![life], TRUSTED);
        let seen = |epoch, seq| Cursor::from_parts(Epoch::new(epoch), Seq::new(seq), 0);
        let durable = |seq| seen(2, seq).seen_durable(true);
        let earlier = |seq| Place::Earlier {
            seq,
            version: 0,
            trusted: TRUSTED,
        };
        assert_eq!(lineage.find(seen(2, 5)), earlier(5));
        assert_eq!(lineage.find(seen(2, 6)), Place::Unknown);
        assert_eq!(lineage.find(durable(7)), earlier(7));
        assert_eq!(lineage.find(durable(8)), Place::Unknown);
        assert_eq!(lineage.find(seen(4, 99)), Place::Own { seq: 99 });
        assert_eq!(lineage.find(seen(6, 1)), Place::Unknown);
    }

    #[test]
    fn no_epoch_is_nobodys_life() {
        let life = Earlier {
            epoch: Epoch::NONE,
            live: 5,
            durable: 5,
        };
        let lineage = Lineage::following(Epoch::new(4), vec![life], TRUSTED);
        let cursor = Cursor::from_parts(Epoch::NONE, Seq::new(1), 0);
        assert_eq!(lineage.find(cursor), Place::Unknown);
    }
}
