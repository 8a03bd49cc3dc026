//! What could not be read as an event, and where.

use std::path::{Path, PathBuf};

use eventlog::disk::{Damage, DamageKind};

use crate::at::At;

#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) file: PathBuf,
    pub(crate) line: Option<u64>,
    pub(crate) offset: u64,
    pub(crate) len: u64,
    pub(crate) what: What,
    /// For people.
    pub(crate) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// The last line is unfinished.
    Torn,
    /// Bytes that are no event.
    NoEvent,
    Zeros,
    TooLong,
    /// Bytes that are not what was written.
    Altered,
    /// Something may have been passed over.
    Missed,
    /// A file or directory that cannot be read.
    Unreadable,
}

impl What {
    /// As programs read it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Torn => "torn_tail",
            Self::NoEvent => "not_an_event",
            Self::Zeros => "zeros",
            Self::TooLong => "too_long",
            Self::Altered => "altered",
            Self::Missed => "missed",
            Self::Unreadable => "unreadable",
        }
    }
}

impl From<&Damage> for Trouble {
    fn from(damage: &Damage) -> Self {
        let what = match damage.kind {
            DamageKind::TornTail => What::Torn,
            DamageKind::NotAnEvent { .. } => What::NoEvent,
            DamageKind::Zeros => What::Zeros,
            DamageKind::TooLong { .. } => What::TooLong,
            DamageKind::Altered { .. } => What::Altered,
            DamageKind::Unreadable { .. } => What::Unreadable,
            _ => What::Missed,
        };
        Self {
            file: damage.file.clone(),
            line: damage.line,
            offset: damage.offset,
            len: damage.len,
            what,
            text: damage.kind.to_string(),
        }
    }
}

impl Trouble {
    /// A line that is no JSON.
    pub(crate) fn no_event(at: &At<'_>, len: usize, error: &serde_json::Error) -> Self {
        Self {
            file: at.file().to_path_buf(),
            line: at.number(),
            offset: at.offset(),
            len: len as u64,
            what: What::NoEvent,
            text: format!("the line is no event ({})", within_line(error)),
        }
    }

    /// `events.log line 3 at byte 28`
    pub(crate) fn place(&self) -> String {
        let line = self
            .line
            .map_or_else(String::new, |line| format!(" line {line}"));
        format!("{}{line} at byte {}", short(&self.file), self.offset)
    }
}

/// The name of a file without its directories.
pub(crate) fn short(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    name.to_string_lossy().into_owned()
}

/// What the parser says, without the number of the line: it is given but one.
fn within_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    format!("{text}, column {}", error.column())
}
