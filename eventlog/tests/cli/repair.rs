//! `repair`: on a copy that is kept, with what is lost told (as `SQLite`'s `.recover` tells it per
//! table), and never under a writer.

use std::fs;

use eventlog::disk::{DiskConfig, DiskWriter, read};
use eventlog::{EventLog, Versioned};

use crate::{Log, run, tick};

#[derive(serde::Serialize, serde::Deserialize, Versioned)]
#[serde(tag = "type", rename = "tick")]
struct Tick {
    version: u64,
}

#[test]
fn without_write_it_is_only_told() {
    let log = Log::of(tick(1) + "{\"torn");
    let before = log.everything();
    let ran = run("repair", &[], &log.path());
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.out
            .contains("x.log at byte 28: an unfinished end of 6 bytes would be set aside")
    );
    assert!(ran.out.contains("nothing was changed"), "{}", ran.out);
    assert_eq!(log.everything(), before);
    let intact = Log::ticks(1..=2);
    let ran = run("repair", &[], &intact.path());
    assert_eq!(
        (ran.out.as_str(), ran.code),
        ("there is nothing to mend\n", Some(0))
    );
}

#[test]
fn an_unfinished_end_is_set_aside_and_the_file_kept() {
    let damaged = tick(1) + "oops\n" + &tick(2) + "no\n{\"torn";
    let log = Log::of(&damaged);
    fs::write(log.file("x.log.bak"), "mine").unwrap();
    let ran = run("repair", &["--write"], &log.path());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let read = |name: &str| fs::read_to_string(log.file(name)).unwrap();
    assert_eq!(read("x.log"), tick(1) + "oops\n" + &tick(2));
    assert_eq!(read("x.log.torn"), "no\n{\"torn");
    assert_eq!(read("x.log.bak"), "mine", "nothing is overwritten");
    assert_eq!(read("x.log.bak.2"), damaged);
    assert!(ran.out.contains("1 damaged places stay"), "{}", ran.out);
    assert_eq!(run("repair", &["--write"], &log.path()).code, Some(0));
}

/// It mends what a writer that opens the log would mend, and in the same way.
#[test]
fn it_does_what_the_writer_would_do() {
    let ends = [
        "",
        "{\"torn",
        "oops\n",
        "\0\0\0",
        "oops\nmore\n{",
        "{\"a\":\"\u{1b}\"}\n",
    ];
    for end in ends {
        let ours = Log::of("oops\n".to_owned() + &tick(1) + end);
        let theirs = Log::of(fs::read(ours.path()).unwrap());
        run("repair", &["--write"], &ours.path());
        let log = EventLog::<Tick>::new(None);
        let writer = DiskWriter::spawn(&log, DiskConfig::new(theirs.path())).unwrap();
        let seq = log.append(Tick { version: 3 });
        writer.blocking_durable(seq).unwrap();
        drop(writer);
        let written = fs::read_to_string(theirs.path()).unwrap();
        let before = written.strip_suffix(&tick(3)).unwrap();
        assert_eq!(fs::read_to_string(ours.path()).unwrap(), before, "{end:?}");
        let torn = |log: &Log| fs::read(log.file("x.log.torn")).ok();
        assert_eq!(torn(&ours), torn(&theirs), "{end:?}");
    }
}

#[test]
fn damaged_lines_are_left_out_where_one_says_so() {
    let damaged = tick(1) + "oops\n\0\0\0" + &tick(2) + "{\"a\n" + &tick(3) + "\0\0no\n{\"torn";
    let log = Log::of(&damaged);
    let ran = run("repair", &["--write", "--drop-damaged"], &log.path());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(
        fs::read_to_string(log.path()).unwrap(),
        tick(1) + &tick(2) + &tick(3)
    );
    assert_eq!(fs::read_to_string(log.file("x.log.bak")).unwrap(), damaged);
    assert_eq!(
        fs::read_to_string(log.file("x.log.torn")).unwrap(),
        "\0\0no\n{\"torn"
    );
    for lost in [
        "byte 28: 5 damaged bytes left out",
        "byte 33: 3 damaged bytes left out",
    ] {
        assert!(ran.out.contains(lost), "{lost}: {}", ran.out);
    }
    assert!(read::<Tick>(log.path()).all(|record| record.is_ok()));
}

/// Their lines are no lines of this file, whole or damaged.
#[test]
fn the_files_before_change_nothing() {
    let log = Log::of("{\"torn");
    let large = "x".repeat((16 << 20) + 1) + "\n";
    let old = "oops\n\0\0\0".to_owned() + &tick(1) + &large;
    fs::write(log.file("x.log.old"), &old).unwrap();
    let ran = run("repair", &["--write"], &log.path());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let read = |name: &str| fs::read_to_string(log.file(name)).unwrap();
    assert_eq!(
        (read("x.log"), read("x.log.torn")),
        (String::new(), "{\"torn".to_owned())
    );
    log.append(&tick(2));
    for flags in [&[][..], &["--write", "--drop-damaged"]] {
        let ran = run("repair", flags, &log.path());
        assert_eq!(ran.out, "there is nothing to mend\n");
    }
    assert_eq!(read("x.log"), tick(2));
    assert!(read("x.log.old") == old);
}

#[test]
fn a_line_too_long_to_be_looked_at_stays() {
    let large = format!("{{\"a\":\"{}\"}}\n", "x".repeat(16 << 20));
    let whole = tick(1) + &large;
    let log = Log::of(whole.clone() + "{\"torn");
    let ran = run("repair", &["--write", "--drop-damaged"], &log.path());
    assert!(ran.out.contains("6 bytes set aside"), "{ran:?}");
    assert!(!ran.out.contains("left out"), "{ran:?}");
    assert!(fs::read_to_string(log.path()).unwrap() == whole);
}

#[test]
fn a_line_of_zeros_is_left_out_with_its_end() {
    let log = Log::of(tick(1) + "\0\0\0\n\0\n" + &tick(2));
    let ran = run("repair", &["--write", "--drop-damaged"], &log.path());
    let text = fs::read_to_string(log.path()).unwrap();
    assert_eq!(text, tick(1) + &tick(2), "{ran:?}");
}

#[test]
fn what_is_no_log_is_left_alone() {
    let text = "# Notes\nto be kept";
    let log = Log::of(text);
    let ran = run("repair", &["--write"], &log.path());
    assert_eq!(ran.code, Some(5));
    assert!(ran.err.contains("does not look like a log"), "{}", ran.err);
    assert_eq!(fs::read_to_string(log.path()).unwrap(), text);
}

/// The longest name that a file may have leaves none for a second copy.
#[test]
#[cfg(target_os = "linux")]
fn where_no_copy_can_be_kept_nothing_is_mended() {
    let log = Log::of("");
    let path = log.file(&"x".repeat(250));
    let kept = log.file(&("x".repeat(250) + ".bak"));
    fs::write(&path, "{\"torn").unwrap();
    fs::write(kept, "mine").unwrap();
    let ran = run("repair", &["--write"], &path);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.err.contains("could not be mended"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"torn");
}
