//! A log at a real NATS server. Where there is none, each test says NOT RUN.
//!
//! `NATS_SERVER` names the program, if it is not the `nats-server` on the path.

#![allow(clippy::unwrap_used)]

mod client;
mod cluster;
mod faults;
#[cfg(feature = "sse")]
mod feed;
mod mirror;
#[cfg(target_os = "linux")]
mod power;
mod server;
#[cfg(feature = "sse")]
#[allow(dead_code, reason = "a part of it is used here")]
#[path = "../serve/client.rs"]
mod sse;
mod stream;

use std::sync::{Arc, Mutex};

use eventlog::{EventLog, Versioned, writer::Notice};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Versioned, Serialize, Deserialize)]
struct Tick {
    version: u64,
    name: String,
}

fn tick(version: u64) -> Tick {
    Tick {
        version,
        name: "tick".to_owned(),
    }
}

fn log_of(versions: impl IntoIterator<Item = u64>) -> EventLog<Tick> {
    let log = EventLog::new(None);
    log.append_batch(versions.into_iter().map(tick));
    log
}

/// The versions of events in lines, all of which have to be events.
fn versions(lines: &[String]) -> Vec<u64> {
    let version = |line: &String| serde_json::from_str::<Tick>(line).unwrap().version;
    lines.iter().map(version).collect()
}

/// What a writer said.
type Heard = Arc<Mutex<Vec<Notice>>>;

fn listener(heard: &Heard) -> impl Fn(&Notice) + Send + Sync + 'static {
    let heard = heard.clone();
    move |notice| heard.lock().unwrap().push(notice.clone())
}

/// Waits for what has to come.
fn wait_until(mut done: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + server::PATIENCE;
    while !done() {
        assert!(std::time::Instant::now() < deadline, "it does not come");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Asks servers until they answer: those that are busy, or have yet to find each other, do so late.
fn answered<T, E: std::fmt::Display>(mut ask: impl FnMut() -> Result<T, E>) -> T {
    let deadline = std::time::Instant::now() + server::PATIENCE;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(std::time::Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Copies a directory with all that is in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
