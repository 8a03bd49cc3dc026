//! Judges law S04 with readers that stall, panic, come back and are dropped.

use std::{sync::Arc, task::Context};

use crate::{
    report::{Class, Report},
    scenes::{
        logs::append_many,
        patience::{Stuck, panic_on_purpose, within},
        polling::{CAPACITY, bell, open, poll},
    },
    subject::{
        adapter::Subject,
        capability::Capability,
        log::{Log, Received, Subscription},
        waker::waker_fn,
    },
    trial::{Parted, Trial, guarded},
};

pub(crate) fn never_delays<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    stalled(trial, report)?;
    dropped(trial, report)?;
    if trial.budget.has(Capability::Wait) {
        panicking_waker(trial, report)?;
        appending_waker(trial, report)?;
    }
    Ok(())
}

/// A reader reads nothing while four times the capacity is appended, and then goes on.
fn stalled<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (case, log) = open(trial)?;
    let mut reader = guarded("subscribe", || log.subscribe(0))?;
    let appends = 4 * CAPACITY as u32;
    append_while(trial, &log, appends, "a reader is stalled")?;
    if trial.subject.retains(&case, u64::from(appends)) < u64::from(appends) {
        report.visit(Class::Overtaken);
    }
    match guarded("try_recv", || reader.try_recv())? {
        Received::Event(_) | Received::Lagged(_) => Ok(()),
        received => {
            let step = "try_recv of a stalled reader";
            Err(Parted::said(
                step,
                "an event, or a loss",
                format!("{received:?}"),
            ))
        }
    }
}

/// A reader is dropped in the middle, perhaps while it waits; another one reads on.
fn dropped<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut gone = guarded("subscribe", || log.subscribe(0))?;
    let mut reader = guarded("subscribe", || log.subscribe(0))?;
    if trial.budget.has(Capability::Wait) {
        let waker = waker_fn(|| {});
        let _ = guarded("poll_recv", || {
            gone.poll_recv(&mut Context::from_waker(&waker))
        })?;
    }
    drop(gone);
    append_while(trial, &log, 2, "a reader was dropped")?;
    first_event(
        trial,
        reader.as_mut(),
        "a reader beside one that was dropped",
        report,
    )
}

fn panicking_waker<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut bad = guarded("subscribe", || log.subscribe(0))?;
    let mut good = guarded("subscribe", || log.subscribe(0))?;
    let panics = waker_fn(|| panic_on_purpose("a panic in a waker, on purpose"));
    let (tells, told) = bell();
    let _ = poll(bad.as_mut(), &panics)?;
    let _ = poll(good.as_mut(), &tells)?;
    let step = "a reader beside one whose waker panics";
    if trial.budget.has(Capability::CatchesWakers) {
        append_while(trial, &log, 2, "a reader's waker panics")?;
        told.recv_timeout(trial.budget.patience)
            .map_err(|_| Parted::said(step, "it is woken", "it was not"))?;
    } else {
        // The panic may be the appender's, but the event is appended, and the log goes on.
        let first = trial.subject.event(1, 1);
        let appends = log.clone();
        let panicked = within(trial.budget.patience, move || {
            appends.append(first);
        });
        if panicked == Err(Stuck::Blocked) {
            let text = Stuck::Blocked.text(trial.budget.patience);
            return Err(Parted::said(
                "append while a waker panics",
                "it returns",
                text,
            ));
        }
        append_while(trial, &log, 1, "a reader's waker has panicked")?;
    }
    first_event(trial, good.as_mut(), step, report)
}

fn appending_waker<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut reader = guarded("subscribe", || log.subscribe(0))?;
    let event = trial.subject.event(50, 50);
    let waker = {
        let log = log.clone();
        waker_fn(move || {
            log.append(event.clone());
        })
    };
    let _ = poll(reader.as_mut(), &waker)?;
    append_while(trial, &log, 1, "a reader's waker appends")?;
    first_event(
        trial,
        reader.as_mut(),
        "a reader whose waker appends",
        report,
    )
}

fn first_event<S: Subject>(
    trial: &Trial<'_, S>,
    reader: &mut dyn Subscription<S::Event>,
    step: &str,
    report: &mut Report,
) -> Result<(), Parted> {
    let expected = Received::Event(trial.subject.event(1, 1));
    let received = guarded(step, || reader.try_recv())?;
    report.visit(Class::Delivered);
    if received == expected {
        Ok(())
    } else {
        Err(Parted::new(step, expected, received))
    }
}

/// Appends so many events in another thread, and waits for it.
fn append_while<S: Subject>(
    trial: &Trial<'_, S>,
    log: &Arc<S::Log>,
    count: u32,
    meanwhile: &str,
) -> Result<(), Parted> {
    let step = format!("{count} appends while {meanwhile}");
    append_many(trial, log.clone(), count, &step)
}
