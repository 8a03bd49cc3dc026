//! From lines to rows: what passes the filter, what stands around it, and what must be told.

use std::path::Path;

use eventlog::disk::{Gap, Timeline};

use crate::args::FilterArgs;

use crate::at::Line;
use crate::clock::{Clock, Moment};
use crate::context::Context;
use crate::event::{Event, Names};
use crate::filter::{Filter, Search};
use crate::format::Printer;
use crate::input::Visit;
use crate::outcome::{Outcome, Stop};
use crate::row::{Life, Row};
use crate::story::Story;
use crate::trouble::{Trouble, What};

pub(crate) struct Scan {
    pub(crate) filter: Filter,
    pub(crate) names: Names,
    pub(crate) clock: Clock,
    pub(crate) story: Story,
    pub(crate) context: Context,
    pub(crate) printer: Printer,
    pub(crate) found: Found,
    /// Whether a line was met.
    pub(crate) has_begun: bool,
    pub(crate) limits: Limits,
}

/// What was met.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Found {
    pub(crate) events: u64,
    pub(crate) gaps: u64,
    pub(crate) damage: u64,
    pub(crate) torn: u64,
    pub(crate) unreadable: u64,
}

impl Found {
    pub(crate) fn count(&mut self, what: What) {
        match what {
            What::Torn => self.torn += 1,
            What::Unreadable => self.unreadable += 1,
            _ => self.damage += 1,
        }
    }

    /// Of a command that shows what can be read: damage is told, and is no failure.
    pub(crate) fn outcome_of_showing(self) -> Outcome {
        if self.unreadable > 0 {
            Outcome::Unreadable
        } else if self.events == 0 {
            Outcome::Nothing
        } else {
            Outcome::Clean
        }
    }
}

/// When there is enough.
#[derive(Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) events: Option<u64>,
    /// At the first damage.
    pub(crate) damage: bool,
}

impl Visit for Scan {
    fn line(&mut self, line: Line<'_>) -> Result<(), Stop> {
        if !self.has_begun {
            self.begin_at(line.at.file(), line.at.offset());
        }
        if let Some(gap) = Gap::parse(line.bytes) {
            return self.gap(line, gap);
        }
        if !self.filter.may_pass(line.bytes) {
            return self.other(line);
        }
        let event = match Event::parse(line.bytes, &self.names) {
            Ok(event) => event,
            Err(error) => {
                let trouble = Trouble::no_event(&line.at, line.bytes.len(), &error);
                return self.trouble(trouble, line.bytes);
            }
        };
        if !self.filter.passes(&event) {
            return self.other(line);
        }
        let moment = self.moment(&line, &event);
        if !self.filter.passes_at(moment) {
            return self.other(line);
        }
        self.found.events += 1;
        for kept in self.context.take_before() {
            self.around(&kept.line())?;
        }
        self.print_at(
            line.at.file(),
            line.at.offset(),
            &Row::Event {
                line,
                event,
                moment,
            },
        )
    }

    fn search(&self) -> Option<Search> {
        if self.context.is_wanted() {
            return None;
        }
        self.filter.search()
    }

    fn trouble(&mut self, trouble: Trouble, bytes: &[u8]) -> Result<(), Stop> {
        if !self.has_begun && trouble.what != What::Unreadable {
            self.begin_at(&trouble.file, trouble.offset);
        }
        self.found.count(trouble.what);
        self.print_at(
            &trouble.file,
            trouble.offset,
            &Row::Trouble(&trouble, bytes),
        )
    }
}

impl Scan {
    pub(crate) fn new(
        timeline: Option<Timeline>,
        filter: &FilterArgs,
        is_utc: bool,
        printer: Printer,
    ) -> Self {
        Self {
            filter: filter.filter(),
            names: filter.names(),
            story: timeline.as_ref().map(Story::of).unwrap_or_default(),
            clock: Clock::new(timeline, filter.time_field.clone(), is_utc),
            context: Context::new(0),
            printer,
            found: Found::default(),
            has_begun: false,
            limits: Limits::default(),
        }
    }

    /// Tells what happened after the last line.
    pub(crate) fn tell_turns(&mut self) -> Result<(), Stop> {
        while let Some(life) = self.story.next() {
            self.print_life(&life)?;
        }
        Ok(())
    }

    /// How it ended, if there is enough.
    pub(crate) fn is_done(&self) -> Option<Outcome> {
        let Found {
            events,
            damage,
            torn,
            unreadable,
            ..
        } = self.found;
        if self.limits.damage && damage + torn + unreadable > 0 {
            return Some(Outcome::Damaged);
        }
        let wanted = self.limits.events?;
        (events >= wanted).then_some(Outcome::Clean)
    }

    pub(crate) fn end(&mut self) -> Result<(), Stop> {
        self.tell_turns()?;
        self.printer.finish(&self.clock)?;
        Ok(())
    }

    /// When a line was written, if somebody wants to know.
    fn moment(&self, line: &Line<'_>, event: &Event<'_>) -> Option<Moment> {
        let is_wanted = self.filter.has_times() || self.printer.shows_times();
        is_wanted.then(|| self.clock.moment(line, Some(event)))?
    }

    /// What happened before the first line is not told.
    fn begin_at(&mut self, file: &Path, offset: u64) {
        self.has_begun = true;
        self.story.begin_at(file, offset);
    }

    fn gap(&mut self, line: Line<'_>, gap: Gap) -> Result<(), Stop> {
        let moment = self.clock.moment(&line, None);
        if !self.filter.passes_at(moment) || !self.filter.passes_gap(&gap) {
            return Ok(());
        }
        self.found.gaps += 1;
        self.print_at(
            line.at.file(),
            line.at.offset(),
            &Row::Gap { line, gap, moment },
        )
    }

    /// A line that does not match.
    fn other(&mut self, line: Line<'_>) -> Result<(), Stop> {
        if self.context.shows(&line) {
            self.around(&line)?;
        }
        Ok(())
    }

    /// A line that does not match, and is shown because of where it stands.
    fn around(&mut self, line: &Line<'_>) -> Result<(), Stop> {
        let Ok(event) = Event::parse(line.bytes, &self.names) else {
            return Ok(());
        };
        let moment = self.moment(line, &event);
        let row = Row::Event {
            line: *line,
            event,
            moment,
        };
        self.print_at(line.at.file(), line.at.offset(), &row)
    }

    fn print_at(&mut self, file: &Path, offset: u64, row: &Row<'_>) -> Result<(), Stop> {
        while let Some(life) = self.story.next_before(file, offset) {
            self.print_life(&life)?;
        }
        if self.context.breaks() && self.found.events > 1 {
            self.printer.row(&Row::Break, &self.clock)?;
        }
        self.printer.row(row, &self.clock)?;
        Ok(())
    }

    fn print_life(&mut self, life: &Life) -> Result<(), Stop> {
        let moment = life.mark.time.map(Moment::At);
        if self.filter.passes_at(moment) {
            self.printer.row(&Row::Life(life), &self.clock)?;
        }
        Ok(())
    }
}
