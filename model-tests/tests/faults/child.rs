//! A process that writes a log and tells its parent what it was told.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use eventlog::{
    EventLog,
    disk::{DiskConfig, DiskWriter, SyncPolicy},
};

use crate::writing::{PATIENCE, Step, config, step};

const PATH: &str = "EVENTLOG_FAULTS_PATH";
const MAX_BYTES: &str = "EVENTLOG_FAULTS_MAX_BYTES";
const UP_TO: &str = "EVENTLOG_FAULTS_UP_TO";
const NEVER: &str = "EVENTLOG_FAULTS_NEVER";

/// What a child says.
#[derive(Debug, PartialEq, Clone)]
pub enum Word {
    /// Everything up to this version is durable.
    Ack(u64),
    /// This version waits, because the disk fails.
    Stuck(u64),
    /// All is written; so many attempts have failed.
    Done { failures: u64 },
    /// The writer could not be started.
    Refused(String),
}

impl Word {
    fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "ack" => rest.parse().ok().map(Self::Ack),
            "stuck" => rest.parse().ok().map(Self::Stuck),
            "done" => rest.parse().ok().map(|failures| Self::Done { failures }),
            "refused" => Some(Self::Refused(rest.to_owned())),
            _ => None,
        }
    }
}

/// The child's side: this very test, started with a path in its environment, writes to it. Without
/// one it has nothing to do.
#[test]
fn child() {
    let Some(path) = std::env::var_os(PATH) else {
        return;
    };
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    let config = config(Path::new(&path)).keep(1000);
    let config = match number(MAX_BYTES) {
        Some(bytes) => config.max_bytes(bytes),
        None => config,
    };
    let config = match std::env::var_os(NEVER) {
        Some(_) => config.sync(SyncPolicy::Never),
        None => config,
    };
    println!(); // ends the line that the test harness has begun
    if let Err(error) = write(&config, number(UP_TO).unwrap_or(u64::MAX)) {
        println!("refused {error}");
    }
}

fn write(config: &DiskConfig, up_to: u64) -> Result<(), Box<dyn std::error::Error>> {
    let (log, _) = EventLog::<Step>::recover(config)?;
    let log = Arc::new(log);
    let writer = DiskWriter::spawn(&log, config.clone())?;
    while log.newest_version().unwrap_or(0) < up_to {
        log.append_with(|newest| step(newest.unwrap_or(0) + 1));
        let version = log.newest_version().unwrap_or(0);
        while writer.blocking_flush(Duration::from_millis(100)).is_err() {
            // A disk may also be slow.
            if writer.stats().failing.is_some() {
                println!("stuck {version}");
            }
        }
        println!("ack {version}");
    }
    let failures = writer.stats().failures;
    writer.blocking_shutdown(PATIENCE)?;
    println!("done {failures}");
    Ok(())
}

/// The parent's side.
pub struct Writing {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Whether it has said its last word.
    finished: bool,
    pub acknowledged: u64,
}

/// How a child is started.
pub struct Start<'a> {
    /// Put in front of the child's own command: a tool that limits or traces it.
    pub under: &'a [&'a str],
    pub max_bytes: Option<u64>,
    pub up_to: Option<u64>,
    /// Whether syncing is left to the operating system.
    pub never_sync: bool,
}

impl Start<'_> {
    pub const PLAIN: Self = Self {
        under: &[],
        max_bytes: None,
        up_to: None,
        never_sync: false,
    };

    pub fn spawn(&self, path: &Path) -> Writing {
        let program = std::env::current_exe().unwrap();
        let words = self
            .under
            .iter()
            .map(OsStr::new)
            .chain([program.as_os_str()]);
        let words: Vec<_> = words.collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["--exact", "child::child", "--nocapture"]);
        command
            .env(PATH, path)
            .stdout(Stdio::piped())
            .stdin(Stdio::null());
        let numbers = [(MAX_BYTES, self.max_bytes), (UP_TO, self.up_to)];
        for (name, number) in numbers {
            command.envs(number.map(|number| (name, number.to_string())));
        }
        command.envs(self.never_sync.then_some((NEVER, "")));
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Writing {
            process,
            lines,
            finished: false,
            acknowledged: 0,
        }
    }
}

impl Writing {
    pub fn id(&self) -> String {
        self.process.id().to_string()
    }

    /// The next word; `None` when the child has ended.
    pub fn next(&mut self) -> Option<Word> {
        // A child that was killed in the middle of a word leaves a part of it without a newline;
        // a version cut short is smaller than the whole, so it may be believed.
        let word = self
            .lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Word::parse(&line))?;
        match word {
            Word::Ack(version) => self.acknowledged = version,
            Word::Stuck(_) => {}
            Word::Done { .. } | Word::Refused(_) => self.finished = true,
        }
        Some(word)
    }

    /// Listens until a word fits.
    pub fn until(&mut self, fits: impl Fn(&Word) -> bool) -> Word {
        let mut last = None;
        while let Some(word) = self.next() {
            if fits(&word) {
                return word;
            }
            last = Some(word);
        }
        panic!("the child ended; its last word was {last:?}");
    }

    /// Listens until this many more events are acknowledged.
    pub fn acks(&mut self, count: u64) {
        let enough = self.acknowledged + count;
        self.until(|word| matches!(word, Word::Ack(version) if *version >= enough));
    }

    /// Kills the child with SIGKILL and hears what it had said before. Returns the last version
    /// that it was told is durable.
    pub fn kill(mut self) -> u64 {
        self.process.kill().unwrap();
        while self.next().is_some() {}
        self.acknowledged
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.finished {
            while self.next().is_some() {}
        } else {
            // A test has failed; that counts, whatever becomes of its child.
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}
