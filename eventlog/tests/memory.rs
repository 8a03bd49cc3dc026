//! R12: live events ≤ capacity + two segments + what readers pin, counted by the events themselves.
//! One segment is being evicted; one may wait for a thread that has time to drop it.
#![cfg(not(shuttle))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(feature = "disk")]
use std::time::{Duration, Instant};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    thread,
};

#[cfg(feature = "disk")]
use eventlog::disk::{DiskConfig, DiskWriter};
use eventlog::{EventLog, RecvError, Start, Versioned};
use serde::Serialize;

/// More than any correct run takes.
#[cfg(feature = "disk")]
const PATIENCE: Duration = Duration::from_secs(60);

const CAPACITY: usize = 1_000;
/// Events of a segment (as `Stats::pinned_segments` has it).
const SEGMENT: usize = 256;
/// Slots of the first one, of which one stays empty, because there is no number 0.
const FIRST: usize = 8;
/// What is alive at most where nobody reads.
const MOST: usize = CAPACITY + 2 * SEGMENT;

#[derive(Default)]
struct Census {
    /// One number, so that a look is of one moment: a thread that is stopped between two reads
    /// would count what the others did meanwhile.
    live: AtomicUsize,
    dead: AtomicUsize,
}

impl Census {
    fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }
}

#[derive(Serialize)]
struct Counted {
    version: u64,
    #[serde(skip)]
    census: Arc<Census>,
}

impl Counted {
    fn new(version: u64, census: &Arc<Census>) -> Self {
        census.live.fetch_add(1, Ordering::SeqCst);
        Self {
            version,
            census: census.clone(),
        }
    }
}

impl Versioned for Counted {
    fn version(&self) -> u64 {
        self.version
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.census.live.fetch_sub(1, Ordering::SeqCst);
        self.census.dead.fetch_add(1, Ordering::SeqCst);
    }
}

fn log() -> (EventLog<Counted>, Arc<Census>) {
    let log = EventLog::builder().capacity(CAPACITY).build().unwrap();
    (log, Arc::default())
}

fn append(log: &EventLog<Counted>, census: &Arc<Census>, events: u64) {
    for version in 1..=events {
        log.append(Counted::new(version, census));
    }
}

#[test]
fn r12_a_log_without_readers_keeps_two_segments_more() {
    let (log, census) = log();
    for version in 1..=10_000 {
        log.append(Counted::new(version, &census));
        let live = census.live();
        assert!(live <= MOST, "{live} live at {version}");
        assert!(live >= CAPACITY.min(usize::try_from(version).unwrap()));
    }
    drop(log);
    assert_eq!(census.live(), 0);
    assert_eq!(census.dead.load(Ordering::SeqCst), 10_000);
}

/// What waits to be dropped is dropped by whoever has time: a reader that is about to wait.
#[test]
fn r12_a_reader_that_waits_drops_what_waits_for_it() {
    let (log, census) = log();
    let mut reader = log.subscribe(Start::Now);
    append(&log, &census, 10_000);
    reader.skip_to_newest();
    let before = census.live();
    let mut context = Context::from_waker(Waker::noop());
    assert!(reader.poll_recv(&mut context).is_pending());
    // The first segment has waited since it died.
    assert_eq!(census.live(), before - (FIRST - 1));
    assert_eq!(log.stats().pinned_segments, 0);
}

/// However far behind, a stalled subscriber keeps the one segment that it stands in.
#[test]
fn r12_a_stalled_subscriber_pins_one_segment() {
    let (log, census) = log();
    append(&log, &census, 10);
    let mut stalled: Vec<_> = (0..8).map(|_| log.subscribe(0)).collect();
    for subscription in &mut stalled {
        subscription.try_recv().unwrap();
    }
    append(&log, &census, 100_000);
    let live = census.live();
    assert!(live <= MOST + SEGMENT, "{live} live");
    assert_eq!(log.stats().pinned_segments, 1);
    drop(stalled);
    assert_eq!(log.stats().pinned_segments, 0);
    assert!(census.live() <= MOST);
}

/// A replay keeps what it shows, and gives it back.
#[test]
fn r12_a_replay_pins_what_it_shows() {
    let (log, census) = log();
    append(&log, &census, 5_000);
    let replay = log.replay(0);
    append(&log, &census, 100_000);
    let live = census.live();
    assert!(live <= MOST + CAPACITY + SEGMENT, "{live} live");
    assert_eq!(replay.iter().count(), CAPACITY);
    drop(replay);
    assert!(census.live() <= MOST);
}

/// A writer that is stuck keeps its backlog, and gives it back when it ends, whatever comes next.
#[test]
#[cfg(feature = "disk")]
fn r12_a_writer_that_has_ended_holds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (log, census) = log();
    let log = Arc::new(log);
    for name in ["x.log", "y.log", "x.log"] {
        let writer = DiskWriter::spawn(&log, DiskConfig::new(dir.path().join(name))).unwrap();
        append(&log, &census, 10);
        // What was evicted before it came is an error; that is not the point here.
        let _ = writer.blocking_shutdown(PATIENCE);
        append(&log, &census, 10_000);
        // Its thread may still be about to end.
        let began = Instant::now();
        while census.live() > MOST {
            append(&log, &census, 1);
            let live = census.live();
            assert!(began.elapsed() < PATIENCE, "{live} live after {name}");
        }
    }
}

/// The bound holds at every moment while threads append and follow; and each event dies once.
#[test]
fn r12_holds_with_threads() {
    const READERS: usize = 3;
    const APPENDERS: usize = 2;
    let (log, census) = log();
    let readers = [(); READERS].map(|()| log.subscribe(0));
    thread::scope(|scope| {
        for mut reader in readers {
            scope.spawn(
                move || {
                    while !matches!(reader.blocking_recv(), Err(RecvError::Closed)) {}
                },
            );
        }
        let appenders = [(); APPENDERS].map(|()| {
            scope.spawn(|| {
                for version in 1..=20_000 {
                    log.append(Counted::new(version, &census));
                    // Each thread may also be dropping a segment of its own at this moment.
                    let bound = MOST + (READERS + APPENDERS) * SEGMENT;
                    let live = census.live();
                    assert!(live <= bound, "{live} live at {version}");
                }
            })
        });
        let ends = appenders.map(thread::ScopedJoinHandle::join);
        // Before any look at the ends: readers that are never told would hang a test that fails.
        log.close();
        for end in ends {
            end.unwrap();
        }
    });
    drop(log);
    assert_eq!(census.live(), 0);
    assert_eq!(census.dead.load(Ordering::SeqCst), 40_000);
}
