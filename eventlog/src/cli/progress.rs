//! What is said while something takes long, to whoever sits at a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Before that nobody wonders.
const PATIENCE: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(200);
/// How many bytes pass before the clock is looked at.
const STRIDE: u64 = 4 * 1024 * 1024;

pub(crate) struct Progress {
    total: u64,
    done: u64,
    /// When so many bytes are done, the clock is looked at.
    next: u64,
    due: Instant,
    is_on: bool,
    is_shown: bool,
}

impl Progress {
    /// Of so many bytes, 0 if that is not known.
    pub(crate) fn of(total: u64) -> Self {
        Self {
            total,
            done: 0,
            next: STRIDE,
            due: Instant::now() + PATIENCE,
            is_on: io::stderr().is_terminal(),
            is_shown: false,
        }
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if self.done >= self.next {
            self.next = self.done + STRIDE;
            self.look();
        }
    }

    #[cold]
    fn look(&mut self) {
        let now = Instant::now();
        if !self.is_on || now < self.due {
            return;
        }
        self.due = now + EVERY;
        self.is_shown = true;
        let done = self.done >> 20;
        let text = match (self.done * 100).checked_div(self.total) {
            Some(percent) => format!("{done} of {} MiB, {}%", self.total >> 20, percent.min(100)),
            None => format!("{done} MiB"),
        };
        let _ = write!(io::stderr(), "\r\x1b[K{text}");
    }
}

impl Drop for Progress {
    /// Leaves no trace.
    fn drop(&mut self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
