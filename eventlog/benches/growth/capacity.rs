//! What costs with the events that the log retains, from 2^10 to 2^22.

use std::hint::black_box;

use crate::{
    series::{Cost, Effort, Expected, Group},
    support::{
        appends,
        event::{Event, Plain, Sample},
        measure::cpu_each,
        sides::{BATCH, Sides, touch},
    },
};

const CAPACITIES: [usize; 5] = [1 << 10, 1 << 13, 1 << 16, 1 << 19, 1 << 22];
const AXIS: &str = "capacity";

fn full<E: Sample>(effort: &Effort) -> Vec<(usize, Sides<E>)> {
    let sizes = effort.sizes(&CAPACITIES).iter();
    sizes.map(|size| (*size, Sides::full(*size))).collect()
}

pub fn appends(effort: &Effort) -> Group {
    let (strings, plain) = (full::<Event>(effort), full::<Plain>(effort));
    let costs = vec![
        Cost::new(
            "append",
            "events of 0 to 3 strings into a full ring",
            Expected::Flat,
        )
        .over(&strings, |sides| appends::ours(sides, BATCH)),
        Cost::new("  by hand", "", Expected::Compared)
            .over(&strings, |sides| appends::by_hand(sides, BATCH)),
        Cost::new(
            "append, no heap",
            "events without heap memory",
            Expected::Flat,
        )
        .over(&plain, |sides| appends::ours(sides, BATCH)),
        Cost::new("  by hand", "", Expected::Compared)
            .over(&plain, |sides| appends::by_hand(sides, BATCH)),
        Cost::new(
            "append, replay",
            "beside a replay of everything, held for 512 appends",
            Expected::Flat,
        )
        .over(&plain, appends::beside_a_held_replay),
    ];
    Group::measure(AXIS, effort, costs)
}

/// Of events without heap memory, which is the kinder to copies made by hand.
pub fn questions(effort: &Effort) -> Group {
    let sides = full::<Plain>(effort);
    let clones = |(size, sides): &(usize, Sides<_>)| (*size, sides.baseline.events_since(0));
    let vectors: Vec<_> = sides.iter().map(clones).collect();
    let costs = vec![
        Cost::new(
            "replay(0)",
            "a replay of everything, obtained and dropped",
            Expected::Flat,
        )
        .over(&sides, |sides| {
            repeat(1_000, || drop(black_box(sides.ours.replay(black_box(0)))))
        }),
        Cost::new("  by hand", "everything cloned", Expected::Replaced).over(&sides, |sides| {
            let mut events = Vec::new();
            repeat(1, || events = black_box(sides.baseline.events_since(0)))
        }),
        Cost::new(
            "the last ten",
            "a replay, obtained and read",
            Expected::Flat,
        )
        .over(&sides, |sides| {
            let since = black_box(sides.newest - 10);
            repeat(100, || touch(&sides.ours.replay(since)))
        }),
        Cost::new(
            "  by hand",
            "found by a scan, cloned and read",
            Expected::Replaced,
        )
        .over(&sides, |sides| {
            let since = black_box(sides.newest - 10);
            repeat(1, || touch(&sides.baseline.events_since(since)))
        }),
        Cost::new(
            "read, each",
            "an event of a replay of everything",
            Expected::Flat,
        )
        .over(&sides, |sides| {
            let replay = sides.ours.replay(0);
            second(replay.len(), || touch(&replay))
        }),
        Cost::new("  by hand", "an event of a vector", Expected::Compared)
            .over(&vectors, |events| second(events.len(), || touch(events))),
    ];
    Group::measure(AXIS, effort, costs)
}

fn repeat(times: usize, mut work: impl FnMut()) -> f64 {
    cpu_each(times, || {
        for _ in 0..times {
            work();
        }
    })
}

/// The second of two times, when what fits into the caches is there.
fn second(operations: usize, work: impl Fn()) -> f64 {
    work();
    cpu_each(operations, work)
}
