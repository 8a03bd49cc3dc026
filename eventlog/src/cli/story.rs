//! The openings and closings of a log, to be told where they happened.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use eventlog::disk::{MarkKind, Timeline};

use crate::row::{Life, Turn};

/// The turns that are not told yet, in the order of the log.
#[derive(Default)]
pub(crate) struct Story {
    turns: VecDeque<Life>,
    /// The file of the last line, and those before it.
    file: PathBuf,
    left: Vec<PathBuf>,
}

impl Story {
    pub(crate) fn of(timeline: &Timeline) -> Self {
        let mut last = None;
        let mut turns = VecDeque::new();
        for mark in timeline.marks() {
            let turn = match (mark.kind, last) {
                (MarkKind::Closed, _) => Turn::Closed,
                (MarkKind::Opened { .. }, None) => Turn::Opened,
                (MarkKind::Opened { .. }, Some(Turn::Closed)) => Turn::Reopened,
                (MarkKind::Opened { .. }, Some(_)) => Turn::Restarted,
                _ => continue,
            };
            last = Some(turn);
            turns.push_back(Life { mark, turn });
        }
        Self {
            turns,
            ..Self::default()
        }
    }

    /// All that is not told yet.
    pub(crate) fn turns(&self) -> impl Iterator<Item = &Life> {
        self.turns.iter()
    }

    /// When the last of them was.
    pub(crate) fn newest(&self) -> Option<SystemTime> {
        self.turns.iter().filter_map(|life| life.mark.time).max()
    }

    /// Passes over what happened up to this time.
    pub(crate) fn forget_until(&mut self, time: Option<SystemTime>) {
        self.turns.retain(|life| life.mark.time > time);
    }

    /// What happened after all that is known.
    pub(crate) fn add(&mut self, later: Self) {
        self.turns.extend(later.turns);
    }

    /// Passes over what happened before this place.
    pub(crate) fn begin_at(&mut self, file: &Path, offset: u64) {
        while self.is_before(file, |at| at < offset) {
            self.turns.pop_front();
        }
    }

    /// The next turn that happened before the line at this place.
    pub(crate) fn next_before(&mut self, file: &Path, offset: u64) -> Option<Life> {
        let is_before = self.is_before(file, |at| at <= offset);
        is_before.then(|| self.turns.pop_front())?
    }

    /// What happened after the last line.
    pub(crate) fn next(&mut self) -> Option<Life> {
        self.turns.pop_front()
    }

    fn is_before(&mut self, file: &Path, reaches: impl Fn(u64) -> bool) -> bool {
        let Some(next) = self.turns.front() else {
            return false;
        };
        if file.as_os_str() != self.file.as_os_str() {
            let left = std::mem::replace(&mut self.file, file.to_path_buf());
            self.left.push(left);
        }
        let place = &next.mark.place;
        if place.file.as_os_str() == file.as_os_str() {
            return reaches(place.offset);
        }
        // Of a file before this one: one that was left, or one that comes before turns of this one.
        self.left.iter().any(|left| **left == *place.file)
            || self.turns.iter().any(|life| *life.mark.place.file == *file)
    }
}
