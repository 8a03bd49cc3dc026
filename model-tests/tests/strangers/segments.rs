//! A log that lets whole segments of four go, and so retains up to three events more.

use std::{collections::VecDeque, sync::Mutex};

use model_tests::{Case, Log, OpenError, Subject, Tick, Versioned};

#[derive(Clone)]
pub struct Segments;

pub struct SegmentLog {
    events: Mutex<(VecDeque<Tick>, u64)>,
    capacity: usize,
    base: Option<u64>,
}

const SEGMENT: usize = 4;

impl Subject for Segments {
    type Event = Tick;
    type Log = SegmentLog;

    fn open(&self, case: &Case) -> Result<SegmentLog, OpenError> {
        if case.capacity == 0 {
            return Err("a log of capacity 0 can hold nothing".into());
        }
        Ok(SegmentLog {
            events: Mutex::default(),
            capacity: case.capacity,
            base: case.base_version,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn retains(&self, case: &Case, appended: u64) -> u64 {
        let surplus = appended.saturating_sub(case.capacity as u64);
        let segment = SEGMENT as u64;
        appended - surplus / segment * segment
    }
}

impl Log<Tick> for SegmentLog {
    fn append(&self, event: Tick) -> Option<u64> {
        let (events, gone) = &mut *self.events.lock().unwrap();
        if events.is_empty() {
            *gone = self.base.unwrap_or(event.version().saturating_sub(1));
        }
        events.push_back(event);
        if events.len() >= self.capacity + SEGMENT {
            for event in events.drain(..SEGMENT) {
                *gone = (*gone).max(event.version());
            }
        }
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let (events, _) = &*self.events.lock().unwrap();
        events
            .iter()
            .filter(|event| event.version() > since)
            .cloned()
            .collect()
    }

    fn replay_truncated(&self, since: u64) -> bool {
        let (events, gone) = &*self.events.lock().unwrap();
        let nothing_yet = events.is_empty();
        let gone = if nothing_yet {
            self.base.unwrap_or(0)
        } else {
            *gone
        };
        gone > since
    }
}
