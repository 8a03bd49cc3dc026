//! The baseline as it stands: the module that `eventlog` replaces, with its capacity as a setting.

use std::{collections::VecDeque, sync::Mutex};

use eventlog::{Coverage, Versioned};
use tokio::sync::broadcast;

use crate::subject::{
    adapter::{Event, Subject},
    case::Case,
    in_memory::Tick,
    log::{Log, OpenError, Replay},
    probe::{Probe, Probed},
};

/// A deque behind one mutex, and a broadcast channel beside it.
#[derive(Debug)]
pub struct Baseline<E> {
    ring: Mutex<VecDeque<E>>,
    capacity: usize,
    live: broadcast::Sender<E>,
}

#[expect(clippy::expect_used, reason = "so it stands in the baseline")]
impl<E: Event> Log<E> for Baseline<E> {
    fn append(&self, event: E) -> Option<u64> {
        let mut ring = self.ring.lock().expect("event-log ring mutex poisoned");
        if ring.len() == self.capacity {
            ring.pop_front();
        }
        ring.push_back(event.clone());
        drop(ring);
        // An error says only that there is no receiver.
        let _ = self.live.send(event);
        None
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        let ring = self.ring.lock().expect("event-log ring mutex poisoned");
        ring.iter()
            .filter(|event| event.version() > since)
            .cloned()
            .collect()
    }

    fn replay_truncated(&self, since: u64) -> bool {
        let ring = self.ring.lock().expect("event-log ring mutex poisoned");
        match ring.front() {
            Some(oldest) => oldest.version() > since.saturating_add(1),
            None => false,
        }
    }

    /// As its users put it together: two questions, one after the other.
    fn replay(&self, since: u64) -> Replay<E> {
        let events = self.events_since(since);
        let newest = self.newest();
        let coverage = if self.replay_truncated(since) {
            let oldest = events.first().map_or(since, Versioned::version);
            Coverage::Truncated {
                missed_through: oldest.saturating_sub(1),
                missed: None,
            }
        } else {
            Coverage::Complete
        };
        Replay {
            events,
            coverage,
            newest,
        }
    }
}

#[expect(clippy::expect_used, reason = "so it stands in the baseline")]
impl<E: Versioned> Baseline<E> {
    fn newest(&self) -> Option<u64> {
        let ring = self.ring.lock().expect("event-log ring mutex poisoned");
        ring.back().map(Versioned::version)
    }
}

/// Opens [`Baseline`]s.
#[derive(Clone, Copy, Debug)]
pub struct BaselineSubject;

impl Subject for BaselineSubject {
    type Event = Probed<Tick>;
    type Log = Baseline<Probed<Tick>>;

    fn open(&self, case: &Case) -> Result<Self::Log, OpenError> {
        if case.capacity == 0 {
            return Err("its capacity is a constant above 0".into());
        }
        Ok(Baseline {
            ring: Mutex::default(),
            capacity: case.capacity,
            live: broadcast::Sender::new(case.capacity),
        })
    }

    fn event(&self, version: u64, pick: u32) -> Self::Event {
        Probed::new(Tick::new(version, pick), None)
    }

    fn probed_event(&self, version: u64, probe: &Probe) -> Self::Event {
        Probed::new(Tick::new(version, 0), Some(probe))
    }
}
