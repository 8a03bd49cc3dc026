//! Files and directories that cannot be read: a hole that somebody is told of, never a silent one.

#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use eventlog::disk::{Damage, DamageKind, Follow, Reader, Record, Storage as _, Tail};
use model_tests::sim_disk::SimDisk;

const LOG: &str = "/x.log";
const OLD: &str = "/x.log.old";
const OLDER: &str = "/x.log.old.2";

/// A disk with a log of three files.
fn disk() -> SimDisk {
    let disk = SimDisk::new();
    disk.put(OLDER.as_ref(), b"1\n2\n");
    disk.put(OLD.as_ref(), b"3\n4\n");
    disk.put(LOG.as_ref(), b"5\n6\n");
    disk
}

fn forbid(disk: &SimDisk, path: &str) {
    disk.forbid(path.as_ref(), ErrorKind::PermissionDenied);
}

fn rename(disk: &SimDisk, from: &str, to: &str) {
    disk.rename(from.as_ref(), to.as_ref()).unwrap();
}

/// What a reader says: a number, or what it could not read.
fn said(items: impl Iterator<Item = Result<Record<u64>, Damage>>) -> Vec<Result<u64, PathBuf>> {
    items
        .map(|item| match item {
            Ok(record) => Ok(record.into_event().unwrap()),
            Err(damage) => Err(unreadable(damage)),
        })
        .collect()
}

fn unreadable(damage: Damage) -> PathBuf {
    let expected = ErrorKind::PermissionDenied;
    assert!(
        matches!(&damage.kind, DamageKind::Unreadable { kind, .. } if *kind == expected),
        "{damage}"
    );
    damage.file
}

fn hole(path: impl AsRef<Path>) -> Result<u64, PathBuf> {
    Err(path.as_ref().to_path_buf())
}

fn read(disk: &SimDisk) -> Vec<Result<u64, PathBuf>> {
    said(Reader::open(disk.clone(), LOG))
}

#[test]
fn a_reader_names_the_file_and_goes_on_with_the_others() {
    let disk = disk();
    forbid(&disk, OLD);
    assert_eq!(read(&disk), [hole(OLD), Ok(1), Ok(2), Ok(5), Ok(6)]);
    forbid(&disk, LOG);
    assert_eq!(read(&disk), [hole(OLD), hole(LOG), Ok(1), Ok(2)]);
    disk.heal();
    assert_eq!(read(&disk), [1, 2, 3, 4, 5, 6].map(Ok));
}

/// Between two files the newest is a full one, and is looked at twice.
#[test]
fn without_a_current_file_the_newest_full_one_is_named_once() {
    let disk = disk();
    disk.remove(LOG.as_ref()).unwrap();
    assert_eq!(read(&disk), [1, 2, 3, 4].map(Ok));
    forbid(&disk, OLD);
    assert_eq!(read(&disk), [hole(OLD), Ok(1), Ok(2)]);
}

#[test]
fn a_reader_says_at_which_byte_a_file_stopped_to_be_readable() {
    let disk = disk();
    let mut reader = Reader::<u64, _>::open(disk.clone(), LOG);
    forbid(&disk, OLD);
    assert_eq!(said(reader.by_ref().take(2)), [1, 2].map(Ok));
    let damage = reader.next().unwrap().unwrap_err();
    assert_eq!(damage.offset, 0);
    assert_eq!(unreadable(damage), Path::new(OLD));
    assert_eq!(said(reader), [5, 6].map(Ok));
}

/// The files are opened anew where a rotation came between, and only there.
#[test]
fn what_is_absent_or_cannot_be_opened_is_not_tried_for_ever() {
    let damaged: [fn(&SimDisk); 3] = [
        |disk| forbid(disk, LOG),
        |disk| forbid(disk, "/"),
        |disk| {
            disk.remove(LOG.as_ref()).unwrap();
            disk.remove(OLD.as_ref()).unwrap();
        },
    ];
    for damage in damaged {
        let disk = disk();
        damage(&disk);
        let tail = Tail::<u64>::read(&disk, LOG, 2);
        assert_eq!(tail.records.len(), 2);
        assert!(disk.looks() < 40, "{}", disk.looks());
    }
}

/// A reader that may enter a directory but not list it cannot know which full files there are.
#[test]
fn a_directory_that_cannot_be_listed_is_a_hole() {
    let disk = disk();
    forbid(&disk, "/");
    assert_eq!(read(&disk), [hole("/"), Ok(3), Ok(4), Ok(5), Ok(6)]);

    let tail = Tail::<u64>::read(&disk, LOG, 10);
    assert_eq!(
        tail.damage.into_iter().map(unreadable).collect::<Vec<_>>(),
        [Path::new("/")]
    );

    let mut follow = Follow::<u64, _>::open(disk.clone(), LOG);
    assert_eq!(said(&mut follow), [hole("/"), Ok(3), Ok(4), Ok(5), Ok(6)]);
    assert_eq!(said(&mut follow), []);
}

#[test]
fn the_newest_records_stop_where_a_file_cannot_be_read() {
    let disk = disk();
    forbid(&disk, OLD);
    let tail = Tail::<u64>::read(&disk, LOG, 3);
    assert_eq!(
        tail.records
            .iter()
            .filter_map(Record::event)
            .collect::<Vec<_>>(),
        [&2, &5, &6]
    );
    assert_eq!(
        tail.damage.into_iter().map(unreadable).collect::<Vec<_>>(),
        [Path::new(OLD)]
    );
}

#[test]
fn a_follower_names_the_file_once_and_goes_on_with_the_others() {
    let disk = disk();
    forbid(&disk, OLD);
    let mut follow = Follow::<u64, _>::open(disk.clone(), LOG);
    assert_eq!(said(&mut follow), [hole(OLD), Ok(1), Ok(2), Ok(5), Ok(6)]);
    assert_eq!(said(&mut follow), []);
}

#[test]
fn a_follower_waits_for_a_log_that_becomes_readable() {
    let disk = SimDisk::new();
    disk.put(LOG.as_ref(), b"1\n2\n");
    forbid(&disk, LOG);
    let mut follow = Follow::<u64, _>::open(disk.clone(), LOG);
    assert_eq!(said(&mut follow), [hole(LOG)]);
    assert_eq!(said(&mut follow), [], "once is enough");
    disk.heal();
    assert_eq!(said(&mut follow), [1, 2].map(Ok));
    forbid(&disk, LOG);
    assert_eq!(
        said(&mut follow),
        [hole(LOG)],
        "it could be read in between"
    );
}

/// Two rotations come between two looks, and of the files after the one that was being followed
/// the first cannot be read.
#[test]
fn a_file_that_a_follower_could_not_read_on_its_way_is_a_hole() {
    let disk = disk();
    let mut follow = Follow::<u64, _>::open(disk.clone(), LOG);
    assert_eq!(said(&mut follow), [1, 2, 3, 4, 5, 6].map(Ok));
    rename(&disk, OLD, "/x.log.old.4");
    rename(&disk, OLDER, "/x.log.old.3");
    rename(&disk, LOG, OLDER);
    disk.put(OLD.as_ref(), b"7\n");
    disk.put(LOG.as_ref(), b"8\n");
    forbid(&disk, OLD);
    // An older one was read when it could be.
    forbid(&disk, "/x.log.old.3");
    assert_eq!(said(&mut follow), [hole(OLD), Ok(8)]);
    assert_eq!(said(&mut follow), []);
}

#[test]
fn a_follower_says_that_its_next_file_cannot_be_read() {
    let disk = disk();
    let mut follow = Follow::<u64, _>::open(disk.clone(), LOG);
    assert_eq!(said(&mut follow).len(), 6);
    rename(&disk, OLD, "/x.log.old.3");
    rename(&disk, LOG, OLD);
    disk.put(LOG.as_ref(), b"7\n");
    forbid(&disk, LOG);
    assert_eq!(said(&mut follow), [hole(LOG)]);
    assert_eq!(said(&mut follow), []);
    disk.heal();
    assert_eq!(said(&mut follow), [Ok(7)]);
}
