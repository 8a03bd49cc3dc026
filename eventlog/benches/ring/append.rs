//! What an append costs.

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use eventlog::{
    EventLog,
    disk::{DiskConfig, DiskWriter},
};
use tokio::sync::broadcast;

use crate::{
    BATCH, CAPACITY, LARGEST,
    sides::{Sides, batch, full},
    support::{
        event::{Event, Sample},
        measure::{Pair, compare, cpu_each},
    },
};

/// Events that `append_batch` gets at once.
const TOGETHER: usize = 64;
/// Appends for which a replay is held before it is taken anew.
const HELD_FOR: usize = 512;
/// More than a flush takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn single<E: Sample>(rounds: usize) -> Pair {
    single_of(&Sides::<E>::full(CAPACITY), rounds)
}

pub fn single_of<E: Sample>(sides: &Sides<E>, rounds: usize) -> Pair {
    compare(
        rounds,
        || baseline_appends(sides),
        || {
            let events = batch(sides.newest);
            cpu_each(BATCH, || {
                for event in events {
                    sides.ours.append(event);
                }
            })
        },
    )
}

fn baseline_appends<E: Sample>(sides: &Sides<E>) -> f64 {
    let events = batch(sides.newest);
    cpu_each(BATCH, || {
        for event in events {
            sides.baseline.append(event);
        }
    })
}

/// The appender's thread alone, while another writes to a file what it appends.
pub fn with_a_writer(rounds: usize) -> Pair {
    let mut sides = Sides::<Event>::full(CAPACITY);
    let directory = tempfile::tempdir().unwrap();
    let config = DiskConfig::new(directory.path().join("events.log"));
    sides.ours = EventLog::builder().capacity(CAPACITY).build().unwrap();
    let writer = DiskWriter::spawn(&sides.ours, config).unwrap();
    for event in batch(0) {
        sides.ours.append(event);
    }
    compare(
        rounds,
        || baseline_appends(&sides),
        || {
            writer.blocking_flush(PATIENCE).unwrap();
            let events = batch(sides.newest);
            cpu_each(BATCH, || {
                for event in events {
                    sides.ours.append(event);
                }
            })
        },
    )
}

/// Batches are made before the clock starts; the baseline takes the same events one by one.
pub fn batches<E: Sample>(rounds: usize) -> Pair {
    let sides = Sides::<E>::full(CAPACITY);
    compare(
        rounds,
        || baseline_appends(&sides),
        || {
            let mut events = batch(sides.newest).into_iter();
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
    let log = full::<Event>(LARGEST);
    let newest = 2 * LARGEST as u64;
    compare(
        rounds,
        || {
            let events = batch(newest);
            cpu_each(BATCH, || {
                for event in events {
                    log.append(event);
                }
            })
        },
        || {
            let mut events = batch(newest).into_iter();
            let mut appends = 0.0;
            while events.len() > 0 {
                let held = black_box(log.replay(0));
                appends += cpu_each(BATCH, || {
                    for event in events.by_ref().take(HELD_FOR) {
                        log.append(event);
                    }
                });
                drop(held);
            }
            appends
        },
    )
}

/// Several threads at once beside as many that send through a `broadcast` channel of the same
/// capacity, whose one receiver reads nothing.
pub fn producers(count: usize, rounds: usize) -> Pair {
    let log = full::<Event>(CAPACITY);
    let (sender, _receiver) = broadcast::channel::<Event>(CAPACITY);
    for event in batch(0) {
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

/// A batch of events on each thread, by the clock on the wall: from the first that begins to the
/// last that ends.
fn on_threads(count: usize, publish: impl Fn(Event) + Sync) -> f64 {
    let start = Barrier::new(count);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|_| {
                let (start, publish) = (&start, &publish);
                let events = batch(0);
                scope.spawn(move || {
                    start.wait();
                    let began = Instant::now();
                    for event in events {
                        publish(event);
                    }
                    (began, Instant::now())
                })
            })
            .collect();
        let spans = threads.into_iter().map(|thread| thread.join().unwrap());
        let (began, ended): (Vec<_>, Vec<_>) = spans.unzip();
        let all = ended.into_iter().max().unwrap() - began.into_iter().min().unwrap();
        all.as_secs_f64() * 1e9 / (count * BATCH) as f64
    })
}
