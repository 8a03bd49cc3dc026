//! Logs of real writers: times, restarts, what a kill leaves.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use eventlog::disk::{DiskConfig, DiskWriter};
use eventlog::{EventLog, Versioned};
use serde::{Deserialize, Serialize};

use crate::{Log, run, show, versions};

#[derive(Versioned, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    Started { pid: u32, version: u64 },
    Exited { code: i32, version: u64 },
}

fn start(path: &Path) -> (EventLog<Event>, DiskWriter<Event>) {
    let config = DiskConfig::new(path);
    let (log, _) = EventLog::recover(&config).unwrap();
    let writer = DiskWriter::spawn(&log, config).unwrap();
    (log, writer)
}

/// A life of two events, and an end in good order.
fn live(path: &Path, version: u64) {
    let (log, writer) = start(path);
    log.append(Event::Started { pid: 7, version });
    log.append(Event::Exited {
        code: 0,
        version: version + 1,
    });
    writer.blocking_shutdown(Duration::from_secs(60)).unwrap();
}

/// What a process leaves that is killed: the files of one that goes on, copied, and half a line.
fn live_and_die(log: &Log, version: u64) -> Log {
    let (events, writer) = start(&log.path());
    let seq = events.append(Event::Started { pid: 8, version });
    writer.blocking_durable(seq).unwrap();
    let left = Log::of("");
    for (path, bytes) in log.everything() {
        fs::write(
            left.file(path.file_name().unwrap().to_str().unwrap()),
            bytes,
        )
        .unwrap();
    }
    left.append("{\"type\":\"exited\",\"co");
    left
}

#[test]
fn what_it_did_right_before_it_died_and_when() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    live(&log.path(), 1);
    let log = live_and_die(&log, 3);
    let died = show(&["--utc"], &log);
    let lines: Vec<_> = died.out.lines().collect();
    assert!(
        lines
            .last()
            .unwrap()
            .ends_with("unfinished line: {\"type\":\"exited\",\"co"),
        "{died:?}"
    );
    live(&log.path(), 4);
    let shown = show(&["--utc"], &log).out;
    let has = |text: &str| assert!(shown.contains(text), "{text}: {shown}");
    has("TIME");
    has("started  pid=7");
    has(&format!("opened by process {}", std::process::id()));
    has("closed in order");
    has("opened again");
    has("RESTART by process");
    let at = |text: &str| shown.find(text).unwrap();
    assert!(
        at("pid=8") < at("RESTART") && at("opened again") < at("pid=8"),
        "{shown}"
    );
    assert!(
        log.file("x.log.torn").exists(),
        "the writer has set it aside"
    );
    let stats = run("stats", &["--json"], &log.path()).out;
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    assert_eq!(
        (&stats["openings"], &stats["restarts"]),
        (&3.into(), &1.into())
    );
    assert_eq!(stats["events"], 5);
}

#[test]
fn the_time_of_writing_is_known_without_a_field_for_it() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    live(&log.path(), 1);
    let soon = ["--until", "1 hour ago"];
    assert_eq!(versions(&soon, &log), [0; 0]);
    assert_eq!(versions(&["--since", "1 hour ago"], &log), [1, 2]);
    assert_eq!(versions(&["--since", "1 hour ago", "-n", "1"], &log), [2]);
    let future = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    assert_eq!(versions(&["--since", &future.to_string()], &log), [0; 0]);
    let json = show(&["-o", "json", "--utc"], &log).out;
    let first: serde_json::Value = serde_json::from_str(json.lines().nth(1).unwrap()).unwrap();
    let time: jiff::Timestamp = first["time"].as_str().unwrap().parse().unwrap();
    let age = SystemTime::now().duration_since(SystemTime::try_from(time).unwrap());
    assert!(
        age.is_ok_and(|age| age < Duration::from_secs(600)),
        "{json}"
    );
}

/// The lines after the newest mark of a life that was killed were given the time at which the next
/// process opened the log: the last event before a crash, of all, seemed as late as the restart.
#[test]
fn what_came_right_before_a_kill_is_not_of_the_time_of_the_restart() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    let log = live_and_die(&log, 1);
    let whole = fs::read_to_string(log.path()).unwrap();
    let whole = whole.rsplit_once('\n').unwrap().0;
    let last = "{\"type\":\"exited\",\"code\":9,\"version\":2}\n";
    fs::write(log.path(), format!("{whole}\n{last}")).unwrap();
    live(&log.path(), 3);
    let json = show(&["-o", "json", "-g", "\"code\":9"], &log).out;
    let line = json
        .lines()
        .find(|line| line.contains("\"code\":9"))
        .unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        line["time_is"], "after",
        "after the newest mark of its life: {line}"
    );
}

#[test]
fn every_row_of_json_begins_with_its_kind() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    live(&log.path(), 1);
    let log = live_and_die(&log, 3);
    let shown = show(&["-n", "all", "-o", "json"], &log).out;
    let kind = |line: &str| {
        line.strip_prefix("{\"kind\":\"")
            .map(|rest| rest.split('"').next().unwrap().to_owned())
    };
    let kinds: Vec<_> = shown.lines().filter_map(kind).collect();
    assert_eq!(
        kinds,
        [
            "opened", "event", "event", "closed", "opened", "event", "damage"
        ],
        "{shown}"
    );
}

#[test]
fn what_a_kill_left_without_a_mark_is_counted() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    live(&log.path(), 1);
    let log = live_and_die(&log, 3);
    log.append("de\":0,\"version\":4}\n");
    let stats = || {
        let out = run("stats", &["--json"], &log.path()).out;
        let stats: serde_json::Value = serde_json::from_str(&out).unwrap();
        let rate = stats["rate"].as_array().unwrap().iter();
        let sum: u64 = rate.filter_map(serde_json::Value::as_u64).sum();
        (stats["events"].as_u64().unwrap(), sum)
    };
    let text = || run("stats", &[], &log.path()).out;
    assert_eq!(stats(), (4, 4));
    assert!(
        text().contains("nobody; the last one was killed"),
        "{}",
        text()
    );
    live(&log.path(), 5);
    assert_eq!(
        stats(),
        (6, 6),
        "what stood before an opening is counted, too"
    );
    assert!(text().contains("writer     nobody\n"), "{}", text());
}

#[test]
fn a_cursor_is_a_place_in_a_log_with_marks() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    let (events, writer) = start(&log.path());
    events.append(Event::Started { pid: 7, version: 1 });
    let cursor = events.cursor().to_string();
    events.append(Event::Exited {
        code: 0,
        version: 2,
    });
    writer.blocking_shutdown(Duration::from_secs(60)).unwrap();
    assert_eq!(versions(&["--since", &cursor], &log), [2]);
    assert_eq!(versions(&["--since", &cursor, "-n", "5"], &log), [2]);
    let other = show(&["--since", "9f86d081884c7d64.1.1"], &log);
    assert_eq!(other.code, Some(5));
    assert!(other.err.contains("--since 2"), "{}", other.err);
    fs::remove_file(log.file("x.log.marks")).unwrap();
    assert_eq!(show(&["--since", &cursor], &log).code, Some(5));
    assert_eq!(versions(&[], &log), [1, 2], "without marks all is shown");
}

/// C01: nothing is changed, made or removed, by whatever command, except by `repair --write`.
#[test]
fn c01_no_command_changes_a_byte() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    live(&log.path(), 1);
    let log = live_and_die(&log, 3);
    let before = log.everything();
    let path = log.path();
    run("show", &[], &path);
    run("show", &["-o", "json", "--since", "today"], &path);
    run("tail", &["--until-damage"], &path);
    run("verify", &["--strict"], &path);
    run("stats", &[], &path);
    run("repair", &["--drop-damaged"], &path);
    run("show", &[], &log.file("none.log"));
    run("verify", &[], &log.file("none.log"));
    run("repair", &["--write"], &log.file("none.log"));
    assert_eq!(log.everything(), before);
}

/// Whoever only looks must not keep a writer from starting.
#[test]
#[cfg(target_os = "linux")]
fn who_writes_it_is_told_and_not_disturbed() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    let (events, writer) = start(&log.path());
    let seq = events.append(Event::Started { pid: 7, version: 1 });
    writer.blocking_durable(seq).unwrap();
    let me = format!("process {}", std::process::id());
    for command in ["verify", "stats"] {
        let ran = run(command, &[], &log.path());
        assert!(ran.out.contains(&me), "{command}: {}", ran.out);
    }
    let refused = run("repair", &["--write"], &log.path());
    assert_eq!(refused.code, Some(5));
    assert!(refused.err.contains(&me), "{}", refused.err);
    writer.blocking_shutdown(Duration::from_secs(60)).unwrap();
    assert!(
        run("stats", &[], &log.path())
            .out
            .contains("writer     nobody")
    );
}

#[test]
fn a_flipped_byte_is_found_by_the_marks() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    live(&log.path(), 1);
    assert_eq!(run("verify", &[], &log.path()).code, Some(0));
    let text = fs::read_to_string(log.path()).unwrap();
    fs::write(log.path(), text.replace("\"code\":0", "\"code\":1")).unwrap();
    let ran = run("verify", &[], &log.path());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.out.contains("the newest mark does not fit the log"),
        "{ran:?}"
    );
    // Nor does it fit a log without its end.
    fs::write(log.path(), text.lines().next().unwrap().to_owned() + "\n").unwrap();
    assert_eq!(run("verify", &[], &log.path()).code, Some(3));
    fs::remove_file(log.file("x.log.marks")).unwrap();
    assert_eq!(
        run("verify", &[], &log.path()).code,
        Some(0),
        "marks are never needed"
    );
}
