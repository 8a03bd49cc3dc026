//! What the user says of time and of weights, as the log is told it and the model notes it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

pub(super) type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// The clock of a log, and what its weigher has said.
///
/// The user's clock is asked once per call, and the log reads what it said: so there is one time for
/// the log and the model, whatever runs meanwhile.
#[derive(Default)]
pub(super) struct Told {
    pub(super) clock: Option<Clock>,
    pub(super) now: Arc<Mutex<Duration>>,
    pub(super) weighed: Arc<Mutex<VecDeque<u64>>>,
}

impl Told {
    /// Asks the user's clock, and says the latest that it ever said.
    pub(super) fn ask(&self) -> Duration {
        let Some(clock) = &self.clock else {
            return Duration::ZERO;
        };
        let said = clock();
        let mut now = locked(&self.now);
        *now = said.max(*now);
        *now
    }

    /// What the next event weighs of those that were weighed: nothing, where nobody weighs.
    pub(super) fn weight(&self) -> u64 {
        locked(&self.weighed).pop_front().unwrap_or(0)
    }

    /// Forgets what was weighed, but for the last events.
    pub(super) fn forget_weights(&self, but: usize) {
        let mut weighed = locked(&self.weighed);
        let over = weighed.len().saturating_sub(but);
        weighed.drain(..over);
    }
}

pub(super) fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The clock of a log that is given none.
pub(super) fn since_now() -> Clock {
    let origin = Instant::now();
    Box::new(move || origin.elapsed())
}
