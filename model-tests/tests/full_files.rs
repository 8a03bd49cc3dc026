//! The full files: their names, their number, and what a rotation costs; and writing where there
//! is no rotation.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use eventlog::disk::{DiskConfig, FileLog, Opened, RealStorage, read, read_last};
use eventlog::writer::Records;
use model_tests::sim_disk::{Op, SimDisk};
use tempfile::TempDir;

/// A directory of its own and the path of a log in it.
fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    (dir, path)
}

fn open(config: &DiskConfig) -> (FileLog, Opened) {
    FileLog::open(RealStorage, config).unwrap()
}

/// Hands over one line a number and syncs.
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

fn numbers(path: &Path) -> Vec<u64> {
    read::<u64>(path)
        .map(|item| item.unwrap().into_event().unwrap())
        .collect()
}

fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Somebody keeps full files under names that end in a date or in a time in seconds: they are no
/// files of the log any more, and no rotation removes them.
#[test]
fn a_file_with_a_date_after_its_name_is_left_alone() {
    let (dir, path) = place();
    for (name, text) in [
        ("x.log", "5\n"),
        ("x.log.old", "4\n"),
        ("x.log.old.3", "3\n"),
        ("x.log.old.20260101", "2\n"),
        ("x.log.old.1700000000", "1\n"),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    assert_eq!(numbers(&path), [3, 4, 5]);
    assert_eq!(read_last::<u64>(&path, 9).records.len(), 3);
    let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(2));
    append(&mut log, [6, 7]);
    assert_eq!(numbers(&path), [6, 7]);
    for name in ["x.log.old.20260101", "x.log.old.1700000000"] {
        assert!(dir.path().join(name).exists(), "{name}");
    }
}

/// What earlier versions kept comes first, in its order, and goes first.
#[test]
fn w08_files_that_an_earlier_version_numbered_are_the_oldest() {
    let (dir, path) = place();
    for (name, text) in [
        ("x.log", "5\n"),
        ("x.log.old", "4\n"),
        ("x.log.old.2", "3\n"),
        ("x.log.old.3", "2\n"),
        ("x.log.old.10", "1\n"),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
    }
    assert_eq!(numbers(&path), [1, 2, 3, 4, 5]);
    let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(2).keep(4));
    for newest in 6..10 {
        append(&mut log, [newest]);
        assert_eq!(numbers(&path), (newest - 4..=newest).collect::<Vec<_>>());
    }
    let left = [
        "",
        ".lock",
        ".marks",
        ".old",
        ".old.0000000002",
        ".old.0000000003",
        ".old.0000000004",
    ];
    assert_eq!(names(&dir), left.map(|suffix| format!("x.log{suffix}")));
}

/// Somebody put a file under the very number that comes next: it is not overwritten.
#[test]
fn w08_a_number_that_is_taken_is_not_given_again() {
    let (dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(2).keep(5));
    append(&mut log, 1..5);
    fs::write(dir.path().join("x.log.old.0000000003"), "0\n").unwrap();
    append(&mut log, [5]);
    assert_eq!(numbers(&path), [1, 2, 0, 3, 4, 5]);
}

/// How often a rotation renames, removes and syncs. With a file moved on for each that is kept,
/// and a sync after each of these, one rotation once took half a second at `keep(100)`.
#[test]
fn w08_the_cost_of_a_rotation_does_not_depend_on_keep() {
    let operations = |keep, marks| {
        let disk = SimDisk::new();
        let config = DiskConfig::new("/x.log")
            .max_bytes(2)
            .keep(keep)
            .marks(marks);
        let (mut log, _) = FileLog::open(disk.clone(), &config).unwrap();
        let mut per_rotation = 0;
        for _ in 0..keep + 10 {
            let before = disk.operations();
            log.append_records(Records::new(b"1\n", &[2])).unwrap();
            log.make_durable().unwrap();
            per_rotation = disk.operations() - before;
        }
        per_rotation
    };
    // Remove, rename, sync, rename, sync, create, write, sync, sync.
    let without = |keep| operations(keep, false);
    assert_eq!([2, 3, 100, 1000].map(without), [9; 4]);
    assert_eq!(without(1), 6);
    // The marks write and sync before the file is put aside, and after its first batch.
    let with = |keep| operations(keep, true);
    assert_eq!([2, 3, 100].map(with), [13; 3]);
}

#[test]
fn a_directory_in_the_way_of_a_full_file_is_named_with_remedy() {
    let (dir, path) = place();
    let old = dir.path().join("x.log.old");
    fs::create_dir(&old).unwrap();
    for keep in [1, 2] {
        let (config, notices) = heard(DiskConfig::new(&path).max_bytes(1).keep(keep));
        let (mut log, _) = open(&config);
        append(&mut log, [1, 2]);
        let text = notices.lock().unwrap().concat();
        assert!(text.contains(old.to_str().unwrap()), "{text}");
        assert!(text.contains("move it away"), "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n");
        fs::remove_file(&path).unwrap();
    }
    fs::remove_dir(&old).unwrap();
}

/// What the settings have a log say.
fn heard(config: DiskConfig) -> (DiskConfig, Arc<Mutex<Vec<String>>>) {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let sink = notices.clone();
    let config = config.on_notice(move |notice| sink.lock().unwrap().push(notice.to_string()));
    (config, notices)
}

/// A directory that may not be changed: the file once stayed at its cap, nothing more was written,
/// and what came was lost with the process.
#[test]
fn w17_where_renaming_fails_writing_goes_on_in_the_file() {
    let disk = SimDisk::new();
    let config = DiskConfig::new("/x.log").max_bytes(800).keep(2);
    let (config, notices) = heard(config.marks(false)); // which are renamed, too
    let (mut log, _) = FileLog::open(disk.clone(), &config).unwrap();
    let tried = Arc::new(AtomicU64::new(0));
    let count = tried.clone();
    disk.set_hook(move |op| {
        count.fetch_add(u64::from(op == Op::Rename), Relaxed);
    });
    let line = [b"1".repeat(49), b"\n".to_vec()].concat();
    let append = |log: &mut FileLog<SimDisk>| {
        log.append_records(Records::new(&line, &[50])).unwrap();
        log.make_durable().unwrap();
    };
    disk.fail_all(Op::Rename, ErrorKind::PermissionDenied);
    for _ in 0..100 {
        append(&mut log);
    }
    assert_eq!(log.durable(), 100);
    assert_eq!(disk.bytes("/x.log".as_ref()).unwrap().len(), 5000);
    // Each time that it has grown by an eighth: of 84 records past the cap every second one.
    assert_eq!(tried.load(Relaxed), 42);
    {
        let said = notices.lock().unwrap();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("cannot be rotated"), "{said:?}");
        assert!(said[0].contains("let this user write"), "{said:?}");
    }
    disk.heal();
    for _ in 0..3 {
        append(&mut log);
    }
    assert!(disk.bytes("/x.log".as_ref()).unwrap().len() < 200);
    assert!(disk.bytes("/x.log.old".as_ref()).unwrap().len() >= 5000);
    let said = notices.lock().unwrap();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].contains("is rotated again"), "{said:?}");
}

/// A batch of a single record larger than what the file may grow by before the next try.
#[test]
fn w17_a_large_record_is_written_where_renaming_fails() {
    let disk = SimDisk::new();
    let config = DiskConfig::new("/x.log").max_bytes(8);
    let (mut log, _) = FileLog::open(disk.clone(), &config).unwrap();
    disk.fail_all(Op::Rename, ErrorKind::PermissionDenied);
    for text in ["1\n", "1234567890123\n", "2\n"] {
        log.append_records(Records::new(text.as_bytes(), &[text.len()]))
            .unwrap();
    }
    let bytes = disk.bytes("/x.log".as_ref()).unwrap();
    assert_eq!(bytes, b"1\n1234567890123\n2\n");
}
