//! Following a log while it is written, rotated, repaired and moved.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use eventlog::disk::{
    Damage, DamageKind, DiskConfig, FileLog, Follow, RealStorage, Record, Storage, follow,
};
use eventlog::writer::Records;
use model_tests::crashes::{Driver, PATH, Script};
use model_tests::disk_model::Numbered;
use model_tests::sim_disk::{Fault, Op, SimDisk};

fn append(log: &mut FileLog, numbers: impl IntoIterator<Item = u64>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for number in numbers {
        bytes.extend_from_slice(format!("{number}\n").as_bytes());
        ends.push(bytes.len());
    }
    log.append_records(Records::new(&bytes, &ends)).unwrap();
    log.make_durable().unwrap();
}

fn log(path: &Path, keep: u32) -> FileLog {
    FileLog::open(RealStorage, &DiskConfig::new(path).max_bytes(60).keep(keep))
        .unwrap()
        .0
}

/// The numbers there are now. Holes are `None`.
fn poll<S: Storage>(follow: &mut Follow<u64, S>) -> Vec<Option<u64>> {
    let number = |item: Result<Record<u64>, Damage>| match item {
        Ok(record) => record.into_event(),
        Err(damage) if matches!(damage.kind, DamageKind::Missed) => None,
        Err(damage) => panic!("{damage}"),
    };
    follow.map(number).collect()
}

fn some(numbers: std::ops::Range<u64>) -> Vec<Option<u64>> {
    numbers.map(Some).collect()
}

#[test]
fn w12_each_event_comes_once_however_polls_and_rotations_fall() {
    for keep in 1..4 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let mut follow = follow(&path);
        assert!(poll(&mut follow).is_empty());
        let mut log = log(&path, keep);
        let mut next = 1000;
        // Up to `keep` rotations of 12 lines between two polls.
        for count in (1..=u64::from(keep) * 12).cycle().take(300) {
            append(&mut log, next..next + count);
            assert_eq!(poll(&mut follow), some(next..next + count), "keep {keep}");
            next += count;
        }
    }
}

#[test]
fn w12_what_was_rotated_away_between_polls_is_a_declared_gap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let mut log = log(&path, 2);
    let mut follow = follow(&path);
    append(&mut log, 1000..1005);
    assert_eq!(poll(&mut follow), some(1000..1005));
    append(&mut log, 1005..1100);
    let seen = poll(&mut follow);
    // The file that it held open is read to its end first.
    assert_eq!(seen[..7], some(1005..1012));
    assert_eq!(seen[7], None);
    let first = seen[8].unwrap();
    assert!(first > 1012);
    assert_eq!(seen[8..], some(first..1100));
    append(&mut log, 1100..1110);
    assert_eq!(poll(&mut follow), some(1100..1110));
}

#[test]
fn w12_a_thousand_fast_rotations_leave_no_silent_hole() {
    // In memory where there is such a place: the faster the writer, the harder for the follower.
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let path = dir.path().join("x.log");
    let done = AtomicBool::new(false);
    let last = 1000 + 1100 * 12;
    let mut log = log(&path, 3);
    let mut follow = follow(&path);
    append(&mut log, 1000..1006);
    assert_eq!(poll(&mut follow), some(1000..1006));
    thread::scope(|scope| {
        scope.spawn(|| {
            for first in (1006..last).step_by(6) {
                append(&mut log, first..first + 6);
            }
            done.store(true, Ordering::Release);
        });
        let (mut expected, mut seen, mut declared) = (1006, 6, false);
        loop {
            // Asked before polling: what was written by then has to come.
            let finished = done.load(Ordering::Acquire);
            for number in poll(&mut follow) {
                let Some(number) = number else {
                    declared = true;
                    continue;
                };
                let follows = number == expected || (declared && number > expected);
                assert!(follows, "{number} instead of {expected}");
                (expected, declared) = (number + 1, false);
                seen += 1;
            }
            if finished {
                break;
            }
        }
        assert_eq!(expected, last);
        println!(
            "{seen} of {} events seen, the others declared missed",
            last - 1000
        );
        // What the files still hold in the end is seen in any case.
        assert!(seen >= 6 + 3 * 12, "{seen}");
    });
}

#[test]
fn a_half_written_line_waits_for_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let mut follow = follow(&path);
    fs::write(&path, "1\n23").unwrap();
    assert_eq!(poll(&mut follow), [Some(1)]);
    fs::write(&path, "1\n234\n5").unwrap();
    assert_eq!(poll(&mut follow), [Some(234)]);
}

/// The next writer sets a torn line aside and writes its own where that was.
#[test]
fn a_half_written_line_that_was_replaced_was_never_there() {
    let disk = SimDisk::new();
    disk.put("/x.log".as_ref(), b"1\n23");
    let mut follow = Follow::open(disk.clone(), "/x.log");
    assert_eq!(poll(&mut follow), [Some(1)]);
    disk.put("/x.log".as_ref(), b"1\n45\n");
    assert_eq!(poll(&mut follow), [Some(45)]);
}

#[test]
fn a_log_that_is_cut_from_outside_is_followed_on_after_a_notice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let mut follow = follow::<u64>(&path);
    fs::write(&path, "1\n2\n3\n").unwrap();
    assert_eq!(poll(&mut follow), some(1..4));
    fs::write(&path, "4\n").unwrap();
    let cut = follow.next().unwrap().unwrap_err();
    assert!(matches!(cut.kind, DamageKind::Cut), "{cut}");
    fs::write(&path, "4\n5\n").unwrap();
    assert_eq!(poll(&mut follow), [Some(5)]);
}

#[test]
fn a_log_removed_and_started_anew_is_followed_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let mut follow = follow(&path);
    let mut log = log(&path, 1);
    append(&mut log, 1..4);
    assert_eq!(poll(&mut follow), some(1..4));
    fs::remove_file(&path).unwrap();
    append(&mut log, 4..6);
    assert_eq!(poll(&mut follow), [None, Some(4), Some(5)]);
}

/// A program that is started anew writes the same first line. What it writes was not seen yet,
/// though a repaired copy of the old file would begin with these bytes, too.
#[test]
fn a_log_started_anew_with_the_same_line_hides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let mut follow = follow(&path);
    fs::write(&path, "1\n2\n3\n").unwrap();
    assert_eq!(poll(&mut follow), some(1..4));
    fs::remove_file(&path).unwrap();
    fs::write(&path, "1\n7\n").unwrap();
    assert_eq!(poll(&mut follow), [None, Some(1), Some(7)]);
}

/// As above, where the old file was rotated away before the follower looked again.
#[test]
fn w12_files_that_begin_alike_are_not_taken_for_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let old = dir.path().join("x.log.old");
    let mut follow = follow(&path);
    fs::write(&path, "1\n1\n2\n").unwrap();
    assert_eq!(poll(&mut follow), [1, 1, 2].map(Some));
    fs::write(&old, "1\n1\n3\n").unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "1\n4\n").unwrap();
    assert_eq!(
        poll(&mut follow),
        [None, Some(1), Some(1), Some(3), Some(1), Some(4)]
    );
}

/// The full file before it is still there, so nothing can be missing between.
#[test]
fn a_log_replaced_after_a_full_file_is_followed_without_alarm() {
    let disk = SimDisk::new();
    let (old, log, new) = ("/x.log.old", "/x.log", "/x.log.tmp");
    disk.put(old.as_ref(), b"1\n");
    disk.put(log.as_ref(), b"5\n6\n7\n");
    let mut follow = Follow::<u64, _>::open(disk.clone(), log);
    assert_eq!(poll(&mut follow), [1, 5, 6, 7].map(Some));
    // A copy of what was durable, and a line in place of the rest.
    disk.put(new.as_ref(), b"5\n6\n9\n");
    disk.rename(new.as_ref(), log.as_ref()).unwrap();
    assert_eq!(poll(&mut follow), [Some(9)]);
    // Something else altogether.
    disk.put(new.as_ref(), b"10\n");
    disk.rename(new.as_ref(), log.as_ref()).unwrap();
    assert_eq!(poll(&mut follow), [Some(10)]);
}

#[test]
fn files_that_went_away_after_an_empty_one_are_declared() {
    let disk = SimDisk::new();
    let (old, log) = ("/x.log.old", "/x.log");
    let rename = |from: &str, to: &str| disk.rename(from.as_ref(), to.as_ref()).unwrap();
    disk.put(log.as_ref(), b"1\n");
    let mut follow = Follow::<u64, _>::open(disk.clone(), log);
    assert_eq!(poll(&mut follow), [Some(1)]);
    rename(log, old);
    disk.put(log.as_ref(), b"");
    assert_eq!(poll(&mut follow), []);
    rename(log, "/elsewhere");
    rename(old, "/elsewhere too");
    disk.put(old.as_ref(), b"8\n");
    disk.put(log.as_ref(), b"9\n");
    assert_eq!(poll(&mut follow), [None, Some(8), Some(9)]);
}

fn sim_poll(follow: &mut Follow<Numbered, SimDisk>) -> Vec<u64> {
    let version = |item: Result<Record<Numbered>, Damage>| {
        item.unwrap_or_else(|damage| panic!("{damage}"))
            .into_event()
            .unwrap()
            .version
    };
    follow.map(version).collect()
}

/// The follower reads what is not durable yet; then the sync fails, and the writer puts a copy of
/// the durable part in place and writes the rest once more.
#[test]
fn w12_a_rebuilt_file_repeats_nothing() {
    let script = Script {
        max_bytes: 500,
        keep: 1,
        steps: Vec::new(),
        faults: Vec::new(),
    };
    for fault in [Fault::SyncDrops(5), Fault::Refuse(ErrorKind::Other)] {
        let disk = SimDisk::new();
        let mut driver = Driver::detached(&disk, &script).unwrap();
        let mut follow = Follow::<Numbered, _>::open(disk.clone(), PATH);
        let mut seen = Vec::new();
        for batch in 0..40 {
            driver.append(&[40, 41, 42]).unwrap();
            seen.extend(sim_poll(&mut follow));
            if batch % 3 == 0 {
                disk.fail_next(fault);
            }
            driver.sync().unwrap();
            seen.extend(sim_poll(&mut follow));
        }
        assert!(driver.errors() > 10);
        assert_eq!(seen, (1..=120).collect::<Vec<_>>(), "{fault:?}");
    }
}

/// The follower looks in the middle of every operation of the writer.
#[test]
fn w12_a_look_at_any_moment_of_a_rotation_or_repair_is_harmless() {
    let disk = SimDisk::new();
    let mut script = Script::generate(7, 12);
    script.keep = 2;
    let mut driver = Driver::detached(&disk, &script).unwrap();
    for operation in (10..600).filter(|operation| operation % 3 > 0) {
        disk.fail_at(operation, Fault::SyncDrops(operation));
    }
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let follower = std::sync::Mutex::new(Follow::<Numbered, _>::open(disk.clone(), PATH));
    let sink = seen.clone();
    disk.set_hook(move |_: Op| {
        sink.lock()
            .unwrap()
            .extend(sim_poll(&mut follower.lock().unwrap()));
    });
    driver.run(&script.steps).unwrap();
    // One more operation, so that the hook looks once more.
    disk.sync_dir("/".as_ref()).unwrap();
    assert!(driver.errors() > 0);
    assert_eq!(
        *seen.lock().unwrap(),
        (1..=driver.durable()).collect::<Vec<_>>()
    );
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, eventlog::Versioned)]
struct Step {
    version: u64,
}

/// A follower always began with the oldest record, up to 16 MiB back.
#[test]
fn a_follower_begins_where_it_is_told() {
    use eventlog::{
        Start,
        disk::{Gap, GapReason, follow},
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let line = |version| format!("{{\"version\":{version}}}\n");
    let gap = Gap::new(3, 5, 7, GapReason::Backlog).to_line();
    let text = [&line(1), "damaged\n", &line(4), &gap, &line(8), &line(2)].concat();
    fs::write(path.with_extension("log.old"), line(0)).unwrap();
    fs::write(&path, text).unwrap();
    let count = |start: Start| follow::<Step>(&path).starting(start).count();
    assert_eq!(count(Start::Oldest), 7);
    assert_eq!(
        count(Start::After(1)),
        4,
        "4, the gap, 8 and what fell after it"
    );
    assert_eq!(count(Start::After(6)), 3, "the gap reaches above it");
    assert_eq!(count(Start::After(7)), 2);
    assert_eq!(count(Start::After(8)), 0);
    let mut now = follow::<Step>(&path).starting(Start::Now);
    assert!(now.next().is_none());
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, line(3).as_bytes()).unwrap();
    let next = now.next().unwrap().unwrap().into_event();
    assert_eq!(next, Some(Step { version: 3 }));
}
