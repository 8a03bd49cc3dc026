//! The disk writer beside what every program writes by hand: `cargo bench --bench disk`, or the
//! readers alone: `cargo bench --bench disk -- reading`.
//!
//! Prints each ratio beside its target; with `--quick`, little is measured, once; with `--json`, it
//! prints a line per row for `benches/figures`. Files are made under the target directory, so that is
//! the disk that is measured.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark's figures are approximate, and it may stop at any surprise"
)]

mod latency;
mod reading;
#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../support/mod.rs"]
mod support;

use std::{
    cell::Cell,
    collections::VecDeque,
    env,
    fs::{self, File, OpenOptions},
    hint::black_box,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use eventlog::{
    EventLog,
    disk::{DiskConfig, DiskWriter},
};
use support::{
    event::Event,
    measure::{Pair, compare, ns_each, sized},
    table::{self, Row, Target},
};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, runtime::Runtime};

const PATIENCE: Duration = Duration::from_secs(60);
/// Events of a burst: more than the ring has, less than ring and backlog together.
fn burst_events() -> Vec<Event> {
    events(sized(1 << 16, 1 << 13))
}

/// Events that the baseline syncs one by one in a round.
const SINGLE: usize = 256;
const TASKS: usize = 16;
/// Events of each task in a round.
const EACH: usize = 128;
const CAPACITY: usize = 4096;

const READING: &str = "Reading back";

fn main() {
    // `cargo test --all-targets` starts benchmarks too, without this flag.
    if !env::args().any(|argument| argument == "--bench") {
        println!("nothing measured: run it with `cargo bench --bench disk`");
        return;
    }
    if env::args().any(|argument| argument == "reading") {
        return table::print(READING, &reading());
    }
    let runtime = Runtime::new().unwrap();
    let (burst, batch) = burst(&runtime, 15);
    if !table::is_json() {
        println!("events in a commit of the burst: {batch}");
    }
    let rows = [
        Row::new("durable, a burst, per event", burst, Target::Faster(300.0)),
        Row::new(
            "the same, beside a bare loop",
            beside_a_bare_loop(Events::Dropped, 31),
            Target::CostAtMost(0.85),
        ),
        Row::new(
            "a bare loop that drops no event",
            beside_a_bare_loop(Events::Kept, 31),
            Target::None,
        ),
        Row::new(
            "16 tasks await each event",
            tasks(&runtime, 15),
            Target::Faster(8.0),
        ),
        Row::new(
            "one event, over a sync of 140 µs",
            latency::beside_a_fixed_sync(9),
            Target::CostAtMost(1.05),
        ),
        Row::new(
            "the same, on another bare thread",
            latency::beside_another_thread(9),
            Target::CostAtMost(1.05),
        ),
        Row::new(
            "one event, over a bare fdatasync",
            latency::on_this_disk(9),
            Target::CostAtMost(1.15),
        ),
        Row::new(
            "recovering 4,096 of 16 MiB",
            recover(21),
            Target::Faster(3.0),
        ),
    ];
    table::print("Durable on disk", &rows);
    table::print(READING, &reading());
}

fn reading() -> [Row; 2] {
    [
        Row::new(
            "events, per event",
            reading::beside_a_bare_loop(15),
            Target::CostAtMost(1.25),
        ),
        Row::new(
            "lines unparsed, per line",
            reading::lines_beside_a_bare_loop(15),
            Target::CostAtMost(1.25),
        ),
    ]
}

fn directory() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn events(count: usize) -> Vec<Event> {
    (1..=count as u64).map(Event::new).collect()
}

/// The baseline's steps: a line, a write and a sync for each event.
fn one_by_one(runtime: &Runtime) -> f64 {
    let directory = directory();
    let path = directory.path().join("x.log");
    let events = events(SINGLE);
    ns_each(SINGLE, || {
        runtime.block_on(async {
            let mut options = tokio::fs::OpenOptions::new();
            let mut file = options.create(true).append(true).open(path).await.unwrap();
            for event in &events {
                let mut line = serde_json::to_vec(event).unwrap();
                line.push(b'\n');
                file.write_all(&line).await.unwrap();
                file.sync_data().await.unwrap();
            }
        });
    })
}

/// Appends a burst and waits until it is durable: nanoseconds an event, and events a commit. The
/// file is there already.
fn ours(events: Vec<Event>) -> (f64, usize) {
    let directory = directory();
    let log = Arc::new(EventLog::new(None));
    let config = DiskConfig::new(directory.path().join("x.log"));
    let writer = DiskWriter::spawn(&log, config).unwrap();
    writer.blocking_durable(log.append(Event::new(0))).unwrap();
    let count = events.len();
    let ns = ns_each(count, || {
        for event in events {
            log.append(event);
        }
        writer.blocking_flush(PATIENCE).unwrap();
    });
    (ns, count / (writer.stats().commits as usize - 1))
}

fn burst(runtime: &Runtime, rounds: usize) -> (Pair, usize) {
    let events = burst_events();
    let batch = Cell::new(0);
    let pair = compare(
        rounds,
        || one_by_one(runtime),
        || {
            let (ns, size) = ours(events.clone());
            batch.set(size);
            ns
        },
    );
    (pair, batch.get())
}

/// What becomes of the events that a bare loop has written.
#[derive(Clone, Copy, PartialEq)]
enum Events {
    /// They end there, as they do in a log that evicts them.
    Dropped,
    /// They are owned elsewhere.
    Kept,
}

/// The least that can be done: each batch, of the size that ours had on average, is put together
/// in one buffer, written and synced, on the thread that has the events. The file is there already.
fn bare_loop(events: Vec<Event>, batch: usize, after: Events) -> f64 {
    let directory = directory();
    let path = directory.path().join("x.log");
    let mut buffer = Vec::new();
    let mut kept = Vec::with_capacity(events.len());
    let count = events.len();
    let mut events = events.into_iter();
    let mut options = OpenOptions::new();
    let mut file = options.create(true).append(true).open(path).unwrap();
    file.write_all(b"0\n").unwrap();
    file.sync_data().unwrap();
    ns_each(count, || {
        while events.len() > 0 {
            buffer.clear();
            for event in events.by_ref().take(batch) {
                serde_json::to_writer(&mut buffer, &event).unwrap();
                buffer.push(b'\n');
                if after == Events::Kept {
                    kept.push(event);
                }
            }
            file.write_all(&buffer).unwrap();
            file.sync_data().unwrap();
        }
    })
}

fn beside_a_bare_loop(after: Events, rounds: usize) -> Pair {
    let events = burst_events();
    let batch = Cell::new(ours(events.clone()).1);
    compare(
        rounds,
        || bare_loop(events.clone(), batch.get(), after),
        || {
            let (ns, size) = ours(events.clone());
            batch.set(size);
            ns
        },
    )
}

/// Tasks that each go on only when their event is durable. The baseline's events are synced one by
/// one, whichever task sent them.
fn tasks(runtime: &Runtime, rounds: usize) -> Pair {
    compare(
        rounds,
        || one_by_one(runtime),
        || {
            let directory = directory();
            let log = Arc::new(EventLog::new(None));
            let config = DiskConfig::new(directory.path().join("x.log"));
            let writer = Arc::new(DiskWriter::spawn(&log, config).unwrap());
            ns_each(TASKS * EACH, || {
                runtime.block_on(async {
                    let tasks: Vec<_> = (0..TASKS)
                        .map(|_| tokio::spawn(each_durable(log.clone(), writer.clone())))
                        .collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                });
            })
        },
    )
}

async fn each_durable(log: Arc<EventLog<Event>>, writer: Arc<DiskWriter<Event>>) {
    for version in 1..=EACH as u64 {
        let seq = log.append(Event::new(version));
        writer.durable(seq).await.unwrap();
    }
}

/// Two full files, from which the newest events are wanted.
fn recover(rounds: usize) -> Pair {
    let directory = directory();
    let config = DiskConfig::new(directory.path().join("x.log"));
    let old = directory.path().join("x.log.old");
    let files = [old.as_path(), config.path()];
    let half = 8 << 20;
    let mut version = 0;
    for path in files {
        let mut text = Vec::with_capacity(half);
        while text.len() + 200 < half {
            version += 1;
            serde_json::to_writer(&mut text, &Event::new(version)).unwrap();
            text.push(b'\n');
        }
        fs::write(path, text).unwrap();
    }
    compare(
        rounds,
        || {
            ns_each(1, || {
                black_box(parse_everything(&files));
            })
        },
        || {
            ns_each(1, || {
                let (log, found) = EventLog::<Event>::recover(&config).unwrap();
                assert_eq!((found.events, log.newest_version()), (4096, Some(version)));
                black_box(log);
            })
        },
    )
}

fn parse_everything(files: &[&Path]) -> VecDeque<Event> {
    let mut ring = VecDeque::with_capacity(CAPACITY);
    for path in files {
        for line in BufReader::new(File::open(path).unwrap()).lines() {
            if ring.len() == CAPACITY {
                ring.pop_front();
            }
            ring.push_back(serde_json::from_str(&line.unwrap()).unwrap());
        }
    }
    ring
}
