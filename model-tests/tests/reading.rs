//! Reading what is on disk: whatever the lengths of the lines, and however little a read gives.

#![allow(clippy::unwrap_used)]

use eventlog::disk::{
    Damage, DamageKind, DiskConfig, FileLog, Follow, Reader, Record, Storage as _, Tail,
};
use model_tests::sim_disk::SimDisk;

const LOG: &str = "/x.log";
const OLD: &str = "/x.log.old";

/// Texts of very different lengths, each with its number.
fn texts() -> Vec<String> {
    let lengths = [0, 1, 2_040, 2_047, 2_048, 3, 65_530, 5, 70_000, 0, 9];
    let text = |(number, len)| format!("{number}{}", "x".repeat(len));
    lengths.into_iter().enumerate().map(text).collect()
}

fn lines(texts: &[String]) -> Vec<u8> {
    let line = |text| format!("\"{text}\"\n");
    texts.iter().map(line).collect::<String>().into_bytes()
}

/// A disk with the first five texts in the full file, the others in the current one.
fn disk() -> SimDisk {
    let disk = SimDisk::new();
    let (old, new) = (lines(&texts()[..5]), lines(&texts()[5..]));
    disk.put(OLD.as_ref(), &old);
    disk.put(LOG.as_ref(), &new);
    disk
}

fn events(items: impl Iterator<Item = Result<Record<String>, Damage>>) -> Vec<String> {
    items
        .map(|item| item.unwrap_or_else(|damage| panic!("{damage}")))
        .map(|record| record.into_event().unwrap())
        .collect()
}

#[test]
fn neither_signals_nor_short_reads_change_what_is_read() {
    for most in [5, 2_048, 65_536, usize::MAX] {
        let disk = disk();
        disk.disturb_reads(most);
        assert_eq!(events(Reader::open(disk.clone(), LOG)), texts(), "{most}");
        assert_eq!(events(Follow::open(disk.clone(), LOG)), texts(), "{most}");
        for count in [0, 1, 3, 6, 11] {
            let tail = Tail::<String>::read(&disk, LOG, count);
            let newest = &texts()[texts().len() - count..];
            assert!(tail.damage.is_empty(), "{:?}", tail.damage);
            assert_eq!(events(tail.records.into_iter().map(Ok)), newest, "{most}");
        }
    }
}

/// The file that is put in place of the one being followed is compared byte by byte.
#[test]
fn a_repaired_copy_is_recognised_however_little_a_read_gives() {
    for most in [1, 65_536] {
        let disk = SimDisk::new();
        let all = lines(&texts());
        let durable = lines(&texts()[..7]);
        disk.put(LOG.as_ref(), &lines(&texts()[..9]));
        let mut follow = Follow::<String, _>::open(disk.clone(), LOG);
        disk.disturb_reads(most);
        assert_eq!(events(&mut follow), texts()[..9]);
        disk.put("/x.log.tmp".as_ref(), &durable);
        disk.rename("/x.log.tmp".as_ref(), LOG.as_ref()).unwrap();
        assert_eq!(events(&mut follow), [""; 0], "it is not that far yet");
        disk.put(LOG.as_ref(), &all);
        assert_eq!(events(&mut follow), texts()[9..]);
        disk.put(LOG.as_ref(), &[&all[..], b"oops\n"].concat());
        let damage = follow.next().unwrap().unwrap_err();
        assert_eq!((damage.line, damage.offset), (Some(12), all.len() as u64));
        let place = format!("/x.log line 12 at byte {}: ", all.len());
        assert!(damage.to_string().starts_with(&place), "{damage}");
    }
}

/// Also where the line fills exactly what was read so far.
#[test]
fn a_line_may_be_as_long_as_the_limit_says() {
    let disk = SimDisk::new();
    for len in [10, 2_047, 2_048, 2_049, 4_096, 6_144] {
        // What stands before it is in memory too when it is met.
        let before = "b".repeat(1000.min(len - 3));
        let text = "x".repeat(len - 2);
        let lines = format!("\"{before}\"\n\"{text}\"\n\"y\"\n");
        disk.put(LOG.as_ref(), lines.as_bytes());
        for (limit, fits) in [(len, true), (len - 1, false)] {
            let reader = Reader::<String, _>::open(disk.clone(), LOG).max_line_bytes(limit);
            let read: Vec<_> = reader.map(|item| item.ok()?.into_event()).collect();
            assert_eq!(
                read,
                [
                    Some(before.clone()),
                    fits.then(|| text.clone()),
                    Some("y".into())
                ],
                "{limit}"
            );
        }
    }
}

#[test]
fn a_line_that_is_too_long_is_told_with_its_place_and_length() {
    let disk = SimDisk::new();
    for len in [101_u64, 2_043, 3_000, 9_000, 300_000] {
        let long = vec![b'x'; usize::try_from(len).unwrap()];
        disk.put(
            LOG.as_ref(),
            &[b"\"1\"\n\"2\"\n", &long[..], b"\n\"3\"\n"].concat(),
        );
        let reader = Reader::<String, _>::open(disk.clone(), LOG).max_line_bytes(100);
        let (read, damage): (Vec<_>, Vec<_>) = reader.partition(Result::is_ok);
        assert_eq!(events(read.into_iter()), ["1", "2", "3"]);
        let damage = damage[0].as_ref().unwrap_err();
        assert_eq!((damage.line, damage.offset, damage.len), (Some(3), 8, len));
    }
}

#[test]
fn an_unfinished_line_is_told_with_its_place_and_length() {
    let disk = SimDisk::new();
    let whole = lines(&texts()[..3]);
    for unfinished in [1, 2_047, 300_000] {
        disk.put(
            LOG.as_ref(),
            &[&whole[..], &vec![b'x'; unfinished]].concat(),
        );
        let damage = Reader::<String, _>::open(disk.clone(), LOG)
            .find_map(Result::err)
            .unwrap();
        assert!(matches!(damage.kind, DamageKind::TornTail), "{damage}");
        assert_eq!((damage.line, damage.offset), (Some(4), whole.len() as u64));
        assert_eq!(damage.len, unfinished as u64);
    }
}

#[test]
fn it_is_told_how_much_was_read() {
    let disk = SimDisk::new();
    let (old, new) = (lines(&texts()[..2]), lines(&texts()[2..4]));
    disk.put(OLD.as_ref(), &old);
    disk.put(LOG.as_ref(), &new);
    let read = |count| Tail::<String>::read(&disk, LOG, count).bytes_read;
    assert_eq!(read(1), new.len() as u64);
    assert_eq!(read(2), (old.len() + new.len()) as u64);
    assert_eq!(read(100), (old.len() + new.len()) as u64);
}

/// However large the file is that a writer finds. (For the checksums of marks it is read once,
/// unless a recovery has compared it.)
#[test]
fn opening_a_log_reads_no_more_than_its_end() {
    let disk = SimDisk::new();
    disk.put(LOG.as_ref(), &b"1234567\n".repeat(100_000));
    disk.disturb_reads(4096);
    let config = DiskConfig::new(LOG).marks(false);
    let (_log, opened) = FileLog::open(disk.clone(), &config).unwrap();
    assert_eq!(opened.bytes, 800_000);
    // Of the 400 that the whole file would take, half of them interrupted.
    assert!(disk.looks() < 100, "{}", disk.looks());
}
