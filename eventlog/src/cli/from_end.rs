//! The last so many matches of a log: where they begin.

use std::ops::ControlFlow;
use std::path::Path;

use eventlog::disk::{Gap, Lines, lines_from_end};

use crate::at::Line;
use crate::begin::Floor;
use crate::clock::Clock;
use crate::event::{Event, Names};
use crate::filter::Filter;
use crate::input::MAX_LINE_BYTES;

/// What decides whether a line matches.
pub(crate) struct Matcher<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) names: &'a Names,
    pub(crate) clock: &'a Clock,
}

impl Matcher<'_> {
    /// Whether it is shown though it does not match: a gap, or a line that is no event.
    pub(crate) fn must_be_told(&self, line: &Line<'_>) -> bool {
        Gap::parse(line.bytes).is_some()
            || self.filter.may_pass(line.bytes) && Event::parse(line.bytes, self.names).is_err()
    }

    pub(crate) fn matches(&self, line: &Line<'_>) -> bool {
        if Gap::parse(line.bytes).is_some() || !self.filter.may_pass(line.bytes) {
            return false;
        }
        Event::parse(line.bytes, self.names).is_ok_and(|event| {
            self.filter.is_empty()
                || self.filter.passes(&event)
                    && self.filter.passes_at(self.clock.moment(line, Some(&event)))
        })
    }
}

/// The lines from the `wanted`-th last match on, and so many lines around it. Nothing before the
/// floor is looked at.
pub(crate) fn last_matches(
    path: &Path,
    wanted: usize,
    around: usize,
    matcher: &Matcher<'_>,
    floor: Option<&Floor>,
) -> Lines {
    let (mut found, mut around) = (0, around);
    lines_from_end(path, MAX_LINE_BYTES, |line| {
        let Ok(line) = line else {
            return ControlFlow::Continue(());
        };
        if floor.is_some_and(|floor| floor.reaches(line.file(), line.offset)) {
            return ControlFlow::Break(());
        }
        if found < wanted {
            found += usize::from(matcher.matches(&line.into()));
        } else {
            around -= 1;
        }
        if found == wanted && around == 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}
