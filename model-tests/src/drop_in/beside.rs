//! The model beside a log, and what they must agree on.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use eventlog::{Coverage, Epoch, Replay, Seq, Start};

use crate::{
    model::{log::Model, reader::Reader},
    subject::adapter::Event,
};

/// The model of one log.
pub(super) struct Beside<E> {
    pub(super) model: Model<E>,
    /// The number of the last event that the model does not have: it was gone when the log was
    /// recovered.
    before: u64,
    is_recovered: bool,
    epoch: Epoch,
    calls: u64,
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

impl<E: Event> Beside<E> {
    /// The model of a log as it is now.
    pub(super) fn of(log: &eventlog::EventLog<E>, capacity: usize, base: Option<u64>) -> Shared<E> {
        let all = log.replay(Start::Oldest);
        let newest = log.cursor().seq().get();
        let is_recovered = newest > 0;
        let base = match log.replay(0).coverage() {
            Coverage::Truncated { missed_through, .. } if is_recovered => Some(missed_through),
            _ if is_recovered => Some(0),
            _ => base,
        };
        let mut model = Model::new(capacity, base);
        for event in &all {
            model.append(event.clone());
        }
        Arc::new(Mutex::new(Self {
            model,
            before: newest - all.len() as u64,
            is_recovered,
            epoch: log.epoch(),
            calls: 0,
        }))
    }

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

    #[track_caller]
    pub(super) fn appended(&mut self, call: &str, event: E, seq: Seq) {
        let expected = self.before + self.model.append(event);
        self.compare(call, &expected, &seq.get());
    }

    #[track_caller]
    pub(super) fn compare_replay(&self, start: Start, theirs: &Replay<E>) {
        let call = format!("replay({start:?})");
        let told = theirs.coverage();
        let (ours, covered) = match start {
            Start::After(since) => (
                self.model.replay(since),
                self.model.covers_since(since, told),
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
                (ours, covered)
            }
        };
        let coverage = if covered { told } else { ours.coverage };
        self.compare(&call, &coverage, &told);
        let (expected, actual): (Vec<_>, Vec<_>) =
            (ours.events.iter().collect(), theirs.iter().collect());
        self.compare(&call, &expected, &actual);
        self.compare(&call, &self.model.newest(), &theirs.newest());
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
