//! Processes that are killed, and processes that meet at one path.

use std::{fs, sync::Arc};

use eventlog::{EventLog, disk::DiskWriter};

use crate::{
    child::{Start, Word},
    writing::{PATIENCE, Step, config, dense, holds, step},
};

#[test]
fn w01_what_was_acknowledged_is_there_after_sigkill() {
    kill_again_and_again(false);
}

/// The operating system keeps what a killed process has handed over.
#[test]
fn w01_sigkill_takes_nothing_acknowledged_without_a_sync() {
    kill_again_and_again(true);
}

/// Each child goes on where the one before was killed, through rotations.
fn kill_again_and_again(never_sync: bool) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let start = Start {
        max_bytes: Some(8 * 1024),
        never_sync,
        ..Start::PLAIN
    };
    let mut acknowledged = 0;
    for round in 0..15 {
        let mut child = start.spawn(&path);
        child.acks(1 + 29 * round % 97);
        let last = child.kill();
        assert!(
            last > acknowledged,
            "the child goes on after {acknowledged}, not at {last}"
        );
        acknowledged = last;
        holds(&path, acknowledged);
    }
    assert!(
        path.with_extension("log.old").exists(),
        "the log was rotated meanwhile"
    );
}

/// Two processes at one path: the second is refused, touches nothing, and is let in once the first
/// is gone, also if it was killed.
#[test]
fn w10_a_second_process_is_refused_until_the_first_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let mut first = Start {
        max_bytes: Some(2048),
        ..Start::PLAIN
    }
    .spawn(&path);
    for _ in 0..5 {
        first.acks(30); // a rotation or more
        let mut second = Start {
            up_to: Some(u64::MAX),
            ..Start::PLAIN
        }
        .spawn(&path);
        let Some(Word::Refused(error)) = second.next() else {
            panic!("it was let in")
        };
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert!(error.contains("belongs to another writer"), "{error}");
        let log = Arc::new(EventLog::<Step>::new(None));
        DiskWriter::spawn(&log, config(&path)).unwrap_err();
    }
    holds(&path, first.acknowledged);
    let acknowledged = first.kill();
    let before = fs::read(&path).unwrap_or_default();

    let (log, _) = EventLog::<Step>::recover(&config(&path)).unwrap();
    let log = Arc::new(log);
    let writer = DiskWriter::spawn(&log, config(&path)).unwrap();
    log.append_with(|newest| step(newest.unwrap() + 1));
    writer.blocking_shutdown(PATIENCE).unwrap();
    assert!(dense(&path) > acknowledged);
    let whole = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    assert!(fs::read(&path).unwrap().starts_with(&before[..whole]));
}
