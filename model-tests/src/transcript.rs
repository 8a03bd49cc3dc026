//! What was done to a subject, as lines to read: the script of a scene.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, ThreadId},
};

use crate::text::shortened;

/// The longest line.
const COLUMNS: usize = 72;
/// The most lines.
const LINES: usize = 40;

/// The calls on each log that is open.
#[derive(Default)]
pub(crate) struct Transcript {
    logs: AtomicU64,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// The calls of all logs, in their order.
    lines: BTreeMap<u64, Line>,
    next: u64,
    threads: Vec<ThreadId>,
    /// The logs that are gone, with their lines still there: their files may be opened again.
    closed: BTreeSet<u64>,
    /// Nothing is added once a log has parted from its law.
    frozen: bool,
}

struct Line {
    log: u64,
    thread: usize,
    text: String,
    came_back: bool,
}

impl Transcript {
    /// A number for a log that is opened. Where it has nothing to do with those before, what was
    /// done to logs that are gone no longer matters.
    pub(crate) fn open(&self, afresh: bool) -> u64 {
        if afresh {
            self.told().forget_closed();
        }
        self.logs.fetch_add(1, Ordering::Relaxed)
    }

    /// What a scene does by itself, to begin with: what was done to logs that are gone no longer
    /// matters.
    pub(crate) fn begin_with(&self, text: &str) {
        self.told().forget_closed();
        let log = self.logs.load(Ordering::Relaxed);
        self.end(self.begin(log, &format!("// {text}")));
    }

    /// A call on the files of logs.
    pub(crate) fn on_files<T>(&self, text: &str, run: impl FnOnce() -> T) -> T {
        let line = self.begin(self.logs.load(Ordering::Relaxed), text);
        let answer = run();
        self.end(line);
        answer
    }

    /// A call on a log begins.
    pub(crate) fn begin(&self, log: u64, text: &str) -> u64 {
        let mut told = self.told();
        let thread = told.thread();
        let at = told.next;
        if !told.frozen {
            told.next += 1;
            let line = Line {
                log,
                thread,
                text: shortened(text, COLUMNS),
                came_back: false,
            };
            told.lines.insert(at, line);
        }
        at
    }

    /// That call has come back.
    pub(crate) fn end(&self, at: u64) {
        let mut told = self.told();
        if !told.frozen
            && let Some(line) = told.lines.get_mut(&at)
        {
            line.came_back = true;
        }
    }

    /// A log is gone.
    pub(crate) fn close(&self, log: u64) {
        self.told().closed.insert(log);
    }

    pub(crate) fn freeze(&self) {
        self.told().frozen = true;
    }

    /// The lines, with those that repeat each other counted.
    pub(crate) fn lines(&self) -> Vec<String> {
        let told = self.told();
        let lines: Vec<&Line> = told.lines.values().collect();
        let logs: BTreeSet<u64> = lines.iter().map(|line| line.log).collect();
        let mut shown = Vec::new();
        let alike = |a: &Line, b: &Line| {
            a.thread == b.thread && a.log == b.log && kind(&a.text) == kind(&b.text)
        };
        for group in lines.chunk_by(|a, b| alike(a, b)) {
            let (first, rest) = (&group[..group.len().min(2)], &group[group.len().min(2)..]);
            shown.extend(first.iter().map(|line| line.shown(&logs)));
            if let Some((last, between)) = rest.split_last() {
                if !between.is_empty() {
                    shown.push(format!("… {} more like this …", between.len()));
                }
                shown.push(last.shown(&logs));
            }
        }
        if shown.len() > LINES {
            let left_out = shown.len() - LINES;
            shown.drain(..left_out);
            shown.insert(0, format!("… {left_out} lines before these …"));
        }
        shown
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn forget_closed(&mut self) {
        if !self.frozen {
            let closed = std::mem::take(&mut self.closed);
            self.lines.retain(|_, line| !closed.contains(&line.log));
        }
    }

    fn thread(&mut self) -> usize {
        let id = thread::current().id();
        let known = self.threads.iter().position(|known| *known == id);
        known.unwrap_or_else(|| {
            self.threads.push(id);
            self.threads.len() - 1
        })
    }
}

impl Line {
    /// Its log is counted from 0 among those that are shown.
    fn shown(&self, logs: &BTreeSet<u64>) -> String {
        let name = format!("log{}", logs.range(..self.log).count());
        let text = self.text.replacen(&format!("log{}", self.log), &name, 1);
        let thread = match self.thread {
            0 => String::new(),
            other => format!("[thread {}] ", other + 1),
        };
        let end = if self.came_back { "" } else { " // under way" };
        format!("{thread}{text}{end}")
    }
}

/// What a line calls, without its arguments.
fn kind(text: &str) -> &str {
    text.split('(').next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_counted_from_the_first_that_is_shown() {
        let transcript = Transcript::default();
        for _ in 0..12 {
            let gone = transcript.open(true);
            transcript.end(transcript.begin(gone, &format!("let log{gone} = …;")));
            transcript.close(gone);
        }
        let first = transcript.open(true);
        let second = transcript.open(false);
        for log in [first, second, first] {
            transcript.end(transcript.begin(log, &format!("log{log}.append(…);")));
        }
        let shown = ["log0.append(…);", "log1.append(…);", "log0.append(…);"];
        assert_eq!(transcript.lines(), shown);
    }
}
