//! Rotation on the simulated disk: what it costs, and what follows where it cannot be done.

#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use eventlog::disk::{DiskConfig, FileLog};
use eventlog::writer::Records;
use model_tests::sim_disk::{Op, SimDisk};

/// What the settings have a log say.
fn heard(config: DiskConfig) -> (DiskConfig, Arc<Mutex<Vec<String>>>) {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let sink = notices.clone();
    let config = config.on_notice(move |notice| sink.lock().unwrap().push(notice.to_string()));
    (config, notices)
}

/// How often a rotation renames, removes and syncs. With a file moved on for each that is kept,
/// and a sync after each of these, one rotation once took half a second at `keep(100)`.
#[test]
fn w08_the_cost_of_a_rotation_does_not_depend_on_keep() {
    let operations = |keep| {
        let disk = SimDisk::new();
        let config = DiskConfig::new("/x.log").max_bytes(2).keep(keep);
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
    assert_eq!([2, 3, 100, 1000].map(operations), [9; 4]);
    assert_eq!(operations(1), 6);
}

/// A directory that may not be changed: the file once stayed at its cap, nothing more was written,
/// and what came was lost with the process.
#[test]
fn w17_where_renaming_fails_writing_goes_on_in_the_file() {
    let disk = SimDisk::new();
    let (config, notices) = heard(DiskConfig::new("/x.log").max_bytes(800).keep(2));
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
