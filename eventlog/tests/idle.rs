//! Idle writers and subscribers use no CPU.
//!
//! Alone in its process, because the time is that of the process.
#![cfg(all(target_os = "linux", feature = "derive", feature = "disk"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use eventlog::disk::{DiskConfig, DiskWriter, SyncPolicy};
use eventlog::{EventLog, Versioned};
use serde::Serialize;

#[derive(Versioned, Serialize)]
struct Tick {
    version: u64,
}

/// Ticks of a hundredth of a second that this process has used.
fn used() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // After the name, which may hold anything, come the state and, tenth from there, the times.
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11..13]
        .iter()
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum()
}

#[test]
fn idle_writers_and_subscribers_do_not_spin() {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(EventLog::new(None));
    let hour = SyncPolicy::Interval(Duration::from_secs(3600));
    let moment = SyncPolicy::Interval(Duration::from_millis(1));
    let policies = [SyncPolicy::EveryBatch, SyncPolicy::Never, hour, moment];
    let writers = policies.map(|policy| {
        let path = dir.path().join(format!("{policy:?}.log"));
        DiskWriter::spawn(&log, DiskConfig::new(path).sync(policy)).unwrap()
    });
    let mut subscription = log.subscribe(0);
    let subscriber = thread::spawn(move || while subscription.blocking_recv().is_ok() {});
    log.append(Tick { version: 1 });
    for writer in &writers {
        writer.blocking_flush(Duration::from_secs(60)).unwrap();
    }
    log.append(Tick { version: 2 });
    writers[0].blocking_flush(Duration::from_secs(60)).unwrap();

    let before = used();
    thread::sleep(Duration::from_millis(500));
    let ticks = used() - before;
    // A machine that is busy with something else leaves no more to threads that spin.
    assert!(ticks < 4, "{ticks} of 50 ticks while idle");

    log.close();
    subscriber.join().unwrap();
}
