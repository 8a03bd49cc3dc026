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
    assert_eq!(poll(&mut follow), some(4..6));
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

/// The versions that come, and `None` for a notice that the file was cut or written anew.
fn come(follow: &mut Follow<Step>) -> Vec<Option<u64>> {
    let version = |item: Result<Record<Step>, Damage>| match item {
        Ok(record) => Some(record.into_event().unwrap().version),
        Err(damage) => {
            assert!(matches!(damage.kind, DamageKind::Cut), "{damage}");
            None
        }
    };
    follow.map(version).collect()
}

fn lines(versions: impl IntoIterator<Item = u64>) -> String {
    let line = |version| format!("{{\"version\":{version},\"pad\":\"\"}}\n");
    versions.into_iter().map(line).collect()
}

fn append_to(path: &std::path::Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
}

/// A file that was truncated and had a little written to it was read on where it had ended before:
/// 101 to 110 never came.
#[test]
fn w12_a_truncated_file_is_read_from_its_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    fs::write(&path, lines(1..=100)).unwrap();
    let mut steps = follow::<Step>(&path);
    assert_eq!(come(&mut steps).len(), 100);
    // The same file, as `copytruncate` leaves it.
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(0).unwrap();
    append_to(&path, &lines(101..=110));
    let anew: Vec<_> = std::iter::once(None).chain((101..=110).map(Some)).collect();
    assert_eq!(come(&mut steps), anew);
    append_to(&path, &lines(111..=113));
    assert_eq!(come(&mut steps), [111, 112, 113].map(Some));
}

/// Grown past the old place before anybody looked: nothing but its bytes tells.
#[test]
fn w12_a_file_written_anew_and_longer_is_read_from_its_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    fs::write(&path, lines(1..=10)).unwrap();
    let mut steps = follow::<Step>(&path);
    assert_eq!(come(&mut steps).len(), 10);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(0).unwrap();
    append_to(&path, &lines(501..=530));
    let anew: Vec<_> = std::iter::once(None).chain((501..=530).map(Some)).collect();
    assert_eq!(come(&mut steps), anew);
}

/// A writer that repairs a damaged end cuts whole lines off, and goes on there: what it wrote then
/// was once passed over.
#[test]
fn w12_a_file_cut_in_part_is_read_on_where_it_was_cut() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    fs::write(&path, lines(1..=1000)).unwrap();
    let mut steps = follow::<Step>(&path);
    assert_eq!(come(&mut steps).len(), 1000);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(lines(1..=990).len() as u64).unwrap();
    append_to(&path, &lines(2001..=2100));
    let rest: Vec<_> = std::iter::once(None)
        .chain((2001..=2100).map(Some))
        .collect();
    assert_eq!(come(&mut steps), rest, "nothing of before again");
}
