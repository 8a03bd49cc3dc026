//! Logs whose marks are of known times: where lives begin and end, and how many events there were
//! when.

use std::fmt::Write;
use std::fs;

use crate::follow::Tail;
use crate::{Log, run, show, tick, versions};

/// 2020-09-13 12:26:40 UTC, in milliseconds since 1970.
const START: u64 = 1_600_000_000_000;

/// What happened, in which file, after how many of its lines, and how many milliseconds after the
/// start.
pub type Mark = (&'static str, usize, usize, u64);

/// The marks that a writer of these files has made, from this millisecond since 1970 on.
pub fn marks(start: u64, files: &[&str], marks: &[Mark]) -> String {
    let mut text = String::new();
    let mut prev = 0;
    for (number, (kind, file, line, millis)) in marks.iter().enumerate() {
        let lines = files[file - 1].split_inclusive('\n').take(*line);
        let before: String = lines.collect();
        let full = files[..file - 1].concat();
        let (offset, sum) = (before.len(), crc32c::crc32c(before.as_bytes()));
        let (seq, at) = (full.lines().count() + line, start + millis);
        let life = if *kind == "opened" {
            format!("\"epoch\":\"{}\",\"pid\":4711,", epoch(number))
        } else {
            String::new()
        };
        let mark = format!(
            "{{\"mark\":\"{kind}\",\"prev\":\"{prev:08x}\",{life}\"file\":{file},\"line\":{line},\
             \"offset\":{offset},\"seq\":{seq},\"sum\":\"{sum:08x}\",\"at\":{at}"
        );
        prev = crc32c::crc32c(mark.as_bytes());
        let _ = writeln!(text, "{mark},\"self\":\"{prev:08x}\"}}");
    }
    text
}

/// Of the life that begins with the mark of this number, counted from 0.
pub fn epoch(mark: usize) -> String {
    format!("{:016x}", 2 * mark + 2)
}

/// A log of one or two files, the older first, with these marks.
fn marked(files: &[&str], of: &[Mark]) -> Log {
    let log = Log::of(files[files.len() - 1]);
    if let [old, _] = files {
        fs::write(log.file("x.log.old"), old).unwrap();
    }
    fs::write(log.file("x.log.marks"), marks(START, files, of)).unwrap();
    log
}

/// A row of JSON in one word: the version of an event, the kind of anything else.
fn word(row: &str) -> String {
    let row: serde_json::Value = serde_json::from_str(row).unwrap();
    match row["kind"].as_str().unwrap() {
        "event" => row["event"]["version"].to_string(),
        kind => kind.to_owned(),
    }
}

/// All rows that a command shows, in one line.
fn story(command: &str, flags: &[&str], log: &Log) -> String {
    let ran = run(command, &[flags, &["-o", "json"]].concat(), &log.path());
    ran.out.lines().map(word).collect::<Vec<_>>().join(" ")
}

/// Two lives of two files.
const LIVES: [Mark; 5] = [
    ("opened", 1, 0, 0),
    ("rotated", 1, 2, 1_000),
    ("closed", 2, 1, 2_000),
    ("opened", 2, 1, 3_000),
    ("closed", 2, 2, 4_000),
];

#[test]
fn lives_are_told_where_they_began_and_ended() {
    let files = [&*(tick(1) + &tick(2)), &*(tick(3) + &tick(4))];
    let log = marked(&files, &LIVES);
    let told = |flags: &[&str]| story("show", flags, &log);
    assert_eq!(told(&["-n", "all"]), "opened 1 2 3 closed opened 4 closed");
    // What was before the first line that is shown is left out.
    assert_eq!(told(&["-n", "3"]), "2 3 closed opened 4 closed");
    assert_eq!(told(&["-n", "1"]), "closed opened 4 closed");
}

#[test]
fn a_life_of_a_full_file_is_told_before_the_lines_of_the_next() {
    let down = "{\"type\":\"down\",\"version\":2}\n";
    let files = [&*(tick(1) + down), &*tick(3)];
    let killed = [
        ("opened", 1, 0, 0),
        ("closed", 1, 1, 1_000),
        ("opened", 1, 1, 2_000),
        ("rotated", 1, 2, 3_000),
        ("committed", 2, 1, 4_000),
    ];
    let log = marked(&files, &killed);
    let told = story("show", &["-t", "tick"], &log);
    assert_eq!(told, "opened 1 closed opened 3");
}

#[test]
fn lives_are_told_around_damage_as_around_events() {
    let text = tick(1) + &tick(2) + "\0\0" + &tick(3);
    let lives = [
        ("opened", 1, 0, 0),
        ("closed", 1, 1, 1_000),
        ("opened", 1, 1, 2_000),
        ("closed", 1, 3, 3_000),
    ];
    let log = marked(&[&text], &lives);
    // What does not match stands between a beginning and the damage.
    let since = story("show", &["--since", "3"], &log);
    assert_eq!(since, "opened closed opened damage 3 closed");
    assert_eq!(story("tail", &["-n", "1"], &log), "damage 3 closed");
}

#[test]
fn who_follows_is_told_once_of_each_life() {
    let files = [&*(tick(1) + &tick(2))];
    let turns = [
        ("opened", 1, 0, 0),
        ("committed", 1, 1, 500),
        ("closed", 1, 1, 1_000),
        ("opened", 1, 1, 2_000),
        ("committed", 1, 2, 3_000),
    ];
    let log = marked(&[&tick(1)], &turns[..2]);
    let marked_now = |before: usize, now: usize| {
        use std::io::Write as _;
        let new = marks(START, &files, &turns[..now])
            [marks(START, &files, &turns[..before]).len()..]
            .to_owned();
        let path = log.file("x.log.marks");
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(new.as_bytes()).unwrap();
    };
    let tail = Tail::at(&["-o", "json"], &log.path());
    let next = || word(&tail.next());
    assert_eq!([next(), next()], ["opened", "1"]);
    marked_now(2, 3);
    assert_eq!(next(), "closed");
    marked_now(3, 4);
    assert_eq!(next(), "opened");
    log.append(&tick(2));
    marked_now(4, 5);
    assert_eq!(next(), "2");
}

fn report(flags: &[&str], log: &Log) -> serde_json::Value {
    let ran = run(
        "stats",
        &[flags, &["--json", "--utc"]].concat(),
        &log.path(),
    );
    serde_json::from_str(&ran.out).unwrap()
}

/// A second has ten stretches, and one event is counted in the middle of its last.
#[test]
fn what_was_written_between_two_marks_is_counted_between_them() {
    for (opened, from) in [(40, "40.900"), (60, "41.000")] {
        let closed = opened + 1_000;
        let life = [("opened", 1, 0, opened), ("closed", 1, 1, closed)];
        let report = report(&[], &marked(&[&tick(1)], &life));
        assert_eq!(report["from"], format!("2020-09-13T12:26:{from}Z"));
        assert_eq!(report["to"], "2020-09-13T12:26:41.100Z");
    }
}

/// The lines tell of what was at another time than that at which they were written.
#[test]
fn the_times_of_a_named_field_count_more_than_those_of_the_marks() {
    let event = |n: u64| {
        format!("{{\"type\":\"tick\",\"version\":{n},\"was\":\"2020-09-13T15:00:0{n}Z\"}}\n")
    };
    let life = [("opened", 1, 0, 0), ("closed", 1, 2, 1_000)];
    let log = marked(&[&*(event(1) + &event(2))], &life);
    let field = ["--time-field", "was"];
    let by_field = report(&field, &log);
    assert_eq!(by_field["from"], "2020-09-13T15:00:01.000Z");
    assert_eq!(by_field["to"], "2020-09-13T15:00:02.100Z");
    let since = [&field[..], &["--since", "2020-09-13T14:00:00Z"]].concat();
    assert_eq!(report(&since, &log)["events"], 2);
    assert_eq!(versions(&since, &log), [1, 2]);
    assert_eq!(versions(&[&since[..], &["-n", "1"]].concat(), &log), [2]);
}

/// Three events of one life, and a cursor after the first.
fn after_one() -> (Log, [&'static str; 2]) {
    let life = [("opened", 1, 0, 0), ("closed", 1, 3, 1_000)];
    let log = marked(&[&*(tick(1) + &tick(2) + &tick(3))], &life);
    (log, ["--since", "0000000000000002.1.1"])
}

#[test]
fn a_cursor_begins_after_its_event_whatever_tells_the_times() {
    let (log, since) = after_one();
    assert_eq!(versions(&since, &log), [2, 3]);
    let by_field = [&since[..], &["--time-field", "was"]].concat();
    assert_eq!(versions(&by_field, &log), [2, 3]);
    assert_eq!(report(&since, &log)["events"], 2);
}

#[test]
fn a_pipe_has_no_place_for_a_cursor() {
    let (_, since) = after_one();
    let ran = run("show", &since, "-".as_ref());
    assert_eq!((ran.code, &*ran.out), (Some(2), ""));
    assert!(ran.err.contains("a stream has no marks"), "{}", ran.err);
}

/// All of them were counted.
#[test]
fn what_comes_after_a_cursor_is_counted_whatever_tells_the_times() {
    let (log, since) = after_one();
    let by_field = [&since[..], &["--time-field", "was"]].concat();
    assert_eq!(report(&by_field, &log)["events"], 2);
}

#[test]
fn the_end_of_time_is_now() {
    let life = [("opened", 1, 0, 0), ("closed", 1, 1, 1_000)];
    let log = marked(&[&tick(1)], &life);
    assert_eq!(
        show(&["--since", "2000-01-01", "--until", "now"], &log).code,
        Some(0)
    );
    let none = show(&["--since", "now"], &log);
    assert_eq!(
        (none.code, &*none.err),
        (Some(1), "eventlog: no event matches\n")
    );
}

#[test]
fn a_changed_byte_before_marks_that_fit_is_found_where_it_is() {
    let lines = tick(1) + &tick(2) + &tick(3);
    let life = [
        ("opened", 1, 0, 0),
        ("committed", 1, 1, 1_000),
        ("committed", 1, 2, 2_000),
        ("closed", 1, 3, 3_000),
    ];
    let log = marked(&[&lines], &life);
    assert_eq!(run("verify", &[], &log.path()).code, Some(0));
    fs::write(log.path(), lines.replace("version\":2", "version\":9")).unwrap();
    let ran = run("verify", &["--json"], &log.path());
    assert_eq!(ran.code, Some(3));
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let [found] = &report["damage"].as_array().unwrap()[..] else {
        panic!("{report}");
    };
    assert_eq!(found["damage"], "altered");
    assert_eq!((&found["line"], &found["offset"]), (&2.into(), &28.into()));
}
