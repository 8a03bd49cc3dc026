//! The simulated disk checked against itself: a naive writer must be caught.
//!
//! Each test is one way in which the steps of the baseline lose or damage events, and the law of
//! the log that stands against it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::ErrorKind;

use eventlog::disk::{Damage, Reader, Record, Storage as _};
use model_tests::crashes::{PATH, path};
use model_tests::disk_model::{Allowed, Broken, Numbered};
use model_tests::naive_writer::NaiveWriter;
use model_tests::sim_disk::{Crash, DataLoss, Fault, Op, SimDisk};

const LINE: usize = 40;

/// A disk with the log's directory.
fn disk() -> SimDisk {
    let disk = SimDisk::new();
    disk.create_dir(path("").parent().unwrap()).unwrap();
    disk.sync_dir("/".as_ref()).unwrap();
    disk
}

fn writer(disk: &SimDisk) -> NaiveWriter {
    NaiveWriter::open(disk, 100).unwrap()
}

fn append(writer: &mut NaiveWriter, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        writer.append(&Numbered::new(number, LINE).line());
    }
}

fn read(disk: &SimDisk) -> Vec<Result<Record<Numbered>, Damage>> {
    Reader::open(disk.clone(), PATH).collect()
}

/// What a reader must find when records up to `handed` were handed over and `must` are durable.
fn judge(
    disk: &SimDisk,
    handed: u64,
    must: std::ops::RangeInclusive<u64>,
) -> Result<Vec<u64>, Broken> {
    Allowed {
        order: (1..=handed).collect(),
        must: must.collect(),
    }
    .judge(&read(disk))
}

fn law(judgement: Result<Vec<u64>, Broken>) -> &'static str {
    judgement.unwrap_err().law
}

#[test]
fn without_faults_it_passes() {
    let disk = disk();
    let mut writer = writer(&disk);
    append(&mut writer, 1..=4);
    assert_eq!(writer.believed_durable(), 4);
    assert_eq!(judge(&disk, 4, 1..=4), Ok(vec![1, 2, 3, 4]));
}

#[test]
fn it_loses_the_new_file_whose_name_was_never_synced() {
    let disk = disk();
    let mut writer = writer(&disk);
    disk.sync_dir(path("").parent().unwrap()).unwrap();
    append(&mut writer, 1..=3);
    assert_eq!(writer.believed_durable(), 3);
    assert_eq!(law(judge(&disk.crash(&Crash::LOST), 3, 1..=3)), "W01");
}

#[test]
fn it_loses_a_whole_file_when_the_rename_is_late() {
    let disk = disk();
    let mut writer = writer(&disk);
    append(&mut writer, 1..=4);
    disk.sync_dir(path("").parent().unwrap()).unwrap();
    append(&mut writer, 5..=5);
    // Of the rename of the full file and the creation of the next, only the second made it.
    let crashed = disk.crash(&Crash {
        data: DataLoss::Kept,
        names: 0b10,
    });
    assert_eq!(law(judge(&crashed, 5, 3..=5)), "W01");
}

#[test]
fn it_believes_a_second_sync_after_a_failed_one() {
    let disk = disk();
    let mut writer = writer(&disk);
    disk.sync_dir(path("").parent().unwrap()).unwrap();
    disk.fail_at(disk.operations() + 1, Fault::SyncDrops(1));
    append(&mut writer, 1..=2);
    assert_eq!(writer.believed_durable(), 2);
    assert_eq!(
        judge(&disk, 2, 1..=2),
        Ok(vec![1, 2]),
        "while the machine goes on, all is seen"
    );
    assert_eq!(law(judge(&disk.crash(&Crash::LOST), 2, 1..=2)), "W01");
}

#[test]
fn it_glues_the_next_event_to_a_torn_tail() {
    let disk = disk();
    let mut first = writer(&disk);
    disk.sync_dir(path("").parent().unwrap()).unwrap();
    append(&mut first, 1..=1);
    // The power goes out in the middle of the second line.
    disk.fail_all(Op::Sync, ErrorKind::Other);
    append(&mut first, 2..=2);
    let seed = (0..1000).find(|seed| {
        let crash = Crash {
            data: DataLoss::Prefix(*seed),
            names: 0,
        };
        let len = disk.crash(&crash).bytes(&path("")).unwrap().len();
        len > LINE && len < 2 * LINE
    });
    let disk = disk.crash(&Crash {
        data: DataLoss::Prefix(seed.unwrap()),
        names: 0,
    });
    let mut second = NaiveWriter::open(&disk, 1000).unwrap();
    append(&mut second, 3..=3);
    assert_eq!(second.believed_durable(), 1);
    assert_eq!(law(judge(&disk, 3, 3..=3)), "W01");
}

#[test]
fn it_glues_the_next_event_to_what_a_full_disk_took() {
    let disk = disk();
    let mut writer = writer(&disk);
    disk.set_capacity(Some(LINE as u64 + 10));
    append(&mut writer, 1..=2);
    disk.set_capacity(None);
    append(&mut writer, 3..=3);
    assert_eq!(writer.believed_durable(), 2);
    assert_eq!(law(judge(&disk, 3, 3..=3)), "W01");
}

#[test]
fn it_drops_events_without_a_word_when_the_disk_refuses() {
    let disk = disk();
    let mut writer = writer(&disk);
    append(&mut writer, 1..=1);
    disk.fail_next(Fault::Refuse(ErrorKind::StorageFull));
    append(&mut writer, 2..=3);
    assert_eq!(law(judge(&disk, 3, 1..=1)), "W03");
}

#[test]
fn it_outgrows_the_cap_after_a_failed_rename() {
    let disk = disk();
    let mut writer = writer(&disk);
    disk.fail_all(Op::Rename, ErrorKind::PermissionDenied);
    append(&mut writer, 1..=4);
    // W08: at most 100 bytes.
    assert_eq!(disk.bytes(&path("")).unwrap().len(), 4 * LINE);
}

#[test]
fn it_stops_for_good_when_the_next_file_cannot_be_created() {
    let disk = disk();
    let mut writer = writer(&disk);
    append(&mut writer, 1..=2);
    disk.fail_all(Op::CreateNew, ErrorKind::StorageFull);
    append(&mut writer, 3..=3);
    disk.heal();
    append(&mut writer, 4..=4);
    // W07: the disk is well again, and nothing arrives.
    assert_eq!(judge(&disk, 4, 1..=2), Ok(vec![1, 2]));
}

#[test]
fn it_lets_a_second_writer_rotate_the_file_of_the_first_away() {
    let disk = disk();
    let mut first = writer(&disk);
    append(&mut first, 1..=1);
    // W10: it should have been refused.
    let mut second = writer(&disk);
    append(&mut second, 2..=3);
    append(&mut first, 4..=4);
    assert_eq!(
        law(judge(&disk, 4, 1..=4)),
        "W03",
        "event 4 stands before event 3"
    );
}

#[test]
fn it_leaves_an_empty_file_where_nothing_happened() {
    let disk = disk();
    let _writer = writer(&disk);
    // W14: no file before the first event.
    assert_eq!(disk.bytes(&path("")), Some(Vec::new()));
}
