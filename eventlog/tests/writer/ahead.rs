//! What is serialised while the destination is stuck, and how much waits then.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Instant,
};

use eventlog::{
    EventLog, Versioned,
    disk::{DiskWriter, Gap, GapReason},
};
use serde::{Serialize, Serializer, ser::Error as _};

use crate::account::{PATIENCE, config, gaps};
use crate::script::{Remote, Script};

/// What the events of a log have been through.
#[derive(Default)]
struct Notes {
    /// Versions that were serialised, or tried to be, in this order.
    tried: Mutex<Vec<u64>>,
    alive: AtomicUsize,
}

struct Noted {
    version: u64,
    bytes: usize,
    refuses: bool,
    notes: Arc<Notes>,
}

impl Versioned for Noted {
    fn version(&self) -> u64 {
        self.version
    }
}

impl Serialize for Noted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.notes.tried.lock().unwrap().push(self.version);
        if self.refuses {
            return Err(S::Error::custom("no"));
        }
        (self.version, "x".repeat(self.bytes)).serialize(serializer)
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.notes.alive.fetch_sub(1, SeqCst);
    }
}

struct Bench {
    log: EventLog<Noted>,
    writer: DiskWriter<Noted>,
    remote: Remote,
    notes: Arc<Notes>,
}

impl Bench {
    fn new(capacity: usize, backlog_bytes: usize) -> Self {
        let log = EventLog::builder().capacity(capacity).build().unwrap();
        let (script, remote) = Script::new();
        let config = config("ahead").backlog_bytes(backlog_bytes);
        let writer = DiskWriter::spawn_to(&log, config.writer().clone(), script).unwrap();
        let notes = Arc::default();
        Self {
            log,
            writer,
            remote,
            notes,
        }
    }

    fn append(&self, version: u64, bytes: usize, refuses: bool) {
        self.notes.alive.fetch_add(1, SeqCst);
        let notes = self.notes.clone();
        self.log.append(Noted {
            version,
            bytes,
            refuses,
            notes,
        });
    }

    /// Appends the event 1 and waits until it is stuck in the destination.
    fn stick(&self) {
        self.remote.stall();
        self.append(1, 1, false);
        self.remote.wait_stalled();
    }

    fn tried(&self) -> Vec<u64> {
        self.notes.tried.lock().unwrap().clone()
    }

    /// Waits until this event, or one of those right before it, is looked at for its length.
    fn wait_looked_at(&self, version: u64) {
        self.wait("the newest events to be looked at", |notes| {
            let tried = notes.tried.lock().unwrap();
            tried.iter().rev().any(|tried| version - 17 < *tried)
        });
    }

    fn wait(&self, what: &str, reached: impl Fn(&Notes) -> bool) {
        let began = Instant::now();
        while !reached(&self.notes) {
            assert!(
                began.elapsed() < PATIENCE,
                "waited in vain: {what} {:?}",
                self.tried().len()
            );
            thread::yield_now();
        }
    }
}

/// The versions of the lines; a gap's are those that it spans.
fn versions(lines: &[String]) -> Vec<u64> {
    let version = |line: &String| match Gap::parse(line.trim_end().as_bytes()) {
        Some(gap) => (gap.min_version..=gap.max_version).collect(),
        None => vec![serde_json::from_str::<(u64, String)>(line).unwrap().0],
    };
    lines.iter().flat_map(version).collect()
}

#[test]
fn what_comes_while_the_destination_is_stuck_is_serialised_meanwhile_and_once() {
    let bench = Bench::new(2_000, 1 << 30);
    bench.stick();
    for version in 2..=1_000 {
        bench.append(version, 10, false);
    }
    bench.wait("all events to be serialised", |notes| {
        notes.tried.lock().unwrap().len() == 1_000
    });
    // Once the next is looked at, the lines of those before it lie ready.
    bench.append(1_001, 10, false);
    bench.wait("one more to be serialised", |notes| {
        notes.tried.lock().unwrap().len() == 1_001
    });
    assert_eq!(bench.remote.lock().durable.len(), 0, "it is stuck");
    bench.remote.release();
    bench.writer.blocking_shutdown(PATIENCE).unwrap();
    let all: Vec<_> = (1..=1_001).collect();
    let lines = bench.remote.durable();
    assert_eq!(versions(&lines), all);
    let mut tried = bench.tried();
    // The last one's own line may not have been ready.
    assert!(tried.len() <= 1_002, "{} times", tried.len());
    tried.dedup();
    assert_eq!(tried, all);
    let stats = bench.writer.stats();
    let bytes = lines.iter().map(|line| line.len() as u64).sum();
    assert_eq!((stats.events, stats.bytes), (1_001, bytes));
}

#[test]
fn lines_written_ahead_stop_at_an_event_that_has_none() {
    let bench = Bench::new(2_000, 1 << 30);
    bench.stick();
    for version in 2..=1_000 {
        bench.append(version, 10, version % 100 == 0);
    }
    bench.wait("the first that has no line", |notes| {
        notes.tried.lock().unwrap().contains(&100)
    });
    bench.remote.release();
    bench.writer.blocking_shutdown(PATIENCE).unwrap_err();
    let lines = bench.remote.durable();
    assert_eq!(versions(&lines), (1..=1_000).collect::<Vec<_>>());
    let gaps = gaps(&lines);
    assert!(
        gaps.iter()
            .all(|gap| gap.reason == GapReason::Unserializable)
    );
    assert_eq!(gaps.len(), 10);
    let tries = bench.tried().iter().filter(|tried| **tried == 100).count();
    assert!(tries <= 2, "{tries} times, ahead and in its place");
}

/// Nothing is appended any more that would wake anybody, and one batch is enough to have ready. Of
/// what follows it some are looked at, for their length.
#[test]
fn what_waits_when_the_destination_gets_stuck_is_serialised_up_to_a_batch() {
    let bench = Bench::new(8_000, 1 << 30);
    bench.remote.stall();
    bench.notes.alive.fetch_add(8_000, SeqCst);
    let events = (1..=8_000).map(|version| Noted {
        version,
        bytes: 2 << 10,
        refuses: false,
        notes: bench.notes.clone(),
    });
    bench.log.append_batch(events);
    bench.remote.wait_stalled();
    bench.wait_looked_at(8_000);
    // Two batches of 4 MiB: one is stuck, and one is ready.
    let tried = bench.tried().len();
    assert!((4_050..=4_350).contains(&tried), "{tried}");
    bench.remote.release();
    bench.writer.blocking_shutdown(PATIENCE).unwrap();
    let all: Vec<_> = (1..=8_000).collect();
    assert_eq!(versions(&bench.remote.durable()), all);
}

/// The same is lost with lines written ahead as without them: what they were written for stays in
/// the backlog, and leaves it when that is full.
#[test]
fn lines_written_ahead_of_lost_events_are_thrown_away() {
    let bench = Bench::new(4, 1 << 20);
    let lines = 2_000;
    bench.stick();
    for version in 2..=lines {
        bench.append(version, 10, false);
    }
    bench.wait("some events to be serialised", |notes| {
        notes.tried.lock().unwrap().len() > 100
    });
    // Larger ones: of these fewer fit.
    for version in lines + 1..=lines + 200 {
        bench.append(version, 32 << 10, false);
    }
    bench.wait("the backlog to be cut down", |notes| {
        notes.alive.load(SeqCst) <= 32 + 4 + 2 * 256
    });
    bench.remote.release();
    bench.writer.blocking_shutdown(PATIENCE).unwrap_err();
    let durable = bench.remote.durable();
    assert_eq!(versions(&durable), (1..=lines + 200).collect::<Vec<_>>());
    let stats = bench.writer.stats();
    assert_eq!(stats.events + stats.lost, lines + 200);
}

/// The bound in bytes was one of so many events, at the size that events had before: two thousand
/// of a megabyte after many of some bytes were all kept.
#[test]
fn w18_the_backlog_is_bounded_by_the_bytes_that_wait() {
    // In one batch, and after a full one, where only some events are looked at.
    for (smaller, each, fit, last) in [(0, 16 << 10, 100, 1_500), (600, 64 << 10, 150, 3_000)] {
        bound_by_bytes(smaller, each, fit, last);
    }
}

/// `smaller` events are followed by others of `each` bytes, of which so many fit.
fn bound_by_bytes(smaller: u64, each: usize, fit: usize, newest: u64) {
    let bench = Bench::new(16, fit * each);
    for version in 1..=1_000 {
        bench.append(version, 1, false);
    }
    bench.writer.blocking_flush(PATIENCE).unwrap();
    bench.stick();
    for version in 2..2 + smaller {
        bench.append(version, 8 << 10, false);
    }
    bench.wait("a full batch", |notes| {
        smaller == 0 || notes.tried.lock().unwrap().len() > 1_512
    });
    for version in 2 + smaller..=newest {
        bench.append(version, each, false);
    }
    bench.wait_looked_at(newest);
    // Once one of those that follow is looked at, the bound goes by what was seen before.
    let newest = newest + 17;
    for version in newest - 16..=newest {
        bench.append(version, each, false);
    }
    bench.wait_looked_at(newest);
    // The ring's own 16, and the segments that the oldest and the newest stand in.
    bench.wait("the backlog to be cut down", |notes| {
        notes.alive.load(SeqCst) <= fit + 16 + 2 * 256
    });
    bench.remote.release();
    bench.writer.blocking_shutdown(PATIENCE).unwrap_err();
    let gap = gaps(&bench.remote.durable())[0];
    let lost = newest - 1 - fit as u64 - 16;
    assert_eq!(gap.reason, GapReason::Backlog);
    assert!((lost..=lost + 10).contains(&gap.count), "{gap:?}");
}
