//! What stands at the path of a log, and what others do there.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use eventlog::EventLog;
use eventlog::disk::{
    DiskConfig, DiskError, DiskWriter, FileLog, Opened, RealStorage, SpawnError, read,
};
use eventlog::writer::Records;
use model_tests::disk_model::Numbered;
use model_tests::sim_disk::{Op, SimDisk};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    (dir, path)
}

fn open(path: &Path) -> (FileLog, Opened) {
    FileLog::open(RealStorage, &DiskConfig::new(path)).unwrap()
}

fn refused(path: &Path) -> DiskError {
    FileLog::open(RealStorage, &DiskConfig::new(path)).unwrap_err()
}

fn append(log: &mut FileLog, number: u64) {
    let line = format!("{number}\n");
    log.append_records(Records::new(line.as_bytes(), &[line.len()]))
        .unwrap();
    log.make_durable().unwrap();
}

fn numbers(path: &Path) -> Vec<u64> {
    read::<u64>(path)
        .map(|item| item.unwrap().into_event().unwrap())
        .collect()
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A place that can never be written was once found out with the first event, which then waited for
/// ever: `spawn` said that all is well.
#[test]
fn w14_where_nothing_can_be_written_spawn_says_so() {
    let (_dir, path) = place();
    fs::write(&path, "a file\n").unwrap();
    let log = EventLog::<Numbered>::new(None);
    let error = DiskWriter::spawn(&log, DiskConfig::new(path.join("x.log"))).unwrap_err();
    assert!(matches!(error, SpawnError::Disk(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("a file stands where a directory"), "{text}");
}

/// The lock was once put beside things that were then refused: root got `/dev/null.lock`.
#[test]
fn w14_nothing_is_put_beside_what_is_no_file() {
    let (dir, path) = place();
    fs::create_dir(&path).unwrap();
    assert!(matches!(refused(&path), DiskError::NotAFile { .. }));
    assert_eq!(names(dir.path()), ["x.log"]);
    #[cfg(unix)]
    {
        fs::remove_dir(&path).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(matches!(refused(&path), DiskError::NotAFile { .. }));
        assert_eq!(names(dir.path()), ["x.log"]);
        let null = refused(Path::new("/dev/null"));
        assert!(matches!(null, DiskError::NotAFile { .. }), "{null}");
        assert!(!Path::new("/dev/null.lock").exists());
    }
}

/// Some network file systems have no locks: each event once waited for one.
#[test]
fn w10_where_there_are_no_locks_spawn_says_how_to_do_without() {
    let disk = SimDisk::new();
    disk.fail_all(Op::Lock, ErrorKind::Unsupported);
    let config = DiskConfig::new("/a/x.log");
    let error = FileLog::open(disk.clone(), &config).unwrap_err();
    assert!(matches!(error, DiskError::NoLocks { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("/a/x.log.lock"), "{text}");
    assert!(text.contains("DiskConfig::lock(false)"), "{text}");

    let (mut log, _) = FileLog::open(disk.clone(), &config.lock(false)).unwrap();
    for _ in 0..2 {
        log.append_records(Records::new(b"1\n", &[2])).unwrap();
        log.make_durable().unwrap();
    }
    assert_eq!(disk.bytes("/a/x.log".as_ref()).unwrap(), b"1\n1\n");
    assert_eq!(disk.bytes("/a/x.log.lock".as_ref()), None);
}

/// Without a lock that would tell it, too: the directory is removed and made anew.
#[test]
fn w07_a_log_without_a_lock_goes_on_in_a_directory_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/x.log");
    let config = DiskConfig::new(&path).lock(false);
    let (mut log, _) = FileLog::open(RealStorage, &config).unwrap();
    for number in 1..4 {
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        append(&mut log, number);
        assert_eq!(numbers(&path), [number]);
    }
}

/// The second torn line once took the place of the first.
#[test]
fn w05_no_torn_line_is_set_aside_over_another() {
    let (dir, path) = place();
    fs::write(&path, "1\n{\"version\":2,\"pad\":\"first torn").unwrap();
    drop(open(&path));
    for (torn, name) in [
        ("{\"second", "x.log.torn.2"),
        ("{\"third", "x.log.torn.3"),
        // Its last repair may have ended before the file was cut.
        ("{\"third", "x.log.torn.3"),
    ] {
        fs::write(&path, format!("1\n{torn}")).unwrap();
        let (_log, opened) = open(&path);
        assert_eq!(opened.torn_bytes, torn.len() as u64);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
        assert_eq!(
            fs::read_to_string(dir.path().join(name)).unwrap(),
            torn,
            "{name}"
        );
    }
    assert_eq!(
        fs::read_to_string(dir.path().join("x.log.torn")).unwrap(),
        "{\"version\":2,\"pad\":\"first torn"
    );
    assert_eq!(
        names(dir.path()),
        [
            "x.log",
            "x.log.lock",
            "x.log.torn",
            "x.log.torn.2",
            "x.log.torn.3"
        ]
    );
}

/// A wrong path: somebody's notes were once emptied into `X.torn`.
#[test]
fn w05_a_file_that_is_no_log_is_neither_emptied_nor_cut() {
    for foreign in [
        &b"hello"[..],
        b"shopping list\n- milk\n- bread\n",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"<html>\n",
    ] {
        let (dir, path) = place();
        fs::write(&path, foreign).unwrap();
        let error = refused(&path);
        assert!(matches!(error, DiskError::NotALog { .. }), "{error}");
        assert!(error.to_string().contains("move it away"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), foreign);
        assert_eq!(names(dir.path()), ["x.log"]);
    }
}

/// A running log finds another file in the place of its own.
#[test]
fn w05_a_file_put_in_the_place_of_a_running_log_is_not_emptied() {
    let (_dir, path) = place();
    let (mut log, _) = open(&path);
    append(&mut log, 1);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "shopping list\n").unwrap();
    let error = log.append_records(Records::new(b"2\n", &[2])).unwrap_err();
    assert!(matches!(error, DiskError::NotALog { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "shopping list\n");
    fs::remove_file(&path).unwrap();
    append(&mut log, 2);
    assert_eq!(numbers(&path), [2]);
}

/// What a crash in the very first write leaves, with and without the lock beside it.
#[test]
fn w05_a_log_of_one_torn_line_is_repaired() {
    for (torn, with_lock) in [
        (&b"{\"version\":1,\"te"[..], false),
        (b"{\"version\":1,\"te\0\0\0", false),
        (b"\0\0\0\0", false),
        (b"{\"ver\xffion\":1,\xff\n", true),
    ] {
        let (dir, path) = place();
        if with_lock {
            fs::write(dir.path().join("x.log.lock"), "").unwrap();
        }
        fs::write(&path, torn).unwrap();
        let (mut log, opened) = open(&path);
        assert_eq!((opened.bytes, opened.torn_bytes), (0, torn.len() as u64));
        append(&mut log, 1);
        assert_eq!(numbers(&path), [1]);
        assert_eq!(fs::read(dir.path().join("x.log.torn")).unwrap(), torn);
    }
}

/// Two writers by two names of one file each held a lock of its own; and the first rotation moved
/// the link, so that the data stayed in the other directory.
#[cfg(unix)]
#[test]
fn w10_a_link_and_its_file_are_one_log() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (dir.path().join("here"), dir.path().join("there"));
    fs::create_dir(&here).unwrap();
    fs::create_dir(&there).unwrap();
    let (link, real) = (here.join("link.log"), there.join("real.log"));
    fs::write(&real, "").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();

    let config = DiskConfig::new(&link).max_bytes(2).keep(2);
    let (mut log, _) = FileLog::open(RealStorage, &config).unwrap();
    assert!(refused(&real).is_locked());
    for number in 1..5 {
        append(&mut log, number);
        assert_eq!(fs::read_link(&link).unwrap(), real);
    }
    assert_eq!(names(&here), ["link.log"]);
    assert_eq!(
        names(&there),
        [
            "real.log",
            "real.log.lock",
            "real.log.marks",
            "real.log.old",
            "real.log.old.0000000002"
        ]
    );
    assert_eq!(numbers(&real), [2, 3, 4]);
    assert_eq!(numbers(&link), [2, 3, 4]);
}

/// The file that a link leads to has another name: its unfinished line is one all the same.
#[cfg(unix)]
#[test]
fn a_torn_line_is_told_from_damage_by_way_of_a_link() {
    let (dir, path) = place();
    fs::write(
        dir.path().join("y.log"),
        "{\"version\":1,\"text\":\"\"}\n{\"ver",
    )
    .unwrap();
    std::os::unix::fs::symlink("y.log", &path).unwrap();
    let recovered = EventLog::<Numbered>::recover(&DiskConfig::new(&path)).unwrap();
    assert_eq!((recovered.1.events, recovered.1.torn_bytes), (1, 5));
    assert!(!recovered.0.replay_truncated(1));
}

/// A link to what is not there yet was accepted, and then never written.
#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_gets_its_file() {
    let (dir, path) = place();
    let target = dir.path().join("elsewhere/y.log");
    std::os::unix::fs::symlink("elsewhere/y.log", &path).unwrap();
    let (mut log, _) = open(&path);
    assert_eq!(log.path(), path);
    append(&mut log, 1);
    assert_eq!(fs::read_to_string(&target).unwrap(), "1\n");
    assert_eq!(names(dir.path()), ["elsewhere", "x.log"]);
}

/// By way of a directory that is a link, before the log is there.
#[cfg(unix)]
#[test]
fn w10_two_ways_to_one_directory_lead_to_one_lock() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("logs");
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink("logs", dir.path().join("current")).unwrap();
    let (_log, _) = open(&dir.path().join("current/x.log"));
    assert!(refused(&real.join("x.log")).is_locked());
    assert_eq!(names(&real), ["x.log.lock"]);
}
