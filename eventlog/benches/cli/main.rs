//! What the tool costs on a log of 1 GiB: `cargo bench -p versioned-eventlog --features cli --bench cli`.
//!
//! The log is written by the disk writer into the target directory, so that it has marks, and
//! removed at the end. Each command is run as a user would, with its output into a pipe that is read
//! and dropped; time and memory are what `/usr/bin/time` tells of it. `rg` is run where there is one.
//! With `--quick` the log is small, and with `--json` the rows are those for `benches/figures`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark's figures are approximate, and it may stop at any surprise"
)]

#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use eventlog::disk::{DiskConfig, DiskWriter, SyncPolicy};
use eventlog::{EventLog, Versioned};
use serde::Serialize;
use support::{measure::sized, table};

/// About 71 bytes per line. One in three is a `tick`, one in a thousand a `failed`.
#[derive(Versioned, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    Tick {
        pid: u64,
        state: &'static str,
        version: u64,
    },
    Moved {
        pid: u64,
        place: &'static str,
        version: u64,
    },
    Failed {
        pid: u64,
        error: &'static str,
        version: u64,
    },
}

fn event(version: u64) -> Event {
    let pid = version % 30_000;
    match version {
        _ if version.is_multiple_of(1_000) => Event::Failed {
            pid,
            error: "out of cheese",
            version,
        },
        _ if version.is_multiple_of(3) => Event::Tick {
            pid,
            state: "running",
            version,
        },
        _ => Event::Moved {
            pid,
            place: "upper shelf",
            version,
        },
    }
}

fn bytes() -> u64 {
    sized(1 << 30, 1 << 20)
}

const TABLE: &str = "A log of 1 GiB";

fn main() {
    // `cargo test` runs benches once, and has no time for this one.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli-bench");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a directory for the log");
    let path = dir.join("big.log");
    let late = write(&path);
    table::print_head(TABLE, &["CPU time", "MB/CPU s", "memory"]);
    let file = path.to_str().expect("a path of letters");
    let tool =
        |name: &str, args: &[&str]| measure(name, env!("CARGO_BIN_EXE_eventlog"), args, file);
    tool("show -n 20", &["show", "-n", "20"]);
    tool(
        "show --since TIME (the last second)",
        &["show", "--since", &late],
    );
    tool(
        "show --since TIME -n 20",
        &["show", "--since", &late, "-n", "20"],
    );
    let rare = tool(
        "show --type failed (1 in 1,000)",
        &["show", "--type", "failed"],
    );
    let often = tool("show --type tick (1 in 3)", &["show", "--type", "tick"]);
    let raw = tool(
        "show --type tick -o raw",
        &["show", "--type", "tick", "-o", "raw"],
    );
    tool("show -g 'cheese.*999'", &["show", "-g", "cheese.*999"]);
    tool("verify", &["verify"]);
    tool("verify --fast", &["verify", "--fast"]);
    tool("stats", &["stats"]);
    for (ours, word, what) in [
        (rare, "failed", "1 in 1,000"),
        (often, "tick", "1 in 3"),
        (raw, "tick", "1 in 3, raw"),
    ] {
        let literal = format!("\"type\":\"{word}\"");
        let theirs = measure(
            &format!("rg -c -F ({what})"),
            "rg",
            &["-c", "-F", &literal],
            file,
        );
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            let ratio = format!("{:.2} ×", ours / theirs);
            let what = format!("show --type beside rg, {what}");
            table::print_cells(TABLE, &what, &[("CPU time", ratio)]);
        }
    }
    let _ = fs::remove_dir_all(&dir);
}

fn len(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Writes the log, slowly enough for some marks, and says a time shortly before its end.
fn write(path: &Path) -> String {
    let log = EventLog::new(None);
    let config = DiskConfig::new(path)
        .max_bytes(2 * bytes())
        .sync(SyncPolicy::Never);
    let writer = DiskWriter::spawn(&log, config).expect("a writer");
    let mut version = 0;
    let mut append = || {
        let events: Vec<_> = (0..10_000).map(|n| event(version + n)).collect();
        version += 10_000;
        log.append_batch(events);
        writer
            .blocking_flush(Duration::from_secs(60))
            .expect("it is stored");
    };
    while len(path) < bytes() {
        append();
    }
    std::thread::sleep(Duration::from_secs(2));
    let late = jiff::Timestamp::now().to_string();
    append();
    writer
        .blocking_shutdown(Duration::from_secs(60))
        .expect("an end in order");
    late
}

/// Runs it three times, prints the best, and gives its CPU time in seconds.
fn measure(name: &str, program: &str, args: &[&str], file: &str) -> Option<f64> {
    let runs = (0..sized(3, 1)).map(|_| run(program, args, file));
    let best = runs
        .collect::<Option<Vec<_>>>()
        .and_then(|runs| runs.into_iter().min_by(|a, b| a.cpu.total_cmp(&b.cpu)));
    let Some(Cost { cpu, memory }) = best else {
        // Not among the rows, which may be for a program.
        eprintln!("{name:44} NOT RUN: no {program}, or no /usr/bin/time");
        return None;
    };
    let rate = len(Path::new(file)) as f64 / 1e6 / cpu;
    // The clock of `time` has hundredths.
    let (time, rate) = if cpu < 0.01 {
        ("< 0.01 s".to_owned(), "–".to_owned())
    } else {
        (format!("{cpu:.2} s"), format!("{rate:.0}"))
    };
    let cells = [
        ("CPU time", time),
        ("MB/CPU s", rate),
        ("memory", format!("{memory:.0} MiB")),
    ];
    table::print_cells(TABLE, name, &cells);
    Some(cpu)
}

/// CPU time in seconds, and memory in MiB.
struct Cost {
    cpu: f64,
    memory: f64,
}

fn run(program: &str, args: &[&str], file: &str) -> Option<Cost> {
    let mut child = Command::new("/usr/bin/time")
        .args(["-f", "%U %S %M", program])
        .args(args)
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    std::io::copy(child.stdout.as_mut()?, &mut std::io::sink()).ok()?;
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8(output.stderr).ok()?;
    let numbers = text
        .lines()
        .last()?
        .split(' ')
        .map(|number| number.parse::<f64>().ok());
    let [user, system, memory] = numbers.collect::<Option<Vec<_>>>()?[..] else {
        return None;
    };
    Some(Cost {
        cpu: user + system,
        memory: memory / 1024.0,
    })
}
