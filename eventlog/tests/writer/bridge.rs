//! What the backlog cannot keep comes from the log's disk, and counts as what the ring brings.

use std::{path::PathBuf, sync::Arc};

use eventlog::EventLog;
use eventlog::disk::{DiskConfig, DiskWriter, GapReason};
use eventlog::writer::{Writer, WriterConfig};
use tempfile::TempDir;

use crate::account::{Event, PATIENCE, REFUSES, account, config, event, exited, gaps, line, stick};
use crate::script::{Remote, Script};

/// A log with a writer to its disk and one to a scripted destination, which keeps no backlog.
struct Bench {
    _directory: TempDir,
    log: Arc<EventLog<Event>>,
    disk: DiskWriter<Event>,
    writer: Writer<Event>,
    remote: Remote,
}

impl Bench {
    fn new(capacity: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path: PathBuf = directory.path().join("x.log");
        let log = EventLog::builder().capacity(capacity).build().unwrap();
        let disk = DiskConfig::new(&path).max_bytes(1 << 40);
        let disk = DiskWriter::spawn(&log, disk).unwrap();
        let forward: WriterConfig = config("bridge").backlog_events(0).writer().clone();
        let (script, remote) = Script::new();
        let writer = Writer::spawn_to(&log, forward.forward_from::<Event>(&path), script);
        Self {
            _directory: directory,
            log: Arc::new(log),
            disk,
            writer: writer.unwrap(),
            remote,
        }
    }

    /// Appends all of these while the first is stuck in the destination, and lets it go on once the
    /// disk has them.
    fn append_while_stuck(&self, history: &[Event]) {
        stick(&self.log, &self.remote, history[0].clone());
        self.log.append_batch(history[1..].iter().cloned());
        // Some may be lost, and are counted.
        let _ = self.disk.blocking_flush(PATIENCE);
        self.remote.release();
    }
}

#[test]
fn what_is_forwarded_counts_as_written() {
    let bench = Bench::new(4);
    let history: Vec<_> = (1..=100).map(event).collect();
    bench.append_while_stuck(&history);
    bench.writer.blocking_shutdown(PATIENCE).unwrap();
    assert_eq!(account(&bench.remote.durable(), &history), []);
    let stats = bench.writer.stats();
    let bytes = history.iter().map(|event| line(event).len() as u64).sum();
    assert_eq!((stats.events, stats.bytes, stats.lost), (100, bytes, 0));
}

/// Four of these fill a commit.
#[test]
fn a_commit_that_is_full_before_the_last_forwarded_event_loses_nothing() {
    let bench = Bench::new(1);
    let mut history: Vec<_> = (1..=7).map(event).collect();
    for (version, event) in (2..).zip(&mut history[1..]) {
        let name = "x".repeat(1 << 20);
        *event = Event::Started { version, name };
    }
    bench.append_while_stuck(&history);
    bench.writer.blocking_shutdown(PATIENCE).unwrap();
    assert_eq!(account(&bench.remote.durable(), &history), []);
}

/// The disk's gap line counts events that the ring still has, so it says too much.
#[test]
fn a_gap_on_disk_that_reaches_into_the_ring_is_not_forwarded() {
    let bench = Bench::new(10);
    let refused = (5..=15).map(|version| exited(version, REFUSES));
    let history = (1..=4)
        .map(event)
        .chain(refused)
        .chain((16..=20).map(event));
    let history: Vec<_> = history.collect();
    bench.append_while_stuck(&history);
    bench.writer.blocking_shutdown(PATIENCE).unwrap_err();
    let lines = bench.remote.durable();
    let gaps = gaps(&lines)
        .into_iter()
        .map(|gap| (gap.first.unwrap().get(), gap.count, gap.reason));
    // Events 2 to 10 left the ring, and the disk has 2 to 4.
    let expected = [
        (5, 6, GapReason::Backlog),
        (11, 5, GapReason::Unserializable),
    ];
    assert_eq!(gaps.collect::<Vec<_>>(), expected);
    assert_eq!(lines.len(), 4 + expected.len() + 5);
}
