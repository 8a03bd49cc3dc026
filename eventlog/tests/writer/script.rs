//! A destination that does what the test tells it.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Instant,
};

use eventlog::{
    Epoch,
    disk::DiskError,
    writer::{Destination, DestinationError, Level, Records, Standing},
};

use crate::account::PATIENCE;

/// What becomes of the next call that it fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    FailWrite,
    /// A disk that fills up: this many lines become durable, then the call fails.
    KeepThenFailWrite(usize),
    /// This many lines become durable, then the destination refuses what is left.
    KeepThenRefuse(usize),
    FailSync,
    /// The next time without anything to hand over lasts until the test releases it.
    StallIdle,
    /// From here on every call waits until the test releases it.
    Stall,
    Panic,
}

#[derive(Default)]
pub struct State {
    pub durable: Vec<String>,
    /// Lines handed over and not yet durable.
    pub handed: Vec<String>,
    pub writes: usize,
    pub syncs: usize,
    /// How many calls failed.
    pub failures: usize,
    /// Whether a call waits to be released.
    pub waiting: bool,
    /// How many calls have waited and gone on.
    released: usize,
    stalled: bool,
    steps: VecDeque<Step>,
}

/// The destination.
pub struct Script(Remote);

/// The test's side of it.
#[derive(Clone, Default)]
pub struct Remote(Arc<(Mutex<State>, Condvar)>);

impl Script {
    pub fn new() -> (Self, Remote) {
        let remote = Remote::default();
        (Self(remote.clone()), remote)
    }
}

impl Remote {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Every call from now on waits.
    pub fn stall(&self) {
        self.lock().stalled = true;
    }

    /// Lets a waiting call go on, and returns when it has.
    pub fn release(&self) {
        let mut state = self.lock();
        state.stalled = false;
        let (waiting, released) = (state.waiting, state.released);
        drop(state);
        self.0.1.notify_all();
        self.wait("a call to go on", |state| {
            !waiting || state.released > released
        });
    }

    pub fn then(&self, step: Step) {
        self.lock().steps.push_back(step);
    }

    pub fn wait(&self, what: &str, reached: impl Fn(&State) -> bool) {
        let waited = self
            .0
            .1
            .wait_timeout_while(self.lock(), PATIENCE, |state| !reached(state))
            .unwrap();
        assert!(!waited.1.timed_out(), "waited in vain: {what}");
    }

    pub fn wait_stalled(&self) {
        self.wait("a call into the stalled destination", |state| state.waiting);
    }

    pub fn durable(&self) -> Vec<String> {
        self.lock().durable.clone()
    }

    fn wait_released<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.waiting = true;
        self.0.1.notify_all();
        state = self.0.1.wait_while(state, |state| state.stalled).unwrap();
        state.waiting = false;
        state.released += 1;
        state
    }

    /// Notes a call, waits while stalled, and says which step fits it.
    fn enter(
        &self,
        count: fn(&mut State) -> &mut usize,
        fits: fn(Step) -> bool,
    ) -> (MutexGuard<'_, State>, Option<Step>) {
        let mut state = self.lock();
        *count(&mut state) += 1;
        if state.steps.front() == Some(&Step::Stall) {
            state.steps.pop_front();
            state.stalled = true;
        }
        if state.stalled {
            state = self.wait_released(state);
        }
        let next = state.steps.front().copied().filter(|step| fits(*step));
        if next.is_some() {
            state.steps.pop_front();
            state.failures += 1;
        }
        self.0.1.notify_all();
        if next == Some(Step::Panic) {
            // The test goes on to use the lock.
            drop(state);
            panic!("a bug in a destination");
        }
        (state, next)
    }
}

fn full() -> DestinationError {
    DestinationError::from(DiskError::Io {
        action: "write to",
        path: "/scripted".into(),
        source: io::Error::from(io::ErrorKind::StorageFull),
    })
}

impl Destination for Script {
    fn level(&self) -> Level {
        Level::new(1, true)
    }

    fn open(&mut self, _epoch: Epoch) -> Result<Standing, DestinationError> {
        Ok(Standing::Unknown)
    }

    fn idle(&mut self) -> Option<Instant> {
        let mut state = self.0.lock();
        if state.steps.front() == Some(&Step::StallIdle) {
            state.steps.pop_front();
            state.stalled = true;
            drop(self.0.wait_released(state));
        }
        None
    }

    fn write(
        &mut self,
        records: Records<'_>,
        _progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        assert!(!records.is_empty(), "called for nothing");
        let (mut state, step) = self.0.enter(
            |state| &mut state.writes,
            |step| !matches!(step, Step::FailSync | Step::Stall | Step::StallIdle),
        );
        let lines = records
            .iter()
            .map(|line| String::from_utf8(line.to_vec()).unwrap());
        match step {
            None => {
                state.handed.extend(lines);
                return Ok(());
            }
            Some(Step::KeepThenFailWrite(count) | Step::KeepThenRefuse(count)) => {
                let handed = std::mem::take(&mut state.handed);
                state
                    .durable
                    .extend(handed.into_iter().chain(lines.take(count)));
            }
            Some(_) => state.handed.clear(),
        }
        Err(match step {
            Some(Step::KeepThenRefuse(_)) => DestinationError::Refused("too large".into()),
            _ => full(),
        })
    }

    fn sync(&mut self) -> Result<(), DestinationError> {
        let (mut state, step) = self.0.enter(
            |state| &mut state.syncs,
            |step| matches!(step, Step::FailSync),
        );
        let handed = std::mem::take(&mut state.handed);
        if step.is_some() {
            return Err(full());
        }
        state.durable.extend(handed);
        drop(state);
        self.0.0.1.notify_all();
        Ok(())
    }

    fn stored(&self) -> u64 {
        self.0.lock().durable.len() as u64
    }
}
