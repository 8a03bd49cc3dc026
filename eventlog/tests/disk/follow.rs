//! Following a log that other hands write, cut, remove and replace.

use std::fs;

use eventlog::disk::{Damage, DamageKind, Follow, Record, follow};

/// The numbers there are now. Holes are `None`.
pub fn poll(follow: &mut Follow<u64>) -> Vec<Option<u64>> {
    let number = |item: Result<Record<u64>, Damage>| match item {
        Ok(record) => record.into_event(),
        Err(damage) if matches!(damage.kind, DamageKind::Missed) => None,
        Err(damage) => panic!("{damage}"),
    };
    follow.map(number).collect()
}

pub fn some(numbers: std::ops::Range<u64>) -> Vec<Option<u64>> {
    numbers.map(Some).collect()
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
