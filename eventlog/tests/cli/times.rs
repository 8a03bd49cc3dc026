//! When lines were written, and by whom, as marks, fields and locks tell it.

use std::fs;

use serde_json::Value;

use crate::follow::Tail;
use crate::marks::{Mark, epoch, marks};
use crate::{Log, run, show, tick, versions};

/// 2026-11-26 14:03 in UTC, in milliseconds.
const MINUTE: u64 = 1_795_701_780_000;

/// Writes the marks of a log as it stands: what each of them says, how many lines are before it,
/// and how many milliseconds after [`MINUTE`] it was made.
fn mark(log: &Log, of: &[(&'static str, usize, u64)]) {
    let text = fs::read_to_string(log.path()).unwrap();
    let in_file = |(kind, line, millis): &(_, _, _)| (*kind, 1, *line, *millis);
    let of: Vec<Mark> = of.iter().map(in_file).collect();
    fs::write(log.file("x.log.marks"), marks(MINUTE, &[&text], &of)).unwrap();
}

#[test]
fn a_sign_before_the_time_says_how_sure_it_is() {
    let log = Log::ticks(1..=7);
    let marks = [
        ("opened", 0, 0),
        ("committed", 3, 2_000),
        ("committed", 5, 61_250),
    ];
    mark(&log, &marks);
    let expected = "\
-- 2026-11-26 14:03:00.000 opened by process 4711
         TIME  VERSION  TYPE  FIELDS
-- 2026-11-26
~14:03:00.000        1  tick
~14:03:00.666        2  tick
 14:03:02.000        3  tick
≤14:04:01.250        4  tick
 14:04:01.250        5  tick
>14:04:01.250        6  tick
>14:04:01.250        7  tick
";
    assert_eq!(show(&["--utc", "-n", "all"], &log).out, expected);
}

#[test]
fn what_was_written_at_the_time_itself_is_shown_and_nothing_before_it_read() {
    let text = [tick(1), "oops\n".into(), tick(2), tick(3), tick(4)];
    let log = Log::of(text.concat());
    let marks = [
        ("opened", 0, 0),
        ("committed", 3, 1_000),
        ("committed", 4, 5_000),
        ("committed", 5, 9_000),
    ];
    mark(&log, &marks);
    for lines in [&[][..], &["-n", "5"]] {
        let since = ["--since", "2026-11-26T14:03:05Z", "--template", "{version}"];
        let shown = show(&[&since, lines].concat(), &log);
        assert_eq!((&*shown.out, &*shown.err), ("3\n4\n", ""), "{lines:?}");
    }
}

#[test]
fn a_cursor_of_an_earlier_life_is_a_place_as_far_as_that_life_is_left() {
    let log = Log::ticks(1..=4);
    let marks = [
        ("opened", 0, 0),
        ("closed", 2, 1_000),
        ("opened", 2, 2_000),
        ("committed", 4, 3_000),
    ];
    mark(&log, &marks);
    let after = |life: usize, seq: u64| format!("{}.{seq}.{seq}", epoch(life));
    assert_eq!(versions(&["--since", &after(0, 1)], &log), [2, 3, 4]);
    assert_eq!(versions(&["--since", &after(0, 2)], &log), [3, 4]);
    assert_eq!(versions(&["--since", &after(2, 3)], &log), [4]);
    let lost = show(&["--since", &after(0, 3)], &log);
    assert_eq!((lost.code, &*lost.out), (Some(5), ""), "{lost:?}");
}

#[test]
fn a_number_is_a_time_in_seconds_or_smaller_units() {
    for number in [
        "1795701780.125",
        "1795701780125",
        "1795701780125000",
        "1795701780125000000",
    ] {
        let log = Log::of(format!("{{\"type\":\"up\",\"at\":{number}}}\n"));
        let shown = show(&["--utc", "--template", "{time}"], &log);
        assert_eq!(shown.out, "2026-11-26T14:03:00.125Z\n", "{number}");
    }
}

#[test]
fn times_before_1970_are_shown_as_they_are() {
    let line = |time: &str| format!("{{\"type\":\"up\",\"time\":\"{time}\"}}\n");
    let times = [
        "1969-12-31T23:59:58.250Z",
        "1969-12-31T23:59:59.000Z",
        "1969-12-31T23:59:59.750Z",
        "1970-01-01T00:00:00.250Z",
    ];
    let log = Log::of(times.map(line).concat());
    let table = show(&["--utc"], &log).out;
    let expected = "         TIME  VERSION  TYPE  FIELDS
-- 1969-12-31
 23:59:58.250        -  up    time=1969-12-31T23:59:58.250Z
 23:59:59.000        -  up    time=1969-12-31T23:59:59.000Z
 23:59:59.750        -  up    time=1969-12-31T23:59:59.750Z
-- 1970-01-01
 00:00:00.250        -  up    time=1970-01-01T00:00:00.250Z
";
    assert_eq!(table, expected);
}

#[test]
fn counts_over_time_are_by_the_field_that_was_named() {
    let log = Log::of("{\"type\":\"up\",\"when\":\"2001-02-03T04:05:06Z\"}\n");
    mark(&log, &[("opened", 0, 0), ("committed", 1, 1_000)]);
    let from = |flags: &[&str]| {
        let flags = [&["--json", "--utc"], flags].concat();
        let stats: Value = serde_json::from_str(&run("stats", &flags, &log.path()).out).unwrap();
        stats["from"].as_str().unwrap()[..10].to_owned()
    };
    assert_eq!(from(&[]), "2026-11-26");
    assert_eq!(from(&["--time-field", "when"]), "2001-02-03");
}

/// A row without its place: `event 3 after`.
fn told(tail: &Tail) -> String {
    let row: Value = serde_json::from_str(&tail.next()).unwrap();
    let kind = row["kind"].as_str().unwrap();
    let version = row["event"]["version"].to_string();
    let time = row["time"].as_str().unwrap_or("-");
    format!("{kind} {version} {time}")
}

/// Nothing is told twice, though the marks are read anew each time.
#[test]
fn marks_that_come_while_it_follows_tell_what_happened_and_when() {
    let flags = ["-o", "json", "--utc"];
    let log = Log::ticks(1..=1);
    let tail = Tail::at(&flags, &log.path());
    assert_eq!(told(&tail), "event 1 -");
    let mut life = vec![("opened", 0, 0), ("committed", 1, 1_000)];
    mark(&log, &life);
    assert_eq!(told(&tail), "opened null 2026-11-26T14:03:00.000Z");
    log.append(&tick(2));
    assert_eq!(told(&tail), "event 2 2026-11-26T14:03:01.000Z");

    let other = Tail::at(&flags, &log.path());
    assert_eq!(told(&other), "opened null 2026-11-26T14:03:00.000Z");
    assert_eq!(told(&other), "event 1 2026-11-26T14:03:01.000Z");
    assert_eq!(told(&other), "event 2 2026-11-26T14:03:01.000Z");
    life.extend([("closed", 2, 2_000), ("opened", 2, 3_000)]);
    mark(&log, &life);
    for tail in [&tail, &other] {
        assert_eq!(told(tail), "closed null 2026-11-26T14:03:02.000Z");
        assert_eq!(told(tail), "opened null 2026-11-26T14:03:03.000Z");
    }
    log.append(&tick(3));
    for tail in [&tail, &other] {
        assert_eq!(told(tail), "event 3 2026-11-26T14:03:03.000Z");
    }
    // What they have told is known without them.
    fs::remove_file(log.file("x.log.marks")).unwrap();
    log.append(&tick(4));
    for tail in [tail, other] {
        assert_eq!(told(&tail), "event 4 2026-11-26T14:03:03.000Z");
    }
}

/// By its number for programs, and its name for people.
#[test]
#[cfg(target_os = "linux")]
fn the_process_that_holds_the_log_is_named() {
    let log = Log::ticks(1..=1);
    let lock = fs::File::create(log.file("x.log.lock")).unwrap();
    let ask = |command: &str, flags: &[&str]| run(command, flags, &log.path()).out;
    let writer = |command: &str| {
        let report: Value = serde_json::from_str(&ask(command, &["--json"])).unwrap();
        report["writer"].clone()
    };
    assert_eq!(
        (writer("stats"), writer("verify")),
        (Value::Null, Value::Null)
    );
    lock.lock().unwrap();
    let me = std::process::id();
    assert_eq!((writer("stats"), writer("verify")), (me.into(), me.into()));
    let name = fs::read_to_string(format!("/proc/{me}/comm")).unwrap();
    let named = format!("process {me} ({})", name.trim());
    for command in ["stats", "verify"] {
        let report = ask(command, &[]);
        assert!(report.contains(&named), "{command}: {report}");
    }
}
