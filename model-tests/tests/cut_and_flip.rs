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
        let count = kept[..whole].split_inclusive(|byte| *byte == b'\n').count() as u64;
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

/// Only the line that the byte stands in is touched (a newline stands in two), the reader says
/// where, and opening changes nothing but the end.
#[test]
fn w05_with_any_byte_wrong_only_its_line_is_lost_and_reported() {
    let bytes = lines().concat().into_bytes();
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
            if wrong != bytes[at] {
                check_flip(&bytes, at, wrong);
            }
        }
    }
}

fn check_flip(bytes: &[u8], at: usize, wrong: u8) {
    let case = format!("byte {at} is {wrong}");
    let mut damaged = bytes.to_vec();
    damaged[at] = wrong;
    let disk = log(&damaged);
    let line = bytes[..=at].split_inclusive(|byte| *byte == b'\n').count() as u64;
    let joined = bytes[at] == b'\n';
    let is_touched = |version: &u64| *version == line || (joined && *version == line + 1);
    let start: usize = lines()
        .iter()
        .zip(1..line)
        .map(|(line, _)| line.len())
        .sum();
    let touched_lines = lines()
        .into_iter()
        .zip(1..)
        .filter(|(_, version)| is_touched(version));
    let end = start + touched_lines.map(|(line, _)| line.len()).sum::<usize>();

    let items = read(&disk);
    let intact = |item: &Result<Record<Numbered>, Damage>| {
        let event = item.as_ref().ok().and_then(Record::event)?;
        lines().contains(&event.line()).then_some(event.version)
    };
    let untouched: Vec<_> = items
        .iter()
        .filter_map(intact)
        .filter(|version| !is_touched(version))
        .collect();
    let expected: Vec<_> = (1..=5).filter(|version| !is_touched(version)).collect();
    assert_eq!(untouched, expected, "{case}");

    let damage: Vec<_> = items
        .iter()
        .filter_map(|item| item.as_ref().err())
        .collect();
    for damage in &damage {
        assert!(
            (start as u64..end as u64).contains(&damage.offset),
            "{case}: {damage}"
        );
        assert!(
            damage.line.is_some_and(|number| number >= line),
            "{case}: {damage}"
        );
    }
    // What is not reported still is an event: another digit, another letter, a space.
    assert!(
        !damage.is_empty() || items.len() == 5,
        "{case}: nothing reported"
    );

    let (driver, opened) = Driver::open(&disk, &SCRIPT, 5).unwrap();
    drop(driver);
    let kept = usize::try_from(opened.bytes).unwrap();
    assert_eq!(disk.bytes(&path("")).unwrap(), &damaged[..kept], "{case}");
    if kept < damaged.len() {
        assert!(
            kept >= start && end == bytes.len(),
            "{case}: {kept} bytes kept"
        );
        assert_eq!(
            disk.bytes(&path(".torn")).unwrap(),
            &damaged[kept..],
            "{case}"
        );
    }
}
