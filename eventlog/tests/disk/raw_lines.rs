//! The lines of a log, unparsed, and the places of the records that are made of them.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use eventlog::disk::{
    Damage, DamageKind, Lines, RawLine, Timeline, follow, lines, lines_from_end, read, read_last,
};

/// Owned: file name, number, offset and bytes of a line; or what is told in its place.
type Item = Result<(String, Option<u64>, u64, Vec<u8>), (Damage, Vec<u8>)>;

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn all(mut lines: Lines) -> Vec<Item> {
    let mut found = Vec::new();
    while let Some(line) = lines.next_line() {
        let item = match line {
            Ok(line) => Ok((
                name(line.file()),
                line.number,
                line.offset,
                line.bytes.to_vec(),
            )),
            Err(damage) => Err((damage, lines.damaged().to_vec())),
        };
        found.push(item);
    }
    assert!(lines.next_line().is_none(), "for good");
    found
}

#[expect(clippy::unnecessary_wraps, reason = "it is compared with items")]
fn line(file: &str, number: u64, offset: u64, bytes: &[u8]) -> Item {
    Ok((file.to_owned(), Some(number), offset, bytes.to_vec()))
}

#[test]
fn each_line_of_each_file_comes_as_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    fs::write(dir.path().join("x.log.old.0000000001"), "no event\n").unwrap();
    fs::write(dir.path().join("x.log.old"), b"\n\xff\xfe \r\n").unwrap();
    fs::write(&path, "{}\n").unwrap();
    assert_eq!(
        all(lines(&path)),
        [
            line("x.log.old.0000000001", 1, 0, b"no event"),
            line("x.log.old", 1, 0, b""),
            line("x.log.old", 2, 1, b"\xff\xfe \r"),
            line("x.log", 1, 0, b"{}"),
        ]
    );
    assert_eq!(all(lines(dir.path().join("y.log"))), []);
}

#[test]
fn the_bytes_of_an_unfinished_line_can_be_had() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    fs::write(dir.path().join("x.log.old"), "1\n23").unwrap();
    fs::write(&path, "4\n").unwrap();
    let found = all(lines(&path));
    assert_eq!(found[0], line("x.log.old", 1, 0, b"1"));
    let (damage, bytes) = found[1].as_ref().unwrap_err();
    assert!(matches!(damage.kind, DamageKind::TornTail));
    assert_eq!((damage.line, damage.offset, damage.len), (Some(2), 2, 2));
    assert_eq!(bytes, b"23");
    assert_eq!(found[2..], [line("x.log", 1, 0, b"4")]);
}

/// Wherever they stand, and however the reads fall.
#[test]
fn zeros_are_told_and_what_stands_after_them_is_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    for before in [1, 2_000, 2_041, 2_047, 2_048, 130_000] {
        let first = vec![b'x'; before];
        fs::write(
            &path,
            [&first[..], b"\n12\0a\x00345\n\0\0\n6\n\0\n7\0"].concat(),
        )
        .unwrap();
        let found = all(lines(&path));
        let start = before as u64 + 1;
        assert_eq!(found[0], line("x.log", 1, 0, &first));
        let zeros = |index: usize, number, offset, len: u64, bytes: &[u8]| {
            let (damage, held) = found[index].as_ref().unwrap_err();
            assert!(matches!(damage.kind, DamageKind::Zeros), "{damage}");
            let place = (damage.line, damage.offset, damage.len);
            assert_eq!(place, (Some(number), start + offset, len), "{before}");
            assert_eq!(held, bytes);
        };
        zeros(1, 2, 0, 5, b"12\0a\0");
        assert_eq!(found[2], line("x.log", 2, start + 5, b"345"));
        zeros(3, 3, 9, 2, b"\0\0");
        assert_eq!(found[4], line("x.log", 4, start + 12, b"6"));
        zeros(5, 5, 14, 1, b"\0");
        let (torn, held) = found[6].as_ref().unwrap_err();
        assert!(matches!(torn.kind, DamageKind::TornTail));
        assert_eq!((torn.line, torn.offset, torn.len), (Some(6), start + 16, 2));
        assert_eq!((&held[..], found.len()), (&b"7\0"[..], 7));
    }
}

#[test]
fn a_line_that_is_too_long_is_told_without_its_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    for len in [5, 2_048, 300_000] {
        // Also with zeros in it: it is not looked at.
        let long = [vec![0; len - 1], vec![b'x']].concat();
        fs::write(&path, [b"1234\n", &long[..], b"\n6\n"].concat()).unwrap();
        let found = all(lines(&path).max_line_bytes(4));
        assert_eq!(found[0], line("x.log", 1, 0, b"1234"));
        let (damage, bytes) = found[1].as_ref().unwrap_err();
        assert!(matches!(damage.kind, DamageKind::TooLong { limit: 4 }));
        assert_eq!(
            (damage.line, damage.offset, damage.len),
            (Some(2), 5, len as u64)
        );
        assert_eq!(bytes, b"");
        assert_eq!(found[2..], [line("x.log", 3, len as u64 + 6, b"6")]);
    }
}

/// A place says where the record's own bytes begin, whoever has read it.
#[test]
fn every_reader_says_where_a_record_stands() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let full = dir.path().join("x.log.old");
    fs::write(&full, "10\n").unwrap();
    fs::write(&path, "20\noops\n\0\x0030\n40").unwrap();
    let path = path.canonicalize().unwrap();
    let places = |numbered: bool| {
        let number = |line| numbered.then_some(line);
        let full = full.canonicalize().unwrap();
        [
            (10, full, number(1), 0),
            (20, path.clone(), number(1), 0),
            (30, path.clone(), number(3), 10),
        ]
    };
    let told = |placed: eventlog::disk::Placed<u64>| {
        let place = placed.place;
        let event = placed.record.into_event().unwrap();
        (event, place.file.to_path_buf(), place.line, place.offset)
    };
    let reader = read::<u64>(&path).with_places();
    assert_eq!(reader.flatten().map(told).collect::<Vec<_>>(), places(true));
    let mut follow = follow::<u64>(&path);
    let followed = follow.with_places().flatten().map(told);
    assert_eq!(followed.collect::<Vec<_>>(), places(true));
    let tail = read_last::<u64>(&path, 9);
    let last: Vec<_> = tail.with_places().map(told).collect();
    assert_eq!(last, places(false));
    for (_, file, _, offset) in last {
        let bytes = fs::read(file).unwrap();
        assert!(bytes[usize::try_from(offset).unwrap()].is_ascii_digit());
    }
}

/// After a file was cut in the middle, the lines before that are counted anew.
#[test]
fn a_file_that_was_cut_has_right_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    fs::write(&path, "1\n2\n3\n").unwrap();
    let mut follow = follow::<u64>(&path);
    assert_eq!(follow.by_ref().count(), 3);
    fs::write(&path, "1\n4\n5\n6\n").unwrap();
    let (cut, rest): (Vec<_>, Vec<_>) = follow.with_places().partition(Result::is_err);
    assert_eq!((cut.len(), rest.len()), (1, 3));
    let place = &rest[0].as_ref().unwrap().place;
    assert_eq!((place.line, place.offset), (Some(2), 2));
    fs::write(&path, "7\n").unwrap();
    let anew = follow.with_places().flatten().last().unwrap();
    assert_eq!((anew.place.line, anew.place.offset), (Some(1), 0));
}

/// The zeros are in one read, the end of their line in the next.
#[test]
fn zeros_at_the_end_of_a_read_are_told_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    for before in 2_030..2_050 {
        fs::write(
            &path,
            [&vec![b'x'; before][..], b"\n12\x00345\n6\n"].concat(),
        )
        .unwrap();
        let found = all(lines(&path));
        let start = before as u64 + 1;
        assert!(found[1].is_err(), "{before}");
        assert_eq!(found[2], line("x.log", 2, start + 3, b"345"), "{before}");
    }
}

/// Passing over what is not looked for changes neither places nor what is told.
#[test]
fn lines_that_are_looked_for_come_with_the_others_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let filler = "\"filler\"\n".repeat(20_000);
    let text = format!("{filler}\"here\"\n\0\0\"zeros\"\n{filler}\"here\"\n{filler}\"torn here");
    fs::write(&path, &text).unwrap();
    fs::write(dir.path().join("x.log.old"), format!("{filler}\"here\"\n")).unwrap();
    let mut looked_for = lines(&path);
    let mut found = Vec::new();
    let mut passed = 0;
    while let Some(line) = looked_for.next_match(|bytes| memchr::memmem::find(bytes, b"here")) {
        match line {
            Ok(line) if line.bytes == b"\"filler\"" => passed += 1,
            Ok(line) => found.push((name(line.file()), line.number, line.offset)),
            Err(damage) => found.push((name(&damage.file), damage.line, damage.offset)),
        }
    }
    // What is in memory together with zeros is looked at line by line.
    assert!(
        passed < 16_000,
        "{passed} of 60,000 that are not looked for"
    );
    let all = all(lines(&path)).into_iter().filter_map(|item| match item {
        Ok((_, _, _, bytes)) if bytes == b"\"filler\"" => None,
        Ok((file, number, offset, _)) => Some((file, number, offset)),
        Err((damage, _)) => Some((name(&damage.file), damage.line, damage.offset)),
    });
    assert_eq!(found, all.collect::<Vec<_>>());
}

/// Which bytes are a line or damaged does not depend on where reading begins.
#[test]
fn from_its_end_a_log_has_the_same_lines_and_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    for torn in ["", "{\"torn", "\0\0{\"torn", "\0\0\0"] {
        let large = "x".repeat(100);
        let text = format!("first\n\0\0\0second\n{large}\n\0\0\nlast\n{torn}");
        fs::write(&path, &text).unwrap();
        let place = |found: Result<RawLine<'_>, Damage>| match found {
            Ok(line) => (line.offset, line.bytes.len() as u64, None),
            Err(damage) => (damage.offset, damage.len, Some(damage.kind)),
        };
        let mut backward = Vec::new();
        let mut rest = lines_from_end(&path, 50, |found| {
            backward.push(place(found));
            ControlFlow::Continue(())
        });
        backward.reverse();
        let mut forward = Vec::new();
        while let Some(found) = rest.next_line() {
            forward.push(place(found));
        }
        assert_eq!(backward, forward, "{torn:?}");
        assert!(forward.len() >= 6, "{forward:?}");
    }
}

#[test]
fn lines_and_places_show_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    fs::write(&path, "1\n\"é\"\n").unwrap();
    let mut found = lines(&path);
    assert!(format!("{found:?}").contains("files_left: 1"), "{found:?}");
    found.next_line();
    let second = found.next_line().unwrap().unwrap();
    let shown = format!("{second:?}");
    for part in [
        "x.log",
        "number: Some(2)",
        "offset: 2",
        "bytes: b\"\\\"\\xc3\\xa9",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let placed = read::<u64>(&path).with_places().next().unwrap().unwrap();
    let place = placed.place.to_string();
    assert!(place.ends_with("x.log line 1 at byte 0"), "{place}");
    let timeline = Timeline::of(&path);
    let files = format!("{timeline:?}");
    assert!(files.contains("x.log\": 0"), "{files}, without marks");
}
