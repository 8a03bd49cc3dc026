//! Idle writers and subscribers use no CPU.
//!
//! Alone in its process, because the time is that of the process.
#![cfg(all(target_os = "linux", feature = "derive", feature = "tokio"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use eventlog::disk::{DiskConfig, DiskWriter, SyncPolicy, run_disk_writer_with};
use eventlog::{EventLog, Versioned};
use serde::Serialize;
use tokio::sync::broadcast;

#[derive(Versioned, Serialize, Clone, Debug)]
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
    // The writer of the baseline's call shape runs whether this is polled or not.
    let path = dir.path().join("drop-in.log");
    let (sender, receiver) = broadcast::channel(4);
    let drop_in = run_disk_writer_with(log.clone(), receiver, DiskConfig::new(&path));
    let mut subscription = log.subscribe(0);
    let subscriber = thread::spawn(move || while subscription.blocking_recv().is_ok() {});
    log.append(Tick { version: 1 });
    for writer in &writers {
        writer.blocking_flush(Duration::from_secs(60)).unwrap();
    }
    log.append(Tick { version: 2 });
    writers[0].blocking_flush(Duration::from_secs(60)).unwrap();
    sender.send(Tick { version: 2 }).unwrap();
    while fs::read(&path).unwrap_or_default().is_empty() {
        thread::yield_now();
    }

    let before = used();
    thread::sleep(Duration::from_millis(500));
    let ticks = used() - before;
    // A machine that is busy with something else leaves no more to threads that spin.
    assert!(ticks < 4, "{ticks} of 50 ticks while idle");

    drop((sender, drop_in));
    log.close();
    subscriber.join().unwrap();
}
