//! A log beyond one machine: a producer, three servers, two edges with subscribers.
//!
//! ```sh
//! cargo run --release -p versioned-eventlog --features nats --example edge
//! ```
//!
//! It needs a `nats-server` on the path (Debian has it as a package), or its name in `NATS_SERVER`.
//! While events come, the leader of the servers is killed, the producer's writer is started anew,
//! and so is an edge; the subscribers change edges all the time. Each sees every event once.
#![allow(clippy::unwrap_used, reason = "an example may stop at any surprise")]

#[allow(dead_code, reason = "the example uses a part of it")]
#[path = "../tests/nats/server.rs"]
mod server;

use std::{
    sync::{Arc, RwLock},
    thread,
    time::{Duration, Instant},
};

use eventlog::{
    Coverage, Cursor, EventLog, RecvError, Versioned,
    nats::{self, JetStreamConfig, Mirror, MirrorConfig},
    writer::Writer,
};
use serde::{Deserialize, Serialize};
use server::{PATIENCE, Server, cluster, urls};

const EVENTS: u64 = 20_000;
const SUBSCRIBERS: usize = 20;

#[derive(Versioned, Serialize, Deserialize)]
struct Event {
    version: u64,
}

/// The edges, either of which may be replaced at any time.
type Edges = [RwLock<Mirror<Event>>; 2];

/// What a subscriber has seen.
#[derive(Default)]
struct Seen {
    events: u64,
    resumes: u64,
    gaps: u64,
    duplicates: u64,
}

fn main() {
    let Some(mut servers) = cluster() else { return };
    let all = urls(&servers);
    println!("three servers: {all}");
    let config = JetStreamConfig::new(&all, "orders")
        .replicas(3)
        .ack_timeout(Duration::from_secs(2));
    let log = EventLog::new(None);
    let mut writer = spawn(&log, &config);
    println!("a producer; what it stores is on {}", writer.level());
    writer
        .blocking_stored(log.append(Event { version: 1 }))
        .unwrap();

    let open = || {
        let config = MirrorConfig::new(&all, "orders").capacity(10_000);
        Mirror::blocking_open(config).unwrap()
    };
    let edges: Arc<Edges> = Arc::new([RwLock::new(open()), RwLock::new(open())]);
    let start = log_of(&edges, 0).cursor();
    println!("two edges, {SUBSCRIBERS} subscribers\n");
    let subscribers: Vec<_> = (0..SUBSCRIBERS)
        .map(|subscriber| {
            let edges = edges.clone();
            thread::spawn(move || subscribe(&edges, subscriber, start))
        })
        .collect();

    let began = Instant::now();
    for version in 2..=EVENTS {
        log.append(Event { version });
        if version % 20 == 0 {
            thread::sleep(Duration::from_millis(2));
        }
        match version {
            5_000 => {
                let leader = leader(&servers);
                println!("{version:>6}: server {leader}, which leads, is killed");
                servers[leader].kill();
                servers[leader].restart();
            }
            10_000 => {
                println!("{version:>6}: the producer's writer is started anew");
                writer.blocking_shutdown(PATIENCE).unwrap();
                writer = spawn(&log, &config);
            }
            15_000 => {
                println!("{version:>6}: an edge is started anew");
                *edges[0].write().unwrap() = open();
            }
            _ => {}
        }
    }
    writer.blocking_flush(PATIENCE).unwrap();
    println!(
        "{EVENTS:>6}: all are stored, after {:.1?}\n",
        began.elapsed()
    );

    let mut all = Seen::default();
    for subscriber in subscribers {
        let seen = subscriber.join().unwrap();
        all.events += seen.events;
        all.resumes += seen.resumes;
        all.gaps += seen.gaps;
        all.duplicates += seen.duplicates;
    }
    println!("events delivered  {:>8}", all.events);
    println!("resumes           {:>8}", all.resumes);
    println!("gaps              {:>8}", all.gaps);
    println!("duplicates        {:>8}", all.duplicates);
    assert_eq!(all.events, (EVENTS - 1) * SUBSCRIBERS as u64);
    assert_eq!((all.gaps, all.duplicates), (0, 0));
}

/// Starts a writer, once the servers have found each other.
fn spawn(log: &EventLog<Event>, config: &JetStreamConfig) -> Writer<Event> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match nats::blocking_spawn(log, config.clone()) {
            Ok(writer) => return writer,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn leader(servers: &[Server]) -> usize {
    let leader = servers[0].with(async |context| {
        let stream = context.get_stream("orders").await.unwrap();
        let cluster = stream.cached_info().cluster.clone();
        cluster.unwrap().leader.unwrap_or_default()
    });
    leader.trim_start_matches('n').parse().unwrap_or(0)
}

fn log_of(edges: &Edges, edge: usize) -> Arc<EventLog<Event>> {
    edges[edge].read().unwrap().log()
}

/// Takes all events, and goes to the other edge every few hundred: where it stands is one cursor.
fn subscribe(edges: &Edges, subscriber: usize, mut cursor: Cursor) -> Seen {
    let mut seen = Seen::default();
    let mut edge = subscriber % 2;
    while cursor.version() < EVENTS {
        let mut subscription = log_of(edges, edge).subscribe(cursor);
        match subscription.coverage() {
            Coverage::Complete => {}
            // That edge is behind, or has not heard of the producer's new writer.
            Coverage::Ahead { .. } | Coverage::Foreign => {
                thread::sleep(Duration::from_millis(5));
                continue;
            }
            _ => seen.gaps += 1,
        }
        seen.resumes += 1;
        let until = cursor.version() + 300 + 10 * subscriber as u64;
        while cursor.version() < until.min(EVENTS) {
            match subscription.blocking_recv() {
                Ok(event) if event.version == cursor.version() + 1 => seen.events += 1,
                Ok(event) if event.version <= cursor.version() => seen.duplicates += 1,
                Ok(_) | Err(RecvError::Lagged(_)) => seen.gaps += 1,
                // The edge goes on with another log, or was stopped.
                Err(_) => break,
            }
            cursor = subscription.cursor();
        }
        cursor = subscription.cursor();
        edge = 1 - edge;
    }
    seen
}
