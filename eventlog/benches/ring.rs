//! The ring beside the log that every program writes by hand: `cargo bench --bench ring`.
//!
//! Prints each ratio beside its target, how the costs grow, and the first table once more as
//! Markdown; draws a chart into `benches/ring.svg`, or where `EVENTLOG_BENCH_CHART` says.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark's figures are approximate, and it may stop at any surprise"
)]

mod support;

use std::{
    env, fs,
    hint::{black_box, spin_loop},
    path::PathBuf,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use eventlog::{EventLog, Versioned};
use support::{
    baseline::Baseline,
    chart::{self, Line},
    event::Event,
    measure::{Pair, compare, ns_each, quantile},
    table::{self, Row, Target},
};
use tokio::sync::broadcast;

const CAPACITY: usize = 4096;
const CAPACITIES: [usize; 6] = [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20];
const LARGEST: usize = 1 << 20;
/// Events of a timed batch. They are made before the clock starts.
const BATCH: usize = 4096;
/// Events that are published before the subscribers read them.
const BURST: usize = 64;

fn main() {
    // `cargo test --all-targets` starts benchmarks too, without this flag.
    if !env::args().any(|argument| argument == "--bench") {
        println!("nothing measured: run it with `cargo bench --bench ring`");
        return;
    }
    let rows = targets();
    table::print("Targets (medians of interleaved rounds)", &rows);

    let growth = Growth::measure();
    for (title, rows) in growth.tables() {
        table::print(title, &rows);
    }
    table::print(
        "Growth with subscribers, an event published and read",
        &fan_out(),
    );

    println!();
    table::print_markdown(&rows);
    let path = chart_path();
    fs::write(&path, growth.chart()).unwrap();
    println!("\nchart: {}", path.display());
}

fn chart_path() -> PathBuf {
    env::var_os("EVENTLOG_BENCH_CHART").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/ring.svg"),
        PathBuf::from,
    )
}

fn targets() -> Vec<Row> {
    let sides = Sides::full(CAPACITY);
    let row = Row::new;
    vec![
        row(
            "replay(0) of 4096, obtained",
            sides.replay_all(31),
            Target::Faster(1_000.0),
        ),
        row(
            "the same of 2^20, beside 4096",
            flatness(),
            Target::CostAtMost(1.5),
        ),
        row(
            "reading those, an event",
            sides.iterate(101),
            Target::NanosAtMost(2.0),
        ),
        row(
            "events_since, last 10 of 4096",
            sides.last_ten_cloned(101),
            Target::Faster(30.0),
        ),
        row(
            "replay of the last 10, read",
            sides.last_ten_read(101),
            Target::Faster(30.0),
        ),
        row(
            "append, one thread, ring full",
            sides.append(101),
            Target::CostAtMost(1.5),
        ),
        row(
            "publish to 4, one thread",
            publish(4, 51),
            Target::CostAtMost(0.5),
        ),
        row(
            "publish to 4 threads",
            publish_to_threads(4, 21),
            Target::CostAtMost(0.5),
        ),
        row(
            "append p99.9 beside replays",
            append_latency(31),
            Target::Faster(20.0),
        ),
        row(
            "the same, beside no log at all",
            idle_latency(31),
            Target::None,
        ),
    ]
}

/// Both logs, filled twice over with the same events.
struct Sides {
    baseline: Baseline,
    ours: EventLog<Event>,
    newest: u64,
}

impl Sides {
    fn full(capacity: usize) -> Self {
        let baseline = Baseline::new(capacity);
        let ours = EventLog::builder().capacity(capacity).build().unwrap();
        let newest = 2 * capacity as u64;
        for version in 1..=newest {
            baseline.append(Event::new(version));
            ours.append(Event::new(version));
        }
        Self {
            baseline,
            ours,
            newest,
        }
    }

    /// The baseline's events are dropped outside the clock, our replay inside.
    fn replay_all(&self, rounds: usize) -> Pair {
        let mut events = Vec::new();
        compare(
            rounds,
            || {
                events = Vec::new();
                ns_each(1, || events = black_box(self.baseline.events_since(0)))
            },
            || obtain(&self.ours),
        )
    }

    /// Our events where they lie, the baseline's in the vector that it has cloned.
    fn iterate(&self, rounds: usize) -> Pair {
        let events = self.baseline.events_since(0);
        let replay = self.ours.replay(0);
        compare(
            rounds,
            || ns_each(events.len(), || touch(&events)),
            || ns_each(replay.len(), || touch(&replay)),
        )
    }

    fn last_ten_cloned(&self, rounds: usize) -> Pair {
        let since = black_box(self.newest - 10);
        compare(
            rounds,
            || repeat(100, || drop(black_box(self.baseline.events_since(since)))),
            || repeat(100, || drop(black_box(self.ours.events_since(since)))),
        )
    }

    /// What a reader does that has no use for clones.
    fn last_ten_read(&self, rounds: usize) -> Pair {
        let since = black_box(self.newest - 10);
        compare(
            rounds,
            || repeat(100, || touch(&self.baseline.events_since(since))),
            || repeat(100, || touch(&self.ours.replay(since))),
        )
    }

    fn append(&self, rounds: usize) -> Pair {
        compare(
            rounds,
            || {
                let events = batch(self.newest);
                ns_each(BATCH, || {
                    for event in events {
                        self.baseline.append(event);
                    }
                })
            },
            || {
                let events = batch(self.newest);
                ns_each(BATCH, || {
                    for event in events {
                        self.ours.append(event);
                    }
                })
            },
        )
    }
}

fn batch(newest: u64) -> Vec<Event> {
    (newest + 1..).take(BATCH).map(Event::new).collect()
}

fn touch<'a>(events: impl IntoIterator<Item = &'a Event>) {
    let sum = events
        .into_iter()
        .fold(0u64, |sum, event| sum.wrapping_add(event.version()));
    black_box(sum);
}

fn repeat(times: usize, mut work: impl FnMut()) -> f64 {
    ns_each(times, || {
        for _ in 0..times {
            work();
        }
    })
}

fn obtain(log: &EventLog<Event>) -> f64 {
    repeat(1_000, || drop(black_box(log.replay(black_box(0)))))
}

/// Our `replay(0)` at 4096 events as the baseline of the same at 2^20.
fn flatness() -> Pair {
    let (small, large) = (Sides::full(CAPACITY), Sides::full(LARGEST));
    compare(101, || obtain(&small.ours), || obtain(&large.ours))
}

/// The whole cost of an event: append, wake, deliver to each subscriber.
fn publish(subscribers: usize, rounds: usize) -> Pair {
    let sides = Sides::full(CAPACITY);
    let (sender, receiver) = broadcast::channel(CAPACITY);
    let mut receivers: Vec<_> = (0..subscribers).map(|_| sender.subscribe()).collect();
    drop(receiver);
    let mut subscriptions: Vec<_> = (0..subscribers)
        .map(|_| sides.ours.subscribe(sides.newest))
        .collect();
    let baseline = || {
        let mut events = batch(sides.newest).into_iter().peekable();
        ns_each(BATCH, || {
            while events.peek().is_some() {
                for event in events.by_ref().take(BURST) {
                    sides.baseline.append(event.clone());
                    sender.send(event).unwrap();
                }
                for receiver in &mut receivers {
                    while let Ok(event) = receiver.try_recv() {
                        black_box(event.version());
                    }
                }
            }
        })
    };
    let ours = || {
        let mut events = batch(sides.newest).into_iter().peekable();
        ns_each(BATCH, || {
            while events.peek().is_some() {
                for event in events.by_ref().take(BURST) {
                    sides.ours.append(event);
                }
                for subscription in &mut subscriptions {
                    while let Ok(event) = subscription.try_recv() {
                        black_box(event.version());
                    }
                }
            }
        })
    };
    compare(rounds, baseline, ours)
}

/// The same with one thread per subscriber: until the last of them has the last event. None lags,
/// since both sides have room for the batch.
fn publish_to_threads(subscribers: usize, rounds: usize) -> Pair {
    let sides = Sides::full(CAPACITY);
    compare(
        rounds,
        || {
            let (sender, _) = broadcast::channel::<Event>(CAPACITY);
            let readers: Vec<_> = (0..subscribers)
                .map(|_| {
                    let mut receiver = sender.subscribe();
                    move || {
                        for _ in 0..BATCH {
                            black_box(receiver.blocking_recv().unwrap().version());
                        }
                    }
                })
                .collect();
            with_readers(readers, sides.newest, |event| {
                sides.baseline.append(event.clone());
                sender.send(event).unwrap();
            })
        },
        || {
            let at_the_tip = sides.ours.cursor();
            let readers: Vec<_> = (0..subscribers)
                .map(|_| {
                    let mut subscription = sides.ours.subscribe(at_the_tip);
                    move || {
                        for _ in 0..BATCH {
                            black_box(subscription.blocking_recv().unwrap().version());
                        }
                    }
                })
                .collect();
            with_readers(readers, sides.newest, |event| {
                sides.ours.append(event);
            })
        },
    )
}

/// Publishes a batch while the readers run, each on its thread.
fn with_readers<R: FnOnce() + Send>(
    readers: Vec<R>,
    newest: u64,
    mut publish: impl FnMut(Event),
) -> f64 {
    let events = batch(newest);
    let start = Barrier::new(readers.len() + 1);
    thread::scope(|scope| {
        let threads: Vec<_> = readers
            .into_iter()
            .map(|read| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    read();
                })
            })
            .collect();
        start.wait();
        ns_each(BATCH, || {
            for event in events {
                publish(event);
            }
            for thread in threads {
                thread.join().unwrap();
            }
        })
    })
}

/// The 99.9th percentile of an append's latency, in an open loop of one every 20 µs, while
/// another thread replays everything over and over. Counted from when the append was due, so that
/// one that is held up also counts for those after it.
fn append_latency(rounds: usize) -> Pair {
    let sides = Sides::full(CAPACITY);
    compare(
        rounds,
        || {
            open_loop(
                || touch(&sides.baseline.events_since(0)),
                |event| sides.baseline.append(event),
            )
        },
        || ours_in_open_loop(&sides),
    )
}

/// The same two threads with nothing between them: what the machine itself adds, by taking a core
/// away now and then.
fn idle_latency(rounds: usize) -> Pair {
    let sides = Sides::full(CAPACITY);
    compare(
        rounds,
        || open_loop(|| touch(&[]), |event| drop(black_box(event))),
        || ours_in_open_loop(&sides),
    )
}

fn ours_in_open_loop(sides: &Sides) -> f64 {
    open_loop(
        || touch(&sides.ours.replay(0)),
        |event| {
            sides.ours.append(event);
        },
    )
}

fn open_loop(replay: impl Fn() + Sync, mut append: impl FnMut(Event)) -> f64 {
    // A tenth of a second: the machine takes a core away for milliseconds, about as often as that,
    // and a round in which it does measures the machine.
    const APPENDS: u32 = 5_000;
    const EVERY: Duration = Duration::from_micros(20);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                replay();
            }
        });
        let start = Instant::now();
        let mut latencies = Vec::with_capacity(APPENDS as usize);
        for number in 0..APPENDS {
            let event = Event::new(u64::from(number));
            let due = start + EVERY * number;
            while Instant::now() < due {
                spin_loop();
            }
            append(event);
            latencies.push(due.elapsed().as_nanos() as u64);
        }
        stop.store(true, Ordering::Relaxed);
        quantile(latencies, 0.999)
    })
}

/// Each cost at each capacity.
struct Growth {
    replay_all: Vec<Pair>,
    last_ten: Vec<Pair>,
    append: Vec<Pair>,
}

impl Growth {
    fn measure() -> Self {
        let mut growth = Self {
            replay_all: Vec::new(),
            last_ten: Vec::new(),
            append: Vec::new(),
        };
        for capacity in CAPACITIES {
            let sides = Sides::full(capacity);
            // Fewer rounds of what takes the baseline long.
            let rounds = (LARGEST / capacity).clamp(5, 31);
            growth.replay_all.push(sides.replay_all(rounds));
            growth
                .last_ten
                .push(sides.last_ten_cloned(if capacity > CAPACITY { 5 } else { 31 }));
            growth.append.push(sides.append(31));
        }
        growth
    }

    fn tables(&self) -> [(&'static str, Vec<Row>); 3] {
        [
            (
                "Growth of replay(0), obtained",
                Self::rows(&self.replay_all),
            ),
            (
                "Growth of events_since, last 10",
                Self::rows(&self.last_ten),
            ),
            ("Growth of append, ring full", Self::rows(&self.append)),
        ]
    }

    fn rows(pairs: &[Pair]) -> Vec<Row> {
        CAPACITIES
            .iter()
            .zip(pairs)
            .map(|(capacity, pair)| {
                let what = format!("  2^{} events", capacity.ilog2());
                Row::new(what, *pair, Target::None)
            })
            .collect()
    }

    fn chart(&self) -> String {
        let line = |label, colour, pairs: &[Pair], ns: fn(&Pair) -> f64| Line {
            label,
            colour,
            points: CAPACITIES.into_iter().zip(pairs.iter().map(ns)).collect(),
        };
        let baseline = |pair: &Pair| pair.baseline_ns;
        let ours = |pair: &Pair| pair.ours_ns;
        chart::render(
            "Time to answer “what happened since?”",
            &[
                line(
                    "baseline, everything",
                    "#b3261e",
                    &self.replay_all,
                    baseline,
                ),
                line("baseline, last 10", "#e08a00", &self.last_ten, baseline),
                line(
                    "eventlog, last 10 (cloned)",
                    "#3d7dca",
                    &self.last_ten,
                    ours,
                ),
                line("eventlog, everything", "#0b3d91", &self.replay_all, ours),
            ],
        )
    }
}

fn fan_out() -> Vec<Row> {
    [1, 4, 16, 64]
        .map(|subscribers| {
            let what = format!("  subscribers: {subscribers}");
            Row::new(what, publish(subscribers, 15), Target::None)
        })
        .into()
}
