//! A history that a log is given, and what may be read of it: the weakest contract that a sound
//! writer keeps.

use std::ops::RangeInclusive;

use eventlog::Versioned as _;

use super::files::works;
use crate::{
    subject::{
        adapter::{Line, Subject},
        case::Case,
        log::Log as _,
    },
    trial::{Parted, Trial},
};

/// Events with the versions 1, 2, 3 and so on.
pub(super) struct History<'a, S> {
    trial: &'a Trial<'a, S>,
    /// What all events are made with, where they have to be of one size.
    pick: Option<u32>,
}

/// A part of a history that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    /// The version that the part begins with.
    pub(super) first: u64,
    /// The version that would come after the part.
    pub(super) next: u64,
}

impl Span {
    pub(super) fn len(self) -> u64 {
        self.next - self.first
    }
}

impl<'a, S: Subject> History<'a, S> {
    /// Of events of all kinds that the subject makes.
    pub(super) fn mixed(trial: &'a Trial<'a, S>) -> Self {
        Self { trial, pick: None }
    }

    /// Of events that differ in their version only, and so have about the same size.
    pub(super) fn alike(trial: &'a Trial<'a, S>) -> Self {
        let pick = Some(1);
        Self { trial, pick }
    }

    pub(super) fn event(&self, version: u64) -> S::Event {
        let pick = self.pick.unwrap_or(version as u32);
        self.trial.subject.event(version, pick)
    }

    pub(super) fn append(&self, log: &S::Log, versions: RangeInclusive<u64>) {
        for version in versions {
            log.append(self.event(version));
        }
    }

    /// The order that has a process of its own append these.
    pub(super) fn order(&self, versions: RangeInclusive<u64>) -> String {
        let (first, last) = versions.into_inner();
        match self.pick {
            Some(pick) => format!("append {first} {last} {pick}"),
            None => format!("append {first} {last}"),
        }
    }

    /// Appends these one by one, and has each stored.
    pub(super) fn store(
        &self,
        log: &S::Log,
        versions: RangeInclusive<u64>,
        step: &str,
    ) -> Result<(), Parted> {
        for version in versions {
            self.append(log, version..=version);
            works(&format!("flush {step}"), || log.flush())?;
        }
        Ok(())
    }

    pub(super) fn read(&self, case: &Case, step: &str) -> Result<Vec<Line<S::Event>>, Parted> {
        works(&format!("read back {step}"), || {
            self.trial.subject.read_back(case)
        })
    }

    /// The part of the history that these lines tell: each event once, in its order and as it was
    /// appended, or counted by a gap line. From event `torn` on, a line that is reported as damaged
    /// may stand for any number of events.
    pub(super) fn part(
        &self,
        lines: &[Line<S::Event>],
        torn: Option<u64>,
        step: &str,
    ) -> Result<Span, Parted> {
        let first = first(lines);
        let mut next = first;
        let mut damaged = false;
        for (line, number) in lines.iter().zip(1..) {
            match line {
                Line::Event(event)
                    if (event.version() == next || damaged && event.version() > next)
                        && *event == self.event(event.version()) =>
                {
                    next = event.version() + 1;
                    damaged = false;
                }
                Line::Gap(events) => next += events,
                Line::Damage(_) if torn.is_some_and(|torn| next >= torn) => damaged = true,
                other => {
                    let step = format!("read back {step}, line {number}");
                    let expected = match other {
                        Line::Event(event) if event.version() == next => {
                            short(&Line::Event(self.event(next)))
                        }
                        _ => format!("event {next}, or a gap line that counts what is missing"),
                    };
                    return Err(Parted::said(step, expected, short(other)));
                }
            }
        }
        Ok(Span { first, next })
    }

    /// All events up to `last` are read, or counted by a gap line.
    pub(super) fn all(&self, case: &Case, last: u64, step: &str) -> Result<(), Parted> {
        let span = self.part(&self.read(case, step)?, None, step)?;
        complete(span, last, step)
    }

    /// The newest events up to `last` are read, and older ones may be gone.
    pub(super) fn newest(&self, case: &Case, last: u64, step: &str) -> Result<Span, Parted> {
        let span = self.part(&self.read(case, step)?, None, step)?;
        up_to(span, last, step)?;
        Ok(span)
    }
}

/// The part begins with event 1 and ends with `last`.
pub(super) fn complete(span: Span, last: u64, step: &str) -> Result<(), Parted> {
    if span.first > 1 {
        let actual = format!("it begins with event {}", span.first);
        let expected = "event 1, or a gap line that counts what is missing";
        return Err(Parted::said(format!("read back {step}"), expected, actual));
    }
    up_to(span, last, step)
}

fn up_to(span: Span, last: u64, step: &str) -> Result<(), Parted> {
    if span.next == last + 1 {
        return Ok(());
    }
    let expected = format!("every event up to {last}, or a gap line that counts what is missing");
    let actual = format!("the end comes after event {}", span.next - 1);
    Err(Parted::said(format!("read back {step}"), expected, actual))
}

/// The version that these lines begin with: events that a gap line counts come before the first.
fn first<E: eventlog::Versioned>(lines: &[Line<E>]) -> u64 {
    let mut gap = 0;
    for line in lines {
        match line {
            Line::Event(event) => return event.version().saturating_sub(gap).max(1),
            Line::Gap(events) => gap += events,
            Line::Damage(_) => {}
        }
    }
    1
}

/// A line, not at full length.
pub(super) fn short<E: std::fmt::Debug>(line: &Line<E>) -> String {
    let text = format!("{line:?}");
    match text.char_indices().nth(120) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// So many bytes as the files of a log have after `events` events alike.
pub(super) fn bytes_of<S: Subject>(trial: &Trial<'_, S>, events: u64) -> Result<u64, Parted> {
    let case = Case::new(super::files::CAPACITY);
    let history = History::alike(trial);
    let log = super::files::open(trial, &case, "to measure events")?;
    history.store(&log, 1..=events, "to measure events")?;
    super::files::shutdown::<S>(log, "of a log that is measured")?;
    let files = works("files", || trial.subject.files(&case))?;
    let sizes = files.iter().filter_map(|file| std::fs::metadata(file).ok());
    Ok(sizes.map(|file| file.len()).sum::<u64>().max(1))
}
