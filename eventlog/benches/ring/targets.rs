//! What is measured, and what it must reach.

use std::cell::OnceCell;

use crate::{
    append, fan_out, latency, limits, replay,
    support::{
        event::{Event, Plain},
        measure::Pair,
        table::{
            Row,
            Target::{self, CostAtMost, Faster, NanosAtMost},
        },
    },
    tasks,
};

type Measure = fn(&mut Chosen<'_>);

/// Each table by its title, and what measures its rows.
pub const TABLES: [(&str, Measure); 7] = [
    ("Questions", questions),
    ("Appends", appends),
    (
        "Appends from several threads, beside `broadcast::send`",
        producers,
    ),
    ("Limits, numbers, pages and filters", limits),
    ("Publishing", fan_out),
    (
        "Subscribers that are tasks and wait, beside `broadcast`",
        waiting,
    ),
    ("Latencies", latencies),
];

/// The rows that were asked for.
pub struct Chosen<'a> {
    pub words: &'a [String],
    pub rows: Vec<Row>,
}

impl Chosen<'_> {
    fn row(&mut self, what: &str, target: Target, measure: impl FnOnce() -> Pair) {
        if self.words.is_empty() || self.words.iter().any(|word| what.contains(word)) {
            self.rows.push(Row::new(what, measure(), target));
        }
    }
}

fn questions(rows: &mut Chosen<'_>) {
    rows.row("replay(0) of 4,096, obtained", Faster(1_000.0), || {
        replay::all(31)
    });
    rows.row("the same of 2^20, beside 4,096", CostAtMost(1.5), || {
        replay::flatness(101)
    });
    rows.row("reading those, per event", NanosAtMost(2.0), || {
        replay::iterate(101)
    });
    rows.row("events_since, beside ten clones", CostAtMost(1.2), || {
        replay::beside_clones(101)
    });
    rows.row("replay of the last 10, read", Faster(30.0), || {
        replay::last_ten_read(101)
    });
    rows.row(
        "replay after one fall, of 2^20",
        NanosAtMost(10_000.0),
        || replay::after_a_fall(31),
    );
}

fn appends(rows: &mut Chosen<'_>) {
    rows.row("append, ring full", CostAtMost(1.65), || {
        append::single::<Event>(151)
    });
    rows.row("the same, making them included", Target::None, || {
        append::made::<Event>(151)
    });
    rows.row("append, with a disk writer", CostAtMost(1.3), || {
        append::with_a_writer(101)
    });
    rows.row("append, no heap memory", CostAtMost(3.0), || {
        append::single::<Plain>(151)
    });
    rows.row("append_batch of 64, per event", CostAtMost(1.0), || {
        append::batches::<Event>(151)
    });
    rows.row("the same, no heap memory", Target::None, || {
        append::batches::<Plain>(151)
    });
    rows.row("append beside a held replay", CostAtMost(1.2), || {
        append::beside_a_held_replay(101)
    });
}

fn producers(rows: &mut Chosen<'_>) {
    for (producers, what) in [
        (1, "1 thread"),
        (2, "2 threads"),
        (4, "4 threads"),
        (8, "8 threads"),
        (16, "16 threads"),
    ] {
        let most = if producers == 1 {
            Target::None
        } else {
            CostAtMost(1.1)
        };
        rows.row(what, most, || append::producers(producers, 31));
    }
}

fn limits(rows: &mut Chosen<'_>) {
    rows.row("push, beside a counter", Target::None, || limits::push(101));
    rows.row("append, limited in weight", Target::None, || {
        limits::weighed(101)
    });
    rows.row("append, limited in age", Target::None, || limits::aged(101));
    rows.row("page of 100, from the middle", Target::None, || {
        limits::page(301)
    });
    rows.row("filter, 1 of 8, per event", Target::None, || {
        limits::filtered(101)
    });
}

fn fan_out(rows: &mut Chosen<'_>) {
    rows.row("publish to 4, one by one", CostAtMost(0.5), || {
        fan_out::one_by_one(4, 51)
    });
    rows.row("publish to 4, in batches", CostAtMost(0.4), || {
        fan_out::in_batches(4, 51)
    });
    rows.row("publish to 4 threads, one by one", Target::None, || {
        fan_out::to_threads(4, false, 21)
    });
    rows.row("publish to 4 threads, in batches", Target::None, || {
        fan_out::to_threads(4, true, 21)
    });
    rows.row("stats() of 10,000, beside none", Target::None, || {
        fan_out::stats(10_000, 31)
    });
}

fn waiting(rows: &mut Chosen<'_>) {
    rows.row("64 tasks, an event at a time", CostAtMost(1.0), || {
        tasks::one_at_a_time(64, 101)
    });
    rows.row("1,000 tasks, an event at a time", CostAtMost(1.0), || {
        tasks::one_at_a_time(1_000, 51)
    });
    rows.row("64 tasks, bursts of 64", CostAtMost(1.0), || {
        tasks::bursts(64, 51)
    });
    rows.row("1,000 tasks, bursts of 64", CostAtMost(1.0), || {
        tasks::bursts(1_000, 21)
    });
    rows.row("append that wakes 1 task", CostAtMost(1.1), || {
        tasks::waking(1, 301)
    });
    rows.row("append that wakes 1,000 tasks", CostAtMost(1.0), || {
        tasks::waking(1_000, 51)
    });
    rows.row("append that wakes 10,000 tasks", CostAtMost(1.0), || {
        tasks::waking(10_000, 31)
    });
}

fn latencies(rows: &mut Chosen<'_>) {
    let wake = OnceCell::new();
    let wake = |share| wake.get_or_init(latency::Wake::measure).quantile(share);
    rows.row("wake-up of a thread, p50", CostAtMost(1.1), || wake(0.5));
    rows.row("wake-up of a thread, p99", CostAtMost(1.1), || wake(0.99));
    rows.row("append p99.9 beside replays", Faster(20.0), || {
        latency::beside_replays(31)
    });
    rows.row("the same, beside no log at all", CostAtMost(1.3), || {
        latency::beside_nothing(31)
    });
}
