//! `stats`: what a log holds, in numbers.

mod report;

use std::collections::HashMap;
use std::path::Path;

use eventlog::disk::{Gap, MarkKind, Timeline};

use self::report::print;
use crate::args::StatsArgs;
use crate::at::Line;
use crate::begin::lines_since;
use crate::clock::Clock;
use crate::event::{Event, Names, text};
use crate::filter::{Filter, Search};
use crate::input::{Source, Visit, all_lines, visit_lines, visit_stream};
use crate::lock::Holder;
use crate::outcome::{Outcome, Stop};
use crate::progress::Progress;
use crate::rate::Rate;
use crate::row::Turn;
use crate::scan::Found;
use crate::story::Story;
use crate::trouble::Trouble;

/// How many types are told apart. A field of endless values is no type.
const MAX_TYPES: usize = 1_000;

pub(crate) fn run(args: &StatsArgs) -> Result<Outcome, Stop> {
    let source = Source::at(&args.path)?;
    let timeline = match &source {
        Source::Log(path) => Some(Timeline::of(path)),
        Source::Stream(_) => None,
    };
    let mut stats = Stats::new(args, timeline);
    match source {
        Source::Log(path) => {
            stats.holder = Some(Holder::of(&path));
            let lines = match args.filter.since {
                Some(since) if args.filter.time_field.is_none() => lines_since(&path, since)?,
                _ => all_lines(&path),
            };
            stats.progress = Progress::of(path.metadata().map_or(0, |found| found.len()));
            visit_lines(lines, &mut stats)?;
            stats.take_rate_of_marks(&path);
        }
        Source::Stream(stream) => visit_stream(stream, &mut stats)?,
    }
    stats.progress = Progress::of(0);
    print(&stats, args.json)?;
    Ok(stats.found.outcome_of_showing())
}

pub(super) struct Stats {
    by: Option<String>,
    filter: Filter,
    names: Names,
    clock: Clock,
    progress: Progress,
    found: Found,
    lost: u64,
    bytes: u64,
    types: HashMap<String, u64>,
    /// Of types beyond those that are told apart.
    other: u64,
    versions: Option<(u64, u64)>,
    rate: Rate,
    /// Openings, and how many of them found the log not closed.
    openings: u64,
    restarts: u64,
    holder: Option<Holder>,
}

impl Stats {
    fn new(args: &StatsArgs, timeline: Option<Timeline>) -> Self {
        let story = timeline.as_ref().map(Story::of).unwrap_or_default();
        let count =
            |is: fn(Turn) -> bool| story.turns().filter(|life| is(life.turn)).count() as u64;
        Self {
            by: args.by.clone(),
            filter: args.filter.filter(),
            names: args.filter.names(),
            openings: count(|turn| turn != Turn::Closed),
            restarts: count(|turn| turn == Turn::Restarted),
            clock: Clock::new(timeline, args.filter.time_field.clone(), args.utc),
            progress: Progress::of(0),
            found: Found::default(),
            lost: 0,
            bytes: 0,
            types: HashMap::new(),
            other: 0,
            versions: None,
            rate: Rate::new(),
            holder: None,
        }
    }

    /// Where all is counted and there are marks, they tell how many lines there were when.
    fn counts_by_marks(&self) -> bool {
        self.clock.has_marks && self.filter.is_empty() && !self.clock.has_field()
    }

    fn take_rate_of_marks(&mut self, path: &Path) {
        if !self.counts_by_marks() {
            return;
        }
        let mut before = None;
        for mark in Timeline::of(path).marks() {
            let line = mark.place.line.unwrap_or(1) - 1;
            let from = match &before {
                Some((file, line)) if *file == mark.place.file => *line,
                _ => 0,
            };
            // What stands before an opening that knows nothing of it was not written then.
            let is_fresh = matches!(mark.kind, MarkKind::Opened { .. });
            if let Some(time) = mark.time
                && !is_fresh
            {
                self.rate.add(time, line.saturating_sub(from));
            }
            before = Some((mark.place.file, line));
        }
    }

    fn count(&mut self, key: &str) {
        if let Some(count) = self.types.get_mut(key) {
            *count += 1;
        } else if self.types.len() < MAX_TYPES {
            self.types.insert(key.to_owned(), 1);
        } else {
            self.other += 1;
        }
    }
}

impl Visit for Stats {
    fn line(&mut self, line: Line<'_>) -> Result<(), Stop> {
        self.progress.add(line.bytes.len() as u64 + 1);
        if let Some(gap) = Gap::parse(line.bytes) {
            if self.filter.passes_gap(&gap) && self.filter.passes_at(self.clock.moment(&line, None))
            {
                self.found.gaps += 1;
                self.lost = self.lost.saturating_add(gap.count);
            }
            return Ok(());
        }
        if !self.filter.may_pass(line.bytes) {
            return Ok(());
        }
        let event = match Event::parse(line.bytes, &self.names) {
            Ok(event) => event,
            Err(error) => {
                let trouble = Trouble::no_event(&line.at, line.bytes.len(), &error);
                return self.trouble(trouble, line.bytes);
            }
        };
        if !self.filter.passes(&event) {
            return Ok(());
        }
        if !self.counts_by_marks() {
            let moment = self.clock.moment(&line, Some(&event));
            if !self.filter.passes_at(moment) {
                return Ok(());
            }
            if let Some(moment) = moment {
                self.rate.add(moment.best(), 1);
            }
        }
        self.found.events += 1;
        self.bytes += line.bytes.len() as u64 + 1;
        if let Some(version) = event.version {
            let (low, high) = self.versions.unwrap_or((version, version));
            self.versions = Some((low.min(version), high.max(version)));
        }
        match &self.by {
            None => self.count(event.kind.as_deref().unwrap_or("-")),
            Some(by) if by == "type" => self.count(event.kind.as_deref().unwrap_or("-")),
            Some(by) => {
                let value = event.field(by);
                let shown = value.map(|value| text(value).unwrap_or(value.get().into()));
                self.count(shown.as_deref().unwrap_or("-"));
            }
        }
        Ok(())
    }

    fn search(&self) -> Option<Search> {
        self.filter.search()
    }

    fn trouble(&mut self, trouble: Trouble, _: &[u8]) -> Result<(), Stop> {
        self.progress.add(trouble.len);
        self.found.count(trouble.what);
        Ok(())
    }
}
