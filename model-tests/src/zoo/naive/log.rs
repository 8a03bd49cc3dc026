//! How a naive log is opened, and its operations.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use eventlog::Coverage;

use super::{
    answers::select_from,
    extras::{NaiveFilter, NaiveNumbering},
    reader::NaiveReader,
    state::{Naive, Shared, State},
};
use crate::{
    subject::{
        adapter::{Event, Subject},
        case::Case,
        in_memory::Tick,
        log::{Lease, Log, Numbering, OpenError, Page, Replay, Subscription},
        probe::{Probe, Probed},
    },
    zoo::bugs::Bug,
};

/// Opens [`Naive`] logs.
#[derive(Clone, Copy, Debug)]
pub struct NaiveSubject {
    /// What is wrong with them.
    pub bug: Option<Bug>,
}

impl Subject for NaiveSubject {
    type Event = Probed<Tick>;
    type Log = Naive<Probed<Tick>>;

    fn open(&self, case: &Case) -> Result<Self::Log, OpenError> {
        Naive::open(case, self.bug)
    }

    fn numbering(&self, case: &Case) -> Result<Box<dyn Numbering>, OpenError> {
        Ok(Box::new(NaiveNumbering::new(self.bug, case.capacity)))
    }

    fn event(&self, version: u64, pick: u32) -> Self::Event {
        let forgotten = self.bug == Some(Bug::ForgottenVariant) && pick % 62 == 61;
        Probed::new(Tick::new(if forgotten { 0 } else { version }, pick), None)
    }

    fn probed_event(&self, version: u64, probe: &Probe) -> Self::Event {
        Probed::new(Tick::new(version, 0), Some(probe))
    }
}

impl<E: Event> Naive<E> {
    fn open(case: &Case, bug: Option<Bug>) -> Result<Self, OpenError> {
        static EPOCHS: AtomicU64 = AtomicU64::new(1);
        let capacity = case.capacity;
        if capacity == 0 && bug != Some(Bug::AcceptsCapacityZero) {
            return Err("a log of capacity 0 can hold nothing".into());
        }
        let capacity = match bug {
            Some(Bug::OneTooFew) => capacity.max(2) - 1,
            Some(Bug::OneTooMany) => capacity + 1,
            Some(Bug::CapacityOneHoldsTwo) => capacity.max(2),
            _ => capacity,
        };
        let epoch = match bug {
            Some(Bug::NoEpoch) => 0,
            _ => EPOCHS.fetch_add(1, Ordering::Relaxed),
        };
        let state = State {
            retained: VecDeque::new(),
            evicted: 0,
            closed_at: None,
            waiters: Vec::new(),
            readers: BTreeMap::new(),
            next_reader: 0,
            evicted_max: None,
            base: case.base_version,
            newest: None,
            kept_for_nothing: Vec::new(),
            times: VecDeque::new(),
            now: Duration::ZERO,
            leases: Vec::new(),
            next_lease: 0,
        };
        Ok(Self(Arc::new(Shared {
            bug,
            capacity,
            epoch,
            max_bytes: case.max_bytes,
            max_age: case.max_age,
            clock: case.clock.clone(),
            read: Condvar::new(),
            state: Mutex::new(state),
            second: Mutex::new(()),
        })))
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.0.has(bug)
    }

    fn snapshot(&self) -> State<E> {
        self.0.lock().clone()
    }

    /// The number in a cursor, if the cursor is of this life.
    fn seen(&self, cursor: &str) -> Option<u64> {
        let (epoch, seen) = cursor.split_once('.')?;
        (epoch == self.0.epoch.to_string())
            .then(|| seen.parse().ok())
            .flatten()
    }

    /// A cursor as if it were of this life.
    fn as_own(&self, cursor: &str) -> String {
        let seen = cursor.split_once('.').map_or("0", |(_, seen)| seen);
        format!("{}.{seen}", self.0.epoch)
    }

    fn follow(&self, next: u64) -> Box<dyn Subscription<E>> {
        Box::new(NaiveReader::new(self.0.clone(), next))
    }

    /// Where a reader starts that has seen version `since`.
    pub(super) fn place_since(state: &State<E>, since: u64) -> u64 {
        let found = state.retained.iter().position(|entry| entry.0 > since);
        found.map_or(state.appended(), |index| state.evicted + index as u64)
    }
}

impl<E: Event> Log<E> for Naive<E> {
    fn append(&self, event: E) -> Option<u64> {
        self.append_all(vec![event], true);
        // What it would say is compared with the model's: this log numbers nothing.
        None
    }

    fn append_batch(&self, events: Vec<E>) {
        if self.has(Bug::AppendsBatchInParts) {
            for event in events {
                self.append_all(vec![event], true);
            }
            return;
        }
        self.append_all(events, !self.has(Bug::BatchWakesNobody));
    }

    fn append_with(&self, make: &mut dyn FnMut(Option<u64>) -> E) {
        let mut gone = Vec::new();
        let mut state = self.0.lock();
        if self.has(Bug::EvictsBeforeClosure) && state.retained.len() == self.0.capacity {
            self.evict(&mut state, &mut gone);
        }
        let event = make(state.newest);
        let version = event.version();
        self.push(&mut state, (version, Arc::new(event)), &mut gone);
        let waiters = mem::take(&mut state.waiters);
        drop(state);
        drop(gone);
        self.0.wake(waiters);
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        self.pass();
        if self.has(Bug::ClonesUnderLock) {
            let state = self.0.lock();
            return owned(&self.select(&state, since));
        }
        owned(&self.select(&self.snapshot(), since))
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.pass();
        self.truncated(&self.0.lock(), since)
    }

    fn replay(&self, since: u64) -> Replay<E> {
        self.pass();
        let mut state = self.snapshot();
        let events = owned(&self.select(&state, since));
        if self.has(Bug::LocksTwice) {
            state = self.snapshot();
        }
        Replay {
            events,
            coverage: self.coverage(&state, since),
            newest: state.newest,
        }
    }

    fn cursor(&self) -> String {
        let state = self.0.lock();
        self.0.cursor(state.appended(), state.newest_or_base())
    }

    fn replay_after(&self, cursor: &str) -> Replay<E> {
        let state = self.snapshot();
        let newest = state.newest;
        let Some(seen) = self.seen(cursor) else {
            let events = owned(&select_from(&state, state.evicted));
            return Replay {
                events,
                coverage: Coverage::Foreign,
                newest,
            };
        };
        if self.has(Bug::CursorIsVersion) {
            let coverage = self.coverage(&state, seen);
            return Replay {
                events: owned(&self.select(&state, seen)),
                coverage,
                newest,
            };
        }
        let missed_through = state.evicted_max.unwrap_or(0);
        let coverage = if seen > state.appended() {
            Coverage::Ahead {
                newest: state.newest_or_base(),
            }
        } else if seen < state.evicted {
            Coverage::Truncated {
                missed_through,
                missed: Some(state.evicted - seen),
            }
        } else {
            Coverage::Complete
        };
        Replay {
            events: owned(&select_from(&state, seen)),
            coverage,
            newest,
        }
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<E>> {
        let state = self.snapshot();
        let replayed = Self::place_since(&state, since);
        let seam = match self.0.bug {
            Some(Bug::GapAtHandOff) => {
                self.0.until_changed(&state);
                self.0.lock().appended()
            }
            Some(Bug::TwiceAtHandOff) => {
                self.0.until_changed(&state);
                let later = self.snapshot();
                let reader = NaiveReader::new(self.0.clone(), state.appended());
                let from = usize::try_from(replayed - state.evicted).unwrap_or(0);
                let replay = later.retained.iter().skip(from).cloned().collect();
                return Box::new(reader.after(replay));
            }
            _ => return self.follow(replayed),
        };
        let reader = NaiveReader::new(self.0.clone(), seam);
        let from = usize::try_from(replayed - state.evicted).unwrap_or(0);
        Box::new(reader.after(state.retained.iter().skip(from).cloned().collect()))
    }

    fn resume(&self, cursor: &str) -> Box<dyn Subscription<E>> {
        let state = self.0.lock();
        let seen = match self.seen(cursor) {
            Some(seen) if self.has(Bug::ResumesInclusive) => seen.saturating_sub(1),
            Some(seen) => seen,
            None if self.has(Bug::ResumesAnyLife) => self.seen(&self.as_own(cursor)).unwrap_or(0),
            None => 0,
        };
        let next = seen.max(state.evicted).min(state.appended());
        drop(state);
        self.follow(next)
    }

    fn lease(&self, events: u64) -> Box<dyn Lease> {
        Box::new(self.hold(events))
    }

    fn page(&self, since: u64, events: usize) -> Page<E> {
        self.page_of(Some(since), "", events)
    }

    fn page_after(&self, cursor: &str, events: usize) -> Page<E> {
        if self.has(Bug::PagesAnyLife) {
            return self.page_of(None, &self.as_own(cursor), events);
        }
        self.page_of(None, cursor, events)
    }

    fn subscribe_if(&self, since: u64, keeps: fn(&E) -> bool) -> Box<dyn Subscription<E>> {
        let reader = self.subscribe(since);
        Box::new(NaiveFilter::new(reader, keeps, self.0.clone()))
    }

    fn close(&self) {
        let mut state = self.0.lock();
        let end = state.appended();
        state.closed_at.get_or_insert(end);
        if self.has(Bug::CloseWakesNobody) {
            return;
        }
        let waiters = mem::take(&mut state.waiters);
        drop(state);
        self.0.wake(waiters);
    }
}

fn owned<E: Clone>(events: &[Arc<E>]) -> Vec<E> {
    events.iter().map(|event| E::clone(event)).collect()
}
