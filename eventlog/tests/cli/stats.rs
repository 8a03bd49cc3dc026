//! `stats`.

use std::fs;

use crate::marks::marks;
use crate::{Log, run, tick};

fn report(flags: &[&str], log: &Log) -> serde_json::Value {
    let ran = run("stats", &[flags, &["--json"]].concat(), &log.path());
    serde_json::from_str(&ran.out).unwrap()
}

fn sample() -> Log {
    let line = |n: u64| {
        let kind = if n.is_multiple_of(4) { "down" } else { "up" };
        let time = 1_795_698_187 + n;
        format!(
            "{{\"type\":\"{kind}\",\"version\":{n},\"time\":{time},\"host\":\"h{}\"}}\n",
            n % 3
        )
    };
    let gap =
        r#"{"eventlog":{"gap":{"count":5,"min_version":2,"max_version":4,"reason":"backlog"}}}"#;
    Log::of((1..=8).map(line).collect::<String>() + gap + "\noops\n{\"torn")
}

#[test]
fn events_are_counted_by_type() {
    let ran = run("stats", &["--utc"], &sample().path());
    for line in [
        "events     8 in 452 bytes",
        "versions   1 to 8",
        "gaps       1 (5 events were never written)",
        "damage     1 places, 1 unfinished lines",
        "from       2026-11-26 13:03:08.000",
        "writer     nobody",
    ] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
    let types: Vec<_> = ran
        .out
        .lines()
        .rev()
        .take(2)
        .map(|line| line.split_whitespace())
        .collect();
    let types: Vec<Vec<_>> = types
        .into_iter()
        .map(|words| words.take(2).collect())
        .collect();
    assert_eq!(types, [["down", "2"], ["up", "6"]]);
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn each_type_has_a_bar_as_long_as_its_share() {
    let ran = run("stats", &[], &sample().path());
    let row = |name: &str, count: usize, bar: usize| {
        format!("{name:<32}  {count:>10}  {}\n", "█".repeat(bar))
    };
    let expected = format!("|\n\n{}{}", row("up", 6, 30), row("down", 2, 10));
    assert!(ran.out.ends_with(&expected), "{}", ran.out);
}

#[test]
fn openings_are_counted_where_there_are_marks() {
    let log = Log::ticks(1..=2);
    let opened = || run("stats", &[], &log.path()).out.contains("\nopened ");
    assert!(!opened());
    let lives = [("opened", 1, 0, 0), ("opened", 1, 1, 1_000)];
    let text = tick(1) + &tick(2);
    let lives = marks(START.unsigned_abs(), &[&text], &lives);
    fs::write(log.file("x.log.marks"), lives).unwrap();
    let ran = run("stats", &[], &log.path());
    let told = "opened     2 times, 1 of them after a crash\n";
    assert!(ran.out.contains(told), "{}", ran.out);
}

#[test]
fn events_are_counted_by_a_field_and_by_a_filter() {
    let log = sample();
    let by_host = report(&["--by", "host"], &log);
    assert_eq!(
        by_host["types"][0],
        serde_json::json!({"name": "h1", "events": 3})
    );
    let by_type = report(&["--by", "type"], &log);
    assert_eq!(
        by_type["types"][0],
        serde_json::json!({"name": "up", "events": 6})
    );
    let after = report(&["--since", "5"], &log);
    assert_eq!((&after["events"], &after["gaps"]), (&4.into(), &0.into()));
    let down = report(&["-t", "down"], &log);
    assert_eq!(
        (&down["events"], &down["versions"]),
        (&2.into(), &serde_json::json!([4, 8]))
    );
    let rate = down["rate"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(serde_json::Value::as_u64);
    assert_eq!(rate.sum::<u64>(), 2);
}

#[test]
fn a_field_of_endless_values_takes_no_memory() {
    let line = |n: u64| format!("{{\"type\":\"t{n}\",\"version\":{n}}}\n");
    let log = Log::of((0..5_000).map(line).collect::<String>());
    let report = report(&[], &log);
    assert_eq!(report["types"].as_array().unwrap().len(), 1_000);
    assert_eq!(report["other_types"], 4_000);
    // Twenty are listed.
    let ran = run("stats", &[], &log.path());
    let others = format!("\n{:32}  {:>10}\n", "all others", 4_980);
    assert!(ran.out.ends_with(&others), "{}", ran.out);
}

/// 2026-11-26 13:03:07 UTC, in milliseconds since 1970.
const START: i64 = 1_795_698_187_000;

/// An event so many tenths of a second later.
fn tenth(n: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(START + 100 * n).unwrap();
    format!("{{\"time\":\"{time}\"}}\n")
}

#[test]
fn a_bar_shows_how_many_there_were() {
    let counts = (1..=8).cycle();
    let lines = (0..60).zip(counts).map(|(n, count)| tenth(n).repeat(count));
    let ran = run("stats", &[], &Log::of(lines.collect::<String>()).path());
    let bars = "▁▂▃▄▅▆▇█".repeat(7) + "▁▂▃▄";
    assert!(ran.out.contains(&format!("|{bars}|")), "{}", ran.out);
}

/// Each tenth of a second is counted by itself, until there are too many of them.
#[test]
fn the_span_is_exact_and_over_long_times_about_right() {
    let span = |tenths: std::ops::Range<i64>| {
        let log = Log::of(tenths.map(tenth).collect::<String>());
        let report = report(&[], &log);
        let rate = report["rate"].as_array().unwrap().iter();
        let sum: u64 = rate.filter_map(serde_json::Value::as_u64).sum();
        let millis = |name: &str| {
            let time: jiff::Timestamp = report[name].as_str().unwrap().parse().unwrap();
            time.as_millisecond() - START
        };
        (sum, millis("from"), millis("to"))
    };
    assert_eq!(span(1..4_097), (4_096, 100, 409_700));
    let (sum, from, to) = span(8..5_008);
    assert_eq!(sum, 5_000);
    assert!(
        (600..=800).contains(&from) && (500_800..=501_000).contains(&to),
        "{from} {to}"
    );
}
