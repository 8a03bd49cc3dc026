//! The disk does what its contract says.

use std::io::ErrorKind;

use eventlog::disk::Storage;

use super::{Crash, DataLoss, Fault, SimDisk, SimFile};

const PATH: &str = "/x";

/// A disk with a file whose name and first bytes are durable.
fn disk() -> (SimDisk, SimFile) {
    let disk = SimDisk::with_sector(4);
    let mut file = disk.create_new(PATH.as_ref(), 0).unwrap();
    write(&disk, &mut file, "durable ");
    disk.sync(&mut file).unwrap();
    disk.sync_dir("/".as_ref()).unwrap();
    (disk, file)
}

fn write(disk: &SimDisk, file: &mut SimFile, text: &str) {
    assert_eq!(disk.write(file, text.as_bytes()).unwrap(), text.len());
}

fn seen(disk: &SimDisk) -> Option<String> {
    disk.bytes(PATH.as_ref())
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', "."))
}

fn after(disk: &SimDisk, data: DataLoss) -> String {
    seen(&disk.crash(&Crash { data, names: 0 })).unwrap()
}

#[test]
fn unsynced_bytes_come_in_every_combination_of_sectors() {
    let (disk, mut file) = disk();
    write(&disk, &mut file, "12345678");
    assert_eq!(after(&disk, DataLoss::Lost), "durable ");
    assert_eq!(after(&disk, DataLoss::Kept), "durable 12345678");
    assert_eq!(after(&disk, DataLoss::Zeros), "durable ........");
    let all = |loss: fn(u64) -> DataLoss| {
        let mut all: Vec<_> = (0..200).map(|seed| after(&disk, loss(seed))).collect();
        all.sort();
        all.dedup();
        all
    };
    let prefixes = all(DataLoss::Prefix);
    assert_eq!(prefixes, ["durable ", "durable 1234", "durable 12345678"]);
    let subsets = all(DataLoss::Subset);
    for subset in [
        "durable ....5678",
        "durable 1234....",
        "durable ........",
        "durable 1234",
    ] {
        assert!(
            subsets.iter().any(|found| found == subset),
            "{subset} in {subsets:?}"
        );
    }
    let garbage = all(DataLoss::Garbage);
    assert!(
        garbage.iter().all(|text| text.starts_with("durable ")),
        "{garbage:?}"
    );
    assert!(garbage.len() > 50);
}

#[test]
fn a_name_is_not_a_file() {
    let (disk, mut file) = disk();
    disk.rename(PATH.as_ref(), "/y".as_ref()).unwrap();
    let mut other = disk.create_new(PATH.as_ref(), 0).unwrap();
    write(&disk, &mut file, "old");
    write(&disk, &mut other, "new");
    disk.sync(&mut other).unwrap();
    assert_eq!(disk.bytes("/y".as_ref()).unwrap(), b"durable old");
    let names = |names| {
        let crashed = disk.crash(&Crash {
            data: DataLoss::Lost,
            names,
        });
        (seen(&crashed), crashed.bytes("/y".as_ref()).is_some())
    };
    assert_eq!(names(0b00), (Some("durable ".into()), false));
    assert_eq!(names(0b01), (None, true));
    assert_eq!(names(0b10), (Some("new".into()), false));
    assert_eq!(names(0b11), (Some("new".into()), true));
    disk.remove(PATH.as_ref()).unwrap();
    assert_eq!(disk.stat(&other).unwrap().links, 0);
}

#[test]
fn what_a_failed_sync_dropped_comes_back_only_after_a_cut() {
    let (disk, mut file) = disk();
    write(&disk, &mut file, "1234");
    // A seed that drops the only sector.
    disk.fail_next(Fault::SyncDrops(0));
    let dropped = disk.sync(&mut file).is_err() && after(&disk, DataLoss::Kept) != "durable 1234";
    assert!(dropped, "choose another seed");
    assert_eq!(seen(&disk).unwrap(), "durable 1234", "the cache lies");
    assert!(disk.lies(PATH.as_ref()));
    disk.sync(&mut file).unwrap();
    assert_eq!(
        after(&disk, DataLoss::Kept),
        "durable ....",
        "a retried sync proves nothing"
    );
    write(&disk, &mut file, "5678");
    disk.sync(&mut file).unwrap();
    assert_eq!(after(&disk, DataLoss::Lost), "durable ....5678");
    disk.truncate(PATH.as_ref(), &mut file, 8).unwrap();
    write(&disk, &mut file, "1234");
    disk.sync(&mut file).unwrap();
    assert_eq!(after(&disk, DataLoss::Lost), "durable 1234");
}

#[test]
fn a_full_disk_takes_what_fits_and_then_refuses() {
    let (disk, mut file) = disk();
    disk.set_capacity(Some(11));
    assert_eq!(disk.write(&mut file, b"12345").unwrap(), 3);
    let full = disk.write(&mut file, b"45").unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    disk.set_capacity(None);
    disk.fail_next(Fault::Short(1));
    assert_eq!(disk.write(&mut file, b"45").unwrap(), 1);
}

#[test]
fn a_dead_process_frees_its_lock_and_leaves_its_bytes() {
    let (disk, mut file) = disk();
    let lock = disk.try_lock("/lock".as_ref(), 0).unwrap();
    assert!(lock.is_some());
    assert!(disk.try_lock("/lock".as_ref(), 0).unwrap().is_none());
    write(&disk, &mut file, "more");
    let killed = disk.kill();
    assert!(killed.try_lock("/lock".as_ref(), 0).unwrap().is_some());
    assert_eq!(seen(&killed).unwrap(), "durable more");
    assert_eq!(after(&killed, DataLoss::Lost), "durable ");
    drop(lock);
    assert!(disk.try_lock("/lock".as_ref(), 0).unwrap().is_some());
}
