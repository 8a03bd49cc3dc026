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

/// The rows that were asked for.
pub struct Chosen {
    pub words: Vec<String>,
    pub rows: Vec<Row>,
}

impl Chosen {
    fn row(&mut self, what: &str, target: Target, measure: impl FnOnce() -> Pair) {
        if self.words.is_empty() || self.words.iter().any(|word| what.contains(word)) {
            self.rows.push(Row::new(what, measure(), target));
        }
    }
}

pub fn measure(rows: &mut Chosen) {
    questions(rows);
    appends(rows);
    limits(rows);
    fan_out(rows);
    latencies(rows);
}

fn questions(rows: &mut Chosen) {
    rows.row("replay(0) of 4096, obtained", Faster(1_000.0), || {
        replay::all(31)
    });
    rows.row("the same of 2^20, beside 4096", CostAtMost(1.5), || {
        replay::flatness(101)
    });
    rows.row("replayed events read, an event", NanosAtMost(2.0), || {
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

fn appends(rows: &mut Chosen) {
    rows.row("append, strings", CostAtMost(1.65), || {
        append::single::<Event>(151)
    });
    rows.row("append, the making included", Target::None, || {
        append::made::<Event>(151)
    });
    rows.row("append, with a disk writer", CostAtMost(1.3), || {
        append::with_a_writer(101)
    });
    rows.row("append, nothing on the heap", CostAtMost(3.0), || {
        append::single::<Plain>(151)
    });
    rows.row("append_batch of 64, strings", CostAtMost(1.0), || {
        append::batches::<Event>(151)
    });
    rows.row("append_batch, nothing on heap", Target::None, || {
        append::batches::<Plain>(151)
    });
    rows.row("append beside a held replay", CostAtMost(1.2), || {
        append::beside_a_held_replay(101)
    });
    for (producers, what) in [
        (1, "append, 1 thread, to broadcast"),
        (2, "append, 2 threads, to broadcast"),
        (4, "append, 4 threads, to broadcast"),
        (8, "append, 8 threads, to broadcast"),
        (16, "append, 16 threads, to broadc."),
    ] {
        let most = if producers == 1 {
            Target::None
        } else {
            CostAtMost(1.1)
        };
        rows.row(what, most, || append::producers(producers, 31));
    }
}

fn limits(rows: &mut Chosen) {
    rows.row("push, beside a counter", Target::None, || limits::push(101));
    rows.row("append, limited in weight", Target::None, || {
        limits::weighed(101)
    });
    rows.row("append, limited in age", Target::None, || limits::aged(101));
    rows.row("page of 100, from the middle", Target::None, || {
        limits::page(301)
    });
    rows.row("filter, 1 of 8, an event", Target::None, || {
        limits::filtered(101)
    });
}

fn fan_out(rows: &mut Chosen) {
    rows.row("publish to 4, one thread", CostAtMost(0.5), || {
        fan_out::one_by_one(4, 51)
    });
    rows.row("publish to 4, in batches", CostAtMost(0.4), || {
        fan_out::in_batches(4, 51)
    });
    rows.row("publish to 4 threads", Target::None, || {
        fan_out::to_threads(4, false, 21)
    });
    rows.row("publish to 4 threads, batches", Target::None, || {
        fan_out::to_threads(4, true, 21)
    });
    rows.row("publish to 64 tasks that wait", CostAtMost(1.0), || {
        tasks::one_at_a_time(64, 101)
    });
    rows.row("publish to 1000 tasks that wait", CostAtMost(1.0), || {
        tasks::one_at_a_time(1_000, 51)
    });
    rows.row("publish to 64 tasks, bursts", CostAtMost(1.0), || {
        tasks::bursts(64, 51)
    });
    rows.row("publish to 1000 tasks, bursts", CostAtMost(1.0), || {
        tasks::bursts(1_000, 21)
    });
    rows.row("append that wakes 1 task", CostAtMost(1.1), || {
        tasks::waking(1, 301)
    });
    rows.row("append that wakes 1000 tasks", CostAtMost(1.0), || {
        tasks::waking(1_000, 51)
    });
    rows.row("append that wakes 10000 tasks", CostAtMost(1.0), || {
        tasks::waking(10_000, 31)
    });
    rows.row("stats() beside 10000 subscribers", Target::None, || {
        fan_out::stats(10_000, 31)
    });
}

fn latencies(rows: &mut Chosen) {
    let wake = OnceCell::new();
    let wake = |share| wake.get_or_init(latency::Wake::measure).quantile(share);
    rows.row("wake-up of one thread, p50", CostAtMost(1.1), || wake(0.5));
    rows.row("wake-up of one thread, p99", CostAtMost(1.1), || wake(0.99));
    rows.row("append p99.9 beside replays", Faster(20.0), || {
        latency::beside_replays(31)
    });
    rows.row("p99.9, beside no log at all", CostAtMost(1.3), || {
        latency::beside_nothing(31)
    });
}
