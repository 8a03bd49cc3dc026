//! How a command ends: what it says last, and its exit code.

use std::io;
use std::process::ExitCode;

use crate::text::clean;

/// What a command found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Clean,
    /// Nothing matched, as grep says it.
    Nothing,
    /// Damage, or an unfinished last line.
    Damaged,
    /// Gaps, where they count.
    Gaps,
    /// Something of the log could not be read.
    Unreadable,
}

impl Outcome {
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Clean => 0,
            Self::Nothing => 1,
            Self::Damaged => 3,
            Self::Gaps => 4,
            Self::Unreadable => 5,
        })
    }
}

/// Why a command could not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Whoever read the output has enough.
    PipeClosed,
    Output(io::Error),
    Usage(String),
    /// There is no log, or it cannot be read, or another holds it.
    NoLog(String),
}

impl From<io::Error> for Stop {
    /// An error of the output.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::PipeClosed,
            _ => Self::Output(error),
        }
    }
}

impl Stop {
    pub(crate) fn tell(&self) -> ExitCode {
        let (text, code) = match self {
            // As a shell says it of a program that SIGPIPE ended.
            Self::PipeClosed => return ExitCode::from(141),
            Self::Output(error) => (format!("the output cannot be written: {error}"), 5),
            Self::Usage(text) => (text.clone(), 2),
            Self::NoLog(text) => (text.clone(), 5),
        };
        warn(&text);
        ExitCode::from(code)
    }
}

/// Says something beside the output. Where nobody can hear it, nobody does.
pub(crate) fn warn(text: &str) {
    use io::Write;
    let _ = writeln!(io::stderr(), "eventlog: {}", clean(text));
}
