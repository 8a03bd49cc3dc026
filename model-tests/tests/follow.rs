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

/// Whatever comes at whichever look, a follower that has found nothing more is told, or has it.
#[test]
fn what_comes_while_the_end_is_looked_for_is_waited_for_by_nobody() {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Duration;

    for rotates in [false, true] {
        for look in 0..30 {
            let disk = SimDisk::new();
            let (log, old) = ("/x.log", "/x.log.old");
            disk.put(log.as_ref(), b"1\n");
            let mut follow = Follow::<u64, _>::open(disk.clone(), log);
            let (other, looks) = (disk.clone(), AtomicUsize::new(0));
            disk.set_look_hook(move || {
                if looks.fetch_add(1, Relaxed) != look {
                    return;
                }
                if rotates {
                    other.rename(log.as_ref(), old.as_ref()).unwrap();
                    other.put(log.as_ref(), b"2\n");
                } else {
                    other.put(log.as_ref(), b"1\n2\n");
                }
            });
            let mut seen = poll(&mut follow);
            let mut turns = 0;
            while follow.wait(Duration::ZERO) {
                seen.extend(poll(&mut follow));
                turns += 1;
                assert!(turns < 50, "it is told for ever");
            }
            let came = [&[Some(1)][..], &[Some(1), Some(2)]];
            let happened = disk.looks() > look as u64 + 1;
            assert_eq!(seen, came[usize::from(happened)], "{look} {rotates}");
        }
    }
}
