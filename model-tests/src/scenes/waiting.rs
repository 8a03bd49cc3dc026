//! Judges law S04 with readers that stall, panic, come back and are dropped.

use std::{sync::Arc, task::Context};

use crate::{
    report::{Class, Report},
    scenes::{
        logs::append_many,
        patience::{Stuck, panic_on_purpose, within},
        polling::{CAPACITY, open, ring, waits_with},
    },
    subject::{
        adapter::Subject,
        capability::Capability,
        log::{Log, Received, Subscription},
        waker::waker_fn,
    },
    trial::{Parted, Trial, guarded},
};

/// So many readers wait beside each other.
const READERS: usize = 3;

pub(crate) fn never_delays<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    stalled(trial, report)?;
    dropped(trial, report)?;
    if trial.budget.has(Capability::Wait) {
        caught_up(trial)?;
        for gone in 0..READERS {
            dropped_among_others(trial, gone, report)?;
        }
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
    append_while(trial, &log, appends, "a reader is stalled")
        .map_err(|parted| its_own_if_readers_delay(trial, parted))?;
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

/// A reader that has read everything waits, each time that an event is appended: also once the log is
/// full, at whichever place.
fn caught_up<S: Subject>(trial: &Trial<'_, S>) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut reader = guarded("subscribe", || log.subscribe(0))?;
    for _ in 0..4 * CAPACITY {
        waits_with(reader.as_mut(), || {})?;
        append_while(trial, &log, 1, "a reader waits")
            .map_err(|parted| its_own_if_readers_delay(trial, parted))?;
        // What it gets is the matter of other laws.
        guarded("try_recv", || reader.try_recv())?;
    }
    Ok(())
}

/// What was found rests on no other law if the same appends return where nobody reads: no lock is held
/// then, and no event's or waker's code was running.
fn its_own_if_readers_delay<S: Subject>(trial: &Trial<'_, S>, parted: Parted) -> Parted {
    let alone = open(trial)
        .and_then(|(_case, log)| append_while(trial, &log, 4 * CAPACITY as u32, "nobody reads"));
    if alone.is_ok() {
        parted.its_own()
    } else {
        parted
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

/// Of several readers that wait one is dropped, the first, a middle one or the last: each other one is
/// woken, and gets what comes.
fn dropped_among_others<S: Subject>(
    trial: &Trial<'_, S>,
    gone: usize,
    report: &mut Report,
) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut reader = guarded("subscribe", || log.subscribe(0))?;
        let (ring, told) = ring();
        if waits_with(reader.as_mut(), ring)? {
            readers.push((reader, told));
        }
    }
    if readers.len() < READERS {
        return Err(Parted::said(
            "poll_recv on an empty log",
            "Pending",
            "Ready",
        ));
    }
    let (reader, _) = readers.remove(gone);
    guarded("drop of a reader", || drop(reader))?;
    let meanwhile = format!("one of {READERS} that wait is dropped");
    append_while(trial, &log, 1, &meanwhile)?;
    let step = format!("an append once {meanwhile}, number {}", gone + 1);
    for (reader, told) in &mut readers {
        told.recv_timeout(trial.budget.patience)
            .map_err(|_| Parted::said(&step, "the others are woken", "one was not"))?;
        first_event(trial, reader.as_mut(), &step, report)?;
    }
    Ok(())
}

fn panicking_waker<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut bad = guarded("subscribe", || log.subscribe(0))?;
    let mut good = guarded("subscribe", || log.subscribe(0))?;
    let (ring, told) = ring();
    waits_with(bad.as_mut(), || {
        panic_on_purpose("a panic in a waker, on purpose")
    })?;
    waits_with(good.as_mut(), ring)?;
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
    let appends = log.clone();
    waits_with(reader.as_mut(), move || {
        appends.append(event.clone());
    })?;
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
