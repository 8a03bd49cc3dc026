//! `stats`: what a log holds, in numbers.

mod report;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use eventlog::disk::{Gap, MarkAt, MarkKind, Timeline};

use self::report::print;
use crate::args::StatsArgs;
use crate::at::Line;
use crate::begin::lines_since;
use crate::clock::Clock;
use crate::event::{Event, Names, text};
use crate::filter::{Filter, Search};
use crate::input::{Source, Visit, visit_lines, visit_stream};
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
            let lines = lines_since(&path, args.filter.since_by_marks())?;
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
    /// Whether the newest life of the log was closed, where the marks tell.
    is_closed: Option<bool>,
    /// The last line's file and number.
    last: (PathBuf, u64),
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
            is_closed: story.turns().last().map(|life| life.turn == Turn::Closed),
            last: (PathBuf::new(), 0),
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
        let mut before: Option<MarkAt> = None;
        for mark in Timeline::of(path).marks() {
            let since = before.as_ref().and_then(|before| before.time);
            let count =
                lines_before(&mark).saturating_sub(lines_up_to(before.as_ref(), &mark.place.file));
            match (mark.kind, since, mark.time) {
                // What stands before an opening was written after the last mark of the life before
                // it. Where that knows nothing of it, or there is none, nobody knows when.
                (MarkKind::Opened { fresh: false, .. }, Some(since), _) => {
                    self.rate.add(since, count);
                }
                (MarkKind::Opened { .. }, ..) | (_, _, None) => {}
                (_, Some(since), Some(time)) => self.rate.spread(since, time, count),
                (_, None, Some(time)) => self.rate.add(time, count),
            }
            before = Some(mark);
        }
        // What a kill left without a mark.
        if let Some(last) = &before
            && let Some(time) = last.time
        {
            let count = self
                .last
                .1
                .saturating_sub(lines_up_to(before.as_ref(), &self.last.0));
            self.rate.add(time, count);
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

/// How many lines of its file stand before a mark.
fn lines_before(mark: &MarkAt) -> u64 {
    mark.place.line.unwrap_or(1) - 1
}

/// How many lines of this file stand before the mark: none, if that is in a file before it.
fn lines_up_to(mark: Option<&MarkAt>, file: &Path) -> u64 {
    mark.filter(|mark| mark.place.file.as_os_str() == file.as_os_str())
        .map_or(0, lines_before)
}

impl Visit for Stats {
    fn line(&mut self, line: Line<'_>) -> Result<(), Stop> {
        if line.at.file().as_os_str() != self.last.0.as_os_str() {
            self.last.0 = line.at.file().to_path_buf();
        }
        self.last.1 = line.at.number().unwrap_or(0);
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
