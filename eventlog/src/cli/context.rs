//! Lines around those that match.

use std::collections::VecDeque;

use eventlog::disk::Place;

use crate::at::{At, Line};

/// How many bytes of lines are kept, however many were asked for.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Remembers lines that did not match, until they are wanted or too many.
pub(crate) struct Context {
    wanted: usize,
    before: VecDeque<Kept>,
    bytes: usize,
    /// How many lines after the last match are still to be shown.
    after: usize,
    /// Whether lines were left out since the last one that was shown.
    pub(crate) is_broken: bool,
}

/// A line that was kept.
pub(crate) struct Kept {
    place: Option<Place>,
    number: u64,
    offset: u64,
    bytes: Vec<u8>,
}

impl Kept {
    pub(crate) fn of(line: &Line<'_>) -> Self {
        Self {
            place: line.at.place(),
            number: line.at.number().unwrap_or_default(),
            offset: line.at.offset(),
            bytes: line.bytes.to_vec(),
        }
    }

    /// How many bytes the line has.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn line(&self) -> Line<'_> {
        let at = match &self.place {
            Some(place) => At::Kept(place),
            None => At::Input {
                number: self.number,
                offset: self.offset,
            },
        };
        Line {
            at,
            bytes: &self.bytes,
        }
    }
}

impl Context {
    pub(crate) fn new(wanted: usize) -> Self {
        Self {
            wanted,
            before: VecDeque::new(),
            bytes: 0,
            after: 0,
            is_broken: false,
        }
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted > 0
    }

    /// Whether a line that did not match is shown all the same, because it follows one that did. If
    /// not, it is remembered.
    pub(crate) fn shows(&mut self, line: &Line<'_>) -> bool {
        if self.wanted == 0 {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return true;
        }
        self.bytes += line.bytes.len();
        self.before.push_back(Kept::of(line));
        while self.before.len() > self.wanted || self.bytes > MAX_BYTES {
            let Some(gone) = self.before.pop_front() else {
                break;
            };
            self.bytes -= gone.bytes.len();
            self.is_broken = true;
        }
        false
    }

    /// The lines before one that matches.
    pub(crate) fn take_before(&mut self) -> VecDeque<Kept> {
        self.after = self.wanted;
        self.bytes = 0;
        std::mem::take(&mut self.before)
    }

    /// Whether it is to be said that lines were left out, now that one is shown.
    pub(crate) fn breaks(&mut self) -> bool {
        std::mem::take(&mut self.is_broken) && self.wanted > 0
    }
}
