//! Judges the laws N01, N02 and N04 at a simulated broker, which loses requests and answers, is claimed
//! by another writer, and loses its power.

use std::ops::RangeInclusive;

use crate::{
    report::{Class, Report},
    scenes::files::{append, open, works},
    sim_broker::{Fault, SimBroker},
    subject::{
        adapter::{Line, Subject},
        case::Case,
        log::Log as _,
    },
    trial::{Parted, Trial, guarded},
};

/// So many requests may fail, in every combination: 243 runs.
const REQUESTS: u32 = 5;
/// Events of each life.
const EVENTS: u64 = 3;

/// Every placement of lost requests and lost answers among the first.
fn placements() -> impl Iterator<Item = Vec<Fault>> {
    const FAULTS: [Fault; 3] = [Fault::None, Fault::LoseRequest, Fault::LoseAnswer];
    (0..FAULTS.len().pow(REQUESTS)).map(|mut code| {
        let digit = |_| {
            let fault = FAULTS[code % FAULTS.len()];
            code /= FAULTS.len();
            fault
        };
        (0..REQUESTS).map(digit).collect()
    })
}

/// A case at a broker that syncs.
fn at(broker: &SimBroker) -> Case {
    broker.sync_always(true);
    Case::new(16).at_broker(broker.clone())
}

/// What the broker has is these versions.
fn has<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    versions: impl Iterator<Item = u64>,
    step: &str,
) -> Result<(), Parted> {
    let events = versions.map(|version| Line::Event(trial.subject.event(version, version as u32)));
    let expected: Vec<_> = events.collect();
    let actual = read(trial, case)?;
    if actual == expected {
        return Ok(());
    }
    Err(Parted::new(step, expected, actual))
}

fn read<S: Subject>(trial: &Trial<'_, S>, case: &Case) -> Result<Vec<Line<S::Event>>, Parted> {
    let read = guarded("read_back", || trial.subject.read_back(case))?;
    read.map_err(|error| Parted::said("read_back", "what the broker has", error.to_string()))
}

/// Appends these versions, which the broker acknowledges.
fn store<S: Subject>(
    trial: &Trial<'_, S>,
    log: &S::Log,
    versions: RangeInclusive<u64>,
) -> Result<(), Parted> {
    append(trial, log, versions);
    works("flush", || log.flush())
}

/// Two lives, while requests and answers are lost.
pub(crate) fn each_once<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    for faults in placements() {
        let broker = SimBroker::new();
        let case = at(&broker);
        let step = format!("each event is there once and in order, after {faults:?}");
        let log = open(trial, &case, &step)?;
        broker.then(faults);
        store(trial, &log, 1..=EVENTS)?;
        has(trial, &case, 1..=EVENTS, &step)?;
        drop(log);
        let log = open(trial, &case, &step)?;
        store(trial, &log, EVENTS + 1..=EVENTS + 1)?;
        has(trial, &case, 1..=EVENTS + 1, &step)?;
        report.visit(Class::Faulted);
        report.visit(Class::Reopened);
    }
    Ok(())
}

/// A second writer opens while the first is at work. Either may be the one that goes on.
pub(crate) fn one_writer<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    for faults in placements() {
        let broker = SimBroker::new();
        let case = at(&broker);
        let step = format!("of two writers one is acknowledged, after {faults:?}");
        let first = open(trial, &case, &step)?;
        store(trial, &first, 1..=1)?;
        broker.then(faults);
        let Ok(second) = guarded("open", || trial.subject.open(&case))? else {
            store(trial, &first, 2..=2)?;
            has(trial, &case, 1..=2, &step)?;
            report.visit(Class::Acknowledged);
            continue;
        };
        append(trial, &first, 2..=2);
        if guarded("flush", || first.flush())?.is_ok() {
            let actual = "the writer that was there before is acknowledged still";
            return Err(Parted::said(step, "a second writer ends the first", actual));
        }
        store(trial, &second, 3..=3)?;
        has(trial, &case, [1, 3].into_iter(), &step)?;
        report.visit(Class::Acknowledged);
    }
    Ok(())
}

/// A power cut after a flush, at a broker that syncs and at one that does not.
pub(crate) fn by_its_level<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    for syncs in [true, false] {
        let broker = SimBroker::new();
        let case = at(&broker);
        broker.sync_always(syncs);
        let log = open(trial, &case, "at a broker")?;
        append(trial, &log, 1..=EVENTS);
        let flushed = guarded("flush", || log.flush())?;
        if syncs && let Err(error) = &flushed {
            let step = "flush, at a broker that syncs each record";
            return Err(Parted::said(step, "no error", error.to_string()));
        }
        broker.restart();
        if flushed.is_ok() {
            let step = "reading back what is durable after a power cut of the broker";
            has(trial, &case, 1..=EVENTS, step)?;
            report.visit(Class::Acknowledged);
        }
        report.visit(Class::PowerCut);
    }
    Ok(())
}
