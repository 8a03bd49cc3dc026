//! Judges laws R21 and R22: several logs of one maker, and several handles onto one log.

use eventlog::Versioned as _;

use crate::{
    report::{Class, Report},
    scenes::logs::open,
    subject::{
        adapter::Subject,
        attempt::look_until,
        capability::Capability,
        case::Case,
        log::{Log, Received, Subscription},
    },
    trial::{Parted, Trial, guarded},
};

const CAPACITY: usize = 64;
const EVENTS: u32 = 6;

/// Two logs at a time, and one after them.
pub(crate) fn apart<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (first_case, first) = open(trial, CAPACITY)?;
    let (second_case, second) = open(trial, CAPACITY)?;
    let event = |version: u32| trial.subject.event(version.into(), version);
    let is_of_second = |event: &S::Event| event.version() > 100;
    let subscribes = trial.budget.has(Capability::Subscribe);
    let mut reader = if subscribes {
        Some(guarded("subscribe", || first.subscribe(0))?)
    } else {
        None
    };
    for version in 1..=EVENTS {
        guarded("append", || first.append(event(version)))?;
        guarded("append", || second.append(event(100 + version)))?;
    }
    let step = "events_since(0) of one of two logs";
    let seen = guarded(step, || first.events_since(0))?;
    is_none(step, seen.iter().find(|event| is_of_second(event)))?;
    let seen = guarded(step, || second.events_since(0))?;
    is_none(step, seen.iter().find(|event| !is_of_second(event)))?;
    // Each event, and losses, and once that there is none.
    for _ in 0..=2 * EVENTS {
        let step = "try_recv() of a reader of one of two logs";
        let Some(reader) = &mut reader else { break };
        let Received::Event(event) = guarded(step, || reader.try_recv())? else {
            continue;
        };
        is_none(step, Some(&event).filter(|event| is_of_second(event)))?;
    }
    drop((reader, first, second, first_case, second_case));
    let (_case, third) = open(trial, CAPACITY)?;
    let step = "events_since(0) of a log that was opened just now";
    let seen = guarded(step, || third.events_since(0))?;
    is_none(step, seen.first())?;
    report.visit(Class::Another);
    Ok(())
}

fn is_none<E: std::fmt::Debug>(step: &str, event: Option<&E>) -> Result<(), Parted> {
    match event {
        None => Ok(()),
        Some(event) => {
            let told = format!("{event:?}, which was appended to another log");
            Err(Parted::said(step, "what was appended to this log", told).its_own())
        }
    }
}

/// Appends through each of two handles, and looks through the other; and once one is gone.
pub(crate) fn handles<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (case, log) = open(trial, CAPACITY)?;
    let event = |version: u32| trial.subject.event(version.into(), version);
    guarded("append", || log.append(event(1)))?;
    let Some(further) = handle(trial, &case, &log)? else {
        report.leaves_out("further handles", "the subject gives none");
        return Ok(());
    };
    let subscribes = trial.budget.has(Capability::Subscribe);
    let mut reader = if subscribes {
        Some(guarded("subscribe", || further.subscribe(1))?)
    } else {
        None
    };
    let mut appended = vec![event(1)];
    for version in 2..=EVENTS {
        let through = if version % 2 == 0 { &log } else { &further };
        guarded("append", || through.append(event(version)))?;
        appended.push(event(version));
        shows(trial, &log, &appended, "the first handle")?;
        shows(trial, &further, &appended, "a further handle")?;
        if let Some(reader) = &mut reader {
            let step = "try_recv() through a handle, of what another one appended";
            delivers(trial, reader.as_mut(), event(version), step)?;
        }
    }
    drop(reader);
    once_one_is_dropped(trial, &log, further, appended)?;
    report.visit(Class::Handle);
    Ok(())
}

/// The log goes on, and so do its readers: one from before the drop of the handle, and one from after.
fn once_one_is_dropped<S: Subject>(
    trial: &Trial<'_, S>,
    log: &S::Log,
    further: S::Log,
    mut appended: Vec<S::Event>,
) -> Result<(), Parted> {
    let subscribes = trial.budget.has(Capability::Subscribe);
    let mut readers = Vec::new();
    let subscribe = || guarded("subscribe", || log.subscribe(EVENTS.into()));
    if subscribes {
        readers.push(subscribe()?);
    }
    guarded("drop of a handle", || drop(further))?;
    if subscribes {
        readers.push(subscribe()?);
    }
    let event = || trial.subject.event((EVENTS + 1).into(), EVENTS + 1);
    guarded("append", || log.append(event()))?;
    appended.push(event());
    let which = "the first handle, once the further one is dropped";
    shows(trial, log, &appended, which)?;
    for reader in &mut readers {
        let step = format!("try_recv() through {which}");
        delivers(trial, reader.as_mut(), event(), &step)?;
    }
    Ok(())
}

/// Within the log's bound, this is what a reader gets next.
fn delivers<S: Subject>(
    trial: &Trial<'_, S>,
    reader: &mut dyn Subscription<S::Event>,
    event: S::Event,
    step: &str,
) -> Result<(), Parted> {
    let mut received = Ok(Received::Empty);
    let bound = trial.subject.shows_within();
    look_until(bound, bound + trial.budget.patience, || {
        received = guarded(step, || reader.try_recv());
        !matches!(received, Ok(Received::Empty))
    });
    let (expected, received) = (Received::Event(event), received?);
    if received != expected {
        return Err(Parted::new(step, expected, received));
    }
    Ok(())
}

fn handle<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    log: &S::Log,
) -> Result<Option<S::Log>, Parted> {
    guarded("handle", || trial.subject.handle(case, log))?
        .map_err(|error| Parted::said("handle", "a further handle", error.to_string()))
}

/// Within the log's bound, this is what a handle shows.
fn shows<S: Subject>(
    trial: &Trial<'_, S>,
    log: &S::Log,
    appended: &[S::Event],
    which: &str,
) -> Result<(), Parted> {
    let step = format!("events_since(0) through {which}");
    let bound = trial.subject.shows_within();
    let longest = if bound.is_zero() {
        bound
    } else {
        bound + trial.budget.patience
    };
    let mut shown = Ok(Vec::new());
    look_until(bound, longest, || {
        shown = guarded(&step, || log.events_since(0));
        shown.as_ref().is_ok_and(|events| events == appended)
    });
    let shown = shown?;
    if shown != appended {
        return Err(Parted::new(step, appended, shown));
    }
    Ok(())
}
