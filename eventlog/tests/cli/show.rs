//! `show`: what is there, in its order, with what is wrong at its place.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::{Log, Ran, on_a_terminal, run, show, show_piped, tick, tool, versions};

#[test]
fn the_last_twenty_are_shown_in_their_order() {
    let log = Log::ticks(1..=50);
    assert_eq!(versions(&[], &log), (31..=50).collect::<Vec<_>>());
    assert_eq!(versions(&["-n", "3"], &log), [48, 49, 50]);
    assert_eq!(versions(&["-n", "all"], &log).len(), 50);
    assert_eq!(versions(&["-n", "1000"], &log).len(), 50);
    assert_eq!(show(&["-n", "0"], &log).code, Some(2));
    let table = show(&["-n", "1"], &log);
    assert_eq!(table.out, "VERSION  TYPE  FIELDS\n     50  tick\n");
    assert_eq!((table.err.as_str(), table.code), ("", Some(0)));
}

#[test]
fn the_command_may_be_left_out() {
    let log = Log::ticks(1..=2);
    let short = tool().arg(log.path()).output().unwrap();
    assert_eq!(Ran::from(short).out, show(&[], &log).out);
    let flags_first = tool().args(["-n", "1"]).arg(log.path()).output().unwrap();
    assert_eq!(Ran::from(flags_first).out.lines().count(), 2);
}

#[test]
fn full_files_come_before_the_current_one() {
    let log = Log::ticks(5..=6);
    fs::write(log.file("x.log.old.0000000001"), tick(1) + &tick(2)).unwrap();
    fs::write(log.file("x.log.old"), tick(3) + &tick(4)).unwrap();
    assert_eq!(versions(&[], &log), [1, 2, 3, 4, 5, 6]);
    assert_eq!(versions(&["-n", "3"], &log), [4, 5, 6]);
    // Between two files there is no current one.
    fs::remove_file(log.path()).unwrap();
    assert_eq!(versions(&[], &log), [1, 2, 3, 4]);
}

/// journalctl stopped at the first corrupt file in one of its formats and showed a quarter of the
/// lines (systemd/systemd#7852). What is damaged is told at its place, and the rest is shown.
#[test]
fn what_can_be_read_is_shown_and_damage_told_at_its_place() {
    let gap =
        r#"{"eventlog":{"gap":{"count":3,"min_version":2,"max_version":4,"reason":"backlog"}}}"#;
    let log = Log::of(format!(
        "{}{gap}\noops\n{}\0\0{}{{\"type\":\"la",
        tick(1),
        tick(5),
        tick(6)
    ));
    let shown = show(&[], &log);
    let expected = "\
VERSION  TYPE  FIELDS
      1  tick
-- gap: 3 events never written, versions 2 to 4 (backlog)
!! x.log line 3 at byte 112: the line is no event (expected value, column 1): oops
      5  tick
!! x.log line 5 at byte 145: 2 zero bytes in place of what was written
      6  tick
!! x.log line 6 at byte 175: unfinished line: {\"type\":\"la
";
    assert_eq!(shown.out, expected);
    assert_eq!(shown.code, Some(0), "output first");
    let last = show(&["-n", "1"], &log).out;
    let torn = "!! x.log at byte 175: unfinished line: {\"type\":\"la\n";
    assert!(
        last.ends_with(torn),
        "from the end nobody knows which line it is: {last}"
    );
    assert_eq!(
        shown.err,
        "eventlog: met on the way: 2 damaged places, 1 unfinished line, 1 gap\n"
    );
    for form in [
        &["-n", "all"][..],
        &["-n", "2"],
        &["-o", "raw"],
        &["-o", "json"],
    ] {
        let shown = show(form, &log);
        assert!(
            shown.out.contains("\"version\":6") || shown.out.contains("6  tick"),
            "{form:?}"
        );
    }
}

#[test]
fn a_log_that_is_not_there_is_told_with_its_name() {
    let log = Log::ticks(1..=1);
    let missing = run("show", &[], &log.file("y.log"));
    assert_eq!((missing.code, missing.out.as_str()), (Some(5), ""));
    assert!(missing.err.contains("y.log"), "{}", missing.err);
    let directory = run("show", &[], log.dir.path());
    assert_eq!(directory.code, Some(5));
    assert!(
        directory.err.contains("is a directory"),
        "{}",
        directory.err
    );
    let usage = tool()
        .args(["show", "--since", "soon", "x.log"])
        .output()
        .unwrap();
    assert_eq!(Ran::from(usage).code, Some(2));
    assert!(!log.file("y.log").exists() && !log.file("y.log.lock").exists());
}

#[test]
fn nothing_that_matches_is_said_as_grep_says_it() {
    let log = Log::ticks(1..=3);
    let none = show(&["-g", "tock"], &log);
    assert_eq!((none.code, none.out.as_str()), (Some(1), ""));
    assert_eq!(none.err, "eventlog: no event matches\n");
    assert_eq!(show(&["-g", "tick"], &log).code, Some(0));
}

#[test]
fn a_pipe_is_read_as_a_log_is() {
    for (flags, expected) in [(&[][..], vec![1, 2, 3]), (&["-n", "2"], vec![2, 3])] {
        let text = tick(1) + "oops\n\0\0\n" + &tick(2) + tick(3).trim_end();
        let flags = [&["--template", "{version}"], flags].concat();
        let ran = show_piped(&flags, text.into());
        let versions: Vec<u64> = ran.out.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(versions, expected, "the last line needs no newline");
    }
}

#[test]
fn what_is_wrong_in_a_pipe_is_told_where_it_stands_as_of_a_log() {
    let max = 16 << 20;
    let longest = format!("\"{}\"", "y".repeat(max - 2));
    let text = [
        &tick(1),
        "\n\0\0",
        &tick(2),
        "\0\n",
        &longest,
        "\n",
        &longest,
        " \n",
        &tick(3),
    ];
    let log = Log::of(text.concat());
    let expected = [
        ("event", 1, 0, None),
        ("not_an_event", 2, 28, Some(0)),
        ("zeros", 3, 29, Some(2)),
        ("event", 3, 31, None),
        ("zeros", 4, 59, Some(1)),
        ("event", 5, 61, None),
        ("too_long", 6, max + 62, Some(max + 1)),
        ("event", 7, 2 * max + 64, None),
    ];
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let what = row["damage"].as_str().or(row["kind"].as_str()).unwrap();
        let number = |name: &str| Some(usize::try_from(row[name].as_u64()?).unwrap());
        let (line, offset) = (number("line").unwrap(), number("offset").unwrap());
        (what.to_owned(), line, offset, number("len"))
    };
    let expected = expected.map(|row| (row.0.to_owned(), row.1, row.2, row.3));
    let flags = ["-o", "json", "-n", "all"];
    for shown in [show_piped(&flags, text.concat().into()), show(&flags, &log)] {
        let rows: Vec<_> = shown.out.lines().map(row).collect();
        assert_eq!(rows, expected);
        assert!(shown.err.contains("4 damaged places"), "{}", shown.err);
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_may_have_a_name() {
    let piped = "printf %s \"$1\" | \"$0\" show --template '{version}' /dev/stdin";
    let output = std::process::Command::new("sh")
        .args(["-c", piped, env!("CARGO_BIN_EXE_eventlog")])
        .arg(tick(1) + &tick(2))
        .output()
        .unwrap();
    assert_eq!(Ran::from(output).out, "1\n2\n");
}

/// However many were asked for, and however long they are.
#[test]
fn the_last_of_a_pipe_are_shown_up_to_32_mebibytes() {
    let last = |flags: &[&str], len: usize| {
        let line = |n: u64| {
            let filler = "x".repeat(len);
            format!("{{\"type\":\"long\",\"version\":{n},\"s\":\"{filler}\"}}\n")
        };
        let text = (1..=40).map(line).collect::<String>();
        let flags = [flags, &["--template", "{version}"]].concat();
        let shown = show_piped(&flags, text.into()).out;
        let versions = shown.lines().map(|line| line.parse().unwrap());
        versions.collect::<Vec<u64>>()
    };
    assert_eq!(last(&["-n", "30"], 100_000), (11..=40).collect::<Vec<_>>());
    assert_eq!(last(&["-n", "39"], 1 << 20), (10..=40).collect::<Vec<_>>());
    // What does not match takes no room.
    assert_eq!(last(&["-n", "1", "--until", "1"], 1 << 20), [1]);
}

/// lnav shows JSON lines only to those who write a format file first (tstack/lnav#634, #317).
#[test]
fn any_json_is_shown_without_a_description_of_it() {
    let log = Log::of(
        r#"{"Started":{"pid":7,"version":1}}
{"kind":"stopped","version":2,"data":{"code":3}}
"Idle"
{"t":"x","v":4,"a b":"c d"}
[1,2]
"#,
    );
    let expected = "\
VERSION  TYPE     FIELDS
      1  Started  pid=7
      2  stopped  data={\"code\":3}
      -  Idle
      4  x        a b=\"c d\"
      -  -        [1,2]
";
    assert_eq!(show(&[], &log).out, expected);
}

/// Tools that print a table refuse to print it into a pipe, or print it through a pager that waits
/// for a key (nats-io/natscli#820, #1357, #599, #127).
#[test]
fn into_a_pipe_comes_all_of_it_and_on_a_terminal_no_pager() {
    let filler = "x".repeat(300);
    let log =
        Log::of(format!("{{\"type\":\"t\",\"version\":1,\"long\":\"{filler}\"}}\n").repeat(200));
    let piped = show(&["-n", "all"], &log);
    assert_eq!(piped.out.matches(&filler).count(), 200, "nothing is cut");
    assert!(!piped.out.contains('\x1b'), "no colours");
    let path = log.path();
    let args = ["show", "-n", "all"].map(std::ffi::OsStr::new);
    let Some(shown) = on_a_terminal(80, &[&args[..], &[path.as_os_str()]].concat()) else {
        return;
    };
    assert_eq!(shown.matches("long=").count(), 200);
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let log = Log::ticks(1..=100_000);
    let mut child = tool()
        .args(["show", "-n", "all"])
        .arg(log.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (Some(141), ""));
}
