//! Tasks or threads that each go on only when their event is durable: this library beside others
//! that promise the same, with the same events, on the same disk, in turns.

mod peers;

use std::{path::Path, sync::Arc, thread, time::Instant};

use eventlog::{
    EventLog,
    disk::{DiskConfig, DiskWriter},
};
use peers::{OkayWal, OneByOne, OpenWal, Peer, Sqlite, WalDb};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::event::Event;

const ROUNDS: usize = 9;
/// About so many events a round, whatever the number of tasks.
const EVENTS: usize = 4096;

/// Microseconds an event.
type Measure = fn(&TempDir, tasks: usize) -> f64;

const CONTENDERS: [(&str, Measure); 7] = [
    ("eventlog, tasks", ours_in_tasks),
    ("eventlog, threads", ours_in_threads),
    ("okaywal", peer::<OkayWal>),
    ("wal-db", peer::<WalDb>),
    ("open-wal", peer::<OpenWal>),
    ("SQLite, WAL, FULL", peer::<Sqlite>),
    ("a file, one by one", peer::<OneByOne>),
];

pub fn measure(place: &Path) {
    println!("Microseconds an event until it is durable, median of {ROUNDS} rounds in turns\n");
    println!(
        "| waiting at once | {} | best peer ÷ ours |",
        names().join(" | ")
    );
    println!("| ---: |{}", " ---: |".repeat(CONTENDERS.len() + 1));
    for tasks in [1, 16, 64, 1024] {
        let mut figures = vec![Vec::new(); CONTENDERS.len()];
        for round in 0..=ROUNDS {
            for at in 0..CONTENDERS.len() {
                // Another one begins each round, so that none always follows the same.
                let contender = (at + round) % CONTENDERS.len();
                let directory = TempDir::new_in(place).expect("a directory to write to");
                let figure = CONTENDERS[contender].1(&directory, tasks);
                // The first round warms up.
                figures[contender].extend((round > 0).then_some(figure));
            }
        }
        let medians: Vec<f64> = figures.into_iter().map(median).collect();
        let best = medians[2..].iter().copied().fold(f64::INFINITY, f64::min);
        let cells: Vec<_> = medians.iter().map(|us| format!("{us:.1}")).collect();
        let ratio = best / medians[0].min(medians[1]);
        println!("| {tasks} | {} | {ratio:.2} |", cells.join(" | "));
    }
}

fn names() -> Vec<&'static str> {
    CONTENDERS.iter().map(|(name, _)| *name).collect()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// How many events each of so many tasks makes durable.
fn each(tasks: usize) -> usize {
    // One alone shares no sync with others.
    if tasks == 1 { 256 } else { EVENTS / tasks }
}

fn timed(tasks: usize, work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64() * 1e6 / (tasks * each(tasks)) as f64
}

fn in_threads(tasks: usize, durable: impl Fn(u64) + Sync) {
    thread::scope(|scope| {
        for _ in 0..tasks {
            scope.spawn(|| (1..=each(tasks) as u64).for_each(&durable));
        }
    });
}

fn peer<P: Peer>(directory: &TempDir, tasks: usize) -> f64 {
    let peer = P::open(directory.path());
    timed(tasks, || {
        in_threads(tasks, |version| {
            let mut line = serde_json::to_vec(&Event::new(version)).expect("an event has a line");
            line.push(b'\n');
            peer.durable(&line);
        });
    })
}

type Writer = Arc<DiskWriter<Event>>;

fn open(directory: &TempDir) -> (Arc<EventLog<Event>>, Writer) {
    let log = Arc::new(EventLog::new(None));
    let config = DiskConfig::new(directory.path().join("x.log"));
    let writer = DiskWriter::spawn(&log, config).expect("the directory can be written");
    (log, Arc::new(writer))
}

fn ours_in_threads(directory: &TempDir, tasks: usize) -> f64 {
    let (log, writer) = open(directory);
    timed(tasks, || {
        in_threads(tasks, |version| {
            let seq = log.append(Event::new(version));
            writer.blocking_durable(seq).expect("the disk works");
        });
    })
}

fn ours_in_tasks(directory: &TempDir, tasks: usize) -> f64 {
    let (log, writer) = open(directory);
    let runtime = Runtime::new().expect("a runtime");
    timed(tasks, || {
        runtime.block_on(async {
            let task = |_| tokio::spawn(in_a_task(log.clone(), writer.clone(), each(tasks) as u64));
            for task in (0..tasks).map(task).collect::<Vec<_>>() {
                task.await.expect("no task panics");
            }
        });
    })
}

async fn in_a_task(log: Arc<EventLog<Event>>, writer: Writer, events: u64) {
    for version in 1..=events {
        let seq = log.append(Event::new(version));
        writer.durable(seq).await.expect("the disk works");
    }
}
