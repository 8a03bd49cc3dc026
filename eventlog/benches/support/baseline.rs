//! What is compared against: the log that every program writes by hand.

use std::{collections::VecDeque, sync::Mutex};

use eventlog::Versioned;

use super::event::Event;

/// A ring of events behind one lock. Live subscribers have a `tokio::sync::broadcast` channel
/// beside it.
pub struct Baseline<E = Event> {
    ring: Mutex<VecDeque<E>>,
    capacity: usize,
}

impl<E: Versioned + Clone> Baseline<E> {
    pub fn new(capacity: usize) -> Self {
        Self {
            ring: Mutex::new(VecDeque::with_capacity(capacity)),
            capacity,
        }
    }

    pub fn append(&self, event: E) {
        let mut ring = self.ring.lock().unwrap();
        if ring.len() == self.capacity {
            ring.pop_front();
        }
        ring.push_back(event);
    }

    /// Scans the ring and clones what is newer, all under the lock.
    pub fn events_since(&self, since: u64) -> Vec<E> {
        let ring = self.ring.lock().unwrap();
        ring.iter()
            .filter(|event| event.version() > since)
            .cloned()
            .collect()
    }
}
