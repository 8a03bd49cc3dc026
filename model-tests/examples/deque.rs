//! A complete adapter for the log that everyone writes first, a `Mutex<VecDeque>`, and what the
//! laws say about it: `cargo run -p versioned-eventlog-tests --example deque`.

#![allow(clippy::unwrap_used)]

use std::{collections::VecDeque, sync::Mutex};

use model_tests::{
    Budget,
    Capability::{
        Age, AppendWith, Base, Batch, Close, Cursor, Durable, Filter, Lease, Numbers, Pages, Probe,
        Replay, Skip, Subscribe, Wait, Weight,
    },
    Case, Log, OpenError, Subject, Tick, Versioned, check_all,
};

// The log. Its events are `Tick`s here; yours are your own.
struct Deque {
    events: Mutex<VecDeque<Tick>>,
    capacity: usize,
}

// ---- the adapter ---------------------------------------------------------------------------

#[derive(Clone)]
struct DequeSubject;

impl Subject for DequeSubject {
    type Event = Tick;
    type Log = Deque;

    fn open(&self, case: &Case) -> Result<Deque, OpenError> {
        Ok(Deque {
            events: Mutex::default(),
            capacity: case.capacity,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for Deque {
    fn append(&self, event: Tick) -> Option<u64> {
        let mut events = self.events.lock().unwrap();
        if events.len() == self.capacity {
            events.pop_front();
        }
        events.push_back(event);
        None // it does not number its events
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let events = self.events.lock().unwrap();
        let above = events.iter().filter(|event| event.version() > since);
        above.cloned().collect()
    }

    fn replay_truncated(&self, since: u64) -> bool {
        let events = self.events.lock().unwrap();
        let oldest = events.front();
        oldest.is_some_and(|oldest| oldest.version() > since.saturating_add(1))
    }
}

// ---- the verdict ---------------------------------------------------------------------------

fn main() {
    // In your own tests this is one line:
    // `model_tests::conformance!(deque => DequeSubject, lacks: [Base, Probe, Replay, ...]);`
    let mut budget = Budget::default();
    budget.subject = "DequeSubject";
    budget.lacks = &[
        Base, Probe, Replay, Batch, AppendWith, Cursor, Subscribe, Wait, Skip, Close, Durable,
        Weight, Age, Numbers, Lease, Pages, Filter,
    ];
    for outcome in check_all(&DequeSubject, &budget) {
        println!("{outcome}");
    }
}
