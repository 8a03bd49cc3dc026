//! What an append costs.

use std::time::Duration;

use eventlog::{
    EventLog,
    disk::{DiskConfig, DiskWriter},
};
use tokio::sync::broadcast;

use crate::{
    largest,
    support::{
        appends::{self, by_hand, on_threads, ours},
        event::{Event, Sample},
        measure::{Pair, compare, cpu_each},
        sides::{BATCH, CAPACITY, Sides, batch, full},
    },
};

/// Events that `append_batch` gets at once.
const TOGETHER: usize = 64;
/// More than a flush takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn single<E: Sample>(rounds: usize) -> Pair {
    let sides = Sides::<E>::full(CAPACITY);
    compare(rounds, || by_hand(&sides, BATCH), || ours(&sides, BATCH))
}

/// Events are made while the clock runs, of the memory that those before have given back.
pub fn made<E: Sample>(rounds: usize) -> Pair {
    let sides = Sides::<E>::full(CAPACITY);
    compare(
        rounds,
        || appends::made_by_hand(&sides),
        || appends::ours_made(&sides),
    )
}

/// The appender's thread alone, while another writes to a file what it appends.
pub fn with_a_writer(rounds: usize) -> Pair {
    let mut sides = Sides::<Event>::full(CAPACITY);
    let directory = tempfile::tempdir().unwrap();
    let config = DiskConfig::new(directory.path().join("events.log"));
    sides.ours = EventLog::builder().capacity(CAPACITY).build().unwrap();
    let writer = DiskWriter::spawn(&sides.ours, config).unwrap();
    for event in batch(0, BATCH) {
        sides.ours.append(event);
    }
    compare(
        rounds,
        || by_hand(&sides, BATCH),
        || {
            writer.blocking_flush(PATIENCE).unwrap();
            ours(&sides, BATCH)
        },
    )
}

/// Batches are made before the clock starts; the baseline takes the same events one by one.
pub fn batches<E: Sample>(rounds: usize) -> Pair {
    let sides = Sides::<E>::full(CAPACITY);
    compare(
        rounds,
        || by_hand(&sides, BATCH),
        || {
            let mut events = batch(sides.newest, BATCH).into_iter();
            cpu_each(BATCH, || {
                while events.len() > 0 {
                    sides.ours.append_batch(events.by_ref().take(TOGETHER));
                }
            })
        },
    )
}

/// Our appends alone as the baseline of those beside someone who always holds a replay.
pub fn beside_a_held_replay(rounds: usize) -> Pair {
    let sides = Sides::<Event>::full(largest());
    compare(
        rounds,
        || ours(&sides, BATCH),
        || appends::beside_a_held_replay(&sides),
    )
}

/// Several threads at once beside as many that send through a `broadcast` channel of the same
/// capacity, whose one receiver reads nothing.
pub fn producers(count: usize, rounds: usize) -> Pair {
    let log = full::<Event>(CAPACITY);
    let (sender, _receiver) = broadcast::channel::<Event>(CAPACITY);
    for event in batch(0, BATCH) {
        sender.send(event).unwrap();
    }
    compare(
        rounds,
        || {
            on_threads(count, |event| {
                let _ = sender.send(event);
            })
        },
        || {
            on_threads(count, |event| {
                log.append(event);
            })
        },
    )
}
