//! A log cut at every byte, and with every byte wrong.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use eventlog::disk::{Damage, DamageKind, Reader, Record, Tail};
use model_tests::crashes::{Driver, PATH, Script, path};
use model_tests::disk_model::Numbered;
use model_tests::sim_disk::SimDisk;

const SCRIPT: Script = Script {
    max_bytes: 1000,
    keep: 1,
    steps: Vec::new(),
    faults: Vec::new(),
};

fn read(disk: &SimDisk) -> Vec<Result<Record<Numbered>, Damage>> {
    Reader::open(disk.clone(), PATH).collect()
}

fn versions(disk: &SimDisk) -> Vec<u64> {
    read(disk)
        .into_iter()
        .flatten()
        .filter_map(Record::into_event)
        .map(|e| e.version)
        .collect()
}

fn log(bytes: &[u8]) -> SimDisk {
    let disk = SimDisk::new();
    let mut driver = Driver::open(&disk, &SCRIPT, 0).unwrap().0;
    driver.append(&[30]).unwrap();
    driver.sync().unwrap();
    drop(driver);
    disk.put(&path(""), bytes);
    disk
}

fn lines() -> Vec<String> {
    [30, 47, 26, 80, 33]
        .iter()
        .zip(1..)
        .map(|(len, v)| Numbered::new(v, *len).line())
        .collect()
}

#[test]
fn w04_w05_cut_at_every_byte_the_log_opens_and_goes_on() {
    let bytes = lines().concat().into_bytes();
    for cut in 0..=bytes.len() {
        let kept = &bytes[..cut];
        let whole = kept
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let count = kept.iter().filter(|byte| **byte == b'\n').count() as u64;
        let disk = log(kept);

        let torn: Vec<_> = read(&disk).into_iter().filter_map(Result::err).collect();
        assert_eq!(torn.len(), usize::from(whole < cut), "cut at {cut}");
        for damage in &torn {
            assert!(
                matches!(damage.kind, DamageKind::TornTail),
                "cut at {cut}: {damage}"
            );
            assert_eq!(
                (damage.line, damage.offset),
                (Some(count + 1), whole as u64)
            );
            assert_eq!(damage.len, (cut - whole) as u64);
        }
        assert_eq!(
            Tail::<Numbered>::read(&disk, PATH, 9).damage.len(),
            torn.len()
        );

        let (mut driver, opened) = Driver::open(&disk, &SCRIPT, count).unwrap();
        assert_eq!(
            (opened.bytes, opened.torn_bytes),
            (whole as u64, (cut - whole) as u64)
        );
        driver.append(&[40]).unwrap();
        driver.sync().unwrap();
        assert!(read(&disk).iter().all(Result::is_ok), "cut at {cut}");
        assert_eq!(
            versions(&disk),
            (1..=count + 1).collect::<Vec<_>>(),
            "cut at {cut}"
        );
        let torn = disk.bytes(&path(".torn")).unwrap_or_default();
        assert_eq!(torn, &kept[whole..], "cut at {cut}");
    }
}

/// Every wrong value of every byte: only the line that it stands in is touched (a newline stands
/// in two), the reader says where, and opening changes nothing but the end.
#[test]
fn w05_with_any_byte_wrong_only_its_line_is_lost_and_reported() {
    let lines = lines();
    let bytes = lines.concat().into_bytes();
    let mut ends = Vec::new();
    for line in &lines {
        ends.push(ends.last().unwrap_or(&0) + line.len());
    }
    for at in 0..bytes.len() {
        for wrong in [
            0,
            1,
            b'\n',
            b' ',
            b'"',
            b'{',
            b'0',
            b'a',
            0x80,
            0xff,
            bytes[at] ^ 1,
        ] {
            if wrong == bytes[at] {
                continue;
            }
            let mut damaged = bytes.clone();
            damaged[at] = wrong;
            let disk = log(&damaged);
            let line = ends.partition_point(|end| *end <= at) as u64 + 1;
            let joined = bytes[at] == b'\n';
            let touched = |v: u64| v == line || (joined && v == line + 1);

            let items = read(&disk);
            let intact: Vec<_> = (1..=5).filter(|v| !touched(*v)).collect();
            let whole = |item: &Result<Record<Numbered>, Damage>| {
                let event = item.as_ref().ok().and_then(Record::event)?;
                lines.contains(&event.line()).then_some(event.version)
            };
            let read: Vec<_> = items.iter().filter_map(whole).collect();
            let untouched: Vec<_> = read.iter().copied().filter(|v| !touched(*v)).collect();
            assert_eq!(untouched, intact, "byte {at} is {wrong}");

            let start = line_start(&ends, line);
            let end = ends
                .get(line as usize)
                .filter(|_| joined)
                .unwrap_or(&ends[line as usize - 1]);
            let mut reported = false;
            for damage in items.iter().filter_map(|item| item.as_ref().err()) {
                reported = true;
                let within = start as u64..*end as u64;
                assert!(
                    within.contains(&damage.offset),
                    "byte {at} is {wrong}: {damage}"
                );
                assert!(damage.line.is_some_and(|number| number >= line), "{damage}");
            }
            // What is not reported still is an event: another digit, another letter, a space.
            let events = items.iter().flatten().count();
            assert!(
                reported || events == 5,
                "byte {at} is {wrong}: nothing reported"
            );

            let (driver, opened) = Driver::open(&disk, &SCRIPT, 5).unwrap();
            drop(driver);
            let kept = usize::try_from(opened.bytes).unwrap();
            assert_eq!(
                disk.bytes(&path("")).unwrap(),
                &damaged[..kept],
                "byte {at} is {wrong}"
            );
            if kept < damaged.len() {
                assert!(
                    kept >= ends[ends.len() - 3],
                    "byte {at} is {wrong}: {kept} bytes kept"
                );
                assert_eq!(disk.bytes(&path(".torn")).unwrap(), &damaged[kept..]);
            }
        }
    }
}

fn line_start(ends: &[usize], line: u64) -> usize {
    usize::try_from(line)
        .unwrap()
        .checked_sub(2)
        .map_or(0, |before| ends[before])
}
