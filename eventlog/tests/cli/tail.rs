//! `tail`: what it says beside the lines, and when it ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::{Log, run, tick, tool};

#[test]
fn what_was_met_on_the_way_is_said_at_the_end_and_not_to_who_follows() {
    let log = Log::of(tick(1) + "oops\n" + &tick(2));
    let ended = run("tail", &[], &log.path());
    assert_eq!(ended.err, "eventlog: met on the way: 1 damaged place\n");
    let followed = run("tail", &["-f", "--exit-after", "2"], &log.path());
    assert_eq!((&*followed.err, followed.code), ("", Some(0)));
}

#[test]
fn a_log_that_is_not_there_is_waited_for_and_a_directory_is_not() {
    let log = Log::of("");
    let path = log.file("y.log");
    let mut child = tool()
        .args(["tail", "-f", "--exit-after", "1", "-o", "raw"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    err.read_line(&mut said).unwrap();
    assert_eq!(said, format!("eventlog: waiting for {}\n", path.display()));
    fs::write(&path, tick(1)).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), tick(1));
    let directory = run("tail", &["-f"], log.dir.path());
    assert_eq!(directory.code, Some(5));
    assert!(directory.err.contains("is a directory"), "{directory:?}");
}

#[test]
fn a_full_file_with_an_unfinished_end_is_damaged() {
    let log = Log::ticks(2..=3);
    fs::write(log.file("x.log.old"), tick(1) + "{\"torn").unwrap();
    let ran = run("tail", &["--until-damage", "-n", "all"], &log.path());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.out.contains("x.log.old line 2 at byte 28"), "{ran:?}");
    assert!(!ran.out.contains("2  tick"), "it ends there: {ran:?}");
}

#[test]
#[cfg(unix)]
fn what_cannot_be_read_is_damage_that_ends_it() {
    use std::os::unix::fs::symlink;
    let log = Log::ticks(1..=2);
    symlink(log.file("x.log.old"), log.file("x.log.old")).unwrap();
    let ran = run("tail", &["--until-damage"], &log.path());
    assert_eq!(ran.code, Some(3), "{ran:?}");
}
