//! Marks: what a writer leaves beside its log, and what the next life makes of it. (Crashes and other
//! hands on the files are judged on a simulated disk, by the suite.)

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use eventlog::{
    Coverage, Cursor, EventLog, EventRef, Seq, Start, Versioned,
    disk::{self, DiskConfig, DiskWriter, Notice, Record, Timeline},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::listening;

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Versioned)]
struct Tick {
    version: u64,
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    (directory, path)
}

fn marks_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".marks");
    name.into()
}

fn marks(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(marks_of(path)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A writer whose drop waits for its end, however long that takes: what comes next needs its lock.
fn spawn(log: &EventLog<Tick>, config: &DiskConfig) -> DiskWriter<Tick> {
    DiskWriter::spawn(log, config.clone().drop_timeout(PATIENCE)).unwrap()
}

fn recover(config: &DiskConfig) -> (EventLog<Tick>, DiskWriter<Tick>) {
    let (log, _) = EventLog::recover(config).unwrap();
    let writer = spawn(&log, config);
    (log, writer)
}

fn append(
    log: &EventLog<Tick>,
    writer: &DiskWriter<Tick>,
    versions: std::ops::RangeInclusive<u64>,
) {
    for version in versions {
        log.append(Tick { version });
    }
    writer.blocking_flush(PATIENCE).unwrap();
}

fn versions(log: &EventLog<Tick>, start: impl Into<Start>) -> Vec<u64> {
    let replay = log.replay(start);
    replay.iter().map(|tick| tick.version).collect()
}

/// Every cursor was foreign after a restart, although nothing was lost.
#[test]
fn m02_a_clean_end_loses_nobody_a_cursor() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path);
    let (log, writer) = recover(&config);
    append(&log, &writer, 1..=5);
    let (oldest, live) = (log.replay(3).with_cursors().next().unwrap().0, log.cursor());
    let mut subscription = writer.subscribe(0);
    let mut durable = subscription.cursor();
    while let Ok(event) = subscription.try_recv() {
        durable = EventRef::cursor(&event);
    }
    assert!(durable.is_durable() && !live.is_durable());
    writer.blocking_shutdown(PATIENCE).unwrap();
    drop((log, writer));

    for life in 0..3 {
        let (log, writer) = recover(&config);
        assert_eq!(log.cursor().seq().get(), 5 + life, "numbers go on");
        let next = 6 + life;
        append(&log, &writer, next..=next);
        for cursor in [live, durable] {
            let replay = log.replay(cursor);
            assert_eq!(
                replay.coverage(),
                Coverage::Complete,
                "{cursor} in life {life}"
            );
            assert_eq!(versions(&log, cursor), (6..=next).collect::<Vec<_>>());
        }
        assert_eq!(versions(&log, oldest), (5..=next).collect::<Vec<_>>());
        assert!(log.replay(oldest).coverage().is_complete());
        let text: Cursor = live.to_string().parse().unwrap();
        let mut subscription = log.subscribe(text);
        assert_eq!(subscription.blocking_recv().unwrap().version, 6);
    }
}

#[test]
fn m02_what_no_life_has_seen_is_foreign_and_what_is_evicted_is_counted() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path);
    let (log, writer) = recover(&config);
    append(&log, &writer, 1..=9);
    let at = |seq| Cursor::from_parts(log.epoch(), Seq::new(seq), seq);
    let (second, after_end) = (at(2), at(10));
    drop((writer, log));
    let (log, _) = EventLog::<Tick>::builder()
        .capacity(3)
        .recover(&config)
        .unwrap();
    assert_eq!(log.replay(after_end).coverage(), Coverage::Foreign);
    let expected = Coverage::Truncated {
        missed_through: 6,
        missed: Some(4),
    };
    assert_eq!(log.replay(second).coverage(), expected);
    let stats = log.stats();
    assert_eq!((stats.appended, stats.evicted, stats.retained), (3, 0, 3));
}

/// An older file came back, grew on, and then got its own older marks back: all fits, and another
/// event has the number of the one that a reader stood at.
#[test]
fn m02_another_event_at_the_place_of_a_cursor_makes_it_foreign() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path);
    let (log, writer) = recover(&config);
    // The first batch of a life has a mark.
    log.append_batch((1..=6).map(|version| Tick { version }));
    writer.blocking_flush(PATIENCE).unwrap();
    let (older, older_marks) = (fs::read(&path).unwrap(), fs::read(marks_of(&path)).unwrap());
    append(&log, &writer, 7..=7);
    let mut subscription = writer.subscribe(5);
    let [sixth, seventh] = [(); 2].map(|()| EventRef::cursor(&subscription.try_recv().unwrap()));
    drop((subscription, writer, log));

    fs::write(&path, older).unwrap();
    let (log, writer) = recover(&config);
    append(&log, &writer, 11..=12);
    drop((writer, log));
    fs::write(marks_of(&path), older_marks).unwrap();

    let (log, _writer) = recover(&config);
    assert_eq!(versions(&log, 0), [1, 2, 3, 4, 5, 6, 11, 12]);
    assert_eq!(versions(&log, sixth), [11, 12]);
    assert_eq!(log.replay(sixth).coverage(), Coverage::Complete);
    assert!(disk::replay_after(&log, &sixth).is_some());
    assert_eq!(log.replay(seventh).coverage(), Coverage::Foreign);
    assert!(disk::replay_after(&log, &seventh).is_none());
}

#[test]
fn without_marks_it_is_as_it_was() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path).marks(false);
    let (log, writer) = recover(&config);
    append(&log, &writer, 1..=3);
    let cursor = log.cursor();
    let mut subscription = writer.subscribe(0);
    let event = subscription.blocking_recv().unwrap();
    assert!(!EventRef::cursor(&event).is_durable());
    drop((event, subscription, writer, log));
    assert!(!marks_of(&path).exists());
    let (log, _writer) = recover(&config);
    assert_eq!(log.replay(cursor).coverage(), Coverage::Foreign);
    assert_eq!(log.cursor().seq().get(), 3);
}

#[test]
fn an_opening_without_a_recovery_inherits_nothing() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path);
    let (log, writer) = recover(&config);
    append(&log, &writer, 1..=3);
    let old = log.cursor();
    drop((writer, log));

    let log = EventLog::new(None);
    let writer = spawn(&log, &config);
    append(&log, &writer, 10..=12);
    let new = log.cursor();
    drop((writer, log));

    // The ring has more events than the newest life has numbers: it begins a new history.
    let (log, writer) = recover(&config);
    assert_eq!(log.replay(old).coverage(), Coverage::Foreign);
    assert_eq!(log.replay(new).coverage(), Coverage::Foreign);
    assert_eq!(log.replay(Start::Oldest).len(), 6);
    append(&log, &writer, 13..=13);
    let cursor = log.cursor();
    drop((writer, log));
    let (log, _writer) = recover(&config);
    assert_eq!(log.replay(cursor).coverage(), Coverage::Complete);
}

/// A writer of the same log that ends and starts again is still the same life.
#[test]
fn a_writer_that_starts_again_goes_on_with_its_life() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path);
    let (log, writer) = recover(&config);
    append(&log, &writer, 1..=1);
    let early = log.cursor();
    append(&log, &writer, 2..=3);
    let before = log.cursor();
    writer.blocking_shutdown(PATIENCE).unwrap();
    let writer = spawn(&log, &config);
    append(&log, &writer, 4..=5);
    drop((writer, log));
    let (log, _writer) = recover(&config);
    for (cursor, rest) in [(early, 2..=5), (before, 4..=5)] {
        assert_eq!(log.replay(cursor).coverage(), Coverage::Complete);
        assert_eq!(versions(&log, cursor), rest.collect::<Vec<_>>());
    }
}

/// The writer that goes on has looked at it, and so has its log; a hand comes between the two.
#[test]
fn m02_a_file_that_was_changed_after_a_recovery_has_no_earlier_lives() {
    for changed in [
        "{\"version\":1}\n{\"version\":2}\n{\"version\":9}\n",
        "{\"version\":1}\n{\"version\":2}\n",
        "{\"version\":1}\n{\"version\":2}\n{\"version\":3}\n{\"version\":9}\n",
    ] {
        let (_directory, path) = place();
        let config = DiskConfig::new(&path);
        let (log, writer) = recover(&config);
        append(&log, &writer, 1..=3);
        let cursor = log.cursor();
        drop((writer, log));
        let (log, _) = EventLog::<Tick>::recover(&config).unwrap();
        fs::write(&path, changed).unwrap();
        let writer = spawn(&log, &config);
        append(&log, &writer, 10..=11);
        drop((writer, log));
        let (log, _writer) = recover(&config);
        let coverage = log.replay(cursor).coverage();
        assert_eq!(coverage, Coverage::Foreign, "{changed}");
    }
}

#[test]
fn while_somebody_else_has_the_lock_a_recovery_inherits_nothing() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path);
    let (log, writer) = recover(&config);
    append(&log, &writer, 1..=3);
    let cursor = log.cursor();
    let (looking, recovery) = EventLog::<Tick>::recover(&config).unwrap();
    assert_eq!(recovery.events, 3);
    assert_eq!(looking.replay(cursor).coverage(), Coverage::Foreign);
    drop((looking, writer, log));

    // Between a recovery and its writer nobody else comes in.
    let (log, _) = EventLog::<Tick>::recover(&config).unwrap();
    let other = EventLog::<Tick>::new(None);
    assert!(DiskWriter::spawn(&other, config.clone()).is_err());
    let writer = spawn(&log, &config);
    assert_eq!(log.replay(cursor).coverage(), Coverage::Complete);
    drop(writer);
}

#[test]
fn m01_marks_that_cannot_be_written_cost_one_notice_and_no_event() {
    let (_directory, path) = place();
    fs::create_dir(marks_of(&path)).unwrap();
    let (config, told) = listening(DiskConfig::new(&path).max_bytes(40));
    let (log, writer) = recover(&config);
    append(&log, &writer, 1..=9);
    drop(writer);
    {
        let told = told.lock().unwrap();
        let [notice @ Notice::MarksFailing { path: named, .. }] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(*named, fs::canonicalize(marks_of(&path)).unwrap());
        assert!(notice.to_string().contains("x.log.marks"), "{notice}");
    }
    let (log, _) = EventLog::<Tick>::recover(&config).unwrap();
    assert_eq!(log.newest_version(), Some(9));
    let left: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !left.iter().any(|name| name == "x.log.marks.tmp"),
        "{left:?}"
    );
}

/// A quiet log has a mark at its end after a second, and none is written while nothing comes.
#[test]
fn what_is_quiet_is_marked_to_its_end() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path);
    let (log, writer) = recover(&config);
    append(&log, &writer, 1..=1);
    append(&log, &writer, 2..=3);
    let began = Instant::now();
    while marks(&path).last().unwrap()["seq"] != 3 {
        assert!(began.elapsed() < PATIENCE, "{:?}", marks(&path));
        std::thread::sleep(Duration::from_millis(5)); // a look now and then
    }
    let last = marks(&path).pop().unwrap();
    assert_eq!(
        (&last["mark"], &last["line"]),
        (&"committed".into(), &3.into())
    );
    assert_eq!(last["offset"], fs::metadata(&path).unwrap().len());
    let cursor = log.cursor();
    let copy = path.with_file_name("copy.log");
    fs::copy(&path, &copy).unwrap();
    fs::copy(marks_of(&path), marks_of(&copy)).unwrap();
    // As after a kill, for one who saw events before they were durable.
    let (killed, _) = EventLog::<Tick>::recover(&DiskConfig::new(&copy)).unwrap();
    assert_eq!(killed.replay(cursor).coverage(), Coverage::Complete);
    drop(writer);
}

#[test]
fn a_crash_loop_forgets_its_oldest_lives_and_no_others() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path);
    let mut cursors = Vec::new();
    for life in 1..=258 {
        let (log, writer) = recover(&config);
        append(&log, &writer, life..=life);
        cursors.push(log.cursor());
    }
    let (log, _writer) = recover(&config);
    let known = cursors.iter().map(|cursor| log.replay(cursor).coverage());
    let known: Vec<_> = known.map(|coverage| coverage.is_complete()).collect();
    assert!(known.is_sorted(), "the oldest go first");
    let count = known.iter().filter(|known| **known).count();
    assert_eq!(count, 256);
    assert!(fs::metadata(marks_of(&path)).unwrap().len() < 256 * 1024);
}

/// At an event per second, marks would be longer than the log.
#[cfg(feature = "unstable-storage")]
#[test]
fn marks_are_thinned_out() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path)
        .max_bytes(1 << 20)
        .mark_every(Duration::ZERO);
    let (log, writer) = recover(&config);
    let first = log.cursor();
    for version in 1..=1500 {
        log.append(Tick { version });
        writer.blocking_flush(PATIENCE).unwrap();
        let len = fs::metadata(marks_of(&path)).unwrap().len();
        assert!(len <= 72 * 1024, "{len} bytes at {version}");
    }
    drop((writer, log));
    let (log, _writer) = recover(&config);
    assert_eq!(log.replay(first).coverage(), Coverage::Complete);
    assert_eq!(log.replay(first).len(), 1500);
}

/// Marks of files that are gone stayed where marks of commits had been dropped for room.
#[test]
fn marks_go_with_their_files() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path).max_bytes(40).keep(3);
    let (log, writer) = recover(&config);
    let first = log.cursor();
    let (mut len, mut trims) = (0, 0);
    for version in 1..=2000 {
        append(&log, &writer, version..=version);
        let before = std::mem::replace(&mut len, fs::metadata(marks_of(&path)).unwrap().len());
        assert!(len <= 72 * 1024, "{len} bytes at {version}");
        if len < before {
            trims += 1;
            assert_numbered_to(version, &path);
        }
    }
    assert!(trims > 0, "{len} bytes");
    drop((writer, log));
    assert_numbered_to(2000, &path);
    let (log, _writer) = recover(&config);
    let coverage = log.replay(first).coverage();
    assert!(
        matches!(coverage, Coverage::Truncated { .. }),
        "{coverage:?}"
    );
}

/// Every line that is left has its number, which is its version.
fn assert_numbered_to(newest: u64, path: &Path) {
    let timeline = Timeline::of(path);
    let records = disk::read::<Tick>(path).with_places().map(Result::unwrap);
    let numbers = records.map(|placed| {
        let Record::Event(tick) = &placed.record else {
            panic!("{placed:?}");
        };
        let stamp = timeline.stamp(&placed.place).unwrap();
        (tick.version, stamp.seq.map(Seq::get))
    });
    let numbers: Vec<_> = numbers.collect();
    let expected = newest + 1 - numbers.len() as u64..=newest;
    assert_eq!(numbers, expected.map(|n| (n, Some(n))).collect::<Vec<_>>());
    assert!(numbers.len() >= 4, "of several files");
}

/// The recovery has the lock, so the writer took the torn file of its own log for somebody else's.
#[test]
fn w05_a_log_whose_only_line_is_torn_is_recovered_and_written() {
    let (_directory, path) = place();
    let config = DiskConfig::new(&path);
    let (log, writer) = recover(&config);
    append(&log, &writer, 1..=1);
    drop((writer, log));
    fs::write(&path, "{\"vers").unwrap();
    let (log, writer) = recover(&config);
    append(&log, &writer, 2..=2);
    assert_eq!(versions(&log, 0), [2]);
}

/// A channel's events have no numbers that the log would know.
#[cfg(feature = "tokio")]
#[tokio::test]
async fn the_drop_in_marks_times_and_checksums_and_no_numbers() {
    let (_directory, path) = place();
    let log = Arc::new(EventLog::new(Some(path.clone())));
    let (sender, receiver) = tokio::sync::broadcast::channel(8);
    sender.send(Tick { version: 1 }).unwrap();
    drop(sender);
    disk::run_disk_writer(log, receiver).await;
    let found = marks(&path);
    assert!(found.len() >= 2, "{found:?}");
    for mark in found {
        assert!(mark["seq"].is_null() && mark["epoch"].is_null(), "{mark}");
        assert!(mark["at"].is_u64() && mark["sum"].is_string(), "{mark}");
    }
    assert_eq!(Timeline::of(&path).verify(), []);
}
