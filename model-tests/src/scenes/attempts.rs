//! Judges laws R19 and R20: what appends say of themselves, and when they show.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    report::{Class, Report},
    scenes::logs::open,
    subject::{
        adapter::Subject,
        attempt::{Attempt, look_until},
        log::Log,
    },
    trial::{Parted, Trial, guarded},
};

/// Answers other than that the log is busy.
const ANSWERS: u32 = 48;
/// More than is ever appended here.
const CAPACITY: usize = 256;
const PAUSE: Duration = Duration::from_micros(200);

/// A log, and what it has said of each event.
struct Run<'a, S: Subject> {
    trial: &'a Trial<'a, S>,
    log: S::Log,
    said: Vec<(S::Event, Said)>,
    events: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Said {
    Done,
    Busy,
    /// Unknown; and whether it was there once that had to be certain.
    Unknown(bool),
}

/// Appends whatever comes of it, and then looks for each event, twice.
pub(crate) fn do_what_they_say<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let mut run = Run::of(trial)?;
    for _ in 0..ANSWERS {
        let (event, attempt) = run.answered(report).map_err(Parted::its_own)?;
        let said = match attempt {
            Attempt::Unknown => Said::Unknown(run.comes(&event)?),
            _ => Said::Done,
        };
        run.said.push((event, said));
    }
    run.all_are_shown(report)?;
    run.is_as_said("once all appends are answered")?;
    // Long enough for what may yet come, or go.
    run.settle();
    run.is_as_said("a while after all appends are answered")
}

/// Appends several at a time, and looks until all are there.
pub(crate) fn show_in_time<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let mut run = Run::of(trial)?;
    let mut seen = Vec::new();
    for burst in 0..ANSWERS / 3 {
        for _ in 0..=burst % 4 {
            let (event, attempt) = run.answered(report)?;
            if matches!(attempt, Attempt::Done(_)) {
                run.said.push((event, Said::Done));
            }
        }
        let mut holes = Ok(());
        let shown = run.look_until(|now| {
            seen = now;
            let mut done = run.done();
            let Some(lacking) = done.find(|event| !seen.contains(event)) else {
                return true;
            };
            if let Some(later) = done.find(|event| seen.contains(event)) {
                let expected = format!("{lacking:?} shows before {later:?} does");
                let told = format!("{seen:?}");
                holes = Err(Parted::said("events_since(0), again", expected, told));
            }
            holes.is_err()
        })?;
        holes?;
        if !shown {
            let lacking = run.done().find(|event| !seen.contains(event));
            let bound = trial.subject.shows_within();
            let parted = Parted::said(
                format!("events_since(0), {bound:?} and the patience after the append"),
                format!("{lacking:?} among them"),
                format!("{} other events", seen.len()),
            );
            return Err(parted.its_own());
        }
    }
    Ok(())
}

impl<'a, S: Subject> Run<'a, S> {
    fn of(trial: &'a Trial<'a, S>) -> Result<Self, Parted> {
        let (_case, log) = open(trial, CAPACITY)?;
        Ok(Self {
            trial,
            log,
            said: Vec::new(),
            events: 0,
        })
    }

    /// Tries to append one event after the other, until the log is not busy: which one that was, and
    /// what it said.
    fn answered(&mut self, report: &mut Report) -> Result<(S::Event, Attempt), Parted> {
        let began = Instant::now();
        loop {
            self.events += 1;
            let event = self.trial.subject.event(self.events.into(), self.events);
            let attempt = guarded("try_append", || self.log.try_append(event.clone()))?;
            report.visit(match attempt {
                Attempt::Done(_) => Class::Done,
                Attempt::Busy => Class::Busy,
                Attempt::Unknown => Class::Unknown,
            });
            if attempt != Attempt::Busy {
                return Ok((event, attempt));
            }
            self.said.push((event, Said::Busy));
            let patience = self.trial.budget.patience;
            if began.elapsed() > patience {
                let told = format!("Busy for {patience:?}");
                return Err(Parted::said("try_append", "not Busy for ever", told));
            }
            thread::sleep(PAUSE);
        }
    }

    fn done(&self) -> impl Iterator<Item = &S::Event> {
        let done = self.said.iter().filter(|(_, said)| *said == Said::Done);
        done.map(|(event, _)| event)
    }

    /// What the log shows.
    fn shown(&self) -> Result<Vec<S::Event>, Parted> {
        guarded("events_since(0)", || self.log.events_since(0))
    }

    /// Whether an event comes within the log's bound.
    fn comes(&self, event: &S::Event) -> Result<bool, Parted> {
        let bound = self.trial.subject.shows_within();
        let mut shown = Ok(());
        let comes = look_until(bound, bound, || match self.shown() {
            Ok(events) => events.contains(event),
            Err(parted) => {
                shown = Err(parted);
                true
            }
        });
        shown.map(|()| comes)
    }

    /// Lets the log's bound pass.
    fn settle(&self) {
        let bound = self.trial.subject.shows_within();
        look_until(bound, bound, || self.shown().is_err());
    }

    /// Looks at what is shown until that is enough; no longer than the log's bound and the patience,
    /// or once where there is no bound.
    fn look_until(&self, mut enough: impl FnMut(Vec<S::Event>) -> bool) -> Result<bool, Parted> {
        let bound = self.trial.subject.shows_within();
        let longest = match bound {
            Duration::ZERO => bound,
            bound => bound + self.trial.budget.patience,
        };
        let mut shown = Ok(());
        let found = look_until(bound, longest, || match self.shown() {
            Ok(events) => enough(events),
            Err(parted) => {
                shown = Err(parted);
                true
            }
        });
        shown.map(|()| found)
    }

    /// Waits for all that is done.
    fn all_are_shown(&self, report: &mut Report) -> Result<(), Parted> {
        let mut looks = 0;
        self.look_until(|now| {
            looks += 1;
            self.done().all(|event| now.contains(event))
        })?;
        if looks > 1 {
            report.visit(Class::Late);
        }
        Ok(())
    }

    /// Each event is there as often as it has to be.
    fn is_as_said(&self, when: &str) -> Result<(), Parted> {
        let shown = self.shown()?;
        for (event, said) in &self.said {
            let times = shown.iter().filter(|other| *other == event).count();
            let expected = match said {
                Said::Done => 1,
                Said::Busy => 0,
                Said::Unknown(was_there) => usize::from(*was_there),
            };
            if times != expected {
                let step = format!("events_since(0), {when}: {event:?}, of whose append was said");
                let step = format!("{step} {said:?}");
                let text = |times| format!("it is there {times} times");
                return Err(Parted::said(step, text(expected), text(times)).its_own());
            }
        }
        let appended = |event: &&S::Event| self.said.iter().any(|(other, _)| other == *event);
        match shown.iter().find(|event| !appended(event)) {
            None => Ok(()),
            Some(other) => {
                let step = format!("events_since(0), {when}");
                let told = format!("{other:?} as well");
                Err(Parted::said(step, "only what was appended", told).its_own())
            }
        }
    }
}
