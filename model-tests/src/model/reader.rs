//! The specification of subscriptions: a reader is a place in the history.

use eventlog::Versioned;

use crate::{model::log::Model, subject::log::Received};

/// Where a subscriber stands in a [`Model`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reader {
    /// The index of the next event.
    next: usize,
    /// After a `Lagged` the next event is kept for the reader, evicted or not.
    in_hand: bool,
    /// Whether it began with a coverage that is not complete, and nothing was delivered since.
    incomplete: bool,
}

impl<E: Versioned + Clone> Model<E> {
    /// A reader that starts at the first retained event above `since`, or at the end, and gets
    /// everything from there on, also where versions fall.
    #[must_use]
    pub fn subscribe(&self, since: u64) -> Reader {
        let found = self
            .retained()
            .iter()
            .position(|event| event.version() > since);
        let next = found.map_or(self.history.len(), |offset| self.oldest() + offset);
        Reader {
            next,
            in_hand: false,
            incomplete: !self.coverage(since).is_complete(),
        }
    }

    /// A reader that goes on after a cursor, as [`replay_after`](Self::replay_after) does.
    #[must_use]
    pub fn resume(&self, seen: Option<u64>) -> Reader {
        let replay = self.replay_after(seen);
        Reader {
            next: self.history.len() - replay.events.len(),
            in_hand: false,
            incomplete: !replay.coverage.is_complete(),
        }
    }

    /// What a reader gets next: an event, or how many it lost, or that there is none.
    pub fn recv(&self, reader: &mut Reader) -> Received<E> {
        if reader.next >= self.end() {
            return if self.closed_at.is_some() {
                Received::Closed
            } else {
                Received::Empty
            };
        }
        if reader.next < self.oldest() && !reader.in_hand {
            let to = self.oldest().min(self.end());
            let lost = to - reader.next;
            *reader = Reader {
                next: to,
                in_hand: true,
                ..*reader
            };
            return Received::Lagged(lost as u64);
        }
        let event = self.history[reader.next].clone();
        *reader = Reader {
            next: reader.next + 1,
            in_hand: false,
            incomplete: false,
        };
        Received::Event(event)
    }

    /// Moves a reader past everything that it would be given, and says how many events that is.
    pub fn skip_to_newest(&self, reader: &mut Reader) -> u64 {
        let skipped = self.end().saturating_sub(reader.next);
        *reader = Reader {
            next: reader.next + skipped,
            in_hand: false,
            incomplete: reader.incomplete && skipped == 0,
        };
        skipped as u64
    }

    /// Ends what subscribers get after the newest event. Appends and replays go on.
    pub fn close(&mut self) {
        self.closed_at.get_or_insert(self.history.len());
    }

    /// The index after the last event that subscribers get.
    fn end(&self) -> usize {
        self.closed_at.unwrap_or(self.history.len())
    }
}

impl Reader {
    /// How many events of the history this reader has: the sequence number of its cursor. `None`
    /// as long as nothing is promised of that: it began with a coverage that was not complete, and
    /// was delivered nothing yet. A log may then say so by its cursor, or not.
    #[must_use]
    pub fn seen(self) -> Option<u64> {
        (!self.incomplete).then_some(self.next as u64)
    }
}
