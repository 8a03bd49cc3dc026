//! The tool `eventlog`, as its users have it: the built program, in pipes and on a terminal.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/chromium.rs"]
#[allow(
    dead_code,
    reason = "each of the tests asks a browser for other things"
)]
mod chromium;
mod feed;
mod filters;
mod follow;
mod hostile;
mod http;
mod marks;
mod outputs;
mod progress;
mod repair;
mod runs;
mod serve;
mod show;
mod stats;
mod streams;
mod tail;
mod times;
mod verify;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A log of a few lines, in a directory of its own.
struct Log {
    dir: tempfile::TempDir,
}

impl Log {
    fn of(lines: impl AsRef<[u8]>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = Self { dir };
        fs::write(log.path(), lines).unwrap();
        log
    }

    /// `{"type":"tick","version":N}` for each of these.
    fn ticks(versions: std::ops::RangeInclusive<u64>) -> Self {
        Self::of(versions.map(tick).collect::<String>())
    }

    fn path(&self) -> PathBuf {
        self.file("x.log")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn append(&self, text: &str) {
        use std::io::Write;
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(self.path())
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Every file, and what is in it.
    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = fs::read_dir(self.dir.path()).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let mut files: Vec<_> = files
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

fn tick(version: u64) -> String {
    format!("{{\"type\":\"tick\",\"version\":{version}}}\n")
}

fn tool() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eventlog"));
    command
        .env_remove("NO_COLOR")
        .env("TZ", "UTC")
        .stdin(Stdio::null());
    command
}

/// Runs `eventlog COMMAND FLAGS… PATH`.
fn run(command: &str, flags: &[&str], path: &Path) -> Ran {
    let output = tool().arg(command).args(flags).arg(path).output().unwrap();
    Ran::from(output)
}

/// Runs `eventlog show FLAGS… -` on this text.
fn show_piped(flags: &[&str], text: Vec<u8>) -> Ran {
    use std::io::Write;
    let mut child = tool()
        .arg("show")
        .args(flags)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writing = thread::spawn(move || stdin.write_all(&text).unwrap());
    let ran = Ran::from(child.wait_with_output().unwrap());
    writing.join().unwrap();
    ran
}

/// An address where nobody listens, which nobody else can have as long as this is kept.
fn nobody() -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}

/// Shows a server that begins so and then never ends, with 400 MiB of memory at most.
#[cfg(target_os = "linux")]
fn show_endless(scheme: &str, begin: Vec<u8>) -> Ran {
    use std::io::Write;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let _ = stream.write_all(&begin);
        let piece = vec![b'x'; 1 << 20];
        while stream.write_all(&piece).is_ok() {}
        hang_up_on_all(&listener);
    });
    let limited = "ulimit -v 409600; exec \"$0\" show \"$1\"";
    let output = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_eventlog")])
        .arg(format!("{scheme}{address}"))
        .output()
        .unwrap();
    Ran::from(output)
}

/// For ever: where nobody listens, a client that comes back could meet another test's server.
fn hang_up_on_all(listener: &std::net::TcpListener) {
    listener.incoming().for_each(drop);
}

fn show(flags: &[&str], log: &Log) -> Ran {
    run("show", flags, &log.path())
}

/// The versions that are shown of a log.
fn versions(flags: &[&str], log: &Log) -> Vec<u64> {
    let flags = [flags, &["--template", "{version}"]].concat();
    show(&flags, log)
        .out
        .lines()
        .map(|version| version.parse().unwrap())
        .collect()
}

/// What came of a run.
#[derive(Debug)]
struct Ran {
    out: String,
    err: String,
    code: Option<i32>,
    bytes: Vec<u8>,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
            bytes: output.stdout,
        }
    }
}

/// What the tool shows on a terminal of so many columns; `None` where there is no `script` to make
/// one.
fn on_a_terminal(columns: u32, args: &[&OsStr]) -> Option<String> {
    let quoted = |arg: &OsStr| format!(" '{}'", arg.to_str().unwrap());
    let args: String = args.iter().map(|arg| quoted(arg)).collect();
    let program = env!("CARGO_BIN_EXE_eventlog");
    let command = format!("stty rows 50 cols {columns}; '{program}'{args}");
    let script = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env("TZ", "UTC")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .output();
    let Ok(output) = script else {
        eprintln!("NOT RUN: there is no `script` that makes a terminal");
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n"))
}

/// Waits until something is so. How long it takes says nothing; that it never comes does.
fn until<T>(what: &str, mut is: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = is() {
            return found;
        }
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
