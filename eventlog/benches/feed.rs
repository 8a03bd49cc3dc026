//! What serving a log to browsers costs: `cargo bench -p versioned-eventlog --features axum --bench feed`.
//!
//! The clients are a process of their own, so what is counted is the server's CPU time alone.
//! Machines that are busy stretch the time on the clock, which is told only for the rate. With
//! `--quick` there are few clients, and with `--json` the rows are those for `benches/figures`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unchecked_time_subtraction,
    reason = "a benchmark's figures are approximate, and it may stop at any surprise"
)]

#[allow(dead_code, reason = "each benchmark uses its part")]
mod support;

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use eventlog::{
    EventLog, Versioned,
    serve::{Asked, Feed},
};
use rustix::time::{ClockId, clock_gettime};
use support::{measure::sized, table};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Its line has about 70 bytes, its frame 107.
#[derive(Versioned, serde::Serialize)]
struct Event {
    version: u64,
    window: u32,
    kind: &'static str,
    title: &'static str,
}

const TABLE: &str = "A feed";
const RATE: u64 = 10_000;
const CAPACITY: u64 = 4096;

fn clients() -> usize {
    sized(1000, 10)
}

fn live_events() -> u64 {
    sized(30_000, 300)
}

fn replaying() -> usize {
    sized(500, 5)
}

fn main() {
    let words: Vec<_> = std::env::args().collect();
    let at = words.iter().position(|word| word == "--clients");
    match at.map(|at| &words[at + 1..]) {
        Some([place, clients, query, events, ..]) => {
            let (place, clients) = (place.parse().unwrap(), clients.parse().unwrap());
            runtime(1).block_on(be_clients(place, clients, query, events.parse().unwrap()));
        }
        // `cargo test --all-targets` starts benchmarks too, without this flag.
        _ if !words.iter().any(|word| word == "--bench") => {
            println!("nothing measured: run it with `cargo bench --bench feed`");
        }
        _ => runtime(2).block_on(serve()),
    }
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}

async fn events(State(feed): State<Feed<Event>>, asked: Asked) -> impl IntoResponse {
    feed.sse(asked.or(eventlog::Start::Now))
}

/// A server of one log, which it returns with its feed.
async fn start(capacity: usize) -> (Arc<EventLog<Event>>, Feed<Event>, SocketAddr) {
    let log = EventLog::builder().capacity(capacity).build().unwrap();
    let log = Arc::new(log);
    let feed = Feed::new(&log);
    let app = Router::new()
        .route("/events", get(events))
        .with_state(feed.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    (log, feed, place)
}

async fn serve() {
    table::print_head(TABLE, &["measured", "target"]);
    live().await;
    replay().await;
}

/// The ring has room for all of it, so that a machine that is too busy is late and loses nothing.
async fn live() {
    let (count, events) = (clients(), live_events());
    let (log, feed, place) = start(events as usize).await;
    let before = resident();
    let mut clients = Clients::start(place, count, "", events);
    clients.wait_for("live").await;
    let each = resident().saturating_sub(before) as f64 / count as f64 / 1e3;
    row("memory per idle connection", each, "KB", "≤ 24 KB");

    let (began, cpu) = (Instant::now(), cpu_time());
    for version in 1..=events {
        log.append(event(version));
        let due = Duration::from_micros(version * 1_000_000 / RATE);
        if version % 10 == 0 && began.elapsed() < due {
            tokio::time::sleep(due - began.elapsed()).await;
        }
    }
    clients.wait_for("done").await;
    let cpu = cpu_time() - cpu;
    let stats = feed.stats();
    assert!(stats.encoded <= events, "each is encoded once at most");
    assert_eq!(stats.resets, 0, "the ring has room for all of it");
    let each = cpu.as_nanos() as f64 / (count as u64 * events) as f64;
    row("CPU per event and client, live", each, "ns", "≤ 150 ns");
}

async fn replay() {
    let (log, _feed, place) = start(CAPACITY as usize).await;
    log.append_batch((1..=CAPACITY).map(event));
    let cpu = cpu_time();
    let mut clients = Clients::start(place, replaying(), "?since=0", CAPACITY);
    clients.wait_for("done").await;
    let each = (cpu_time() - cpu).as_secs_f64() * 1e6 / replaying() as f64;
    row("CPU per client that replays 4,096", each, "µs", "≤ 1 ms");
}

fn event(version: u64) -> Event {
    Event {
        version,
        window: 7,
        kind: "opened",
        title: "A window of some title",
    }
}

fn row(what: &str, figure: f64, unit: &str, target: &str) {
    let measured = format!("{figure:.0} {unit}");
    let cells = [("measured", measured), ("target", target.to_owned())];
    table::print_cells(TABLE, what, &cells);
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap(),
        time.tv_nsec.try_into().unwrap(),
    )
}

/// Bytes of memory that this process has; 0 where there is no `/proc`.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * 4096
}

/// A process full of browsers.
struct Clients {
    child: Child,
    said: Option<BufReader<ChildStdout>>,
}

impl Clients {
    fn start(place: SocketAddr, count: usize, query: &str, events: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--clients",
                &place.to_string(),
                &count.to_string(),
                query,
                &events.to_string(),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = child.stdout.take().map(BufReader::new);
        Self { child, said }
    }

    async fn wait_for(&mut self, word: &'static str) {
        let mut said = self.said.take().unwrap();
        let waited = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            assert_eq!(line.trim(), word);
            said
        });
        self.said = Some(waited.await.unwrap());
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn be_clients(place: SocketAddr, count: usize, query: &str, events: u64) {
    let mut connected = JoinSet::new();
    for _ in 0..count {
        let query = query.to_owned();
        connected.spawn(async move {
            let mut stream = TcpStream::connect(place).await.unwrap();
            let request = format!(
                "GET /events{query} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            if query.is_empty() {
                let mut buffer = [0; 1024];
                while !buffer.windows(5).any(|five| five == b"live\n") {
                    assert!(stream.read(&mut buffer).await.unwrap() > 0);
                }
            }
            stream
        });
    }
    let streams = connected.join_all().await;
    if query.is_empty() {
        say("live");
    }
    let mut reading = JoinSet::new();
    for stream in streams {
        reading.spawn(read(stream, events));
    }
    reading.join_all().await;
    say("done");
}

/// Reads until so many events were there.
async fn read(mut stream: TcpStream, events: u64) {
    const NEEDLE: &[u8] = b"data: {\"version\"";
    let (mut buffer, mut kept, mut seen) = (vec![0; 64 * 1024], 0, 0);
    while seen < events {
        let read = stream.read(&mut buffer[kept..]).await.unwrap();
        assert!(read > 0, "the end after {seen} events");
        let filled = &buffer[..kept + read];
        let mut from = 0;
        for at in memchr::memmem::find_iter(filled, NEEDLE) {
            seen += 1;
            from = at + NEEDLE.len();
        }
        // Half a needle at the end counts with what comes.
        let from = from.max(filled.len().saturating_sub(NEEDLE.len() - 1));
        let end = filled.len();
        buffer.copy_within(from..end, 0);
        kept = end - from;
    }
}

fn say(word: &str) {
    println!("{word}");
    std::io::stdout().flush().unwrap();
}
