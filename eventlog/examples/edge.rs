//! A log beyond one machine: a producer, three servers, two edges, and pages that read from them.
//!
//! ```sh
//! cargo run --release -p versioned-eventlog --features nats,axum --example edge
//! ```
//!
//! It needs a `nats-server` on the path (Debian has it as a package), or its name in `NATS_SERVER`.
//! Each part is a process. While events come, the server that leads is killed, then the producer,
//! then an edge; the pages change edges all the time, and have nothing but the id of the last event
//! that they saw. Each sees every event once. Open an edge in a browser to be one of them.
#![allow(clippy::unwrap_used, reason = "an example may stop at any surprise")]

#[allow(dead_code, reason = "the example uses a part of it")]
#[path = "../tests/nats/client.rs"]
mod client;
#[path = "edge/node.rs"]
mod node;
#[path = "edge/page.rs"]
mod page;
#[path = "edge/producer.rs"]
mod producer;
#[allow(dead_code, reason = "the example uses a part of it")]
#[path = "../tests/nats/server.rs"]
mod server;

use std::{
    env, io,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use eventlog::Versioned;
use serde::{Deserialize, Serialize};
use server::{PATIENCE, Server, cluster, urls};

const EVENTS: u64 = 20_000;
const PAGES: usize = 10;

#[derive(Versioned, Serialize, Deserialize)]
struct Event {
    version: u64,
}

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["producer", servers, directory] => producer::run(servers, directory.as_ref()),
        ["edge", servers, port] => node::run(servers, port.parse().unwrap()),
        _ => all(),
    }
}

/// Starts everything, kills one of each, and counts what the pages saw.
fn all() {
    let Some(mut servers) = cluster() else { return };
    let urls = urls(&servers);
    println!("three servers: {urls}");
    let directory = tempfile::tempdir().unwrap();
    let produce = ["producer", &urls, directory.path().to_str().unwrap()];
    let mut producer = start(&produce);
    let ports = [(); 2].map(|()| free_port());
    let ports_as_text = ports.map(|port| port.to_string());
    let serve = |edge: usize| start(&["edge", &urls, &ports_as_text[edge]]);
    let mut edges = [serve(0), serve(1)];
    println!(
        "a producer; two edges: http://127.0.0.1:{} and :{}",
        ports[0], ports[1]
    );
    println!("{PAGES} pages, each of which goes to the other edge now and then\n");

    let newest = Arc::new(AtomicU64::new(0));
    let pages: Vec<_> = (0..PAGES)
        .map(|number| {
            let newest = newest.clone();
            thread::spawn(move || page::follow(ports, number, &newest))
        })
        .collect();
    let began = Instant::now();
    let wait_for = |version| {
        while newest.load(Ordering::Relaxed) < version {
            assert!(
                began.elapsed() < 3 * PATIENCE,
                "it does not come to {version}"
            );
            thread::sleep(Duration::from_millis(1));
        }
        version
    };

    let at = wait_for(EVENTS / 4);
    let leader = leader(&servers);
    println!("{at:>6}: server {leader}, which leads, is killed");
    servers[leader].kill();
    servers[leader].restart();
    let at = wait_for(EVENTS / 2);
    println!("{at:>6}: the producer is killed");
    end(&mut producer);
    producer = start(&produce);
    let at = wait_for(EVENTS / 4 * 3);
    println!("{at:>6}: an edge is killed");
    end(&mut edges[0]);
    edges[0] = serve(0);

    let seen = pages.into_iter().map(|page| page.join().unwrap());
    let seen = seen.fold(page::Seen::default(), |all, seen| all.plus(&seen));
    println!(
        "{EVENTS:>6}: every page has them, after {:.1?}\n",
        began.elapsed()
    );
    println!("events delivered  {:>8}", seen.events);
    println!("resumes           {:>8}", seen.resumes);
    println!("gaps              {:>8}", seen.gaps);
    println!("duplicates        {:>8}", seen.duplicates);
    assert_eq!(seen.events, EVENTS * PAGES as u64);
    assert_eq!((seen.gaps, seen.duplicates), (0, 0));
    edges.iter_mut().chain([&mut producer]).for_each(end);
}

/// This program again, in another part. It ends with this one, if it is not ended before.
fn start(arguments: &[&str]) -> Child {
    let program = env::current_exe().unwrap();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

/// In a part: ends with the program that started it, whose end of the pipe is closed then.
fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
}

/// As SIGKILL does, where there is one.
fn end(part: &mut Child) {
    let _ = part.kill();
    let _ = part.wait();
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Tries until the servers have found each other, and the stream is there.
fn until_it_works<T, E: std::fmt::Display>(mut attempt: impl FnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(done) => return done,
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
