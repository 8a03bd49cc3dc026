//! What a question costs.

use std::hint::black_box;

use eventlog::EventLog;

use crate::{
    largest,
    support::{
        event::Event,
        measure::{Pair, compare, cpu_each},
        sides::{CAPACITY, Sides, full, touch},
    },
};

/// The baseline's events are dropped outside the clock, our replay inside.
pub fn all(rounds: usize) -> Pair {
    let sides = Sides::<Event>::full(CAPACITY);
    let mut events = Vec::new();
    compare(
        rounds,
        || {
            events = Vec::new();
            cpu_each(1, || events = black_box(sides.baseline.events_since(0)))
        },
        || obtain(&sides.ours),
    )
}

/// Our `replay(0)` at 4096 events as the baseline of the same at 2^20.
pub fn flatness(rounds: usize) -> Pair {
    let (small, large) = (full(CAPACITY), full(largest()));
    compare(rounds, || obtain(&small), || obtain(&large))
}

fn obtain(log: &EventLog<Event>) -> f64 {
    repeat(1_000, || drop(black_box(log.replay(black_box(0)))))
}

/// Our events where they lie, the baseline's in the vector that it has cloned.
pub fn iterate(rounds: usize) -> Pair {
    let sides = Sides::<Event>::full(CAPACITY);
    let events = sides.baseline.events_since(0);
    let replay = sides.ours.replay(0);
    compare(
        rounds,
        || cpu_each(events.len(), || touch(&events)),
        || cpu_each(replay.len(), || touch(&replay)),
    )
}

/// Ten events cloned out of a vector, beside the ten that `events_since` finds and clones.
pub fn beside_clones(rounds: usize) -> Pair {
    let sides = Sides::<Event>::full(CAPACITY);
    let since = black_box(sides.newest - 10);
    let ten = sides.ours.events_since(since);
    compare(
        rounds,
        || repeat(100, || drop(black_box(ten.clone()))),
        || repeat(100, || drop(black_box(sides.ours.events_since(since)))),
    )
}

/// What a reader does that has no use for clones.
pub fn last_ten_read(rounds: usize) -> Pair {
    let sides = Sides::<Event>::full(CAPACITY);
    let since = black_box(sides.newest - 10);
    compare(
        rounds,
        || repeat(100, || touch(&sides.baseline.events_since(since))),
        || repeat(100, || touch(&sides.ours.replay(since))),
    )
}

/// The last ten where the newest version falls, beside the same question where none does.
pub fn after_a_fall(rounds: usize) -> Pair {
    let (rising, falling) = (full::<Event>(largest()), full::<Event>(largest()));
    let newest = 2 * largest() as u64;
    falling.append(Event::new(newest - 1));
    let since = black_box(newest - 10);
    compare(
        rounds,
        || repeat(20, || touch(&rising.replay(since))),
        || repeat(20, || touch(&falling.replay(since))),
    )
}

fn repeat(times: usize, mut work: impl FnMut()) -> f64 {
    cpu_each(times, || {
        for _ in 0..times {
            work();
        }
    })
}
