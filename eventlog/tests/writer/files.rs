//! W08, W10, W13, W14 and the settings, on real directories.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use eventlog::disk::{self, DiskConfig, DiskWriter, Level, NotStored, Record, SyncPolicy};
use eventlog::{EventLog, Seq, Versioned};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::account::{Event, PATIENCE, SYNCED, append_all, event, line};
use crate::warnings::{listen, said};

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("launcher-events.log");
    (directory, path)
}

fn named(path: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", path.display()).into()
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn versions(path: &Path) -> Vec<u64> {
    disk::read::<Event>(path)
        .map(|record| match record.unwrap() {
            Record::Event(event) => event.version(),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// What the baseline leaves of these lines: when the next line would exceed the cap, the file is
/// renamed over `.old` and a new one begins.
fn baseline(lines: &[String], cap: usize) -> (String, String) {
    let (mut old, mut current) = (String::new(), String::new());
    for line in lines {
        if !current.is_empty() && current.len() + line.len() > cap {
            old = std::mem::take(&mut current);
        }
        current.push_str(line);
    }
    (old, current)
}

/// Through several rotations and a restart, with lines of many lengths.
#[test]
fn w13_without_losses_the_bytes_are_the_baselines() {
    let (_directory, path) = directory();
    let config = DiskConfig::new(&path).max_bytes(1000);
    let started = |version: u64| Event::Started {
        version,
        name: "\u{e9}\n\"".repeat(usize::try_from(version * 7 % 23).unwrap()),
    };
    let mut lines = Vec::new();
    for life in 0..2 {
        let log = Arc::new(EventLog::new(None));
        let writer = DiskWriter::spawn(&log, config.clone()).unwrap();
        for version in (1..=200).map(|n| 200 * life + n) {
            lines.push(line(&started(version)));
            let seq = log.append(started(version));
            if version % 17 == 0 {
                writer.blocking_durable(seq).unwrap();
            }
        }
        assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(Seq::new(200)));
        let (old, current) = baseline(&lines, 1000);
        assert_eq!(fs::read_to_string(&path).unwrap(), current);
        assert_eq!(fs::read_to_string(named(&path, ".old")).unwrap(), old);
    }
}

#[test]
fn w14_no_file_is_created_before_the_first_event() {
    let (directory, path) = directory();
    let log = Arc::new(EventLog::new(None));
    let config = DiskConfig::new(&path);
    let writer = DiskWriter::spawn(&log, config.clone()).unwrap();
    writer.blocking_flush(PATIENCE).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap();
    assert_eq!(names(&directory), ["launcher-events.log.lock"]);

    let writer = DiskWriter::spawn(&log, config).unwrap();
    writer.blocking_durable(log.append(event(1))).unwrap();
    assert_eq!(
        names(&directory),
        [
            "launcher-events.log",
            "launcher-events.log.lock",
            "launcher-events.log.marks"
        ]
    );
}

#[test]
fn w10_a_second_writer_is_refused_until_the_first_has_shut_down() {
    let (_directory, path) = directory();
    let config = DiskConfig::new(&path).max_bytes(200);
    let log = Arc::new(EventLog::new(None));
    let writer = DiskWriter::spawn(&log, config.clone()).unwrap();
    for version in 1..=20 {
        writer.blocking_durable(log.append(event(version))).unwrap();
        let other = Arc::new(EventLog::<Event>::new(None));
        let error = DiskWriter::spawn(&other, config.clone()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(path.to_str().unwrap()), "{text}");
        assert!(text.contains("another writer"), "{text}");
        assert!(
            text.contains("stop that writer or give this one a path of its own"),
            "{text}"
        );
    }
    let bytes = fs::read(&path).unwrap();
    assert!(
        named(&path, ".old").exists(),
        "the file was rotated meanwhile"
    );
    writer.blocking_shutdown(PATIENCE).unwrap();

    let other = Arc::new(EventLog::new(None));
    let writer = DiskWriter::spawn(&other, config).unwrap();
    assert_eq!(
        fs::read(&path).unwrap(),
        bytes,
        "being refused changed nothing"
    );
    writer.blocking_durable(other.append(event(21))).unwrap();
    assert_eq!(versions(&path).last(), Some(&21));
}

/// Both writers of a path that had no file yet once started, and the second learned of the first
/// with its first event.
#[test]
fn w10_a_second_writer_of_an_empty_path_is_refused() {
    let (_directory, path) = directory();
    let config = DiskConfig::new(&path);
    let [first, second] = [(); 2].map(|()| Arc::new(EventLog::new(None)));
    let holder = DiskWriter::spawn(&first, config.clone()).unwrap();
    assert!(
        DiskWriter::spawn(&second, config.clone())
            .unwrap_err()
            .is_locked()
    );
    holder.blocking_durable(first.append(event(1))).unwrap();
    holder.blocking_shutdown(PATIENCE).unwrap();
    let writer = DiskWriter::spawn(&second, config).unwrap();
    writer.blocking_durable(second.append(event(2))).unwrap();
    assert_eq!(versions(&path), [1, 2]);
}

#[test]
fn writers_in_turn_at_one_path_write_each_event_once() {
    let (_directory, path) = directory();
    let log = Arc::new(EventLog::new(None));
    for round in 0..4 {
        let config = DiskConfig::new(&path);
        let writer = DiskWriter::spawn(&log, config).unwrap();
        append_all(&log, (1..=5).map(|n| event(10 * round + n)));
        writer.blocking_shutdown(PATIENCE).unwrap();
        append_all(&log, (6..=10).map(|n| event(10 * round + n)));
    }
    assert_eq!(versions(&path), (1..=35).collect::<Vec<_>>());
}

/// The second writer was told of the same file by another spelling of its path, and wrote every
/// event that the ring retained a second time.
#[test]
fn another_spelling_of_the_path_is_the_same_path() {
    let (directory, path) = directory();
    let log = Arc::new(EventLog::new(None));
    let other = directory.path().join(".").join("launcher-events.log");
    for path in [path.clone(), other] {
        let writer = DiskWriter::spawn(&log, DiskConfig::new(path)).unwrap();
        log.append_with(|newest| event(newest.unwrap_or(0) + 1));
        writer.blocking_shutdown(PATIENCE).unwrap();
    }
    assert_eq!(versions(&path), [1, 2]);
}

#[test]
fn keep_says_how_many_full_files_there_are() {
    let (directory, path) = directory();
    let log = Arc::new(EventLog::new(None));
    let config = DiskConfig::new(&path).max_bytes(100).keep(3);
    let writer = DiskWriter::spawn(&log, config).unwrap();
    for version in 1..=21 {
        writer.blocking_durable(log.append(event(version))).unwrap();
    }
    writer.blocking_shutdown(PATIENCE).unwrap();
    let suffixes = [
        "",
        ".lock",
        ".marks",
        ".old",
        ".old.0000000008",
        ".old.0000000009",
    ];
    assert_eq!(
        names(&directory),
        suffixes.map(|suffix| format!("launcher-events.log{suffix}"))
    );
    // Two lines fit a file, and the current one has the 21st.
    assert_eq!(100 / line(&event(21)).len(), 2);
    assert_eq!(versions(&path), (15..=21).collect::<Vec<_>>());
}

#[test]
fn w08_no_file_exceeds_the_cap_unless_one_event_alone_does() {
    let (directory, path) = directory();
    let log = Arc::new(EventLog::new(None));
    let config = DiskConfig::new(&path).max_bytes(500).keep(100);
    let writer = DiskWriter::spawn(&log, config).unwrap();
    let large = Event::Started {
        version: 31,
        name: "x".repeat(2000),
    };
    log.append_batch(
        (1..=30)
            .map(event)
            .chain([large])
            .chain((32..=60).map(event)),
    );
    writer.blocking_shutdown(PATIENCE).unwrap();
    assert_eq!(versions(&path), (1..=60).collect::<Vec<_>>());
    let marks = "launcher-events.log.marks";
    for name in names(&directory).into_iter().filter(|name| name != marks) {
        let text = fs::read_to_string(directory.path().join(&name)).unwrap();
        let lines = text.lines().count();
        assert!(
            text.len() <= 500 || lines == 1,
            "{name}: {} bytes, {lines} lines",
            text.len()
        );
    }
}

#[cfg(unix)]
#[test]
fn files_are_private_unless_told_otherwise() {
    use std::os::unix::fs::PermissionsExt as _;
    for (mode, expected) in [(None, 0o600), (Some(0o640), 0o640)] {
        let (directory, path) = directory();
        let log = Arc::new(EventLog::new(None));
        let config = DiskConfig::new(&path).max_bytes(100);
        let config = mode.map_or(config.clone(), |mode| config.mode(mode));
        let writer = DiskWriter::spawn(&log, config).unwrap();
        log.append_batch((1..=5).map(event));
        writer.blocking_shutdown(PATIENCE).unwrap();
        assert_eq!(names(&directory).len(), 4);
        for name in names(&directory) {
            let path = directory.path().join(&name);
            let found = fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, expected, "{name}: {found:o}");
        }
    }
}

#[test]
fn every_policy_acknowledges_and_leaves_the_same_bytes() {
    let policies = [
        SyncPolicy::EveryBatch,
        SyncPolicy::Interval(std::time::Duration::from_millis(1)),
        SyncPolicy::Never,
    ];
    for policy in policies {
        let (_directory, path) = directory();
        let log = Arc::new(EventLog::new(None));
        let config = DiskConfig::new(&path).max_bytes(300).sync(policy);
        let writer = DiskWriter::spawn(&log, config).unwrap();
        let mut lines = Vec::new();
        for version in 1..=20 {
            lines.push(line(&event(version)));
            let seq = log.append(event(version));
            let stored = writer.blocking_stored(seq);
            assert_eq!(stored, Ok(writer.level()), "{policy:?}");
            let is_synced = policy != SyncPolicy::Never;
            assert_eq!(writer.level(), Level::new(1, is_synced));
            let refused = NotStored::NotSynced {
                seq,
                level: writer.level(),
            };
            let durable = is_synced.then_some(SYNCED).ok_or(refused);
            assert_eq!(writer.blocking_durable(seq), durable, "{policy:?}");
        }
        writer.blocking_shutdown(PATIENCE).unwrap();
        let (old, current) = baseline(&lines, 300);
        assert_eq!(fs::read_to_string(&path).unwrap(), current, "{policy:?}");
        assert_eq!(
            fs::read_to_string(named(&path, ".old")).unwrap(),
            old,
            "{policy:?}"
        );
    }
}

#[test]
fn a_path_that_cannot_be_opened_is_an_error_with_a_remedy() {
    let (directory, path) = directory();
    fs::create_dir(&path).unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let log = Arc::new(EventLog::<Event>::new(None));
    let below = directory.path().join("file").join("x.log");
    for (path, remedy) in [
        (path, "move it away or choose another path"),
        (
            below,
            "a file stands where a directory of the log's path should be",
        ),
    ] {
        let error = DiskWriter::spawn(&log, DiskConfig::new(&path))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(path.to_str().unwrap()) && error.contains(remedy),
            "{error}"
        );
    }
    log.append(event(1));
    assert_eq!(log.events_since(0), [event(1)]);
}

/// The lock belongs to the open file, which a child that was just forked shares until it executes
/// its program. A writer that had been shut down was in the way of the next one for that long.
#[test]
#[cfg(feature = "unstable-storage")]
fn w10_a_copy_of_the_descriptor_does_not_keep_the_lock() {
    use eventlog::disk::{RealStorage, Storage as _};
    let (_directory, path) = directory();
    let lock = RealStorage.try_lock(&path, 0o600).unwrap().unwrap();
    let inherited = lock.try_clone().unwrap();
    assert!(RealStorage.try_lock(&path, 0o600).unwrap().is_none());
    RealStorage.unlock(lock);
    assert!(RealStorage.try_lock(&path, 0o600).unwrap().is_some());
    drop(inherited);
}

/// JSON that an event passes through as it came may be spread over lines.
#[test]
fn an_event_that_brings_its_own_line_breaks_is_one_line() {
    #[derive(Versioned, Serialize, Deserialize)]
    struct Passed {
        version: u64,
        json: Box<RawValue>,
    }
    let (_directory, path) = directory();
    let log = Arc::new(EventLog::new(None));
    let writer = DiskWriter::spawn(&log, DiskConfig::new(&path)).unwrap();
    let json = "{\n  \"text\": \"a\\nb c\",\r\n  \"list\": [1,\n\n2]\n}";
    for version in 1..=2 {
        let json = RawValue::from_string(json.to_owned()).unwrap();
        log.append(Passed { version, json });
    }
    writer.blocking_shutdown(PATIENCE).unwrap();
    let lines = fs::read_to_string(&path).unwrap().lines().count();
    assert_eq!(lines, 2);
    for record in disk::read::<Passed>(&path) {
        let passed = record.unwrap().into_event().unwrap();
        let value = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(passed.json.get()), value(json));
    }
}

#[test]
fn a_writer_at_another_path_begins_at_the_beginning() {
    let (directory, path) = directory();
    let log = Arc::new(EventLog::new(None));
    let other = directory.path().join("other.log");
    for path in [&path, &other] {
        let writer = DiskWriter::spawn(&log, DiskConfig::new(path)).unwrap();
        log.append_with(|newest| event(newest.unwrap_or(0) + 1));
        writer.blocking_shutdown(PATIENCE).unwrap();
    }
    assert_eq!(versions(&path), [1]);
    assert_eq!(versions(&other), [1, 2]);
}

#[test]
fn a_torn_line_set_aside_is_reported_and_a_whole_one_is_not() {
    listen();
    for (end, warnings) in [("", 0), ("{\"kind\":\"Sta", 1)] {
        let (_directory, path) = directory();
        fs::write(&path, line(&event(1)) + end).unwrap();
        let log = Arc::new(EventLog::<Event>::new(None));
        let writer = DiskWriter::spawn(&log, DiskConfig::new(&path)).unwrap();
        writer.blocking_shutdown(PATIENCE).unwrap();
        let said = said(&named(&path, ".torn"));
        assert_eq!(said.len(), warnings, "{said:?}");
        assert!(
            said.iter().all(|text| text.contains("set aside")),
            "{said:?}"
        );
    }
}

/// Each follower has a place of its own in the log.
#[test]
fn two_writers_to_two_paths_each_write_every_event() {
    let (directory, path) = directory();
    let log = Arc::new(EventLog::builder().capacity(4).build().unwrap());
    let paths = [path, directory.path().join("other.log")];
    let writers = paths
        .clone()
        .map(|path| DiskWriter::spawn(&log, DiskConfig::new(path)).unwrap());
    append_all(&log, (1..=500).map(event));
    for writer in writers {
        assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(Seq::new(500)));
    }
    for path in paths {
        assert_eq!(versions(&path), (1..=500).collect::<Vec<_>>());
    }
}
