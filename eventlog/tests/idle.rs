//! Idle writers and subscribers use no CPU, and leave no threads.
//!
//! Alone in its process, because the time is that of the process.
#![cfg(all(target_os = "linux", feature = "derive", feature = "tokio"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use eventlog::disk::{self, DiskConfig, DiskWriter, SyncPolicy, run_disk_writer_with};
use eventlog::writer::{
    Destination, DestinationError, Level, Records, Standing, Writer, WriterConfig,
};
use eventlog::{Epoch, EventLog, Versioned};
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

    // One whose destination is stuck has a second thread, which has written these ahead.
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let stuck = Stuck {
        begun,
        released,
        stored: 0,
    };
    let stuck = Writer::spawn_to(&log, WriterConfig::new("stuck"), stuck).unwrap();
    has_begun.recv().unwrap();
    log.append_batch((3..=100).map(|version| Tick { version }));
    for writer in &writers {
        writer.blocking_flush(Duration::from_secs(60)).unwrap();
    }

    // One has read as far ahead as it may, and waits for who takes it.
    let ahead = dir.path().join("ahead.log");
    fs::write(&ahead, "1\n".repeat(100_000)).unwrap();
    let reading = disk::follow::<u64>(&ahead).into_stream().unwrap();

    let before = used();
    thread::sleep(Duration::from_millis(500));
    let ticks = used() - before;
    // A machine that is busy with something else leaves no more to threads that spin.
    assert!(ticks < 4, "{ticks} of 50 ticks while idle");

    drop((sender, drop_in, release, stuck, writers, reading));
    log.close();
    subscriber.join().unwrap();
    while has_threads() {
        thread::yield_now();
    }
}

/// Whether any writer has a thread.
fn has_threads() -> bool {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let mut names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")));
    names.any(|name| name.is_ok_and(|name| name.starts_with("eventlog-")))
}

/// A destination whose first call waits to be released.
struct Stuck {
    begun: mpsc::Sender<()>,
    released: mpsc::Receiver<()>,
    stored: u64,
}

impl Destination for Stuck {
    fn level(&self) -> Level {
        Level::new(1, false)
    }

    fn open(&mut self, _: Epoch) -> Result<Standing, DestinationError> {
        Ok(Standing::Unknown)
    }

    fn write(
        &mut self,
        records: Records<'_>,
        _: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        self.begun.send(()).ok();
        self.released.recv().ok();
        self.stored += records.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DestinationError> {
        Ok(())
    }

    fn stored(&self) -> u64 {
        self.stored
    }
}
