//! The forms of output.

use std::fs;

use eventlog::serve::Feed;
use serde_json::Value;

use crate::marks::{epoch, marks};
use crate::{Log, feed, run, show, tick};

/// Bytes that are legal JSON and survive no second writing of it.
const ODD: &str = r#" { "type" : "odd" , "f":1.50, "big":123456789012345678901234567890, "e":1E5, "s":"\u00e9\/", "version": 7,"k\"ey":null,"type":"twice"} "#;

/// C02: the JSON output holds what was on disk, byte for byte. Keys were broken or missing in
/// another tool's (edenhill/kcat#167).
#[test]
fn c02_json_is_what_was_on_disk() {
    let log = Log::of(format!("{}{ODD}\n{}", tick(1), "{\"\":{\"\":[]}}\n"));
    let shown = show(&["-o", "json"], &log);
    let lines: Vec<_> = shown.out.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[1].ends_with(&format!(",\"event\":{ODD}}}")),
        "{}",
        lines[1]
    );
    for line in &lines {
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["kind"], "event");
        assert!(value["file"].as_str().unwrap().ends_with("x.log"));
    }
    let offset = serde_json::from_str::<Value>(lines[1]).unwrap()["offset"].as_u64();
    assert_eq!(offset, Some(tick(1).len() as u64));
}

#[test]
fn c02_raw_is_the_lines_of_the_file() {
    let log = Log::of(format!("{}{ODD}\n\t{}", tick(1), tick(2)));
    assert_eq!(
        show(&["-o", "raw", "-n", "all"], &log).bytes,
        fs::read(log.path()).unwrap()
    );
    let damaged = Log::of(format!("{}oops\n{}", tick(1), tick(2)));
    let shown = show(&["-o", "raw"], &damaged);
    assert_eq!(shown.out, tick(1) + &tick(2));
    assert!(
        shown
            .err
            .contains("x.log line 2 at byte 28: the line is no event"),
        "{}",
        shown.err
    );
}

#[test]
fn gaps_and_damage_are_lines_of_the_json_too() {
    let gap =
        r#"{"eventlog":{"gap":{"count":3,"min_version":2,"max_version":4,"reason":"backlog"}}}"#;
    let log = Log::of(format!("{gap}\noops \u{1b}\n{{\"torn"));
    let shown = show(&["-o", "json", "-n", "all"], &log);
    let lines = shown
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    assert_eq!(lines[0]["kind"], "gap");
    assert_eq!(lines[0]["event"]["eventlog"]["gap"]["count"], 3);
    assert_eq!(
        (&lines[1]["damage"], &lines[1]["line"]),
        (&"not_an_event".into(), &2.into())
    );
    assert_eq!(lines[1]["bytes"], "oops \u{1b}");
    assert_eq!(
        (&lines[2]["damage"], &lines[2]["bytes"]),
        (&"torn_tail".into(), &"{\"torn".into())
    );
}

/// There was no format string, and the defaults could never be changed (edenhill/kcat#28).
#[test]
fn the_user_forms_the_lines() {
    let log = Log::of(
        r#"{"type":"in","version":3,"user":{"name":"Ann B"},"time":"2026-11-26T14:03:07Z"}
{"type":"out","version":4}
"#,
    );
    let template = r"{line}:{offset}\t{type}/{version} {user.name} {{{time}}}";
    let shown = show(&["-n", "all", "--template", template], &log);
    assert_eq!(
        shown.out,
        "1:0\tin/3 Ann B {2026-11-26T14:03:07.000Z}\n2:80\tout/4  {}\n"
    );
    assert_eq!(
        show(&["--template", "{json}", "-n", "1"], &log)
            .out
            .trim_end(),
        r#"{"type":"out","version":4}"#
    );
    assert_eq!(show(&["--template", "{"], &log).code, Some(2));
    assert_eq!(show(&["-o", "template"], &log).code, Some(2));
}

#[test]
fn a_line_of_the_user_may_have_ends_of_its_own() {
    let template = r"{version}\n\0\\";
    let shown = show(&["--template", template], &Log::ticks(1..=1));
    assert_eq!(shown.out, "1\n\0\\\n");
}

#[test]
fn texts_stand_in_quotes_where_they_could_be_misread() {
    let log = Log::of(
        r#"{"type":"t","version":1,"user":"ann","note":"","say":"a b","sum":"1=1"}
"#,
    );
    let fields = "t     user=ann note=\"\" say=\"a b\" sum=\"1=1\"\n";
    let shown = show(&[], &log).out;
    assert!(shown.ends_with(fields), "{shown}");
}

#[test]
fn each_day_is_told_once_before_its_events() {
    let log = Log::of(
        r#"{"version":1,"time":"2026-11-26T23:59:59Z"}
{"version":2,"time":"2026-11-26T23:59:59.5Z"}
{"version":3}
{"version":4,"time":"2026-11-27T00:00:00Z"}
"#,
    );
    let expected = "         TIME  VERSION  TYPE  FIELDS
-- 2026-11-26
 23:59:59.000        1  -     time=2026-11-26T23:59:59Z
 23:59:59.500        2  -     time=2026-11-26T23:59:59.5Z
                     3  -
-- 2026-11-27
 00:00:00.000        4  -     time=2026-11-27T00:00:00Z
";
    assert_eq!(show(&["--utc"], &log).out, expected);
}

/// Of the first rows, as many as 256 KiB hold.
#[test]
fn columns_are_as_wide_as_the_first_rows_need() {
    let header = |kind: &str, len: usize| {
        let first = format!(
            "{{\"type\":\"{kind}\",\"version\":1,\"s\":\"{}\"}}\n",
            "x".repeat(len)
        );
        let log = Log::of(first + &tick(1_000_000_000));
        let shown = show(&["-n", "all"], &log).out;
        let header = shown.lines().find(|row| row.contains("VERSION"));
        header.unwrap().to_owned()
    };
    let wide = "   VERSION  TYPE                  FIELDS";
    assert_eq!(header("a_type_of_20_columns", 20_000), wide);
    assert_eq!(header("t", 300_000), "VERSION  TYPE  FIELDS");
}

#[test]
fn gaps_have_a_time_and_openings_a_process() {
    let gap =
        r#"{"eventlog":{"gap":{"count":1,"min_version":2,"max_version":2,"reason":"backlog"}}}"#;
    let text = format!("{}{gap}\n{}", tick(1), tick(3));
    let log = Log::of(&text);
    let life = [("opened", 1, 0, 0), ("committed", 1, 2, 1_000)];
    let made = marks(1_600_000_000_000, &[&text], &life);
    fs::write(log.file("x.log.marks"), made).unwrap();
    let table = show(&["--utc"], &log).out;
    let told = "\n-- 12:26:41.000 gap: 1 event never written, version 2 (backlog)\n";
    assert!(table.contains(told), "{table}");
    let rows = show(&["-o", "json"], &log).out;
    let opened: Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    assert_eq!(opened["kind"], "opened");
    assert_eq!(
        (&opened["pid"], &opened["epoch"]),
        (&4711.into(), &epoch(0).into())
    );
}

#[test]
fn that_a_feed_is_read_to_its_end_is_said_in_json_and_not_among_raw_lines() {
    let log = feed::log(1..=2);
    let serving = Feed::new(&log).serve_tcp("127.0.0.1:0").unwrap();
    let path = format!("tcp:{}", serving.local_addr().unwrap());
    let rows = run("show", &["-o", "json"], path.as_ref()).out;
    let live: Value = serde_json::from_str(rows.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&live["kind"], &live["newest"]),
        (&"live".into(), &"2".into())
    );
    let raw = run("show", &["-o", "raw"], path.as_ref());
    assert_eq!((raw.out.lines().count(), &*raw.err), (2, ""));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let log = Log::ticks(1..=1);
    assert!(!show(&[], &log).out.contains('\x1b'));
    assert!(show(&["--color", "always"], &log).out.contains('\x1b'));
    let path = log.path();
    let arg = std::ffi::OsStr::new;
    let Some(shown) = crate::on_a_terminal(80, &[arg("show"), path.as_os_str()]) else {
        return;
    };
    assert!(shown.contains('\x1b'));
    let never = [arg("show"), arg("--color"), arg("never"), path.as_os_str()];
    assert!(!crate::on_a_terminal(80, &never).unwrap().contains('\x1b'));
}

#[test]
fn between_groups_of_lines_it_is_said_that_some_are_left_out() {
    let log = Log::ticks(1..=10);
    let shown = show(&["-g", "\"version\":[37]}", "-C", "1"], &log).out;
    let rows = shown.lines().skip(1);
    let rows: Vec<_> = rows
        .map(|row| row.trim_start().trim_end_matches("  tick"))
        .collect();
    assert_eq!(rows, ["2", "3", "4", "--", "6", "7", "8"]);
}

/// Red and yellow are for what went wrong.
#[test]
fn each_type_has_a_colour_of_its_own() {
    let kinds = ["up", "down", "up", "lost"];
    let line = |kind: &str| format!("{{\"type\":\"{kind}\",\"version\":1}}\n");
    let log = Log::of(kinds.map(line).concat());
    let shown = show(&["--color", "always"], &log).out;
    for (row, colour) in [(1, "34mup"), (2, "35mdown"), (3, "34mup"), (4, "32mlost")] {
        let row = shown.lines().nth(row).unwrap();
        assert!(row.contains(&format!("\x1b[{colour}")), "{row:?}");
    }
}

#[test]
fn what_moves_the_cursor_back_is_shown_and_accents_stay() {
    let log = Log::of("{\"type\":\"cafe\u{301}\",\"version\":1}\noops\r\n");
    let shown = show(&[], &log);
    assert!(shown.out.contains("1  cafe\u{301}\n"), "{}", shown.out);
    assert!(shown.out.ends_with(": oops\\r\n"), "{}", shown.out);
}

/// A thousand accents on one letter fill no column, and end the row.
#[test]
fn nothing_stands_after_where_a_row_was_cut() {
    let damaged = format!("e{}", "\u{301}".repeat(1_000));
    let log = Log::of([damaged.as_bytes(), b"\xff\n"].concat());
    let (show, path) = (std::ffi::OsStr::new("show"), log.path());
    let Some(shown) = crate::on_a_terminal(120, &[show, path.as_os_str()]) else {
        return;
    };
    let row = shown.lines().find(|row| row.contains("e\u{301}")).unwrap();
    assert!(row.trim_end_matches("\x1b[0m").ends_with('…'), "{row:?}");
}

#[test]
fn every_help_fits_into_80_columns_and_has_its_commands() {
    for command in [
        "",
        "show",
        "tail",
        "verify",
        "stats",
        "repair",
        "completions",
    ] {
        let args = [command, "--help"];
        let help = crate::tool()
            .args(args.iter().filter(|arg| !arg.is_empty()))
            .output()
            .unwrap();
        let help = crate::Ran::from(help);
        assert_eq!(help.code, Some(0), "{command}");
        for line in help.out.lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = crate::tool().args(["completions", shell]).output().unwrap();
        assert!(
            crate::Ran::from(script).out.contains("position-file"),
            "{shell}"
        );
    }
}
