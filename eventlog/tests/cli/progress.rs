//! What is said while something takes long.

use std::fs;
use std::process::{Command, Stdio};

use crate::Log;

/// Eight MiB of events come through a pipe, and halfway three seconds pass.
#[test]
#[cfg(target_os = "linux")]
fn who_waits_at_a_terminal_sees_how_far_it_is_and_nobody_else() {
    let event = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1_015));
    let log = Log::of(event.repeat(4_096));
    let quiet = log.file("quiet");
    let (tool, half) = (env!("CARGO_BIN_EXE_eventlog"), log.path());
    let (quiet, half) = (quiet.to_str().unwrap(), half.to_str().unwrap());
    let command = |args: &str| {
        let halves = format!("(cat '{half}'; sleep 3; cat '{half}')");
        let command = format!("{halves} | '{tool}' {args} >/dev/null");
        let script = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        script.ok()
    };
    let silent = format!("stats - 2>'{quiet}'");
    let scripts = ["verify -", "stats -", &silent].map(command);
    let [verify, stats, silent] = scripts.map(|script| {
        let output = script?.wait_with_output().unwrap();
        Some(String::from_utf8(output.stdout).unwrap())
    });
    let (Some(verify), Some(stats), Some(silent)) = (verify, stats, silent) else {
        eprintln!("NOT RUN: there is no `script` that makes a terminal");
        return;
    };
    for shown in [verify, stats] {
        // The line is empty again at the end.
        let last = shown.strip_suffix("\r\x1b[K").unwrap();
        let read = last.rsplit("\r\x1b[K").next().unwrap();
        let read = read.strip_suffix(" MiB").unwrap().parse::<u64>().unwrap();
        assert!((4..=8).contains(&read), "{shown:?}");
    }
    assert_eq!((&*silent, &*fs::read_to_string(quiet).unwrap()), ("", ""));
}
