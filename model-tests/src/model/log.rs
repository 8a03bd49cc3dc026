//! The specification: what a log answers, in plain code over its whole history.

use std::time::Duration;

use eventlog::{Coverage, Versioned};

use crate::{
    model::leased::Leased,
    subject::{case::weight, log::Replay},
};

/// The naive log that *is* the specification. It forgets nothing and computes every answer anew;
/// its code is meant to be read.
///
/// Index `i` of the history is the event with sequence number `i + 1`.
///
/// ```
/// # use model_tests::{Model, Tick};
/// let mut model = Model::new(2, None);
/// for version in [5, 5, 6] {
///     model.append(Tick::new(version, 0));
/// }
/// assert_eq!(model.events_since(5), [Tick::new(6, 0)]);
/// assert!(model.replay_truncated(4)); // one of the two events of version 5 is gone
/// assert!(!model.replay_truncated(5));
/// ```
#[derive(Clone, Debug)]
pub struct Model<E> {
    capacity: usize,
    set_base: Option<u64>,
    /// The version of the newest event from before the history.
    past: Option<u64>,
    pub(super) history: Vec<E>,
    /// The index of the oldest retained event.
    pub(super) oldest: usize,
    /// The same, if nobody had a lease.
    pub(super) due: usize,
    /// The leases that keep something, and how many there ever were.
    pub(super) leases: Vec<Leased>,
    pub(super) leases_given: usize,
    /// What each event weighs.
    pub(super) weights: Vec<u64>,
    /// What the retained events may weigh together.
    max_bytes: Option<u64>,
    /// How old they may be.
    max_age: Option<Duration>,
    /// When each event was appended, and the latest time that anybody looked at the clock.
    times: Vec<Duration>,
    now: Duration,
    pub(super) closed_at: Option<usize>,
}

impl<E: Versioned + Clone> Model<E> {
    /// A log of `capacity` events whose first event comes after version `base`, if that is given.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let model = Model::<Tick>::new(4, Some(100));
    /// assert!(model.replay_truncated(99) && !model.replay_truncated(100));
    /// ```
    #[must_use]
    pub fn new(capacity: usize, base: Option<u64>) -> Self {
        Self {
            capacity,
            set_base: base,
            past: None,
            history: Vec::new(),
            oldest: 0,
            due: 0,
            leases: Vec::new(),
            leases_given: 0,
            weights: Vec::new(),
            max_bytes: None,
            max_age: None,
            times: Vec::new(),
            now: Duration::ZERO,
            closed_at: None,
        }
    }

    /// The same log, where the retained events may [weigh](crate::weight) so much together, and be
    /// so old, if that is limited.
    ///
    /// ```
    /// # use model_tests::{Model, Tick, weight};
    /// let heavy = Tick::new(7, 0);
    /// let mut model = Model::new(4, None).with_limits(Some(weight(&heavy)), None);
    /// model.append(heavy.clone());
    /// model.append(heavy);
    /// assert_eq!(model.retained().len(), 1);
    /// ```
    #[must_use]
    pub fn with_limits(mut self, max_bytes: Option<u64>, max_age: Option<Duration>) -> Self {
        (self.max_bytes, self.max_age) = (max_bytes, max_age);
        self
    }

    /// The same log, whose newest event had this version before anything of its history: that was
    /// recovered, and let go at once.
    pub(crate) fn after(mut self, newest: Option<u64>) -> Self {
        self.past = newest;
        self
    }

    /// What the clock said when it was looked at, which is at every append and every question. One
    /// that goes back stands still.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(4, None).with_limits(None, Some(Duration::from_secs(10)));
    /// model.append(Tick::new(7, 0));
    /// model.pass(Duration::from_secs(11));
    /// assert!(model.retained().is_empty());
    /// ```
    pub fn pass(&mut self, now: Duration) {
        self.now = self.now.max(now);
        while self.due < self.history.len() && self.exceeds_a_limit() {
            self.due += 1;
        }
        self.evict();
    }

    /// Lets go of so many events in all, of those that no lease keeps.
    pub(crate) fn let_go(&mut self, evicted: u64) {
        self.due = self.due.max(index(evicted).min(self.history.len()));
        self.evict();
    }

    fn exceeds_a_limit(&self) -> bool {
        let age = self.now.saturating_sub(self.times[self.due]);
        let weighs = self.weight_of(self.due..self.history.len());
        self.max_bytes.is_some_and(|most| weighs > most.into())
            || self.max_age.is_some_and(|most| age > most)
    }

    /// Appends, and says the event's sequence number: 1, 2, 3…
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(4, None);
    /// assert_eq!([7, 7].map(|version| model.append(Tick::new(version, 0))), [1, 2]);
    /// ```
    pub fn append(&mut self, event: E) -> u64 {
        let weight = weight(&event);
        self.append_weighing(event, weight)
    }

    /// The same, for an event of another weight than [`weight`] says.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(9, None).with_limits(Some(10), None);
    /// model.append_weighing(Tick::new(1, 0), 6);
    /// model.append_weighing(Tick::new(2, 0), 6);
    /// assert_eq!(model.retained(), [Tick::new(2, 0)]);
    /// ```
    pub fn append_weighing(&mut self, event: E, weight: u64) -> u64 {
        self.history.push(event);
        self.weights.push(weight);
        self.times.push(self.now);
        let over = self.history.len().saturating_sub(self.capacity);
        self.due = self.due.max(over);
        self.pass(self.now);
        self.history.len() as u64
    }

    /// Retains the newest `retained` events in place of as many as the capacity, until the next
    /// append: for a log that lets its oldest events go otherwise.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(4, None);
    /// (1..=4).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// model.retain(2); // of a log that lets half of them go at once
    /// assert_eq!(model.retained().len(), 2);
    /// ```
    pub fn retain(&mut self, retained: u64) {
        self.oldest = self.history.len() - index(retained).min(self.history.len());
    }

    /// Every event there ever was, in the order in which they were appended.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(1, None);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// assert_eq!(model.history().len(), 3); // it forgets nothing
    /// ```
    #[must_use]
    pub fn history(&self) -> &[E] {
        &self.history
    }

    /// The retained events: the newest min(n, capacity), unless it [retains](Self::retain) others.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(1, None);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// assert_eq!(model.retained(), [Tick::new(3, 0)]);
    /// ```
    #[must_use]
    pub fn retained(&self) -> &[E] {
        &self.history[self.oldest()..]
    }

    /// The events that are not retained any more.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(1, None);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// assert_eq!(model.evicted(), [Tick::new(1, 0), Tick::new(2, 0)]);
    /// ```
    #[must_use]
    pub fn evicted(&self) -> &[E] {
        &self.history[..self.oldest()]
    }

    /// The version of the event that was appended last (which need not be the highest).
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(4, None);
    /// [9, 7].map(|version| model.append(Tick::new(version, 0)));
    /// assert_eq!(model.newest(), Some(7)); // it fell
    /// ```
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.history.last().map(Versioned::version).or(self.past)
    }

    /// What a subscriber must have seen before the first event.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(4, None);
    /// model.append(Tick::new(7, 0));
    /// assert_eq!(model.base(), Some(6)); // the version before the first, if none was set
    /// ```
    #[must_use]
    pub fn base(&self) -> Option<u64> {
        let first = self.history.first().map(Versioned::version);
        self.set_base
            .or(first.map(|version| version.saturating_sub(1)))
    }

    /// The retained events with a version above `since`, oldest first.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(4, None);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// assert_eq!(model.events_since(2), [Tick::new(3, 0)]);
    /// ```
    #[must_use]
    pub fn events_since(&self, since: u64) -> Vec<E> {
        let above = |event: &&E| event.version() > since;
        self.retained().iter().filter(above).cloned().collect()
    }

    /// What the retained events weigh together, if that is limited, and 0 otherwise; at most
    /// `u64::MAX`.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(9, None).with_limits(Some(10), None);
    /// model.append_weighing(Tick::new(1, 0), 6);
    /// assert_eq!(model.retained_bytes(), 6);
    /// ```
    #[must_use]
    pub fn retained_bytes(&self) -> u64 {
        let weighs = self.weight_of(self.oldest..self.history.len());
        let is_limited = self.max_bytes.is_some();
        u64::try_from(weighs).unwrap_or(u64::MAX) * u64::from(is_limited)
    }

    /// What the pages since a version have together, and a reader is given at once: the retained
    /// events from the first that has a version above `since` on.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(9, None);
    /// [3, 1, 2].map(|version| model.append(Tick::new(version, 0)));
    /// assert_eq!(model.pages_since(1).len(), 3); // from the first above 1 on
    /// ```
    #[must_use]
    pub fn pages_since(&self, since: u64) -> &[E] {
        let above = |event: &E| event.version() > since;
        let retained = self.retained();
        let first = retained.iter().position(above);
        &retained[first.unwrap_or(retained.len())..]
    }

    /// Whether an evicted event, or one from before the first, has a version above `since`.
    ///
    /// ```
    /// # use model_tests::{Model, Tick};
    /// let mut model = Model::new(1, None);
    /// (1..=3).for_each(|version| _ = model.append(Tick::new(version, 0)));
    /// assert!(model.replay_truncated(1) && !model.replay_truncated(2));
    /// ```
    #[must_use]
    pub fn replay_truncated(&self, since: u64) -> bool {
        self.evicted().iter().any(|event| event.version() > since)
            || self.base().is_some_and(|base| base > since)
    }

    /// What the events above `since` cover.
    ///
    /// ```
    /// # use model_tests::{Coverage, Model, Tick};
    /// let mut model = Model::new(4, None);
    /// model.append(Tick::new(7, 0));
    /// assert_eq!(model.coverage(7), Coverage::Complete);
    /// assert_eq!(model.coverage(8), Coverage::Ahead { newest: 7 });
    /// ```
    #[must_use]
    pub fn coverage(&self, since: u64) -> Coverage {
        let newest = self.newest().or(self.base()).unwrap_or(0);
        if since > newest {
            Coverage::Ahead { newest }
        } else if self.replay_truncated(since) {
            let missed_through = self.evicted_max().max(self.base()).unwrap_or(0);
            Coverage::Truncated {
                missed_through,
                missed: None,
            }
        } else {
            Coverage::Complete
        }
    }

    /// Everything for a subscriber that has seen version `since`.
    ///
    /// ```
    /// # use model_tests::{Coverage, Model, Tick};
    /// let mut model = Model::new(4, None);
    /// model.append(Tick::new(7, 0));
    /// let replay = model.replay(6);
    /// assert_eq!((replay.events.len(), replay.newest), (1, Some(7)));
    /// assert_eq!(replay.coverage, Coverage::Complete);
    /// ```
    #[must_use]
    pub fn replay(&self, since: u64) -> Replay<E> {
        Replay {
            events: self.events_since(since),
            coverage: self.coverage(since),
            newest: self.newest(),
        }
    }

    /// Everything for a subscriber whose cursor stands after the first `seen` events of this log;
    /// `None` for a cursor of another log or another life.
    ///
    /// ```
    /// # use model_tests::{Coverage, Model, Tick};
    /// let mut model = Model::new(4, None);
    /// [7, 7].map(|version| model.append(Tick::new(version, 0)));
    /// assert_eq!(model.replay_after(Some(1)).events.len(), 1); // which no version could say
    /// assert_eq!(model.replay_after(None).coverage, Coverage::Foreign);
    /// ```
    #[must_use]
    pub fn replay_after(&self, seen: Option<u64>) -> Replay<E> {
        let oldest = self.oldest() as u64;
        let end = self.history.len() as u64;
        let newest = self.newest().or(self.base()).unwrap_or(0);
        let missed_through = self.evicted_max().unwrap_or(0);
        let (coverage, from) = match seen {
            None => (Coverage::Foreign, oldest),
            Some(seen) if seen > end => (Coverage::Ahead { newest }, end),
            Some(seen) if seen < oldest => {
                let missed = Some(oldest - seen);
                (
                    Coverage::Truncated {
                        missed_through,
                        missed,
                    },
                    oldest,
                )
            }
            Some(seen) => (Coverage::Complete, seen),
        };
        Replay {
            events: self.history.iter().skip(index(from)).cloned().collect(),
            coverage,
            newest: self.newest(),
        }
    }

    /// Whether a replay since a version may have this coverage. Where it is truncated, how many
    /// events are missing may be left open.
    pub(crate) fn covers_since(&self, since: u64, theirs: Coverage) -> bool {
        let ours = self.coverage(since);
        let above = |event: &&E| event.version() > since;
        let missed = self.evicted().iter().filter(above).count() as u64;
        // How many events were before the base version, nobody knows.
        let known = self.base().is_none_or(|base| base <= since);
        match (ours, theirs) {
            (
                Coverage::Truncated { missed_through, .. },
                Coverage::Truncated {
                    missed_through: told,
                    missed: Some(count),
                },
            ) => told == missed_through && known && count == missed,
            _ => ours == theirs,
        }
    }

    /// Whether a replay after a cursor may have this coverage. Where it is truncated, how many
    /// events are missing may be left open, and `missed_through` be the highest version of those
    /// that are missing, or of all that were evicted.
    pub(crate) fn covers_after(&self, seen: Option<u64>, theirs: Coverage) -> bool {
        let ours = self.replay_after(seen).coverage;
        let gone = self.evicted().iter().skip(index(seen.unwrap_or(0)));
        let least = gone.map(Versioned::version).max().unwrap_or(0);
        let most = self.evicted_max().max(self.base()).unwrap_or(0);
        match (ours, theirs) {
            (
                Coverage::Truncated { missed, .. },
                Coverage::Truncated {
                    missed_through,
                    missed: told,
                },
            ) => (least..=most).contains(&missed_through) && (told.is_none() || told == missed),
            _ => ours == theirs,
        }
    }

    /// The index of the oldest retained event.
    pub(super) fn oldest(&self) -> usize {
        self.oldest
    }

    fn evicted_max(&self) -> Option<u64> {
        self.evicted().iter().map(Versioned::version).max()
    }
}

/// An index that came from a length.
fn index(seq: u64) -> usize {
    usize::try_from(seq).unwrap_or(usize::MAX)
}
