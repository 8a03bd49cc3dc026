//! Following a log while it is repaired and replaced, on the simulated disk.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::ErrorKind;

use eventlog::disk::{Damage, DamageKind, Follow, Record, Storage};
use model_tests::crashes::{Driver, PATH, Script};
use model_tests::disk_model::Numbered;
use model_tests::sim_disk::{Fault, Op, SimDisk};

/// The numbers there are now. Holes are `None`.
fn poll<S: Storage>(follow: &mut Follow<u64, S>) -> Vec<Option<u64>> {
    let number = |item: Result<Record<u64>, Damage>| match item {
        Ok(record) => record.into_event(),
        Err(damage) if matches!(damage.kind, DamageKind::Missed) => None,
        Err(damage) => panic!("{damage}"),
    };
    follow.map(number).collect()
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
