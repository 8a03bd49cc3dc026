//! The parent's side.

use std::{
    env,
    ffi::OsStr,
    fmt,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use super::{
    child::{CASE, DIR, MARK, SUBJECT},
    tools,
};
use crate::{
    subject::{adapter::Subject, case::Case},
    trial::{Parted, Trial},
    watch::note_order,
};

/// A process that has the subject. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Receiver<String>,
    /// The process that has the subject, which is not the child where that is a tool.
    id: u32,
    patience: Duration,
    stalls: bool,
}

/// How a process is started.
pub(crate) struct Start<'a> {
    /// Put in front of its own command: a tool that limits or traces it.
    pub(crate) under: &'a [String],
    /// Whether its case is on a simulated disk.
    pub(crate) simulated: bool,
    /// Whether calls of it stall.
    pub(crate) stalls: bool,
    /// Its directory, where that is not its case's own.
    pub(crate) dir: Option<&'a Path>,
}

impl Start<'_> {
    pub(crate) const PLAIN: Start<'static> = Start {
        under: &[],
        simulated: false,
        stalls: false,
        dir: None,
    };

    /// Starts the program again, in this case's directory. Says why where that cannot be.
    pub(crate) fn process<S: Subject>(
        &self,
        trial: &Trial<'_, S>,
        case: &Case,
    ) -> Result<Process, String> {
        if env::var_os(DIR).is_some() {
            // Processes that start each other would never end.
            return Err("this is such a process itself, and its test serves no subject".into());
        }
        let Some(again) = trial.budget.again else {
            return Err("`Budget::again` names no test that comes to this judgement again".into());
        };
        let text = |error: std::io::Error| error.to_string();
        let program = env::current_exe().map_err(text)?;
        let words = self.under.iter().map(OsStr::new);
        let words: Vec<_> = words.chain([program.as_os_str()]).collect();
        let mut command = Command::new(words[0]);
        let settings = format!(
            "{} {} {} {}",
            case.capacity,
            case.max_file_bytes,
            case.max_waiting_bytes,
            u8::from(self.simulated)
        );
        let dir = self.dir.map_or_else(|| case.dir(), Ok).map_err(text)?;
        command
            .args(&words[1..])
            .args(["--exact", again, "--nocapture", "--include-ignored"])
            .env(DIR, dir)
            .env(CASE, settings)
            .env(SUBJECT, trial.budget.subject)
            // What a panic says would take longer than what is judged.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let child = command.spawn().map_err(text)?;
        Process::of(child, self.stalls, trial.budget.patience * 8)
    }
}

/// What the subject did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Ok,
    Error(String),
    Panic(String),
    Missing(Vec<u64>),
    Number(u64),
    /// No answer while patience lasted.
    Silence,
    /// The process has ended.
    Ended,
}

/// As a report says it.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("no error"),
            Self::Error(text) => write!(f, "an error: {text}"),
            Self::Panic(text) => f.write_str(text),
            Self::Missing(numbers) => write!(f, "{numbers:?} are not durable"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Silence => f.write_str("no answer as long as one was waited for"),
            Self::Ended => f.write_str("none: the process has ended"),
        }
    }
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "ok" => Self::Ok,
            "panic" => Self::Panic(rest.into()),
            "missing" => {
                let numbers = rest.split(' ').filter_map(|word| word.parse().ok());
                Self::Missing(numbers.collect())
            }
            "number" => Self::Number(rest.parse().unwrap_or(0)),
            _ => Self::Error(rest.into()),
        }
    }
}

impl Process {
    fn of(mut child: Child, stalls: bool, patience: Duration) -> Result<Self, String> {
        let (send, answers) = mpsc::channel();
        let orders = child.stdin.take();
        let output = child.stdout.take();
        let id = child.id();
        thread::spawn(move || {
            let lines = output
                .map(BufReader::new)
                .into_iter()
                .flat_map(BufReader::lines);
            for line in lines.map_while(Result::ok) {
                if let Some(answer) = line.strip_prefix(MARK)
                    && send.send(answer.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        let mut process = Self {
            child,
            orders,
            answers,
            id,
            patience,
            stalls,
        };
        let ready = process
            .answers
            .recv_timeout(patience.max(Duration::from_secs(60)));
        let id = ready
            .ok()
            .and_then(|text| text.strip_prefix("ready ")?.parse().ok());
        process.id = id.ok_or("the process that was started does not come to the judgement")?;
        Ok(process)
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Gives an order and waits for the answer, for at most this long.
    pub(crate) fn ask_for(&mut self, order: &str, patience: Duration) -> Answer {
        note_order(order);
        let line = format!("{order}\n");
        if let Some(orders) = &mut self.orders {
            // If it is gone, the missing answer says so.
            let _ = orders.write_all(line.as_bytes());
        }
        self.hear(patience)
    }

    /// Waits for the answer to an order that was given.
    pub(crate) fn hear(&mut self, patience: Duration) -> Answer {
        match self.answers.recv_timeout(patience) {
            Ok(text) => Answer::parse(&text),
            Err(RecvTimeoutError::Timeout) => Answer::Silence,
            Err(RecvTimeoutError::Disconnected) => Answer::Ended,
        }
    }

    /// Gives an order and waits for the answer.
    pub(crate) fn ask(&mut self, order: &str) -> Answer {
        self.ask_for(order, self.patience)
    }

    /// Gives an order that has to work.
    pub(crate) fn works(&mut self, order: &str, step: &str) -> Result<(), Parted> {
        match self.ask(order) {
            Answer::Ok => Ok(()),
            other => {
                let step = format!("{order} {step}, in a process of its own");
                Err(Parted::said(step, "no error", other.to_string()))
            }
        }
    }

    /// Has the process end by itself, as the order says, and waits for that.
    pub(crate) fn ends(mut self, order: &str) -> Result<(), Answer> {
        match self.ask(order) {
            Answer::Ended => Ok(()),
            other => Err(other),
        }
    }

    /// Kills the process.
    pub(crate) fn kill(self) {
        drop(self);
    }

    fn end(&mut self) {
        self.orders = None;
        if self.id == self.child.id() || tools::kill(self.id).is_err() {
            // It may have ended by itself.
            let _ = self.child.kill();
        }
        // A tool ends after what it traces, with the whole trace written; but one that lets a call
        // stall waits for that first.
        let began = Instant::now();
        while !self.stalls && began.elapsed() < self.patience {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                _ => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The words that have a tool trace a process, to this file.
pub(crate) fn traced(to: &Path, inject: &[&str]) -> Vec<String> {
    let calls = super::trace::CALLS.map(|call| format!("?{call}")).join(",");
    let mut words: Vec<_> = ["strace", "-f", "-qq", "-y", "-xx", "-s", "16777216", "-e"]
        .map(String::from)
        .to_vec();
    words.push(format!("trace={calls}"));
    for inject in inject {
        words.extend(["-e".into(), format!("inject={inject}")]);
    }
    words.extend(["-o".into(), to.to_string_lossy().into_owned()]);
    words
}

/// The words that have each sync of a process stall for an hour, after the first few of each thread,
/// and that is written to this file.
pub(crate) fn stalled(to: &Path, after: usize) -> Vec<String> {
    let inject = format!(
        "inject=fsync,fdatasync:delay_enter=3600000000:when={}+",
        after + 1
    );
    let words = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-e"];
    let words = words.map(String::from).into_iter();
    let rest = [inject, "-o".into(), to.to_string_lossy().into_owned()];
    words.chain(rest).collect()
}

/// The words that limit the size of a process's files, where exceeding it is an error and no
/// signal that kills.
pub(crate) fn limited(bytes: u64) -> Vec<String> {
    let script = "trap '' XFSZ; limit=$1; shift; exec prlimit --fsize=$limit: -- \"$@\"";
    ["sh", "-c", script, "sh"]
        .map(String::from)
        .into_iter()
        .chain([bytes.to_string()])
        .collect()
}
