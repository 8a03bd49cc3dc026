//! What a failing writer tells its operator to do.

#![allow(clippy::unwrap_used)]

use std::io::{self, ErrorKind};

use eventlog::disk::{DiskConfig, DiskError, FileLog};
use eventlog::writer::Records;
use model_tests::sim_disk::{Fault, SimDisk};

/// What a first write says that is refused in this way.
fn refused(error: ErrorKind) -> DiskError {
    let disk = SimDisk::new();
    let mut log = FileLog::detached(disk.clone(), &DiskConfig::new("/x.log")).unwrap();
    disk.fail_next(Fault::Refuse(error));
    log.append_records(Records::new(b"1\n", &[2])).unwrap_err()
}

#[test]
fn an_error_names_the_path_and_the_remedy_of_its_kind() {
    let remedies = [
        (ErrorKind::StorageFull, "free some space"),
        (ErrorKind::QuotaExceeded, "free some space"),
        (ErrorKind::FileTooLarge, "raise the limit"),
        (ErrorKind::PermissionDenied, "let this user write"),
        (ErrorKind::ReadOnlyFilesystem, "let this user write"),
        (ErrorKind::AlreadyExists, "symbolic link that leads nowhere"),
        (ErrorKind::IsADirectory, "move it away"),
        (ErrorKind::InvalidFilename, "a shorter name"),
        (ErrorKind::NotADirectory, "a file stands where a directory"),
        (ErrorKind::NotFound, "created again with the next record"),
        (ErrorKind::Other, "check the disk and its cables"),
    ];
    for (kind, remedy) in remedies {
        let error = refused(kind);
        let text = error.to_string();
        assert!(text.contains("/x.log"), "{text}");
        assert!(text.contains(remedy), "{kind:?}: {text}");
        assert_eq!(io::Error::from(error).kind(), kind);
    }
}

/// It was not made by this user, who cannot sync it either.
#[test]
fn a_directory_above_that_may_not_be_read_is_no_error() {
    let disk = SimDisk::new();
    let mut log = FileLog::detached(disk.clone(), &DiskConfig::new("/a/x.log")).unwrap();
    disk.fail_at(1, Fault::Refuse(ErrorKind::PermissionDenied)); // after making `/a`
    log.append_records(Records::new(b"1\n", &[2])).unwrap();
    assert_eq!(disk.bytes("/a/x.log".as_ref()).unwrap(), b"1\n");
}

#[test]
fn a_signal_is_no_error() {
    let disk = SimDisk::new();
    let mut log = FileLog::detached(disk.clone(), &DiskConfig::new("/x.log")).unwrap();
    log.append_records(Records::new(b"1\n", &[2])).unwrap();
    disk.fail_next(Fault::Refuse(ErrorKind::Interrupted));
    log.append_records(Records::new(b"2\n", &[2])).unwrap();
    assert_eq!(disk.bytes("/x.log".as_ref()).unwrap(), b"1\n2\n");
}

#[test]
fn a_full_disk_and_a_locked_log_can_be_told_from_other_errors() {
    for kind in [
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::FileTooLarge,
    ] {
        assert!(refused(kind).is_full(), "{kind:?}");
    }
    let other = refused(ErrorKind::PermissionDenied);
    assert!(!other.is_full() && !other.is_locked());

    let disk = SimDisk::new();
    disk.put("/x.log".as_ref(), b"");
    let config = DiskConfig::new("/x.log");
    let _first = FileLog::open(disk.clone(), &config).unwrap();
    let locked = FileLog::open(disk, &config).unwrap_err();
    assert!(locked.is_locked() && !locked.is_full());
    let text = locked.to_string();
    assert!(text.contains("/x.log"), "{text}");
    assert_eq!(io::Error::from(locked).kind(), ErrorKind::WouldBlock);
}
