//! What costs with the subscribers, from 1 to 10,000.

use std::hint::black_box;

use eventlog::Subscription;

use crate::{
    series::{Cost, Effort, Expected, Group},
    support::{
        appends,
        event::Event,
        measure::cpu_each,
        sides::{BATCH, CAPACITY, Sides},
        waiting::Side,
    },
};

const SUBSCRIBERS: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// A log beside whose subscribers nothing waits.
struct Idle {
    sides: Sides<Event>,
    _subscriptions: Vec<Subscription<Event>>,
}

impl Idle {
    fn beside(subscribers: usize) -> Self {
        let sides = Sides::<Event>::full(CAPACITY);
        let subscribe = |_| sides.ours.subscribe(sides.newest);
        Self {
            _subscriptions: (0..subscribers).map(subscribe).collect(),
            sides,
        }
    }
}

pub fn all(effort: &Effort) -> Group {
    let with = effort.sizes(&SUBSCRIBERS);
    let idle = prepared(with, Idle::beside);
    let ours = prepared(with, Side::ours);
    let theirs = prepared(with, Side::theirs);
    let costs = vec![
        Cost::new("append, idle", "while none of them waits", Expected::Flat)
            .over(&idle, |idle| appends::ours(&idle.sides, BATCH)),
        Cost::new(
            "append, waiting",
            "wakes all, which are tasks",
            Expected::Linear,
        )
        .over(&ours, Side::wake_all),
        Cost::new("  broadcast", "`send` that wakes all", Expected::Compared)
            .over(&theirs, Side::wake_all),
        Cost::new(
            "publish to one",
            "append, wake and receive, per subscriber",
            Expected::Flat,
        )
        .over(&ours, publish),
        Cost::new("  broadcast", "", Expected::Compared).over(&theirs, publish),
        Cost::new(
            "stats()",
            "looks at each subscriber's place",
            Expected::Linear,
        )
        .over(&idle, |idle| stats(&idle.sides)),
        Cost::new("subscribe", "at the tip, and drop", Expected::Flat)
            .over(&idle, |idle| subscribe(&idle.sides)),
    ];
    Group::measure("subscribers", effort, costs)
}

fn prepared<P>(sizes: &[usize], prepare: impl Fn(usize) -> P) -> Vec<(usize, P)> {
    sizes.iter().map(|size| (*size, prepare(*size))).collect()
}

/// One event at a time, each until all wait again; more of them where they take little.
fn publish(side: &Side) -> f64 {
    side.publish((4096 / side.subscribers()).max(4), 1)
}

fn stats(sides: &Sides<Event>) -> f64 {
    cpu_each(100, || {
        for _ in 0..100 {
            black_box(sides.ours.stats());
        }
    })
}

fn subscribe(sides: &Sides<Event>) -> f64 {
    cpu_each(100, || {
        for _ in 0..100 {
            drop(black_box(sides.ours.subscribe(sides.newest)));
        }
    })
}
