//! The one place where state changes: make the event, apply it, append it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventlog::EventLog;

use crate::{event::Event, state::State};

pub struct Reducer {
    log: Arc<EventLog<Event>>,
    state: Mutex<State>,
}

impl Reducer {
    /// Goes on from what the log holds.
    pub fn new(log: Arc<EventLog<Event>>) -> Self {
        let mut state = State::default();
        for event in &log.replay(eventlog::Start::Oldest) {
            state.apply(event);
        }
        Self {
            log,
            state: Mutex::new(state),
        }
    }

    pub fn log(&self) -> &Arc<EventLog<Event>> {
        &self.log
    }

    pub fn state(&self) -> State {
        self.lock().clone()
    }

    /// The state, and where a subscriber stands that has it.
    #[cfg(feature = "axum")]
    pub fn snapshot(&self) -> (State, eventlog::Cursor) {
        let state = self.lock();
        (state.clone(), self.log.cursor())
    }

    /// The closure gets the state and the version of the event that it makes. The log is appended
    /// to under the state's lock, so that a state and a version always belong together.
    pub fn change(&self, make: impl FnOnce(&State, u64) -> Event) {
        let mut state = self.lock();
        let event = make(&state, state.version + 1);
        state.apply(&event);
        self.log.append(event);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
