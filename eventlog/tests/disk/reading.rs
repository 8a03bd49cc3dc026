//! Reading what is on disk, whatever the lengths of the lines.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use eventlog::disk::{DamageKind, Gap, GapReason, Record, read, read_last};
use tempfile::TempDir;

/// A directory of its own and the path of a log in it.
fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    (dir, path)
}

fn numbers(path: &Path) -> Vec<u64> {
    read::<u64>(path)
        .map(|item| item.unwrap().into_event().unwrap())
        .collect()
}

/// As readers meet it that look while files are being renamed.
#[test]
#[cfg(unix)]
fn a_file_that_is_met_under_two_names_is_read_once() {
    let (dir, path) = place();
    let named = |suffix| dir.path().join(format!("x.log{suffix}"));
    fs::write(named(".old"), "1\n2\n").unwrap();
    fs::hard_link(named(".old"), named(".old.2")).unwrap();
    fs::write(&path, "3\n").unwrap();
    assert_eq!(numbers(&path), [1, 2, 3]);
}

#[test]
fn zeros_left_by_the_file_system_do_not_hide_the_next_record() {
    let (_dir, path) = place();
    fs::write(&path, b"1\n12\0\0\0\x003\n4\n").unwrap();
    let items: Vec<_> = read::<u64>(&path).collect();
    let found: Vec<_> = items.iter().flatten().filter_map(Record::event).collect();
    assert_eq!(found, [&1, &3, &4]);
    let damage = items[1].as_ref().unwrap_err();
    assert!(matches!(damage.kind, DamageKind::Zeros));
    assert_eq!((damage.line, damage.offset, damage.len), (Some(2), 2, 6));
    assert_eq!(read_last::<u64>(&path, 9).damage.len(), 1);
}

#[test]
fn a_gap_line_is_read_as_a_gap() {
    let (_dir, path) = place();
    let gap = Gap::new(2, 2, 3, GapReason::Backlog);
    fs::write(&path, format!("1\n{}4\n", gap.to_line())).unwrap();
    let records: Vec<_> = read::<u64>(&path).map(Result::unwrap).collect();
    assert_eq!(
        records,
        [Record::Event(1), Record::Gap(gap), Record::Event(4)]
    );
    let tail = read_last::<u64>(&path, 1);
    assert_eq!(tail.records, [Record::Event(4)]);
    assert_eq!(tail.gaps().count(), 0);
    assert_eq!(
        read_last::<u64>(&path, 2).gaps().collect::<Vec<_>>(),
        [&gap]
    );
    assert_eq!(tail.before, Some(Record::Gap(gap)));
}

/// A line as long as lines may be is still looked at, one byte more is not taken into memory.
#[test]
fn from_the_end_too_a_line_may_be_too_long() {
    const LIMIT: usize = 64 * 1024 * 1024;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    for (before, len, too_long) in [
        ("", LIMIT, false),
        ("1\n", LIMIT, false),
        ("1\n", LIMIT + 1, true),
    ] {
        let mut file = File::create(&path).unwrap();
        file.write_all(before.as_bytes()).unwrap();
        file.write_all(&vec![b'x'; len]).unwrap();
        file.write_all(b"\n").unwrap();
        let tail = read_last::<u64>(&path, 10);
        let numbers: Vec<_> = tail
            .records
            .into_iter()
            .filter_map(Record::into_event)
            .collect();
        assert_eq!(numbers.len(), before.lines().count());
        let [damage] = &tail.damage[..] else {
            panic!("{:?}", tail.damage);
        };
        let place = (before.len() as u64, len as u64);
        assert_eq!((damage.offset, damage.len), place, "{damage}");
        match damage.kind {
            DamageKind::TooLong { limit } => assert_eq!((limit, too_long), (LIMIT, true)),
            DamageKind::NotAnEvent { .. } => assert!(!too_long),
            _ => panic!("{damage}"),
        }
    }
}

/// The path of a log that a process with few descriptors is to read.
#[cfg(target_os = "linux")]
const MANY_FILES: &str = "EVENTLOG_TEST_MANY_FILES";

/// Every kept file used to be opened at once, so that a long log could not be read at all.
#[test]
#[cfg(target_os = "linux")]
fn a_log_of_more_files_than_a_process_may_open_is_read_whole() {
    const NAME: &str = "reading::a_log_of_more_files_than_a_process_may_open_is_read_whole";
    const FILES: u64 = 300;
    if let Some(path) = std::env::var_os(MANY_FILES) {
        let all: Vec<_> = (1..=FILES + 2).collect();
        assert_eq!(numbers(path.as_ref()), all);
        let mut follow = eventlog::disk::follow::<u64>(&path);
        let followed = follow.by_ref().map(|item| item.unwrap().into_event());
        assert!(followed.eq(all.iter().copied().map(Some)));
        let tail = read_last::<u64>(&path, 1_000);
        assert_eq!((tail.records.len(), tail.damage), (all.len(), vec![]));
        return;
    }
    let (dir, path) = place();
    let full = |number| dir.path().join(format!("x.log.old.{number:010}"));
    for number in 1..=FILES {
        fs::write(full(number), format!("{number}\n")).unwrap();
    }
    let old = dir.path().join("x.log.old");
    fs::write(old, format!("{}\n", FILES + 1)).unwrap();
    fs::write(&path, format!("{}\n", FILES + 2)).unwrap();
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --exact \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg(NAME)
        .env(MANY_FILES, &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}
