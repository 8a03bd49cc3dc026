//! One operation so many times and nothing else, for a tool that counts instructions:
//! `.ci/instructions` runs it below callgrind, once with none and once with many.
//!
//! Counts do not depend on how busy the machine is, so they can be compared from change to change.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark, which uses a part of what benchmarks share"
)]

mod support;

use std::{env, hint::black_box};

use eventlog::{EventLog, Versioned as _};
use support::{
    baseline::Baseline,
    event::{Event, Plain, Sample},
};
use tokio::sync::broadcast;

const CAPACITY: usize = 4096;
const BATCH: usize = 64;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [what, times] = arguments.as_slice() else {
        println!("nothing counted: run it with `.ci/instructions`");
        return;
    };
    let Ok(times) = times.parse() else {
        return;
    };
    match what.as_str() {
        "append" => append::<Event>(times),
        "append-by-hand" | "append-batch-by-hand" => append_by_hand::<Event>(times),
        "append-plain" => append::<Plain>(times),
        "append-plain-by-hand" => append_by_hand::<Plain>(times),
        "append-batch" => append_batch::<Event>(times),
        "publish" => publish(times),
        "publish-by-hand" => publish_by_hand(times),
        other => panic!("there is no operation {other}"),
    }
}

fn full<E: Sample>() -> EventLog<E> {
    let log = EventLog::builder().capacity(CAPACITY).build().unwrap();
    for version in 0..2 * CAPACITY as u64 {
        log.append(E::new(version));
    }
    log
}

fn full_by_hand<E: Sample>() -> Baseline<E> {
    let log = Baseline::new(CAPACITY);
    for version in 0..2 * CAPACITY as u64 {
        log.append(E::new(version));
    }
    log
}

/// Both sides make the same events inside of what is counted, so that as few as possible are alive.
fn append<E: Sample>(times: u64) {
    let log = full();
    for version in 0..times {
        log.append(E::new(version));
    }
}

fn append_by_hand<E: Sample>(times: u64) {
    let log = full_by_hand();
    for version in 0..times {
        log.append(E::new(version));
    }
}

fn append_batch<E: Sample>(times: u64) {
    let log = full();
    let mut versions = 0..times;
    while !versions.is_empty() {
        log.append_batch(versions.by_ref().take(BATCH).map(E::new));
    }
}

/// To four subscribers on the same thread.
fn publish(times: u64) {
    let log = full::<Event>();
    let mut subscriptions: Vec<_> = (0..4).map(|_| log.subscribe(log.cursor())).collect();
    for version in 0..times {
        log.append(Event::new(version));
        for subscription in &mut subscriptions {
            black_box(subscription.try_recv().unwrap().version());
        }
    }
}

fn publish_by_hand(times: u64) {
    let log = full_by_hand::<Event>();
    let (sender, receiver) = broadcast::channel(CAPACITY);
    let mut receivers: Vec<_> = (0..4).map(|_| sender.subscribe()).collect();
    drop(receiver);
    for version in 0..times {
        let event = Event::new(version);
        log.append(event.clone());
        sender.send(event).unwrap();
        for receiver in &mut receivers {
            black_box(receiver.try_recv().unwrap().version());
        }
    }
}
