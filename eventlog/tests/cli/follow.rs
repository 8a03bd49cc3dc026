//! `tail -f`, and the file that keeps where it stands.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::{Log, Ran, run, tick, tool, until};

/// A tool that follows, and the lines that it prints.
pub(crate) struct Tail {
    pub(crate) child: Child,
    lines: Receiver<String>,
    errors: BufReader<ChildStderr>,
}

impl Tail {
    fn of(flags: &[&str], log: &Log) -> Self {
        Self::at(&[&["--template", "{version}"], flags].concat(), &log.path())
    }

    pub(crate) fn at(flags: &[&str], path: &Path) -> Self {
        let mut child = tool()
            .args(["tail", "-f"])
            .args(flags)
            .arg(path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            errors,
        }
    }

    /// The next line that it prints.
    pub(crate) fn next(&self) -> String {
        self.lines
            .recv_timeout(Duration::from_secs(60))
            .expect("a line")
    }

    /// The next line in which it says what is wrong.
    pub(crate) fn complaint(&mut self) -> String {
        let mut line = String::new();
        self.errors.read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn expect(&self, versions: impl IntoIterator<Item = u64>) {
        for version in versions {
            assert_eq!(self.next(), version.to_string());
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// It printed ten lines and stalled (systemd/systemd#4739).
#[test]
fn after_the_last_ten_comes_what_is_written_then() {
    let log = Log::ticks(1..=30);
    let tail = Tail::of(&[], &log);
    tail.expect(21..=30);
    log.append(&tick(31));
    tail.expect([31]);
    log.append("{\"type\":\"tick\",");
    log.append("\"version\":32}\n");
    tail.expect([32]);
}

#[test]
fn it_goes_through_rotations_and_repairs() {
    let log = Log::ticks(1..=2);
    let tail = Tail::of(&["-n", "all"], &log);
    tail.expect([1, 2]);
    fs::rename(log.path(), log.file("x.log.old")).unwrap();
    fs::write(log.path(), tick(3)).unwrap();
    tail.expect([3]);
    log.append("{\"torn");
    // A writer that opens it cuts the end and goes on.
    let whole = tick(3).len() as u64;
    fs::OpenOptions::new()
        .write(true)
        .open(log.path())
        .unwrap()
        .set_len(whole)
        .unwrap();
    log.append(&tick(4));
    tail.expect([4]);
}

/// A log that nobody has written yet was an error (systemd/systemd#20523).
#[test]
fn a_log_that_is_not_there_yet_is_waited_for() {
    let log = Log::of("");
    fs::remove_file(log.path()).unwrap();
    let tail = Tail::of(&[], &log);
    fs::write(log.path(), tick(1)).unwrap();
    tail.expect([1]);
}

/// Nothing was shown where a field for the time is missing (pamburus/hl#934).
#[test]
fn what_has_no_time_is_followed() {
    let log = Log::ticks(1..=1);
    let tail = Tail::of(&["--since", "1 hour ago"], &log);
    tail.expect([1]);
    log.append(&tick(2));
    tail.expect([2]);
}

/// With `--follow` the cursor file was never written (systemd/systemd#26746).
#[test]
fn the_position_is_written_while_it_follows() {
    let log = Log::ticks(1..=3);
    let file = log.file("seen");
    let flags = ["--position-file", file.to_str().unwrap()];
    let tail = Tail::of(&flags, &log);
    tail.expect(1..=3);
    let at = |offset: usize| {
        let text = fs::read_to_string(&file).unwrap_or_default();
        text.starts_with(&format!("p1:{offset}.")).then_some(())
    };
    let len = tick(1).len();
    until("the position after the third line", || at(3 * len));
    log.append(&tick(4));
    tail.expect([4]);
    until("the position after the fourth line", || at(4 * len));
    // Killed, it is gone on with.
    drop(tail);
    log.append(&(tick(5) + &tick(6)));
    let tail = Tail::of(&flags, &log);
    tail.expect([5, 6]);
}

/// Where it is killed between two lines, none is lost: the position is written after the line.
#[test]
fn each_line_is_followed_by_its_position() {
    let log = Log::ticks(1..=200);
    let file = log.file("seen");
    let flags = ["--position-file", file.to_str().unwrap(), "-n", "all"];
    let mut next = 1;
    for round in 2..=6 {
        let mut tail = Tail::of(&flags, &log);
        tail.expect([next]);
        let _ = tail.child.kill();
        let _ = tail.child.wait();
        let printed = next + tail.lines.iter().count() as u64;
        let text = fs::read_to_string(&file).unwrap_or_default();
        let offset = text
            .split(['.', ':'])
            .nth(1)
            .map_or(0, |offset| offset.parse().unwrap());
        let written: String = (1..=200 * round).map(tick).collect();
        assert!(
            offset == 0 || written[..offset].ends_with('\n'),
            "after a whole line"
        );
        let position = written[..offset].matches('\n').count() as u64;
        assert!(position <= printed, "{position} of {printed}");
        next = position + 1;
        log.append(
            &(200 * (round - 1) + 1..=200 * round)
                .map(tick)
                .collect::<String>(),
        );
    }
}

/// A cursor file that is not there was an error, though it is to be made (systemd/systemd#20523).
#[test]
fn what_is_new_since_the_last_time() {
    let log = Log::ticks(1..=30);
    let file = log.file("seen");
    let flags = [
        "--position-file",
        file.to_str().unwrap(),
        "--template",
        "{version}",
    ];
    let new = || run("tail", &flags, &log.path());
    assert_eq!(new().out.lines().count(), 10);
    let nothing = new();
    assert_eq!((nothing.out.as_str(), nothing.code), ("", Some(1)));
    log.append(&(31..=60).map(tick).collect::<String>());
    let ran = new();
    assert_eq!(ran.out.lines().count(), 30, "all that is new, and not ten");
    // The log was rotated meanwhile.
    log.append(&tick(61));
    fs::rename(log.path(), log.file("x.log.old")).unwrap();
    fs::write(log.path(), tick(62)).unwrap();
    assert_eq!(new().out, "61\n62\n");
}

/// With a filter, the event at the cursor was passed over (systemd/systemd, pull request 30336).
#[test]
fn a_filter_passes_over_nothing_at_the_position() {
    let line = |n: u64| {
        let kind = if n.is_multiple_of(2) { "even" } else { "odd" };
        format!("{{\"type\":\"{kind}\",\"version\":{n}}}\n")
    };
    let log = Log::of((1..=4).map(line).collect::<String>());
    let file = log.file("seen");
    let new = |kind: &str| {
        let file = file.to_str().unwrap();
        let flags = [
            "--position-file",
            file,
            "-t",
            kind,
            "--template",
            "{version}",
        ];
        run("tail", &flags, &log.path()).out
    };
    assert_eq!(new("even"), "2\n4\n");
    log.append(&(5..=6).map(line).collect::<String>());
    assert_eq!(
        new("odd"),
        "5\n",
        "what does not match is passed by, and counts as seen"
    );
    log.append(&(7..=8).map(line).collect::<String>());
    assert_eq!(new("odd"), "7\n");
}

#[test]
fn a_position_that_is_none_is_told() {
    let log = Log::ticks(1..=3);
    let file = log.file("seen");
    fs::write(&file, "4711\n").unwrap();
    let ran = run(
        "tail",
        &["--position-file", file.to_str().unwrap()],
        &log.path(),
    );
    assert_eq!((ran.code, ran.out.as_str()), (Some(5), ""));
    assert!(ran.err.contains("not a position"), "{}", ran.err);
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "4711\n",
        "it is left alone"
    );
    let other = Log::ticks(7..=9);
    fs::remove_file(&file).unwrap();
    let flags = ["--position-file", file.to_str().unwrap()];
    run("tail", &flags, &other.path());
    let ran = run("tail", &flags, &log.path());
    assert_eq!(ran.code, Some(5), "it is another log's");
    let directory = ["--position-file", log.dir.path().to_str().unwrap()];
    let ran = run("tail", &directory, &log.path());
    assert_eq!((ran.code, ran.out.as_str()), (Some(5), ""));
    assert!(ran.err.contains("cannot be read"), "{}", ran.err);
}

#[test]
fn it_ends_when_it_has_what_was_asked_for() {
    let log = Log::ticks(1..=3);
    let ran = run(
        "tail",
        &["-f", "-n", "all", "--exit-after", "2", "-o", "raw"],
        &log.path(),
    );
    assert_eq!(
        (ran.out.as_str(), ran.code),
        (&*(tick(1) + &tick(2)), Some(0))
    );
    log.append("oops\n");
    log.append(&tick(4));
    let ran = run("tail", &["-f", "--until-damage", "-o", "raw"], &log.path());
    assert_eq!((ran.out.lines().count(), ran.code), (3, Some(3)));
}

#[test]
fn without_f_it_ends() {
    let log = Log::ticks(1..=30);
    let ran = run("tail", &["--template", "{version}", "-n", "2"], &log.path());
    assert_eq!((ran.out.as_str(), ran.code), ("29\n30\n", Some(0)));
    let missing = run("tail", &[], &log.file("y.log"));
    assert_eq!(missing.code, Some(5));
    let pipe = tool().args(["tail", "-"]).output().unwrap();
    assert_eq!(Ran::from(pipe).code, Some(2));
}
