//! Where a follower stands, as a text, and followers that go on there.

use std::fs;
use std::path::{Path, PathBuf};

use eventlog::disk::{Damage, DamageKind, Follow, Position, Record, ResumeError, follow};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let old = dir.path().join("x.log.old");
    (dir, path, old)
}

/// What comes now. `None` for word that the place is gone.
fn poll(follow: &mut Follow<u64>) -> Vec<Option<u64>> {
    let number = |item: Result<Record<u64>, Damage>| match item {
        Ok(record) => record.into_event(),
        Err(damage) if matches!(damage.kind, DamageKind::PlaceGone { .. }) => None,
        Err(damage) => panic!("{damage}"),
    };
    follow.map(number).collect()
}

fn resume(path: &Path, position: Position) -> Follow<u64> {
    let position = position.to_string().parse().unwrap();
    follow(path).resuming(&position).unwrap()
}

/// Everything that is there, and then the place after it.
fn position_at_end(path: &Path) -> Position {
    let mut follow = follow::<u64>(path);
    assert!(follow.by_ref().all(|item| item.is_ok()));
    follow.position()
}

#[test]
fn a_position_is_after_what_was_given_and_not_after_what_was_read() {
    let (_dir, path, _) = place();
    fs::write(&path, "1\n2\n\0\x003\noops\n4\n").unwrap();
    let all = [Some(1), Some(2), None, Some(3), None, Some(4)];
    for given in 0..all.len() {
        let mut follow = follow::<u64>(&path);
        for _ in 0..given {
            assert!(follow.next().is_some());
        }
        let rest = resume(&path, follow.position()).map(|item| item.ok()?.into_event());
        // Zeros and the record after them are one line: they are told again.
        let rest_from = if given == 3 { 2 } else { given };
        assert_eq!(rest.collect::<Vec<_>>(), all[rest_from..], "{given}");
    }
}

/// An empty beginning fits every file.
#[test]
fn an_empty_file_is_no_place() {
    let (dir, path, old) = place();
    fs::write(&path, "1\n2\n").unwrap();
    let mut follow = follow::<u64>(&path);
    assert_eq!(poll(&mut follow), [Some(1), Some(2)]);
    fs::rename(&path, &old).unwrap();
    fs::write(&path, "").unwrap();
    assert_eq!(poll(&mut follow), []);
    let position = follow.position();
    drop(follow);
    fs::write(&path, "3\n").unwrap();
    assert_eq!(poll(&mut resume(&path, position)), [Some(3)]);
    fs::rename(&old, dir.path().join("x.log.old.0000000001")).unwrap();
    fs::rename(&path, &old).unwrap();
    fs::write(&path, "4\n").unwrap();
    assert_eq!(poll(&mut resume(&path, position)), [Some(3), Some(4)]);
}

/// Of the file before it is known how it ended, so what is older does not come again.
#[test]
fn where_the_file_was_emptied_it_goes_on_after_the_file_before() {
    let (_dir, path, old) = place();
    fs::write(&old, "1\n").unwrap();
    fs::write(&path, "2\n3\n").unwrap();
    let position = position_at_end(&path);
    fs::write(&path, "4\n").unwrap();
    let mut resumed = resume(&path, position);
    let notice = resumed.next().unwrap().unwrap_err();
    assert!(
        matches!(notice.kind, DamageKind::PlaceGone { read: 4 }),
        "{notice}"
    );
    assert!(
        notice.to_string().contains("up to byte 4 is there no more"),
        "{notice}"
    );
    assert_eq!(poll(&mut resumed), [Some(4)]);
    // Where that one is gone too, the oldest is all there is.
    fs::write(&old, "0\n").unwrap();
    assert_eq!(poll(&mut resume(&path, position)), [None, Some(0), Some(4)]);
}

/// A program that is started anew writes the same first lines.
#[test]
fn files_that_begin_alike_are_told_apart_by_the_file_before() {
    let (dir, path, old) = place();
    fs::write(dir.path().join("x.log.old.0000000001"), "1\n2\n").unwrap();
    fs::write(&old, "1\n3\n").unwrap();
    fs::write(&path, "1\n").unwrap();
    let mut follow = follow::<u64>(&path);
    let mut rests: Vec<(Position, Vec<Option<u64>>)> = Vec::new();
    let all = [1, 2, 1, 3, 1].map(Some);
    for given in 1..=all.len() {
        assert!(follow.next().is_some());
        rests.push((follow.position(), all[given..].to_vec()));
    }
    // In the first file nothing is known of one before, so that it is told.
    let (first, rest) = rests.remove(0);
    let mut resumed = resume(&path, first);
    assert!(poll(&mut resumed).ends_with(&rest));
    for (position, rest) in rests {
        let mut resumed = resume(&path, position);
        assert_eq!(poll(&mut resumed), rest, "{position}");
        if rest.is_empty() {
            assert_eq!(resumed.position(), position);
        }
    }
}

#[test]
fn a_position_of_another_log_is_refused_and_a_log_that_was_moved_is_not() {
    let (dir, path, _) = place();
    let other = dir.path().join("y.log");
    fs::write(&path, "1\n2\n").unwrap();
    fs::write(&other, "1\n3\n").unwrap();
    let position = position_at_end(&path);
    let refused = follow::<u64>(&other).resuming(&position).unwrap_err();
    let ResumeError::OtherLog { path: named, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(named.file_name(), other.file_name());
    assert!(
        refused.to_string().contains(&position.to_string()),
        "{refused}"
    );
    let beginning = follow::<u64>(&path).position();
    assert!(follow::<u64>(&other).resuming(&beginning).is_err());

    fs::write(&other, "1\n2\n4\n").unwrap();
    let mut moved = resume(&other, position);
    // And it counts as its own from then on.
    let position = moved.position();
    assert_eq!(poll(&mut moved), [Some(4)]);
    fs::remove_file(&other).unwrap();
    fs::write(&other, "5\n").unwrap();
    assert_eq!(poll(&mut resume(&other, position)), [None, Some(5)]);
}

/// At the beginning nothing was seen, so what was there and is gone is missing.
#[test]
fn a_follower_that_has_seen_nothing_is_told_of_what_may_be_gone() {
    let (dir, path, old) = place();
    let beginning = follow::<u64>(&path).position();
    assert_eq!(resume(&path, beginning).count(), 0);
    fs::write(&path, "1\n").unwrap();
    assert_eq!(poll(&mut resume(&path, beginning)), [Some(1)]);
    fs::rename(&path, dir.path().join("x.log.old.0000000001")).unwrap();
    fs::write(&old, "2\n").unwrap();
    assert_eq!(poll(&mut resume(&path, beginning)), [Some(1), Some(2)]);
    fs::remove_file(dir.path().join("x.log.old.0000000001")).unwrap();
    let mut resumed = resume(&path, beginning);
    let missed = resumed.next().unwrap().unwrap_err();
    assert!(matches!(missed.kind, DamageKind::Missed), "{missed}");
    assert_eq!(poll(&mut resumed), [Some(2)]);
}

/// The log is between two files, or cannot be read yet.
#[test]
fn a_resumed_follower_waits_for_its_log() {
    let (dir, path, _) = place();
    fs::write(&path, "1\n2\n").unwrap();
    let position = position_at_end(&path);
    let away = dir.path().join("away");
    fs::rename(&path, &away).unwrap();
    let mut resumed = resume(&path, position);
    assert_eq!(poll(&mut resumed), []);
    assert_eq!(resumed.position(), position);
    fs::rename(&away, &path).unwrap();
    fs::write(&path, "1\n2\n3\n").unwrap();
    assert_eq!(poll(&mut resumed), [Some(3)]);
}

/// More than a reader takes at once, so that the sum grows by pieces of all kinds.
#[test]
fn a_place_far_into_a_file_is_found() {
    let (_dir, path, _) = place();
    let numbers: Vec<_> = (1..=100_000)
        .map(|number: u64| number.to_string())
        .collect();
    let text = numbers.join("\n") + "\n";
    fs::write(&path, &text).unwrap();
    let mut follow = follow::<u64>(&path);
    for given in [1, 5, 500, 40_000, 59_494_u64] {
        let last = follow.by_ref().take(usize::try_from(given).unwrap()).last();
        let last = last.unwrap().unwrap().into_event().unwrap();
        let next = resume(&path, follow.position()).next();
        let next = next.and_then(|item| item.unwrap().into_event());
        assert_eq!(next, (last < 100_000).then_some(last + 1));
    }
}
