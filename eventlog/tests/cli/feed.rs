//! What another process serves on a socket, in place of files.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use eventlog::serve::{Feed, Serving};
use eventlog::{EventLog, Versioned};
use serde_json::Value;

use crate::follow::Tail;
use crate::{Ran, hang_up_on_all, nobody, on_a_terminal, run, show_endless, until};

#[derive(Versioned, serde::Serialize)]
pub(crate) struct Tick {
    r#type: &'static str,
    version: u64,
}

pub(crate) fn tick(version: u64) -> Tick {
    let r#type = if version.is_multiple_of(2) {
        "even"
    } else {
        "odd"
    };
    Tick { r#type, version }
}

/// A log in this process with these versions.
pub(crate) fn log(versions: std::ops::RangeInclusive<u64>) -> EventLog<Tick> {
    let log = EventLog::new(None);
    log.append_batch(versions.map(tick));
    log
}

fn on_tcp(log: &EventLog<Tick>) -> (Serving, PathBuf) {
    let serving = Feed::new(log).serve_tcp("127.0.0.1:0").unwrap();
    let path = format!("tcp:{}", serving.local_addr().unwrap()).into();
    (serving, path)
}

pub(crate) const VERSIONS: [&str; 2] = ["--template", "{version}"];

/// What `-o json` says: of each row its kind, and the version of its event.
pub(crate) fn kinds(out: &str) -> Vec<(String, Option<u64>)> {
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let kind = row["kind"].as_str().unwrap().to_owned();
        (kind, row["event"]["version"].as_u64())
    };
    out.lines().map(row).collect()
}

#[test]
fn show_ends_where_the_replay_does() {
    let log = log(1..=5);
    let (_serving, path) = on_tcp(&log);
    let shown = run("show", &VERSIONS, &path);
    assert_eq!((&*shown.out, shown.code), ("1\n2\n3\n4\n5\n", Some(0)));
    let shown = |flags: &[&str]| run("show", &[flags, &VERSIONS].concat(), &path).out;
    assert_eq!(shown(&["-n", "2"]), "4\n5\n");
    assert_eq!(shown(&["--type", "even"]), "2\n4\n");
    assert_eq!(shown(&["--type", "even", "-n", "1", "-C", "1"]), "4\n");
    assert_eq!(shown(&["--since", "4"]), "4\n5\n");
    assert_eq!(shown(&["--since", "0", "--until", "2"]), "1\n2\n");

    let rows = run("show", &["-o", "json"], &path).out;
    let event = |version| ("event".to_owned(), Some(version));
    let live = ("live".to_owned(), None);
    assert_eq!(
        kinds(&rows),
        [event(1), event(2), event(3), event(4), event(5), live]
    );
    // A row says where to go on after it.
    let third: Value = serde_json::from_str(rows.lines().nth(2).unwrap()).unwrap();
    assert_eq!(
        (&third["seq"], &third["file"]),
        (&3.into(), &path.to_str().into())
    );
    assert_eq!(
        shown(&["--since", third["cursor"].as_str().unwrap()]),
        "4\n5\n"
    );

    let table = run("show", &[], &path).out;
    assert!(
        table.ends_with("-- live; the newest version is 5\n"),
        "{table}"
    );
    let nothing = run("show", &["--type", "none"], &path);
    assert_eq!(nothing.code, Some(1));
    // Without `-f`, tail ends there too.
    assert_eq!(
        run("tail", &[&VERSIONS[..], &["-n", "2"]].concat(), &path).out,
        "4\n5\n"
    );
    let nothing = run("tail", &["--type", "none"], &path);
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.err.contains("no event matches"), "{nothing:?}");
}

#[test]
fn what_is_missing_is_told_in_every_form() {
    let log = EventLog::builder().capacity(3).build().unwrap();
    log.append_batch((1..=10).map(tick));
    let (_serving, path) = on_tcp(&log);
    let table = run("show", &[], &path);
    let gap = "-- gap: 7 events are missing here, up to version 7 at most (truncated)\n";
    assert!(table.out.starts_with(gap), "{table:?}");
    assert!(table.err.contains("met on the way: 1 gap"), "{table:?}");
    let json = run("show", &["-o", "json"], &path).out;
    let reset: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&reset["kind"], &reset["missed"]),
        (&"reset".into(), &"7".into())
    );
    assert_eq!(reset["missed_through"], "7", "{reset}");
    for flags in [&["-o", "raw"][..], &VERSIONS] {
        let lines = run("show", flags, &path);
        assert_eq!(lines.out.lines().count(), 3, "{lines:?}");
        assert!(lines.err.contains("7 events are missing"), "{lines:?}");
    }
    let foreign = run("show", &["--since", "9f86d081884c7d65.12.340"], &path).out;
    assert!(
        foreign.starts_with("-- gap:") && foreign.contains("(foreign)"),
        "{foreign}"
    );
    let ahead = run("show", &["--since", "5000"], &path).out;
    assert!(
        ahead.starts_with("-- gap:") && ahead.contains("(ahead)"),
        "{ahead}"
    );
}

#[test]
#[cfg(unix)]
fn tail_goes_on_when_the_server_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("log.sock");
    let path = PathBuf::from(format!("unix:{}", socket.display()));
    // It need not be there yet.
    let tail = Tail::at(&["-o", "json"], &path);
    let rows = |count: usize| {
        let rows: Vec<_> = (0..count).map(|_| tail.next()).collect();
        kinds(&rows.join("\n"))
    };
    let event = |version| ("event".to_owned(), Some(version));
    let word = |kind: &str| (kind.to_owned(), None);

    let first = log(1..=12);
    let serving = Feed::new(&first).serve_unix(&socket).unwrap();
    let expected: Vec<_> = (3..=12).map(event).chain([word("live")]).collect();
    assert_eq!(rows(11), expected);
    first.append(tick(13));
    assert_eq!(rows(1), [event(13)]);
    // Another life of the program.
    drop(serving);
    first.close();
    let second = log(1..=2);
    let _serving = until("the first server is gone", || {
        Feed::new(&second).serve_unix(&socket).ok()
    });
    // It may have come back to the first one before that went.
    let reset = until("a reset", || {
        let row = rows(1).remove(0);
        (row != word("live")).then_some(row)
    });
    assert_eq!(reset, word("reset"));
    assert_eq!(rows(3), [event(1), event(2), word("live")]);
    second.append(tick(3));
    assert_eq!(rows(1), [event(3)]);
}

#[test]
#[cfg(unix)]
fn who_waits_for_a_server_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("log.sock");
    let path = PathBuf::from(format!("unix:{}", socket.display()));
    let mut tail = Tail::at(&VERSIONS, &path);
    let told = tail.complaint();
    assert!(told.ends_with("; trying again\n"), "{told}");
    let log = log(1..=2);
    let _serving = Feed::new(&log).serve_unix(&socket).unwrap();
    tail.expect([1, 2]);
}

/// Also where that is more than is ever kept of a feed's last ones.
#[test]
fn all_is_all_that_a_feed_has() {
    let filler = "x".repeat(1 << 20);
    let long = |n| event(n, &format!("{{\"version\":{n},\"s\":\"{filler}\"}}"));
    let events: String = (1..=34).map(long).collect();
    let (path, _) = server(vec![format!("{OPEN}\n{events}{LIVE}\n").into()]);
    let shown = run("tail", &[&VERSIONS[..], &["-n", "all"]].concat(), &path);
    assert_eq!(shown.out.lines().count(), 34, "{}", shown.err);
}

#[test]
fn a_finished_feed_ends_tail() {
    let log = log(1..=2);
    let feed = Feed::new(&log);
    let serving = feed.serve_tcp("127.0.0.1:0").unwrap();
    let path = PathBuf::from(format!("tcp:{}", serving.local_addr().unwrap()));
    let mut tail = Tail::at(&VERSIONS, &path);
    tail.expect([1, 2]);
    feed.finish();
    log.close();
    assert_eq!(tail.child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_position_file_keeps_the_cursor() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("seen");
    let flags = [&VERSIONS[..], &["--position-file", file.to_str().unwrap()]].concat();
    let log = log(1..=3);
    let (_serving, path) = on_tcp(&log);
    let tail = Tail::at(&flags, &path);
    tail.expect([1, 2, 3]);
    log.append(tick(4));
    tail.expect([4]);
    let written = || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        (text.trim() == log.cursor().to_string()).then_some(())
    };
    until("the cursor after the fourth event", written);
    drop(tail);
    log.append_batch((5..=30).map(tick));
    let new = || run("tail", &flags, &path);
    assert_eq!(
        new().out.lines().count(),
        26,
        "all that is new, and not ten"
    );
    assert_eq!((&*new().out, new().code), ("", Some(1)));
    // What is kept is no position in files.
    fs::write(&file, "p1:0.0\n").unwrap();
    let wrong = new();
    assert_eq!(wrong.code, Some(5));
    assert!(wrong.err.contains("position file"), "{wrong:?}");
}

#[test]
fn only_show_and_tail_take_a_feed() {
    for command in ["verify", "stats", "repair", "serve"] {
        for address in ["tcp:127.0.0.1:1", "http://127.0.0.1:1/events"] {
            let refused = run(command, &[], Path::new(address));
            assert_eq!(refused.code, Some(2), "{refused:?}");
            assert!(refused.err.contains("is a feed"), "{refused:?}");
        }
    }
    for (path, word) in [
        ("tcp:nowhere", "tcp:host:port"),
        ("unix:", "unix:/path"),
        ("http://", "http://host:port/path"),
        ("http:///events", "http://host:port/path"),
        ("http://a:b/events", "http://host:port/path"),
        ("http://a:99999/events", "http://host:port/path"),
        ("http://127.0.0.1:0/events", "http://host:port/path"),
        ("http://a/ events", "http://host:port/path"),
        ("https://a/events", "no TLS here"),
    ] {
        for command in ["show", "tail", "stats"] {
            let refused = run(command, &[], Path::new(path));
            assert_eq!(refused.code, Some(2), "{refused:?}");
            assert!(refused.err.contains(word), "{refused:?}");
        }
    }
}

/// A server of somebody else's: what it says to each that comes, one after the other, with the
/// first line of each. It hangs up then.
fn server(says: Vec<Vec<u8>>) -> (PathBuf, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let path = format!("tcp:{}", listener.local_addr().unwrap()).into();
    let served = thread::spawn(move || {
        let serve = |said: Vec<u8>| {
            let mut stream = listener.accept().unwrap().0;
            let mut hello = String::new();
            BufReader::new(&stream).read_line(&mut hello).unwrap();
            // Who has enough hangs up first.
            let _ = stream.write_all(&said);
            hello
        };
        let hellos = says.into_iter().map(serve).collect();
        thread::spawn(move || hang_up_on_all(&listener));
        hellos
    });
    (path, served)
}

const OPEN: &str =
    r#"{"open":{"cursor":"9f86d081884c7d65.0.0","retry":"0","coverage":"complete"}}"#;
const LIVE: &str = r#"{"live":{"cursor":"9f86d081884c7d65.9.9","newest":"9"}}"#;

fn event(seq: u64, event: &str) -> String {
    format!("{{\"id\":\"9f86d081884c7d65.{seq}.{seq}\",\"event\":{event}}}\n")
}

#[test]
fn a_connection_that_breaks_in_the_replay_is_gone_on_with() {
    let first = format!("{OPEN}\n{}{{\"id\":\"half", event(1, "{\"version\":1}"));
    let second = format!("{OPEN}\n{}{LIVE}\n", event(2, "{\"version\":2}"));
    let (path, served) = server(vec![first.into(), second.into()]);
    let shown = run("show", &VERSIONS, &path);
    assert_eq!((&*shown.out, shown.code), ("1\n2\n", Some(0)), "{shown:?}");
    let hellos = served.join().unwrap();
    assert!(hellos[1].contains("\"9f86d081884c7d65.1.1\""), "{hellos:?}");
}

#[test]
fn what_does_not_answer_is_an_error_and_no_wait() {
    let deaf = nobody();
    let nobody = PathBuf::from(format!("tcp:{}", deaf.local_addr().unwrap()));
    for command in ["show", "tail"] {
        let refused = run(command, &[], &nobody);
        assert_eq!((&*refused.out, refused.code), ("", Some(5)));
        assert!(refused.err.contains("efused"), "{refused:?}");
        assert!(!refused.err.contains("trying again"), "{refused:?}");
    }
    // Something else answers.
    let (other, _) = server(vec![b"HTTP/1.1 400 \x1b[2J Bad Request\r\n\r\n".into()]);
    let refused = run("show", &[], &other);
    assert_eq!(refused.code, Some(5));
    assert!(
        refused.err.contains("see that it is a feed's"),
        "{refused:?}"
    );
    let (other, _) = server(vec![
        b"{\"error\":\"\x1b[2Jno\\u001b[2J \\u009b\"}\n".into(),
    ]);
    assert!(!run("show", &[], &other).err.contains(['\x1b', '\u{9b}']));
    let (full, _) = server(vec![b"{\"full\":{\"retry\":\"99999999\"}}\n".into()]);
    assert!(run("show", &[], &full).err.contains("too many subscribers"));
}

/// It takes connections, and says nothing to them. One that has answered may be silent as long.
#[test]
fn a_server_that_never_answers_is_left() {
    let log = log(1..=1);
    let (_serving, quiet) = on_tcp(&log);
    let tail = Tail::at(&VERSIONS, &quiet);
    tail.expect([1]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let path = PathBuf::from(format!("tcp:{}", silent.local_addr().unwrap()));
    let asked = [["show", "-n2"], ["tail", "-n2"], ["tail", "-f"]].map(|[command, flag]| {
        let path = path.clone();
        thread::spawn(move || run(command, &[flag], &path))
    });
    for asked in asked {
        let left: Ran = asked.join().unwrap();
        assert_eq!((&*left.out, left.code), ("", Some(5)));
        assert!(left.err.contains("no feed has answered"), "{left:?}");
    }
    log.append(tick(2));
    tail.expect([2]);
}

/// What was heard until then is shown.
#[test]
fn a_server_that_goes_away_in_the_replay_is_told() {
    let first = format!("{OPEN}\n{}", event(1, "{\"version\":1}"));
    let (path, _) = server(vec![first.into()]);
    let shown = run("show", &[&VERSIONS[..], &["-n", "9"]].concat(), &path);
    assert_eq!((&*shown.out, shown.code), ("1\n", Some(5)), "{shown:?}");
}

#[test]
fn no_event_of_a_hostile_server_is_obeyed_or_too_long() {
    let long = format!("\"{}\"", "x".repeat(17 << 20));
    let said = [
        OPEN.to_owned() + "\n",
        event(
            1,
            "{\"type\":\"\u{9b}2J\",\"version\":1,\"s\":\"\u{202e}gpj\"}",
        ),
        event(2, &long),
        event(3, "{\"type\":\"\\u001b[2J\",\"version\":3}"),
        "{\"reset\":{\"cursor\":\"9f86d081884c7d65.4.4\",\"coverage\":\"\\u001b[2J\"}}\n"
            .to_owned(),
        "{\"nobody\":\"knows \\u001b[2J\"}\n".to_owned(),
        LIVE.to_owned() + "\n",
    ];
    let said = said.concat().into_bytes();
    for flags in [&[][..], &["-o", "json"], &["-n", "9"]] {
        let (path, _) = server(vec![said.clone()]);
        let args = [
            &["show", "--color", "never"],
            flags,
            &[path.to_str().unwrap()],
        ]
        .concat();
        let args: Vec<_> = args.iter().map(std::ffi::OsStr::new).collect();
        let Some(shown) = on_a_terminal(300, &args) else {
            return;
        };
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(harmful), "{shown:?}");
        assert!(
            shown.contains("gpj") && shown.contains("foreign"),
            "{shown}"
        );
        assert!(shown.contains("is longer than 16777216 bytes"), "{shown}");
    }
}

#[test]
fn the_longest_event_comes_whole() {
    let longest = format!("\"{}\"", "x".repeat((16 << 20) - 2));
    let said = format!("{OPEN}\n{}{LIVE}\n", event(1, &longest));
    let (path, _) = server(vec![said.into()]);
    let shown = run("show", &["-o", "raw"], &path);
    assert!(shown.out == longest + "\n", "{}", shown.err);
}

/// A line without an end is not kept in memory.
#[test]
#[cfg(target_os = "linux")]
fn a_line_without_an_end_takes_no_memory() {
    let ran = show_endless("tcp:", [OPEN.as_bytes(), b"\n\""].concat());
    assert_eq!(ran.code, Some(5), "{ran:?}");
}
