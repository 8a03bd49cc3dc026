//! The model beside a log, and what they must agree on.

use std::{
    fmt::Debug,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eventlog::{Coverage, Cursor, Epoch, Replay, Seq, Start, Stats};

use super::told::{Told, locked};
use crate::{
    model::{log::Model, reader::Reader},
    subject::adapter::Event,
};

/// The model of one log.
pub(super) struct Beside<E> {
    pub(super) model: Model<E>,
    pub(super) told: Told,
    /// The number of the last event that the model does not have: it was gone when the log was
    /// recovered.
    before: u64,
    is_recovered: bool,
    epoch: Epoch,
    calls: u64,
}

/// What a log was made with.
pub(super) struct Settings {
    pub(super) capacity: usize,
    pub(super) base: Option<u64>,
    pub(super) max_bytes: Option<u64>,
    pub(super) max_age: Option<Duration>,
    pub(super) told: Told,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            capacity: 4096,
            base: None,
            max_bytes: None,
            max_age: None,
            told: Told::default(),
        }
    }
}

/// What a start has seen.
enum Seen {
    /// So many events of the model.
    Of(u64),
    /// Not even all that came before them.
    Before,
    /// The log does not know it.
    Unknown,
}

impl Seen {
    fn from(&self) -> Option<u64> {
        match self {
            Self::Of(seen) => Some(*seen),
            Self::Before => Some(0),
            Self::Unknown => None,
        }
    }
}

pub(super) type Shared<E> = Arc<Mutex<Beside<E>>>;

impl<E> Beside<E> {
    pub(super) fn lock(shared: &Mutex<Self>) -> MutexGuard<'_, Self> {
        let mut beside = shared.lock().unwrap_or_else(PoisonError::into_inner);
        beside.calls += 1;
        beside
    }

    #[track_caller]
    pub(super) fn compare<T: PartialEq + Debug>(&self, call: &str, expected: &T, actual: &T) {
        assert!(
            actual == expected,
            "the log parts from the model at call {}, `{call}`:\n  expected: {expected:?}\n  \
             actual:   {actual:?}",
            self.calls
        );
    }
}

impl<E: Event> Beside<E> {
    /// The model of a log as it is now.
    pub(super) fn of(log: &eventlog::EventLog<E>, settings: Settings) -> Shared<E> {
        let Settings {
            capacity,
            base,
            max_bytes,
            max_age,
            told,
        } = settings;
        let all = log.replay(Start::Oldest);
        let newest = log.cursor().seq().get();
        let is_recovered = newest > 0;
        let base = match log.replay(0).coverage() {
            Coverage::Truncated { missed_through, .. } if is_recovered => Some(missed_through),
            _ if is_recovered => Some(0),
            _ => base,
        };
        let model = Model::new(capacity, base).with_limits(max_bytes, max_age);
        let mut model = model.after(log.newest_version());
        model.pass(*locked(&told.now));
        told.forget_weights(all.len());
        for event in &all {
            model.append_weighing(event.clone(), told.weight());
        }
        Arc::new(Mutex::new(Self {
            model,
            told,
            before: newest - all.len() as u64,
            is_recovered,
            epoch: log.epoch(),
            calls: 0,
        }))
    }

    /// The same, for a call in which the log looks at its clock.
    pub(super) fn lock_now(shared: &Mutex<Self>) -> MutexGuard<'_, Self> {
        let mut beside = Self::lock(shared);
        let now = beside.told.ask();
        beside.model.pass(now);
        // A call that failed may have weighed some.
        beside.told.forget_weights(0);
        beside
    }

    #[track_caller]
    pub(super) fn appended(&mut self, call: &str, event: E, seq: Seq) {
        let weight = self.told.weight();
        let expected = self.before + self.model.append_weighing(event, weight);
        self.compare(call, &expected, &seq.get());
    }

    /// The number of the newest event.
    pub(super) fn newest_seq(&self) -> u64 {
        self.before + self.model.history().len() as u64
    }

    /// Whether a cursor stands after so many events of the model.
    #[track_caller]
    pub(super) fn compare_place(&self, call: &str, seen: usize, cursor: Cursor) {
        let seq = self.before + seen as u64;
        let expected = (self.epoch, seq);
        self.compare(call, &expected, &(cursor.epoch(), cursor.seq().get()));
        // Before its first event, the log alone knows what its version is.
        if let Some(last) = seen.checked_sub(1) {
            let version = self.model.history()[last].version();
            self.compare(call, &version, &cursor.version());
        }
    }

    #[track_caller]
    pub(super) fn compare_replay(&self, start: Start, theirs: &Replay<E>) -> Range<usize> {
        let call = format!("replay({start:?})");
        let told = theirs.coverage();
        let (ours, covered, paged) = match start {
            Start::After(since) => (
                self.model.replay(since),
                self.model.covers_since(since, told),
                self.model.pages_since(since).len(),
            ),
            other => {
                let seen = self.seen(other, told);
                let from = seen.from();
                let ours = self.model.replay_after(from);
                let covered = match seen {
                    // Events that the model never had are missing as well.
                    Seen::Before => matches!(told, Coverage::Truncated { .. }),
                    _ => self.model.covers_after(from, told),
                };
                let paged = ours.events.len();
                (ours, covered, paged)
            }
        };
        let coverage = if covered { told } else { ours.coverage };
        self.compare(&call, &coverage, &told);
        let (expected, actual): (Vec<_>, Vec<_>) =
            (ours.events.iter().collect(), theirs.iter().collect());
        self.compare(&call, &expected, &actual);
        self.compare(&call, &self.model.newest(), &theirs.newest());
        let end = self.model.history().len();
        self.compare_place(&call, end, theirs.cursor());
        end - paged..end
    }

    /// What the counters say of the events.
    #[track_caller]
    pub(super) fn compare_stats(&self, stats: &Stats) {
        let retained = self.model.retained().len() as u64;
        self.compare("stats: retained", &retained, &stats.retained);
        let bytes = self.model.retained_bytes();
        self.compare("stats: retained_bytes", &bytes, &stats.retained_bytes);
        let newest = self.newest_seq();
        let through = stats.evicted + stats.retained;
        self.compare("stats: appended", &stats.appended, &through);
        // A recovered log does not count what it found gone.
        if !self.is_recovered {
            self.compare("stats: appended", &newest, &stats.appended);
        }
    }

    /// The reader of a subscription with this start.
    pub(super) fn reader(&self, start: Start, told: Coverage) -> Reader {
        match start {
            Start::After(since) => self.model.subscribe(since),
            other => {
                let seen = self.seen(other, told).from();
                self.model.resume(seen)
            }
        }
    }

    /// What a start has seen of the model.
    fn seen(&self, start: Start, told: Coverage) -> Seen {
        match start {
            Start::Oldest if self.before == 0 => Seen::Of(0),
            Start::Oldest => Seen::Before,
            Start::Now => Seen::Of(self.model.history().len() as u64),
            Start::Cursor(cursor) => {
                let is_of_this_life = cursor.epoch() == self.epoch;
                // Whether a recovered log knows the cursor of an earlier life, it alone can say.
                let is_of_another = self.is_recovered && told != Coverage::Foreign;
                let is_known = is_of_this_life || is_of_another;
                if !is_known {
                    return Seen::Unknown;
                }
                let seen = cursor.seq().get().checked_sub(self.before);
                seen.map_or(Seen::Before, Seen::Of)
            }
            _ => Seen::Unknown,
        }
    }
}
