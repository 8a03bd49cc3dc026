//! Appends in the ways in which they are measured. Events are made before the clock starts.

use std::{hint::black_box, sync::Barrier, thread, time::Instant};

use super::{
    event::{Event, Sample},
    measure::cpu_each,
    sides::{BATCH, Sides, batch},
};

/// Appends for which a replay is held before it is taken anew.
const HELD_FOR: usize = 512;

pub fn ours<E: Sample>(sides: &Sides<E>, count: usize) -> f64 {
    // Drained, so that the vector's memory is given back after the clock has stopped.
    let mut events = batch(sides.newest, count);
    cpu_each(count, || {
        for event in events.drain(..) {
            sides.ours.append(event);
        }
    })
}

pub fn by_hand<E: Sample>(sides: &Sides<E>, count: usize) -> f64 {
    let mut events = batch(sides.newest, count);
    cpu_each(count, || {
        for event in events.drain(..) {
            sides.baseline.append(event);
        }
    })
}

/// As [`ours`], with the clock running while events are made: their memory is what those had that
/// were evicted.
pub fn ours_made<E: Sample>(sides: &Sides<E>) -> f64 {
    cpu_each(BATCH, || {
        for version in (sides.newest + 1..).take(BATCH) {
            sides.ours.append(E::new(version));
        }
    })
}

/// As [`by_hand`], in the same way.
pub fn made_by_hand<E: Sample>(sides: &Sides<E>) -> f64 {
    cpu_each(BATCH, || {
        for version in (sides.newest + 1..).take(BATCH) {
            sides.baseline.append(E::new(version));
        }
    })
}

/// Ours, while someone holds a replay of everything.
pub fn beside_a_held_replay<E: Sample>(sides: &Sides<E>) -> f64 {
    let mut events = batch::<E>(sides.newest, BATCH).into_iter();
    let mut appends = 0.0;
    while events.len() > 0 {
        let held = black_box(sides.ours.replay(0));
        appends += cpu_each(BATCH, || {
            for event in events.by_ref().take(HELD_FOR) {
                sides.ours.append(event);
            }
        });
        drop(held);
    }
    appends
}

/// A batch of events on each thread, by the clock on the wall: from the first that begins to the
/// last that ends.
pub fn on_threads(count: usize, publish: impl Fn(Event) + Sync) -> f64 {
    let start = Barrier::new(count);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|_| {
                let (start, publish) = (&start, &publish);
                let mut events = batch(0, BATCH);
                scope.spawn(move || {
                    start.wait();
                    let began = Instant::now();
                    for event in events.drain(..) {
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
