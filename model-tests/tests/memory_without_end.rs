//! A log that takes memory without end gets its verdict before the machine is out of it. (A test
//! binary of its own: memory belongs to the process.)

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::{thread, time::Duration};

use model_tests::{
    Budget,
    Capability::{AppendWith, Base, Batch, Replay},
    Case, Log, OpenError, Subject, Tick, check, laws,
};

#[derive(Clone)]
struct Greedy;

struct GreedyLog;

impl Subject for Greedy {
    type Event = Tick;
    type Log = GreedyLog;

    fn open(&self, _: &Case) -> Result<GreedyLog, OpenError> {
        Ok(GreedyLog)
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for GreedyLog {
    fn append(&self, _: Tick) -> Option<u64> {
        None
    }

    fn events_since(&self, _: u64) -> Vec<Tick> {
        let mut memory = Vec::new();
        loop {
            // What is taken is limited here, so that a suite that does not look fails and no more.
            if memory.len() < 400 {
                memory.push(vec![1_u8; 1 << 20]);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_replay_that_takes_all_memory() {
    let mut budget = Budget::default();
    budget.lacks = &[Base, Batch, AppendWith, Replay];
    budget.memory = 100 << 20;
    budget.patience = Duration::from_secs(30);
    let broken = check(&Greedy, &laws::R01, &budget).unwrap_err();
    assert!(broken.takes_all_memory, "{broken}");
    assert_eq!(broken.step, "events_since");
}
