//! Following a log while its writer rotates it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use eventlog::disk::{DiskConfig, FileLog, RealStorage, follow};

use crate::follow::{poll, some};
use crate::lines::append;

fn log(path: &Path, keep: u32) -> FileLog {
    FileLog::open(RealStorage, &DiskConfig::new(path).max_bytes(60).keep(keep))
        .unwrap()
        .0
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
