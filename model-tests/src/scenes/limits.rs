//! Judges laws R13 and R14: logs that limit what their events weigh, or how old they are, step by step
//! beside the model.

use std::time::Duration;

use eventlog::Versioned;

use crate::{
    model::log::Model,
    report::{Class, Report},
    scenes::logs::evicted,
    subject::{
        adapter::Subject,
        capability::Capability,
        case::Case,
        log::{Log, Received, Subscription},
    },
    trial::{Parted, Trial, guarded},
};

/// Limits from none at all to more than there is room for.
pub(crate) fn in_weight<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    for (capacity, most) in [(3, 9), (40, 0), (40, 5), (40, 9), (40, 50), (40, 1_000)] {
        let mut run = Run::open(trial, Case::new(capacity).with_max_bytes(most))?;
        for step in 0..90_u64 {
            // All weights, the heaviest now and then, and some that are nothing.
            run.append(1 + step * 5 % 13, report)?;
            if step % 7 == 6 {
                run.read()?;
            }
        }
    }
    Ok(())
}

/// Time that goes on with and without appends, stands still, and goes back.
pub(crate) fn in_age<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    for (capacity, most) in [(3, 4), (40, 0), (40, 4), (40, 30), (40, 1_000)] {
        let case = Case::new(capacity).with_max_age(Duration::from_secs(most));
        let mut run = Run::open(trial, case)?;
        let mut seconds = 100;
        for step in 0..90_u64 {
            seconds += [0, 1, 3, 0, 6][step as usize % 5];
            run.pass(
                if step % 11 == 10 {
                    seconds - 50
                } else {
                    seconds
                },
                report,
            )?;
            run.append(1, report)?;
            if step % 7 == 6 {
                run.read()?;
            }
        }
        for _ in 0..4 {
            seconds += most / 2;
            run.pass(seconds, report)?;
        }
        run.read()?;
    }
    Ok(())
}

/// A log, the model, and a reader that has come so far.
struct Run<'a, S: Subject> {
    trial: &'a Trial<'a, S>,
    case: Case,
    log: S::Log,
    model: Model<S::Event>,
    reader: Option<Box<dyn Subscription<S::Event>>>,
    read: usize,
}

impl<'a, S: Subject> Run<'a, S> {
    fn open(trial: &'a Trial<'a, S>, case: Case) -> Result<Self, Parted> {
        let step = format!(
            "open with a capacity of {}, {:?} bytes and an age of {:?}",
            case.capacity, case.max_bytes, case.max_age
        );
        let log = guarded(&step, || trial.subject.open(&case))?
            .map_err(|error| Parted::said(step, "an open log", error.to_string()))?;
        let can = |capability| trial.budget.has(capability);
        let reads = can(Capability::Subscribe) && can(Capability::LagOnce);
        Ok(Self {
            trial,
            // What goes for the capacity, the subject says.
            model: Model::new(usize::MAX, None).with_limits(case.max_bytes, case.max_age),
            reader: reads.then(|| log.subscribe(0)),
            case,
            log,
            read: 0,
        })
    }

    /// Appends an event whose version is so much higher.
    fn append(&mut self, more: u64, report: &mut Report) -> Result<(), Parted> {
        let version = self.model.newest().unwrap_or(0) + more;
        let event = self.trial.subject.event(version, version as u32);
        self.model.pass(self.case.clock.now());
        let appended = self.model.append(event.clone());
        self.model.let_go(evicted(self.trial, &self.case, appended));
        guarded("append", || self.log.append(event))?;
        self.ask(report)
    }

    fn pass(&mut self, seconds: u64, report: &mut Report) -> Result<(), Parted> {
        self.case.clock.put(seconds);
        self.model.pass(self.case.clock.now());
        self.ask(report)
    }

    fn after(&self) -> String {
        let (events, clock) = (self.model.history().len(), self.case.clock.now().as_secs());
        let (bytes, age) = (self.case.max_bytes, self.case.max_age);
        format!("after {events} events at {clock} s, with {bytes:?} bytes and an age of {age:?}")
    }

    fn ask(&mut self, report: &mut Report) -> Result<(), Parted> {
        // Each question is the first for some logs, so that none owes its answer to another.
        let first_asks_events = self.model.history().len().is_multiple_of(2);
        if first_asks_events {
            self.ask_events()?;
        }
        let newest = self.model.newest().unwrap_or(0);
        let oldest = self
            .model
            .retained()
            .first()
            .map_or(newest, Versioned::version);
        for since in [0, oldest.saturating_sub(1), oldest, newest] {
            let ours = self.model.replay_truncated(since);
            report.visit(if ours {
                Class::Truncated
            } else {
                Class::Complete
            });
            let step = format!("replay_truncated({since}) {}", self.after());
            let theirs = guarded(&step, || self.log.replay_truncated(since))?;
            if theirs != ours {
                return Err(Parted::new(step, ours, theirs));
            }
            if self.trial.budget.has(Capability::Replay) {
                let step = format!("replay({since}) {}", self.after());
                let theirs = guarded(&step, || self.log.replay(since))?;
                let ours = self.model.replay(since);
                let covers = self.model.covers_since(since, theirs.coverage);
                if !covers || ours.events != theirs.events {
                    return Err(Parted::new(step, ours, theirs));
                }
            }
        }
        if self.model.evicted().is_empty() {
            return Ok(());
        }
        report.visit(Class::Wrapped);
        self.ask_events()
    }

    fn ask_events(&self) -> Result<(), Parted> {
        let step = format!("events_since(0) {}", self.after());
        let theirs = guarded(&step, || self.log.events_since(0))?;
        let ours = self.model.retained();
        if theirs != ours {
            return Err(Parted::new(step, ours, theirs));
        }
        Ok(())
    }

    /// Everything that is there: one loss, if there was any, and the events after it.
    fn read(&mut self) -> Result<(), Parted> {
        let step = format!("try_recv() {}", self.after());
        let Some(reader) = &mut self.reader else {
            return Ok(());
        };
        let oldest = self.model.evicted().len();
        let mut expected = Vec::new();
        if self.read < oldest {
            expected.push(Received::Lagged((oldest - self.read) as u64));
        }
        self.read = self.read.max(oldest);
        let events = &self.model.history()[self.read..];
        expected.extend(events.iter().cloned().map(Received::Event));
        expected.push(Received::Empty);
        self.read += events.len();
        for ours in expected {
            let theirs = guarded(&step, || reader.try_recv())?;
            if theirs != ours {
                return Err(Parted::new(step, ours, theirs));
            }
        }
        Ok(())
    }
}
