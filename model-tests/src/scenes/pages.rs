//! Judges law R18: a replay in parts, of every size and from every place.

use eventlog::{Coverage, Versioned};

use crate::{
    model::log::Model,
    report::{Class, Report},
    scenes::logs::open,
    subject::{
        adapter::Subject,
        case::Case,
        log::{Log, Page},
    },
    trial::{Parted, Trial, guarded},
};

/// Versions that rise, skip, repeat and fall.
const HISTORIES: [&[u64]; 4] = [
    &[1, 2, 3, 4, 5, 6, 7],
    &[2, 2, 2, 5, 5, 9],
    &[5, 3, 4, 9, 2, 2, 8],
    &[],
];

/// Until then a log has let go of something: the longest segments that we know are 256 events.
const MOST_APPENDS: u64 = 600;

pub(crate) fn one_after_the_other<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    for versions in HISTORIES {
        for capacity in [3, 20] {
            for since in 0..=10 {
                for size in 1..=4 {
                    Run::of(trial, versions, capacity)?.pages(since, size, report)?;
                }
            }
        }
    }
    too_late(trial, report)
}

struct Run<S: Subject> {
    case: Case,
    log: S::Log,
    model: Model<S::Event>,
}

impl<S: Subject> Run<S> {
    fn of(trial: &Trial<'_, S>, versions: &[u64], capacity: usize) -> Result<Self, Parted> {
        let (case, log) = open(trial, capacity)?;
        let model = Model::new(capacity, None);
        let mut run = Self { case, log, model };
        for version in versions {
            run.append(trial, *version)?;
        }
        Ok(run)
    }

    fn append(&mut self, trial: &Trial<'_, S>, version: u64) -> Result<(), Parted> {
        let pick = self.model.history().len() as u32 + 1;
        let event = trial.subject.event(version, pick);
        let appended = self.model.append(event.clone());
        self.model
            .retain(trial.subject.retains(&self.case, appended));
        guarded("append", || self.log.append(event))?;
        Ok(())
    }

    /// All pages since a version, and one more.
    fn pages(&self, since: u64, size: usize, report: &mut Report) -> Result<(), Parted> {
        let mut left = self.model.pages_since(since);
        let mut step = format!("page({since}, {size}) of {:?}", self.versions());
        let mut page = guarded(&step, || self.log.page(since, size))?;
        if !self.model.covers_since(since, page.coverage) {
            return Err(Parted::new(step, self.model.coverage(since), page.coverage));
        }
        if let Some(class) = Class::of_coverage(page.coverage) {
            report.visit(class);
        }
        loop {
            let (events, rest) = left.split_at(size.min(left.len()));
            let expected = (events, !rest.is_empty());
            let actual = (&*page.events, page.has_more);
            if expected != actual {
                return Err(Parted::new(step, expected, actual));
            }
            if events.is_empty() {
                return Ok(());
            }
            left = rest;
            step = format!("page_after(the cursor, {size}) after {step}");
            step.truncate(
                step.char_indices()
                    .nth(400)
                    .map_or(step.len(), |(at, _)| at),
            );
            let cursor = page.cursor;
            page = guarded(&step, || self.log.page_after(&cursor, size))?;
            if page.coverage != Coverage::Complete {
                return Err(Parted::new(step, Coverage::Complete, page.coverage));
            }
        }
    }

    fn versions(&self) -> Vec<u64> {
        let history = self.model.history().iter();
        history.map(Versioned::version).collect()
    }
}

/// What was evicted between two requests is told by the second.
fn too_late<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let mut run = Run::of(trial, &[1, 2, 3, 4], 4)?;
    let Page { cursor, .. } = guarded("page(0, 1)", || run.log.page(0, 1))?;
    // A log that retains more than its capacity lets go of event 4 later.
    for version in 5..=MOST_APPENDS {
        run.append(trial, version)?;
        if run.model.evicted().len() >= 4 {
            report.visit(Class::Truncated);
            break;
        }
    }
    let step = "page_after(the cursor of event 1, 2) once 4 is evicted";
    let page = guarded(step, || run.log.page_after(&cursor, 2))?;
    let expected = &run.model.replay_after(Some(1)).events[..2];
    if !run.model.covers_after(Some(1), page.coverage) || page.events != expected {
        let ours = (run.model.replay_after(Some(1)).coverage, expected);
        return Err(Parted::new(step, ours, (page.coverage, page.events)));
    }
    Ok(())
}
