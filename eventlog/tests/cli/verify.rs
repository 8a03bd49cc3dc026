//! `verify`.

use std::fs;

use crate::{Log, run, tick};

#[test]
fn an_intact_log_is_told_file_by_file() {
    let log = Log::ticks(3..=4);
    fs::write(log.file("x.log.old"), tick(1) + &tick(2)).unwrap();
    let ran = run("verify", &[], &log.path());
    assert_eq!(
        ran.out,
        "\
FILE            BYTES     EVENTS   GAPS  DAMAGED  VERSIONS
x.log.old          56          2      0        0  1 to 2
x.log              56          2      0        0  3 to 4
marks: none that fit, so no checksums
written by: nobody
INTACT
"
    );
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn damage_is_counted_and_versions_not_made_up() {
    let log = Log::of("{\"a\":1}\noops\n");
    for (flags, versions) in [(&[][..], "none"), (&["--fast"], "not read")] {
        let ran = run("verify", flags, &log.path());
        let row = format!("x.log          13          1      0        1  {versions}\n");
        assert!(ran.out.contains(&row), "{}", ran.out);
    }
}

#[test]
fn each_damage_is_told_with_its_place() {
    let log = Log::of(format!(
        "{}oops\n{{\"a\":\"\u{1b}\"}}\n{}{{\"torn",
        tick(1),
        tick(2)
    ));
    fs::write(log.file("x.log.old"), b"{\"a\":\"\xff\"}\n\0\0\0{}\n").unwrap();
    fs::write(log.file("x.log.suspect"), "").unwrap();
    for flags in [&[][..], &["--fast"], &["--strict"]] {
        let ran = run("verify", flags, &log.path());
        assert_eq!(ran.code, Some(3), "{ran:?}");
        for place in [
            "x.log.old line 1 at byte 0",
            "x.log.old line 2 at byte 10: zero bytes",
            "x.log line 2 at byte 28",
            "x.log line 3 at byte 33",
            "x.log line 5 at byte 71: the last line is unfinished",
            "x.log.suspect: a sync failed",
            "DAMAGED",
        ] {
            assert!(ran.out.contains(place), "{place}: {}", ran.out);
        }
    }
}

#[test]
fn versions_that_fall_repeat_or_skip_are_told_and_legal() {
    let log = Log::of([1, 2, 2, 5, 4, 3].map(tick).concat());
    let ran = run("verify", &[], &log.path());
    for what in ["fall in 2", "repeat in 1", "skip in 1"] {
        assert!(ran.out.contains(what), "{what}: {}", ran.out);
    }
    assert_eq!(ran.code, Some(0));
    assert!(!run("verify", &["--fast"], &log.path()).out.contains("fall"));
}

#[test]
fn gaps_count_where_one_is_strict() {
    let gap =
        r#"{"eventlog":{"gap":{"count":3,"min_version":2,"max_version":4,"reason":"backlog"}}}"#;
    let log = Log::of(format!("{}{gap}\n{}", tick(1), tick(5)));
    let lax = run("verify", &[], &log.path());
    assert_eq!(lax.code, Some(0));
    assert!(
        lax.out.contains("gaps: 3 events were never written"),
        "{}",
        lax.out
    );
    assert!(
        !lax.out.contains("skip"),
        "a gap accounts for them: {}",
        lax.out
    );
    assert_eq!(run("verify", &["--strict"], &log.path()).code, Some(4));
    let whole = Log::ticks(1..=2);
    assert_eq!(run("verify", &["--strict"], &whole.path()).code, Some(0));
}

#[test]
fn programs_read_it_as_json() {
    let log = Log::of(format!("{}oops\n", tick(1)));
    let ran = run("verify", &["--json"], &log.path());
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (report["result"].as_str(), ran.code),
        (Some("damaged"), Some(3))
    );
    assert_eq!(report["files"][0]["events"], 1);
    assert_eq!(report["damage"][0]["offset"], 28);
}

#[test]
fn a_line_too_long_for_memory_is_told_and_passed_over() {
    let large = format!("{{\"a\":\"{}\"}}\n", "x".repeat(16 << 20));
    let log = Log::of(tick(1) + &large + &tick(2));
    let ran = run("verify", &["--json"], &log.path());
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["damage"][0]["damage"], "too_long");
    assert_eq!(report["damage"][0]["line"], 2);
    assert_eq!(report["files"][0]["events"], 2);
}

#[test]
fn endless_damage_is_counted_and_not_listed() {
    let log = Log::of("oops\n".repeat(1_000));
    let ran = run("verify", &[], &log.path());
    assert!(ran.out.contains("!! and 900 more"), "{}", ran.out);
}

#[test]
#[cfg(unix)]
fn what_cannot_be_read_is_not_called_intact() {
    use std::os::unix::fs::symlink;
    let log = Log::ticks(1..=2);
    // A loop of links is no file that anybody can open, root or not.
    symlink(log.file("x.log.old"), log.file("x.log.old")).unwrap();
    let ran = run("verify", &[], &log.path());
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert_eq!(ran.out.matches("!! ").count(), 1, "{}", ran.out);
    assert!(ran.out.contains("NOT VERIFIED"), "{}", ran.out);
    // The rest is shown and counted, and the code tells of it all the same.
    for command in ["show", "stats"] {
        assert_eq!(run(command, &[], &log.path()).code, Some(5), "{command}");
    }
    let shown = run("show", &[], &log.path());
    let told = "; check what it is and who may read it\nVERSION";
    assert!(shown.out.contains(told), "{}", shown.out);
    assert_eq!(
        shown.err,
        "eventlog: met on the way: 1 file that cannot be read\n"
    );
}
