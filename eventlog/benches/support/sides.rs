//! Both logs, and the events that they are given.

use std::hint::black_box;

use eventlog::{EventLog, Versioned};

use super::{baseline::Baseline, event::Sample};

/// Events of the rings that are measured, unless the row says otherwise.
pub const CAPACITY: usize = 4096;
/// Events of a timed batch. They are made before the clock starts.
pub const BATCH: usize = 4096;

/// Both logs, filled twice over with the same events.
pub struct Sides<E> {
    pub baseline: Baseline<E>,
    pub ours: EventLog<E>,
    pub newest: u64,
}

impl<E: Sample> Sides<E> {
    pub fn full(capacity: usize) -> Self {
        let baseline = Baseline::new(capacity);
        let newest = 2 * capacity as u64;
        for version in 1..=newest {
            baseline.append(E::new(version));
        }
        Self {
            baseline,
            ours: full(capacity),
            newest,
        }
    }
}

/// Our log alone, filled twice over.
pub fn full<E: Sample>(capacity: usize) -> EventLog<E> {
    let log = EventLog::builder().capacity(capacity).build().unwrap();
    for version in 1..=2 * capacity as u64 {
        log.append(E::new(version));
    }
    log
}

/// So many events with versions above `newest`.
pub fn batch<E: Sample>(newest: u64, count: usize) -> Vec<E> {
    (newest + 1..).take(count).map(E::new).collect()
}

/// Reads something of each event.
pub fn touch<'a, E: Versioned + 'a>(events: impl IntoIterator<Item = &'a E>) {
    let sum = events
        .into_iter()
        .fold(0u64, |sum, event| sum.wrapping_add(event.version()));
    black_box(sum);
}
