//! The specification of subscriptions: a reader is a place in the history, and what it may be given
//! there is a range.
//!
//! A sound log chooses between more than one way, and a reader is held to the one that it takes:
//!
//! * What is there when it subscribes, it may be given from the first event above `since` on, or only
//!   the events above `since`. (The two differ where versions fall or repeat.)
//! * An event that was evicted before the reader came to it may be delivered all the same, from a
//!   copy that the reader keeps, or be told as lost; and one loss may be told in several parts.
//! * Who subscribes to a log that is closed may be given what was appended after the close until then.

use eventlog::Versioned;

use crate::{model::log::Model, subject::log::Received};

/// Where a subscriber may stand in a [`Model`], by what it was given so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reader {
    /// One place for each way that its log may still have chosen. None: it has parted from all.
    places: Vec<Place>,
    /// Whether it began with a coverage that is not complete, and nothing was delivered since.
    incomplete: bool,
    /// The index after the newest event of the moment of subscribing.
    live_from: usize,
    /// It has come there, so it stays live.
    is_live: bool,
    /// Which events it may leave out.
    window: Option<Window>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    /// The index of the next event.
    next: usize,
    /// Set for a reader that leaves these out.
    leaves_out: Option<Window>,
    /// It was told of a loss, and was given nothing since.
    after_loss: bool,
    /// The index after the last event that it gets, where that is not the log's own end.
    end: Option<usize>,
}

impl Place {
    /// Who subscribes after the close, and gets what was appended until then, is live after that.
    fn live_from(self, reader: &Reader) -> usize {
        reader.live_from.max(self.end.unwrap_or(0))
    }
}

/// The events before an index whose version is not above `since`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    since: u64,
    until: usize,
}

/// How closely a reader is held to what it may be given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lags {
    /// Any way of telling a loss that is exact.
    Any,
    /// At once, all of it, and then comes an event: [`LagOnce`](crate::Capability::LagOnce).
    Once,
}

impl<E: Versioned + Clone> Model<E> {
    /// A reader that has seen version `since`: it starts at the first retained event above that, or
    /// at the end.
    ///
    /// ```
    /// # use model_tests::{Model, Received, Tick};
    /// let mut model = Model::new(4, None);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// let mut reader = model.subscribe(2);
    /// assert_eq!(model.recv(&mut reader), Received::Event(Tick::new(3, 0)));
    /// ```
    #[must_use]
    pub fn subscribe(&self, since: u64) -> Reader {
        let mut retained = self.retained().iter();
        let found = retained.position(|event| event.version() > since);
        let next = found.map_or(self.history.len(), |offset| self.oldest() + offset);
        let until = self.history.len();
        let window = Some(Window { since, until });
        self.reader([next], window, !self.coverage(since).is_complete())
    }

    /// A reader that goes on after a cursor, as [`replay_after`](Self::replay_after) does.
    ///
    /// ```
    /// # use model_tests::{Model, Received, Tick};
    /// let mut model = Model::new(4, None);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// let mut reader = model.resume(Some(1));
    /// assert_eq!(model.recv(&mut reader), Received::Event(Tick::new(2, 0)));
    /// ```
    #[must_use]
    pub fn resume(&self, seen: Option<u64>) -> Reader {
        self.resume_within(seen, None)
    }

    /// The same, for the cursor of a reader that may have left out some events.
    pub(crate) fn resume_within(&self, seen: Option<u64>, window: Option<Window>) -> Reader {
        let replay = self.replay_after(seen);
        let oldest = self.history.len() - replay.events.len();
        // What was evicted meanwhile is in the coverage; a reader may tell of it as well.
        let told = seen.and_then(|seen| usize::try_from(seen).ok());
        let told = told.filter(|seen| *seen < oldest);
        let incomplete = !replay.coverage.is_complete();
        self.reader([oldest].into_iter().chain(told), window, incomplete)
    }

    fn reader(
        &self,
        starts: impl IntoIterator<Item = usize>,
        window: Option<Window>,
        incomplete: bool,
    ) -> Reader {
        let mut places = Vec::new();
        let late_end = self.closed_at.map(|_| self.history.len());
        for next in starts {
            for leaves_out in [None, window] {
                for end in [None, late_end] {
                    let place = Place {
                        next,
                        leaves_out,
                        after_loss: false,
                        end,
                    };
                    if !places.contains(&place) {
                        places.push(place);
                    }
                }
            }
        }
        let mut reader = Reader {
            places,
            incomplete,
            live_from: self.end(),
            is_live: false,
            window,
        };
        self.note_live(&mut reader);
        reader
    }

    /// What a reader that keeps nothing gets next: an event, or how many it lost, or that there is
    /// none.
    ///
    /// ```
    /// # use model_tests::{Model, Received, Tick};
    /// let mut model = Model::new(1, None);
    /// let mut reader = model.subscribe(0);
    /// assert_eq!(model.recv(&mut reader), Received::Empty);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// assert_eq!(model.recv(&mut reader), Received::Lagged(2));
    /// ```
    pub fn recv(&self, reader: &mut Reader) -> Received<E> {
        let next = self.next(reader);
        self.accept(reader, &next, Lags::Once, |_, _| true);
        next
    }

    /// The same, before it is given.
    pub(crate) fn next(&self, reader: &Reader) -> Received<E> {
        let Some(event) = self.next_event(reader) else {
            return if self.closed_at.is_some() {
                Received::Closed
            } else {
                Received::Empty
            };
        };
        let lost = reader.places.first().map_or(0, |place| {
            let gone = self.oldest().min(self.end());
            if place.after_loss {
                0
            } else {
                gone.saturating_sub(place.next)
            }
        });
        match lost {
            0 => Received::Event(event.clone()),
            lost => Received::Lagged(lost as u64),
        }
    }

    /// The event that a reader comes to next, evicted or not.
    pub(crate) fn next_event(&self, reader: &Reader) -> Option<&E> {
        let next = self.deliverable(*reader.places.first()?);
        self.history[..self.end()].get(next)
    }

    /// Whether a reader may be given this, which is noted.
    pub(crate) fn accept<T>(
        &self,
        reader: &mut Reader,
        given: &Received<T>,
        lags: Lags,
        same: impl Fn(&E, &T) -> bool,
    ) -> bool {
        let is_closed = self.closed_at.is_some();
        let follow = |place: &Place| {
            let end = self.end_of(*place);
            let gone = self.oldest().min(end);
            let at = self.deliverable(*place);
            let to = match given {
                Received::Event(event) => {
                    let is_kept = lags == Lags::Any || at >= gone || place.after_loss;
                    (at < end && is_kept && same(&self.history[at], event)).then_some(at + 1)
                }
                Received::Lagged(lost) => {
                    let to = self.lose(*place, *lost, gone);
                    to.filter(|to| lags == Lags::Any || *to == gone && !place.after_loss)
                }
                Received::Empty => (at >= end && !is_closed).then_some(place.next),
                Received::Closed => (at >= end && is_closed).then_some(place.next),
            };
            let after_loss = match given {
                Received::Event(_) => false,
                Received::Lagged(_) => true,
                Received::Empty | Received::Closed => place.after_loss,
            };
            to.map(|next| Place {
                next,
                after_loss,
                ..*place
            })
        };
        let places: Vec<_> = reader.places.iter().filter_map(follow).collect();
        if places.is_empty() {
            return false;
        }
        reader.places = places;
        self.note_live(reader);
        if matches!(given, Received::Event(_)) {
            reader.incomplete = false;
        }
        true
    }

    /// Whether a reader may say that it has passed over so many events, all that it would have been
    /// given; which is noted.
    pub(crate) fn accept_skip(&self, reader: &mut Reader, skipped: u64) -> bool {
        let follow = |place: &Place| {
            let end = self.end_of(*place);
            let left = (place.next..end).filter(|at| !self.is_left_out(*place, *at));
            (left.count() as u64 == skipped).then(|| Place {
                next: place.next.max(end),
                after_loss: false,
                ..*place
            })
        };
        let places: Vec<_> = reader.places.iter().filter_map(follow).collect();
        if places.is_empty() {
            return false;
        }
        reader.places = places;
        self.note_live(reader);
        reader.incomplete &= skipped == 0;
        true
    }

    /// Moves a reader past everything that it would be given, and says how many events that is.
    ///
    /// ```
    /// # use model_tests::{Model, Received, Tick};
    /// let mut model = Model::new(4, None);
    /// let mut reader = model.subscribe(0);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// assert_eq!(model.skip_to_newest(&mut reader), 3);
    /// assert_eq!(model.recv(&mut reader), Received::Empty);
    /// ```
    pub fn skip_to_newest(&self, reader: &mut Reader) -> u64 {
        let next = reader.places.first().map_or(self.end(), |place| place.next);
        let skipped = self.end().saturating_sub(next) as u64;
        self.accept_skip(reader, skipped);
        skipped
    }

    /// Whether everything from before it subscribed was delivered to a reader or told as lost;
    /// `None` where that depends on what its log has chosen. Just after a loss a log may say that it
    /// is live, or wait for the event after the loss.
    pub(crate) fn is_live(&self, reader: &Reader) -> Option<bool> {
        let has_come = |place: &Place| self.deliverable(*place) >= place.live_from(reader);
        let none_has = !reader.places.iter().any(has_come);
        if reader.is_live {
            Some(true)
        } else {
            none_has.then_some(false)
        }
    }

    fn note_live(&self, reader: &mut Reader) {
        let has_come = |place: &Place| {
            !place.after_loss && self.deliverable(*place) >= place.live_from(reader)
        };
        reader.is_live |= reader.places.iter().all(has_come);
    }

    /// Whether some event was evicted before the reader came to it.
    pub(crate) fn is_overtaken(&self, reader: &Reader) -> bool {
        let overtaken = |place: &Place| {
            let gone = self.oldest().min(self.end_of(*place));
            place.after_loss || self.deliverable(*place) < gone
        };
        reader.places.iter().any(overtaken)
    }

    /// Ends what subscribers get after the newest event. Appends and replays go on.
    ///
    /// ```
    /// # use model_tests::{Model, Received, Tick};
    /// let mut model = Model::<Tick>::new(4, None);
    /// let mut reader = model.subscribe(0);
    /// model.close();
    /// assert_eq!(model.recv(&mut reader), Received::Closed);
    /// ```
    pub fn close(&mut self) {
        self.closed_at.get_or_insert(self.history.len());
    }

    /// The index after the last event that subscribers get.
    fn end(&self) -> usize {
        self.closed_at.unwrap_or(self.history.len())
    }

    fn end_of(&self, place: Place) -> usize {
        place.end.unwrap_or(self.end())
    }

    /// The index of the event that is given next at a place.
    fn deliverable(&self, place: Place) -> usize {
        let mut at = place.next;
        while self.is_left_out(place, at) {
            at += 1;
        }
        at
    }

    fn is_left_out(&self, place: Place, at: usize) -> bool {
        place
            .leaves_out
            .is_some_and(|window| at < window.until && self.history[at].version() <= window.since)
    }

    /// The index after so many more events, if all of them are evicted.
    fn lose(&self, mut place: Place, lost: u64, gone: usize) -> Option<usize> {
        if lost == 0 || lost > gone as u64 {
            return None;
        }
        for _ in 0..lost {
            let at = self.deliverable(place);
            if at >= gone {
                return None;
            }
            place.next = at + 1;
        }
        Some(place.next)
    }
}

impl Reader {
    /// How many events of the history this reader has: the sequence number of its cursor. `None`
    /// as long as nothing is promised of that: it began with a coverage that was not complete, and
    /// was delivered nothing yet. A log may then say so by its cursor, or not.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(4, None);
    /// let mut reader = model.subscribe(0);
    /// model.append(Tick::new(7, 0));
    /// model.recv(&mut reader);
    /// assert_eq!(reader.seen(), Some(1));
    /// ```
    #[must_use]
    pub fn seen(&self) -> Option<u64> {
        let next = self.places.first()?.next;
        let agree = self.places.iter().all(|place| place.next == next);
        (agree && !self.incomplete).then_some(next as u64)
    }

    /// Which events it may leave out.
    pub(crate) fn window(&self) -> Option<Window> {
        self.window
    }
}
