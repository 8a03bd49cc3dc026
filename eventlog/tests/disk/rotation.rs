//! The log on a real file system: rotation, opening, reading back.

use std::fs;
use std::path::{Path, PathBuf};

use eventlog::disk::{
    DamageKind, DiskConfig, DiskError, FileLog, Opened, Reader, RealStorage, Record, follow, read,
    read_last,
};
use eventlog::writer::Records;
use tempfile::TempDir;

use crate::lines::append;

/// A directory of its own and the path of a log in it.
fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    (dir, path)
}

fn open(config: &DiskConfig) -> (FileLog, Opened) {
    FileLog::open(RealStorage, config).unwrap()
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

#[test]
fn w08_files_stay_within_the_cap_and_keep_their_order() {
    let (dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(100).keep(3));
    for first in (0..301).step_by(7) {
        append(&mut log, first..first + 7);
    }
    assert_eq!(log.durable(), 301);
    assert_eq!(
        names(&dir),
        [
            "x.log",
            "x.log.lock",
            "x.log.marks",
            "x.log.old",
            "x.log.old.0000000008",
            "x.log.old.0000000009"
        ]
    );
    let others = ["x.log.lock", "x.log.marks"];
    for name in names(&dir)
        .iter()
        .filter(|name| !others.contains(&name.as_str()))
    {
        let len = fs::metadata(dir.path().join(name)).unwrap().len();
        assert!(len <= 100, "{name} has {len} bytes");
    }
    // 25 lines of four bytes fill a file.
    let found = numbers(&path);
    assert!(found.len() > 75);
    assert_eq!(found, (found[0]..301).collect::<Vec<_>>());
}

#[test]
fn w08_a_record_larger_than_the_cap_gets_a_file_of_its_own() {
    let (dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(10));
    append(&mut log, [1, 2, 123_456_789_012, 3, 4]);
    assert_eq!(
        fs::read_to_string(dir.path().join("x.log.old")).unwrap(),
        "123456789012\n"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "3\n4\n");
}

#[test]
fn w08_a_smaller_keep_removes_what_is_too_many() {
    let (dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(4).keep(5));
    append(&mut log, 10..20);
    drop(log);
    assert_eq!(names(&dir).len(), 8);
    let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(4).keep(2));
    append(&mut log, 20..22);
    assert_eq!(
        names(&dir),
        [
            "x.log",
            "x.log.lock",
            "x.log.marks",
            "x.log.old",
            "x.log.old.0000000010"
        ]
    );
    assert_eq!(numbers(&path), [19, 20, 21]);
}

#[test]
fn w10_a_second_writer_is_refused_also_after_rotations() {
    let (_dir, path) = place();
    let config = DiskConfig::new(&path).max_bytes(10);
    let (mut log, _) = open(&config);
    for number in 0..50 {
        append(&mut log, [number]);
        let refused = FileLog::open(RealStorage, &config).unwrap_err();
        assert!(refused.is_locked(), "{refused}");
        assert!(refused.to_string().contains("x.log.lock"), "{refused}");
    }
    drop(log);
    open(&config);
}

#[test]
fn w13_the_bytes_are_the_lines_and_nothing_else() {
    let (_dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path));
    append(&mut log, 0..1000);
    append(&mut log, 1000..1001);
    let lines: Vec<_> = (0..1001).map(|number| format!("{number}\n")).collect();
    assert_eq!(fs::read_to_string(&path).unwrap(), lines.concat());
}

/// Any one file tells that the log is somebody's, so that it is locked at once.
#[test]
fn w10_whatever_is_left_of_a_log_its_first_writer_has_it() {
    for suffix in ["", ".lock", ".suspect", ".old"] {
        let (dir, path) = place();
        fs::write(dir.path().join(format!("x.log{suffix}")), "").unwrap();
        let _first = open(&DiskConfig::new(&path));
        let refused = FileLog::open(RealStorage, &DiskConfig::new(&path)).unwrap_err();
        assert!(refused.is_locked(), "{suffix}: {refused}");
    }
}

#[test]
fn w14_no_file_is_created_before_the_first_record() {
    let (dir, _) = place();
    let path = dir.path().join("a/b/x.log");
    let (mut log, opened) = open(&DiskConfig::new(&path));
    assert_eq!(opened, Opened::default());
    log.append_records(Records::new(b"", &[])).unwrap();
    log.make_durable().unwrap();
    assert_eq!(names(&dir), ["a"]);
    let made = fs::read_dir(path.parent().unwrap()).unwrap();
    let made: Vec<_> = made.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(made, ["x.log.lock"]);
    assert_eq!(read::<u64>(&path).count(), 0);
    append(&mut log, [1]);
    assert_eq!(numbers(&path), [1]);
}

#[test]
fn w10_of_two_writers_of_a_new_log_the_first_has_it() {
    let (_dir, path) = place();
    let config = DiskConfig::new(&path);
    let (mut first, _) = open(&config);
    let refused = FileLog::open(RealStorage, &config).unwrap_err();
    assert!(refused.is_locked(), "{refused}");
    append(&mut first, [1]);
    drop(first);
    let (mut second, _) = open(&config);
    append(&mut second, [2]);
    assert_eq!(numbers(&path), [1, 2]);
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_only_unless_told_otherwise() {
    use std::os::unix::fs::PermissionsExt as _;
    for mode in [0o600, 0o400] {
        let (dir, path) = place();
        let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(4).mode(mode));
        append(&mut log, 10..14);
        for name in names(&dir) {
            let permissions = fs::metadata(dir.path().join(&name)).unwrap().permissions();
            assert_eq!(permissions.mode() & 0o777, mode, "{name}");
        }
    }
}

#[test]
fn a_directory_at_the_path_is_named_with_the_remedy() {
    let (_dir, path) = place();
    fs::create_dir(&path).unwrap();
    let refused = FileLog::open(RealStorage, &DiskConfig::new(&path)).unwrap_err();
    assert!(matches!(&refused, DiskError::NotAFile { path: named } if *named == path));

    let items: Vec<_> = read::<u64>(&path).collect();
    assert_eq!(items.len(), 1);
    let damage = items[0].as_ref().unwrap_err();
    assert!(matches!(damage.kind, DamageKind::Unreadable { .. }));
    assert!(damage.to_string().contains("x.log"), "{damage}");

    assert_eq!(read_last::<u64>(&path, 1).damage.len(), 1);
    let mut follow = follow::<u64>(&path);
    assert!(follow.next().unwrap().is_err());
    assert!(
        follow.next().is_none(),
        "a lasting failure is reported once"
    );
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "1\n").unwrap();
    assert_eq!(follow.next().unwrap().unwrap(), Record::Event(1));
}

#[test]
fn w05_a_torn_tail_is_set_aside_and_the_middle_is_left_alone() {
    let (dir, path) = place();
    fs::write(&path, "1\n#?\n2\n{\"half").unwrap();
    let items: Vec<_> = read::<u64>(&path)
        .map(|item| item.map_err(|damage| damage.line))
        .collect();
    assert_eq!(
        items,
        [
            Ok(Record::Event(1)),
            Err(Some(2)),
            Ok(Record::Event(2)),
            Err(Some(4))
        ]
    );
    let (mut log, opened) = open(&DiskConfig::new(&path));
    assert_eq!((opened.bytes, opened.torn_bytes), (7, 6));
    append(&mut log, [3]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n#?\n2\n3\n");
    assert_eq!(
        fs::read_to_string(dir.path().join("x.log.torn")).unwrap(),
        "{\"half"
    );
}

#[test]
fn a_line_longer_than_the_limit_is_damage_and_the_next_is_read() {
    let (_dir, path) = place();
    let long = "7".repeat(1_000_000);
    fs::write(&path, format!("1\n\"{long}\"\n2\n{long}")).unwrap();
    let items: Vec<_> = Reader::<u64>::open(RealStorage, &path)
        .max_line_bytes(1000)
        .collect();
    assert_eq!(items.len(), 4);
    let damage = items[1].as_ref().unwrap_err();
    assert!(matches!(damage.kind, DamageKind::TooLong { limit: 1000 }));
    assert_eq!(
        (damage.line, damage.offset, damage.len),
        (Some(2), 2, 1_000_002)
    );
    assert_eq!(items[2].as_ref().unwrap(), &Record::Event(2));
    assert!(matches!(
        items[3].as_ref().unwrap_err().kind,
        DamageKind::TornTail
    ));
}

#[test]
fn the_newest_records_are_found_by_reading_the_ends_only() {
    let (_dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(1 << 20).keep(2));
    append(&mut log, 1_000_000..1_300_000);
    let all = numbers(&path);
    for wanted in [
        0,
        1,
        2,
        4096,
        200_000,
        all.len() - 1,
        all.len(),
        all.len() + 1,
    ] {
        let tail = read_last::<u64>(&path, wanted);
        let first = all.len().saturating_sub(wanted);
        let found: Vec<_> = tail
            .records
            .into_iter()
            .filter_map(Record::into_event)
            .collect();
        assert_eq!(found, &all[first..]);
        assert_eq!(
            tail.before.and_then(Record::into_event),
            all[..first].last().copied()
        );
        assert!(tail.damage.is_empty());
        let needed = 8 * wanted as u64;
        assert!(
            tail.bytes_read <= needed * 2 + 256 * 1024,
            "{wanted}: {}",
            tail.bytes_read
        );
    }
}

#[test]
fn a_log_moved_away_is_started_anew_and_nothing_is_lost() {
    let (dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path));
    append(&mut log, [1]);
    log.append_records(Records::new(b"2\n", &[2])).unwrap();
    fs::rename(&path, dir.path().join("moved")).unwrap();
    append(&mut log, [3]);
    assert_eq!(log.durable(), 3);
    assert_eq!(
        fs::read_to_string(dir.path().join("moved")).unwrap(),
        "1\n2\n"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "3\n");
}

/// As `logrotate` does with `create`: the new file is there already.
#[test]
fn a_log_that_another_file_took_the_place_of_goes_on_in_that() {
    let (dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path));
    append(&mut log, [1]);
    log.append_records(Records::new(b"2\n", &[2])).unwrap();
    fs::rename(&path, dir.path().join("moved")).unwrap();
    fs::write(&path, "1\n2\n").unwrap();
    append(&mut log, [3]);
    assert_eq!(log.durable(), 3);
    let moved = fs::read_to_string(dir.path().join("moved")).unwrap();
    assert_eq!(moved, "1\n2\n");
    assert_eq!(numbers(&path), [1, 2, 3]);
}

#[test]
fn a_log_removed_under_unsynced_records_asks_for_them_again() {
    let (_dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path));
    append(&mut log, [1]);
    log.append_records(Records::new(b"2\n", &[2])).unwrap();
    fs::remove_file(&path).unwrap();
    let lost = log.make_durable().unwrap_err();
    assert!(matches!(lost, DiskError::Lost { .. }), "{lost}");
    assert_eq!(log.durable(), 1);
    append(&mut log, [2]);
    assert_eq!(log.durable(), 2);
    assert_eq!(numbers(&path), [2]);
}

#[test]
fn a_directory_put_back_is_written_to_again_under_a_new_lock() {
    let (dir, _) = place();
    let path = dir.path().join("a/x.log");
    let config = DiskConfig::new(&path).max_bytes(10);
    let (mut log, _) = open(&config);
    append(&mut log, [1]);
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    append(&mut log, [2]);
    assert_eq!(numbers(&path), [2]);
    assert!(FileLog::open(RealStorage, &config).unwrap_err().is_locked());
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    fs::create_dir(path.parent().unwrap()).unwrap();
    append(&mut log, 3..30);
    assert_eq!(log.durable(), 29);
    assert_eq!(numbers(&path).last(), Some(&29));
    assert!(FileLog::open(RealStorage, &config).unwrap_err().is_locked());
}

#[test]
fn a_log_cut_or_grown_from_outside_is_repaired_and_goes_on() {
    let (_dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path));
    append(&mut log, 10..15);
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(4)
        .unwrap();
    append(&mut log, [15]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "10\n15\n");
    fs::write(&path, "10\n15\n20\nhalf").unwrap();
    append(&mut log, [16]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "10\n15\n20\n16\n");
    // After what is not synced yet: that is still there, so nothing has to be written again.
    log.append_records(Records::new(b"17\n", &[3])).unwrap();
    fs::write(&path, "10\n15\n20\n16\n17\n21\n").unwrap();
    log.make_durable().unwrap();
    append(&mut log, [18]);
    assert_eq!(numbers(&path), [10, 15, 20, 16, 17, 21, 18]);
}

/// Two things at once that each look harmless: the path names a file, and that is not ours.
#[test]
fn a_log_replaced_under_unsynced_records_asks_for_them_again() {
    let (_dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path));
    append(&mut log, [1]);
    log.append_records(Records::new(b"2\n", &[2])).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    let lost = log.make_durable().unwrap_err();
    assert!(matches!(lost, DiskError::Lost { .. }), "{lost}");
    append(&mut log, [2]);
    assert_eq!(numbers(&path), [2]);
}

/// Between opening and the first record somebody puts a file there.
#[test]
fn a_file_that_appears_where_there_was_none_is_gone_on_with() {
    let (dir, path) = place();
    fs::write(dir.path().join("x.log.lock"), "").unwrap();
    let (mut log, _) = open(&DiskConfig::new(&path));
    fs::write(&path, "1\n").unwrap();
    append(&mut log, [2]);
    assert_eq!(numbers(&path), [1, 2]);
}

/// Nothing is there to be opened, and yet nothing can be created: trying one and then the other
/// without end once overflowed the writer's stack.
#[cfg(unix)]
#[test]
fn a_link_put_there_that_leads_nowhere_is_an_error_with_a_remedy() {
    let (dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path));
    std::os::unix::fs::symlink(dir.path().join("nowhere"), &path).unwrap();
    let record = Records::new(b"1\n", &[2]);
    let text = log.append_records(record).unwrap_err().to_string();
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert!(text.contains("symbolic link"), "{text}");
    fs::remove_file(&path).unwrap();
    append(&mut log, [1]);
    assert_eq!(numbers(&path), [1]);
}

#[test]
fn as_many_files_may_be_kept_as_a_number_can_say() {
    let (dir, path) = place();
    let (mut log, _) = open(&DiskConfig::new(&path).max_bytes(1).keep(u32::MAX));
    append(&mut log, 1..6);
    assert_eq!(names(&dir).len(), 7);
    assert_eq!(numbers(&path), [1, 2, 3, 4, 5]);
}

/// A line longer than readers take into memory was acknowledged like any other; opening the log
/// once took it for unfinished and cut it off.
#[test]
fn w01_a_last_line_of_any_length_stays_when_the_log_is_opened() {
    let (dir, path) = place();
    let config = DiskConfig::new(&path);
    let mut line = vec![b'1'; 64 * 1024 * 1024 + 1];
    line.push(b'\n');
    let (mut log, _) = open(&config);
    log.append_records(Records::new(&line, &[line.len()]))
        .unwrap();
    log.make_durable().unwrap();
    assert_eq!(log.durable(), 1);
    drop(log);
    let (_log, opened) = open(&config);
    assert_eq!((opened.bytes, opened.torn_bytes), (line.len() as u64, 0));
    assert_eq!(names(&dir), ["x.log", "x.log.lock", "x.log.marks"]);
}
