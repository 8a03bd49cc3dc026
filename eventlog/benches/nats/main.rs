//! A log at a NATS server on loopback, beside the client alone:
//! `cargo bench -p versioned-eventlog --features nats --bench nats`.
//!
//! `NATS_SERVER` names the server, if it is not the `nats-server` on the path. CPU time is that of
//! this process and of the server together. With `--quick` there are few events, and with `--json` the
//! rows are those for `benches/figures`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark's figures are approximate, and it may stop at any surprise"
)]

#[allow(dead_code, reason = "the benchmark uses a part of it")]
#[path = "../../tests/nats/client.rs"]
mod client;
#[allow(dead_code, reason = "the benchmark uses a part of it")]
#[path = "../../tests/nats/server.rs"]
mod server;
#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../support/mod.rs"]
mod support;

use std::{
    env, fs,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use eventlog::{EventLog, Versioned, nats, writer::WriterConfig};
use serde::Serialize;
use server::{PATIENCE, Server};
use support::{measure::sized, table};

fn events() -> u64 {
    sized(500_000, 5_000)
}

/// Between two of those, so that everybody rests.
const PAUSE: Duration = Duration::from_micros(500);

/// Events that are sent one at a time.
fn singles() -> u64 {
    sized(1_000, 10)
}

/// The clock of `/proc` on Linux, in ticks per second.
const TICKS: f64 = 100.0;

#[derive(Versioned, Serialize)]
struct Event {
    version: u64,
    kind: &'static str,
    name: &'static str,
}

fn event(version: u64) -> Event {
    Event {
        version,
        kind: "changed",
        name: "some text that a person wrote",
    }
}

fn main() {
    // `cargo test --all-targets` starts benchmarks too, without this flag.
    if !env::args().any(|argument| argument == "--bench") {
        println!("nothing measured: run it with `cargo bench --bench nats`");
        return;
    }
    for (name, setting) in [
        ("", None),
        (", syncing always", Some("sync_interval: always")),
    ] {
        // Not among the rows, which may be for a program.
        let Some(server) = start(setting) else {
            eprintln!("NOT RUN: a server{name}: there is none, or it does not start like that");
            continue;
        };
        let title = format!("{}{name}", version(&server));
        table::print_head(&title, &["measured"]);
        throughput(&title, &server, setting.is_some());
        latency(&title, &server);
    }
}

/// A server with one more setting of `JetStream`, where it knows that.
fn start(setting: Option<&str>) -> Option<Server> {
    let Some(setting) = setting else {
        return Server::try_start_with(&[]);
    };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nats.conf");
    fs::write(&file, format!("jetstream {{ {setting} }}\n")).unwrap();
    Server::try_start_with(&["-c", file.to_str().unwrap()])
}

fn version(server: &Server) -> String {
    let version = server.with(async |context| context.client().server_info().version);
    format!("nats-server {version}")
}

/// Events per second from the first append to the last acknowledgement, and CPU time of each.
fn throughput(title: &str, server: &Server, synced: bool) {
    let log = EventLog::new(None);
    let settings = WriterConfig::new("bench").backlog_events(1 << 20);
    let config = server.config().writer(settings).assume_synced(synced);
    let writer = nats::blocking_spawn(&log, config).unwrap();
    let cpu = [cpu_of("self"), cpu_of(&server.pid().to_string())];
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    for version in 1..=events() {
        let event = event(version);
        let before = Instant::now();
        log.append(event);
        longest = longest.max(before.elapsed());
    }
    writer.blocking_flush(PATIENCE).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let spent = |id: &str, before: f64| (cpu_of(id) - before) * 1e6 / events() as f64;
    let client = spent("self", cpu[0]);
    let broker = spent(&server.pid().to_string(), cpu[1]);
    let rate = events() as f64 / seconds / 1e6;
    for (what, figure) in [
        ("events acknowledged per second", format!("{rate:.2} M")),
        ("CPU per event, here", format!("{client:.2} µs")),
        ("CPU per event, at the server", format!("{broker:.2} µs")),
        ("the longest append", nanos(longest)),
        ("commits", writer.stats().commits.to_string()),
    ] {
        row(title, what, figure);
    }
    assert_eq!(writer.stats().lost, 0, "nothing was lost");
}

/// One event at a time, beside a bare publish of the client alone.
fn latency(title: &str, server: &Server) {
    let log = EventLog::new(None);
    let ours = {
        let writer = nats::blocking_spawn(&log, server.config()).unwrap();
        median(|round| {
            let seq = log.append(event(events() + 1 + round));
            writer.blocking_stored(seq).unwrap();
        })
    };
    let bare = server.with(async |context| {
        let stream = async_nats::jetstream::stream::Config {
            name: "bare".to_owned(),
            ..Default::default()
        };
        context.create_stream(stream).await.unwrap();
        let mut times = Vec::new();
        for _ in 0..singles() {
            let began = Instant::now();
            publish(&context).await;
            times.push(began.elapsed());
            tokio::time::sleep(PAUSE).await;
        }
        middle(times)
    });
    row(title, "one event, p50", nanos(ours));
    row(title, "a bare publish, p50", nanos(bare));
    row(
        title,
        "the same, by another thread",
        nanos(by_another(server)),
    );
}

/// A bare publish that another thread is asked for, as a writer's is.
fn by_another(server: &Server) -> Duration {
    let (ask, asked) = mpsc::channel::<()>();
    let (answer, answered) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            server.with(async |context| {
                while asked.recv().is_ok() {
                    publish(&context).await;
                    answer.send(()).unwrap();
                }
            });
        });
        let times = median(|_| {
            ask.send(()).unwrap();
            answered.recv().unwrap();
        });
        drop(ask);
        times
    })
}

async fn publish(context: &async_nats::jetstream::Context) {
    let payload = serde_json::to_vec(&event(1)).unwrap();
    let sent = context.publish("bare", payload.into()).await;
    sent.unwrap().await.unwrap();
}

fn nanos(time: Duration) -> String {
    table::nanos(time.as_secs_f64() * 1e9)
}

fn row(title: &str, what: &str, figure: String) {
    table::print_cells(title, what, &[("measured", figure)]);
}

fn median(mut act: impl FnMut(u64)) -> Duration {
    let times = (0..singles()).map(|round| {
        let began = Instant::now();
        act(round);
        let took = began.elapsed();
        thread::sleep(PAUSE);
        took
    });
    middle(times.collect())
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// CPU time of a process so far, in seconds; 0 where there is no `/proc`.
fn cpu_of(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<_> = after_name.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / TICKS
}
