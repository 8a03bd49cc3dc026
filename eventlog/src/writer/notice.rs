//! What a person should know of a writer: one notice per change of state.

use std::{fmt, path::PathBuf};

use super::{destination::Level, gap::Gap};
use crate::seq::Seq;

/// What a person should know of a writer. Each also goes to `tracing`, as a warning or an error.
///
/// Printed, a notice says what happened, to what, and what to do now.
///
/// ```
/// use eventlog::disk::{DiskConfig, Notice};
///
/// let config = DiskConfig::new("events.log").on_notice(|notice| match notice {
///     // The log is in memory only until this is over: somebody should look.
///     Notice::Failing { .. } => eprintln!("{notice}"),
///     // Events are gone for good.
///     Notice::Gap { gap, .. } => eprintln!("{} lost: {notice}", gap.count),
///     _ => {}
/// });
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// Writing fails; events wait in memory and writing is tried again.
    Failing {
        /// The writer's name: for a file, its path.
        name: String,
        /// What the destination said.
        error: String,
    },
    /// Writing works again.
    Resumed {
        /// The writer's name.
        name: String,
    },
    /// Events never reached the destination; a gap line counts them.
    Gap {
        /// The writer's name.
        name: String,
        /// What the line says.
        gap: Gap,
    },
    /// An event cannot be written as JSON, or would not be read back as it is. What becomes of it
    /// is up to [`Unfaithful`](super::Unfaithful). Those that follow it with the same fault are not
    /// spoken of.
    Unserializable {
        /// The writer's name.
        name: String,
        /// The event.
        seq: Seq,
        /// Its version.
        version: u64,
        /// What its `Serialize` said.
        error: String,
    },
    /// The file ended in an unfinished line, which was set aside.
    TornTail {
        /// The log.
        path: PathBuf,
        /// The file that has the bytes now.
        torn: PathBuf,
        /// How many bytes.
        bytes: u64,
    },
    /// Another program moved, removed or changed the file; it is opened anew.
    Moved {
        /// The log.
        path: PathBuf,
    },
    /// The full file cannot be put aside. Writing goes on in it, past its size, and putting it aside
    /// is tried again as it grows.
    RotationFailing {
        /// The log.
        path: PathBuf,
        /// Why, and what to do.
        error: String,
    },
    /// A full file could be put aside again.
    RotationResumed {
        /// The log.
        path: PathBuf,
    },
    /// The marks cannot be written. Events are, all the same; but until the writer is opened again
    /// no time and no checksum is kept for them, and after a restart cursors are `Foreign`.
    MarksFailing {
        /// The file of marks.
        path: PathBuf,
        /// Why, and what to do.
        error: String,
    },
    /// The destination no longer has events that it had stored. Those that were lost there between
    /// others are counted by a gap line.
    Forgotten {
        /// The writer's name.
        name: String,
        /// How many events.
        events: u64,
        /// What happened, and what to do.
        reason: String,
    },
    /// What this writer stores is not synced there: an acknowledgement survives the end of a
    /// process, not that a machine loses its power.
    NotSynced {
        /// The writer's name.
        name: String,
        /// What an acknowledgement is worth.
        level: Level,
    },
    /// The writer has ended and left events unwritten.
    Ended {
        /// The writer's name.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
}

impl Notice {
    pub(super) fn trace(&self) {
        if matches!(self, Self::Ended { .. }) {
            tracing::error!("{self}");
        } else {
            tracing::warn!("{self}");
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failing { name, error } => write!(
                f,
                "cannot write the event log {name}: {error}; events wait in memory and writing is \
                 tried again"
            ),
            Self::Resumed { name } => write!(f, "the event log {name} is being written again"),
            Self::Gap { name, gap } => {
                let (events, them) = if gap.count == 1 {
                    ("event", "it")
                } else {
                    ("events", "them")
                };
                write!(
                    f,
                    "{} {events} never reached the event log {name} ({}); a gap line counts {them}",
                    gap.count,
                    gap.reason.text()
                )
            }
            Self::Unserializable {
                name,
                seq,
                version,
                error,
            } => write!(
                f,
                "cannot serialise event {seq} of version {version} for the event log {name} so that \
                 it is read back as it is: {error}; it is not acknowledged"
            ),
            Self::TornTail { path, torn, bytes } => write!(
                f,
                "the event log {} ended in an unfinished line; its {bytes} bytes were set aside \
                 in {}",
                path.display(),
                torn.display()
            ),
            Self::Moved { path } => write!(
                f,
                "the event log {} was moved, removed or changed by somebody else; it is opened \
                 anew",
                path.display()
            ),
            Self::RotationFailing { path, error } => write!(
                f,
                "the event log {} cannot be rotated: {error}; writing goes on in the same file, \
                 past its size, and rotating is tried again",
                path.display()
            ),
            Self::RotationResumed { path } => {
                write!(f, "the event log {} is rotated again", path.display())
            }
            Self::MarksFailing { path, error } => write!(
                f,
                "the marks {} of an event log cannot be written: {error}; events are written all \
                 the same, without times, and after a restart subscribers have to begin anew",
                path.display()
            ),
            Self::Forgotten {
                name,
                events,
                reason,
            } => write!(
                f,
                "{events} events that were stored are gone from the event log {name}: {reason}"
            ),
            Self::NotSynced { name, level } => write!(
                f,
                "the event log {name} is stored at the level {level}: what is acknowledged is lost \
                 with the power of its machine, and is not called durable; have the server sync \
                 before it acknowledges"
            ),
            Self::Ended { name, reason } => {
                write!(f, "the writer of the event log {name} has ended: {reason}")
            }
        }
    }
}
