//! What a person reads at the end.

use std::{fmt, path::PathBuf};

use eventlog::Seq;

use crate::{client::Subscriber, state::State};

/// How many of the log's last lines are shown.
const LAST_LINES: usize = 3;

pub struct Summary {
    pub state: State,
    pub appended: u64,
    /// Events that were recovered from an earlier run.
    pub before: u64,
    pub subscribers: Vec<(&'static str, Subscriber)>,
    pub durable: Result<Seq, String>,
    pub path: PathBuf,
}

impl Summary {
    /// Whether every subscriber has the launcher's state, came to it without a gap or a duplicate,
    /// and everything is durable.
    pub fn is_sound(&self) -> bool {
        let sound = |subscriber: &Subscriber| {
            subscriber.state == self.state && subscriber.gaps == 0 && subscriber.duplicates == 0
        };
        self.durable.is_ok()
            && self
                .subscribers
                .iter()
                .all(|(_, subscriber)| sound(subscriber))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let processes = self.state.processes.len();
        let events = self.appended - self.before;
        writeln!(
            f,
            "{processes} processes, {events} events, version {}",
            self.state.version
        )?;
        for (name, subscriber) in &self.subscribers {
            let equal = if subscriber.state == self.state {
                "equal"
            } else {
                "DIFFERS"
            };
            writeln!(
                f,
                "subscriber {name:<8} {:>4} events, replays {}, gaps {}, duplicates {}, state {equal}",
                subscriber.events, subscriber.replays, subscriber.gaps, subscriber.duplicates,
            )?;
        }
        match &self.durable {
            Ok(_) => writeln!(f, "durable    all {} events", self.appended)?,
            Err(error) => writeln!(f, "durable    not all: {error}")?,
        }
        writeln!(f, "log        {}", self.path.display())?;
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            writeln!(f, "  {line:.78}")?;
        }
        Ok(())
    }
}
