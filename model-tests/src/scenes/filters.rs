//! Judges law S10: a reader that wants some of the events, and where it stands.

use eventlog::{Coverage, Versioned};

use crate::{
    report::{Class, Report},
    scenes::logs::{append, evicted, open},
    subject::{
        adapter::Subject,
        capability::Capability,
        log::{Log, Received, Subscription},
    },
    trial::{Parted, Trial, guarded},
};

const CAPACITY: u64 = 8;

fn keeps<E: Versioned>(event: &E) -> bool {
    event.version().is_multiple_of(3)
}

/// Some events, more than the log holds, and then the end.
pub(crate) fn passed_over<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let (case, log) = open(trial, CAPACITY as usize)?;
    append(trial, &log, 1..=7)?;
    let mut reader = guarded("subscribe_if", || log.subscribe_if(0, keeps))?;
    expect(&mut *reader, 1..=7, report)?;
    stands_at_the_end(trial, &log, &*reader)?;

    append(trial, &log, 8..=30)?;
    if trial.budget.has(Capability::LagOnce) {
        let step = "try_recv() of a reader that has seen 7 of 30 events, at a capacity of 8";
        let seen = evicted(trial, &case, 30).max(7);
        let lost = seen - 7;
        if lost > 0 {
            let received = guarded(step, || reader.try_recv())?;
            if received != Received::Lagged(lost) {
                let (ours, theirs) = (format!("Lagged({lost})"), format!("{received:?}"));
                return Err(Parted::said(step, ours, theirs));
            }
            report.visit(Class::Lagged);
        }
        expect(&mut *reader, seen + 1..=30, report)?;
        stands_at_the_end(trial, &log, &*reader)?;
    }
    Ok(())
}

/// The kept ones of these, and nothing more.
fn expect<E: Versioned + std::fmt::Debug>(
    reader: &mut dyn Subscription<E>,
    versions: std::ops::RangeInclusive<u64>,
    report: &mut Report,
) -> Result<(), Parted> {
    let kept = versions.filter(|version| version.is_multiple_of(3));
    for expected in kept.map(Some).chain([None]) {
        let step = "try_recv() of a reader that wants each third event";
        let received = guarded(step, || reader.try_recv())?;
        let is_right = match (&received, expected) {
            (Received::Event(event), Some(version)) => event.version() == version,
            (Received::Empty, None) => true,
            _ => false,
        };
        if !is_right {
            let ours = expected.map_or("Empty".into(), |version| format!("version {version}"));
            return Err(Parted::said(step, ours, format!("{received:?}")));
        }
        report.visit(if expected.is_some() {
            Class::Delivered
        } else {
            Class::CaughtUp
        });
    }
    Ok(())
}

/// What it passed over, it has seen.
fn stands_at_the_end<S: Subject>(
    trial: &Trial<'_, S>,
    log: &S::Log,
    reader: &dyn Subscription<S::Event>,
) -> Result<(), Parted> {
    if trial.budget.has(Capability::Live) && !guarded("is_live", || reader.is_live())? {
        let step = "is_live of a reader that has passed over the rest";
        return Err(Parted::new(step, true, false));
    }
    if !trial.budget.has(Capability::Cursor) {
        return Ok(());
    }
    let step = "replay_after the cursor of a reader that has passed over the rest";
    let cursor = guarded("cursor", || reader.cursor())?;
    let replay = guarded(step, || log.replay_after(&cursor))?;
    let actual = (replay.coverage, replay.events.len());
    if actual != (Coverage::Complete, 0) {
        return Err(Parted::new(step, (Coverage::Complete, 0), actual));
    }
    Ok(())
}
