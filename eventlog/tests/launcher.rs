//! The launcher example as its user sees it: from outside, over its socket, through SIGKILL.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    ffi::OsStr,
    fs::File,
    io::{BufRead, BufReader, Lines, Read, Write},
    os::unix::{ffi::OsStrExt, net::UnixStream},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use eventlog::disk::{self, Record};
use serde_json::{Value, json};

/// Cargo builds examples together with the tests, beside them. Where it is told to build only some
/// targets (`--test launcher`), `cargo build --example launcher` comes first.
fn launcher(data_dir: &Path) -> Command {
    let mut target = std::env::current_exe().unwrap();
    target.pop();
    target.pop();
    let mut command = Command::new(target.join("examples/launcher"));
    command.arg("--data-dir").arg(data_dir);
    command
}

fn run(data_dir: &Path, more: &[&str]) -> Output {
    launcher(data_dir)
        .args(more)
        .output()
        .expect("the launcher example is built with the tests")
}

fn versions(data_dir: &Path) -> Vec<u64> {
    disk::read::<Value>(data_dir.join("events.log"))
        .map(|record| match record.expect("the log has no damage") {
            Record::Event(event) => event["version"].as_u64().unwrap(),
            other => panic!("a log without losses has events only: {other:?}"),
        })
        .collect()
}

/// A peer on the launcher's socket.
struct Peer {
    lines: Lines<BufReader<UnixStream>>,
    stream: UnixStream,
}

impl Peer {
    fn connect(data_dir: &Path) -> Self {
        let stream = UnixStream::connect(data_dir.join("launcher.sock")).unwrap();
        Self {
            lines: BufReader::new(stream.try_clone().unwrap()).lines(),
            stream,
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.stream, "{line}").unwrap();
    }

    fn hear(&mut self) -> Value {
        let line = self.lines.next().expect("the launcher answers").unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// A launcher whose acknowledgements are read line by line.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(data_dir: &Path, commands: &[&str]) -> Self {
        let mut child = launcher(data_dir)
            .args(["--acks", "--no-clients", "--"])
            .args(commands)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next version that is acknowledged.
    fn next_ack(&mut self) -> Option<u64> {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        let line = lines.find(|line| line.starts_with("durable "))?;
        Some(line.strip_prefix("durable ").unwrap().parse().unwrap())
    }

    /// Kills it, and returns the last version that was acknowledged before it died.
    fn kill(mut self, mut acknowledged: u64) -> u64 {
        self.child.kill().unwrap();
        while let Some(version) = self.next_ack() {
            acknowledged = version;
        }
        self.child.wait().unwrap();
        acknowledged
    }
}

impl Drop for Running {
    /// A test that fails leaves no launcher behind.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn a_run_ends_with_a_sound_summary() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(directory.path(), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("12 processes, 28 events, version 28"),
        "{text}"
    );
    assert_eq!(
        text.matches("gaps 0, duplicates 0, state equal").count(),
        2,
        "{text}"
    );
    assert!(
        text.contains("replays 2"),
        "one subscriber came back: {text}"
    );
    assert!(text.contains("durable    all 28 events"), "{text}");
    assert_eq!(versions(directory.path()), (1..=28).collect::<Vec<_>>());
}

#[test]
fn after_sigkill_acknowledged_events_are_there_and_subscribers_resume_without_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let mut seen = 0;
    for round in 0..5 {
        let mut running = Running::start(directory.path(), &["true"; 200]);
        let first = running.next_ack().unwrap();
        let mut peer = Peer::connect(directory.path());
        peer.say(&json!({"method": "get_events", "since": seen}).to_string());
        let replay = &peer.hear()["replay"];
        assert_eq!(replay["truncated"], false, "round {round}: {replay}");
        for event in replay["events"].as_array().unwrap() {
            seen += 1;
            assert_eq!(event["version"], seen, "round {round}");
        }
        while seen < first + 40 {
            seen += 1;
            assert_eq!(peer.hear()["event"]["version"], seen, "round {round}");
        }
        let acknowledged = running.kill(first);
        let logged = versions(directory.path());
        let count = logged.len() as u64;
        assert_eq!(logged, (1..=count).collect::<Vec<_>>(), "round {round}");
        assert!(
            count >= acknowledged,
            "round {round}: {acknowledged} of {count} was durable"
        );
        assert!(
            count >= seen,
            "round {round}: a subscriber had seen {seen} of {count}"
        );
    }
    let output = run(directory.path(), &["--", "true"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// A subscriber that keeps its cursor, over several runs.
struct Follower {
    cursor: Value,
    version: u64,
}

impl Follower {
    /// Comes back to a launcher, and goes on where it stood: no gap, no duplicate, no snapshot.
    fn resume(&mut self, data_dir: &Path, story: &str) -> Peer {
        let mut peer = Peer::connect(data_dir);
        let request = match &self.cursor {
            Value::Null => json!({"method": "get_events", "since": 0}),
            cursor => json!({"method": "get_events", "cursor": cursor}),
        };
        peer.say(&request.to_string());
        let replay = peer.hear();
        let replay = &replay["replay"];
        assert_eq!(replay["truncated"], false, "{story}: {replay}");
        for event in replay["events"].as_array().unwrap() {
            self.apply(event, story);
        }
        self.cursor = replay["cursor"].clone();
        peer
    }

    fn hear(&mut self, peer: &mut Peer, story: &str) {
        let live = peer.hear();
        self.apply(&live["event"], story);
        self.cursor = live["event"]["cursor"].clone();
    }

    fn apply(&mut self, event: &Value, story: &str) {
        self.version += 1;
        assert_eq!(event["version"], self.version, "{story}: {event}");
    }
}

/// Every cursor of an earlier run was foreign, and every subscriber had to fetch a snapshot.
#[test]
fn two_subscribers_resume_by_their_cursors_after_every_stop_and_every_kill() {
    let directory = tempfile::tempdir().unwrap();
    let follower = || Follower {
        cursor: Value::Null,
        version: 0,
    };
    let (mut first, mut second) = (follower(), follower());
    for round in 0..6 {
        let story = format!("round {round}");
        let is_killed = round % 2 == 0;
        let commands = if is_killed { 200 } else { 5 };
        let mut running = Running::start(directory.path(), &vec!["sleep 0.2"; commands]);
        running.next_ack().unwrap();
        let mut peers = [
            first.resume(directory.path(), &story),
            second.resume(directory.path(), &story),
        ];
        let [one, other] = &mut peers;
        // One of them leaves earlier, and will have missed more.
        (0..4).for_each(|_| first.hear(one, &story));
        second.hear(other, &story);
        if is_killed {
            running.kill(0);
        } else {
            let pid = running.child.id().to_string();
            Command::new("kill").args(["-TERM", &pid]).status().unwrap();
            running.child.wait().unwrap();
        }
    }
}

#[test]
fn a_malformed_request_gets_an_error_and_keeps_its_connection() {
    let directory = tempfile::tempdir().unwrap();
    let mut running = Running::start(directory.path(), &["sleep 5"]);
    running.next_ack().unwrap();
    let mut peer = Peer::connect(directory.path());
    for garbage in [
        "",
        "rubbish",
        "{}",
        r#"{"method":"get_events","since":-1}"#,
        r#"{"method":"get_events","since":1,"cursor":"x"}"#,
        r#"{"method":"get_snapshot","more":1}"#,
        "\u{0}\u{1}",
        &"x".repeat(100_000),
    ] {
        peer.say(garbage);
        assert!(
            peer.hear()["error"].is_string(),
            "{}",
            &garbage[..garbage.len().min(60)]
        );
    }
    peer.say(r#"{"method":"get_snapshot"}"#);
    assert!(peer.hear()["snapshot"]["version"].as_u64().unwrap() >= 1);
    peer.say(&json!({"method": "get_events", "since": u64::MAX}).to_string());
    let replay = &peer.hear()["replay"];
    assert_eq!(replay["events"], json!([]));
    assert_eq!(
        replay["truncated"], true,
        "nobody has seen that much: {replay}"
    );
    running.kill(0);
}

#[test]
fn a_second_launcher_is_told_who_has_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let mut running = Running::start(directory.path(), &["sleep 5"]);
    running.next_ack().unwrap();
    let output = run(directory.path(), &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        error.contains("events.log belongs to another writer"),
        "{error}"
    );
    running.kill(0);
}

/// A launcher that was told to end died at once, and left what it had started running.
#[test]
fn sigterm_ends_the_processes_and_what_they_started_and_then_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    // The shell and its `sleep` both hold the pipe open for as long as they live.
    let command = format!("exec 3>'{}'; sleep 30; true", fifo.display());
    let running = launcher(directory.path())
        .args(["--", &command])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = File::open(&fifo).unwrap();
    let pid = running.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(sent.success());
    let output = running.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains(r#""signal":15"#), "{text}");
    assert!(text.contains(r#""to":"stopped""#), "{text}");
    held.read_to_end(&mut Vec::new()).unwrap();
    let count = versions(directory.path()).len() as u64;
    assert_eq!(versions(directory.path()), (1..=count).collect::<Vec<_>>());
}

/// The end of a run did not wait for its subscribers: one that was still reading saw the connection
/// break, with the last events to come.
#[test]
fn a_subscriber_that_is_still_reading_hears_the_end() {
    let directory = tempfile::tempdir().unwrap();
    // More than a socket takes in while nobody reads from it.
    let long = format!("sleep 0.1 # {}", "x".repeat(100_000));
    let mut running = Running::start(directory.path(), &[long.as_str(); 8]);
    running.next_ack().unwrap();
    let mut peer = Peer::connect(directory.path());
    peer.say(r#"{"method":"get_events","since":0}"#);
    while running.next_ack().unwrap() < 20 {}
    let last = peer.lines.by_ref().map_while(Result::ok).last();
    assert_eq!(last.as_deref(), Some("\"closed\""));
    assert!(running.child.wait().unwrap().success());
}

/// The launcher panicked in the middle of its work when `head` had read enough of its output.
#[test]
fn a_run_goes_on_when_nobody_reads_its_output() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut child = launcher(directory.path())
            .args(["--", "true"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(versions(directory.path()).len(), 12);
}

#[test]
fn a_word_that_is_no_text_is_refused_without_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    let word = OsStr::from_bytes(b"\xff");
    for before in [&["--"][..], &[]] {
        let mut command = launcher(directory.path());
        let output = command.args(before).arg(word).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
    }
}

/// The event of a command that could not be started stood in the summary with all of the command.
#[test]
fn a_command_that_cannot_start_is_an_event_and_the_summary_stays_narrow() {
    let directory = tempfile::tempdir().unwrap();
    let output = launcher(directory.path())
        .args(["--", &"x".repeat(1000)])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("spawn_failed"), "{text}");
    let events = text.lines().filter(|line| line.starts_with("  "));
    assert!(
        events.map(|line| line.chars().count()).max() <= Some(80),
        "{text}"
    );
}
