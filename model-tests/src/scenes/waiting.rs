//! Judges laws S03 and S04 with readers that wait, stall, panic and come back.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll},
    thread,
};

use crate::{
    report::{Class, Report},
    scenes::patience::within,
    subject::{
        adapter::Subject,
        capability::Capability,
        case::Case,
        log::{Log, Received, Subscription},
        waker::waker_fn,
    },
    trial::{Parted, Trial, guarded},
};

/// What wakes a reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trigger {
    Append,
    Batch,
    Close,
}

impl Trigger {
    fn pull<S: Subject>(self, trial: &Trial<'_, S>, log: &S::Log) {
        let event = |pick| trial.subject.event(u64::from(pick), pick);
        match self {
            Self::Append => {
                log.append(event(1));
            }
            Self::Batch => log.append_batch(vec![event(1), event(2)]),
            Self::Close => log.close(),
        }
    }

    /// What a reader that waited from the start gets.
    fn brings<S: Subject>(self, trial: &Trial<'_, S>) -> Received<S::Event> {
        match self {
            Self::Append | Self::Batch => Received::Event(trial.subject.event(1, 1)),
            Self::Close => Received::Closed,
        }
    }
}

pub(crate) fn wakes_everyone<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let triggers = [
        (Trigger::Append, Capability::Subscribe),
        (Trigger::Batch, Capability::Batch),
        (Trigger::Close, Capability::Close),
    ];
    for (trigger, needs) in triggers {
        if !trial.budget.has(needs) {
            continue;
        }
        wakes_wakers(trial, trigger, report)?;
        wakes_threads(trial, trigger, report)?;
    }
    Ok(())
}

/// Three readers are polled, then woken.
fn wakes_wakers<S: Subject>(
    trial: &Trial<'_, S>,
    trigger: Trigger,
    report: &mut Report,
) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let (woken, wait) = mpsc::channel();
    let mut readers: Vec<_> = (0..3).map(|_| log.subscribe(0)).collect();
    for (number, reader) in readers.iter_mut().enumerate() {
        let woken = woken.clone();
        // The receiver is gone once the verdict is there.
        let waker = waker_fn(move || woken.send(number).unwrap_or(()));
        let polled = reader.poll_recv(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            return Err(Parted::new("poll_recv on an empty log", "Pending", polled));
        }
    }
    guarded(&format!("{trigger:?}"), || trigger.pull(trial, &log))?;
    for already in 0..readers.len() {
        let number = wait.recv_timeout(trial.budget.patience).map_err(|_| {
            let expected = format!("{} readers are woken", readers.len());
            let actual = format!("only {already} were within {:?}", trial.budget.patience);
            Parted::said(format!("{trigger:?} while readers wait"), expected, actual)
        })?;
        let polled = readers[number].poll_recv(&mut Context::from_waker(std::task::Waker::noop()));
        let expected = Poll::Ready(trigger.brings(trial));
        if polled != expected {
            return Err(Parted::new("poll_recv after the wake-up", expected, polled));
        }
        report.visit(Class::Woken);
    }
    Ok(())
}

/// Threads block, or are about to: the trigger comes at any moment of that, many times over.
fn wakes_threads<S: Subject>(
    trial: &Trial<'_, S>,
    trigger: Trigger,
    report: &mut Report,
) -> Result<(), Parted> {
    for round in 0..trial.budget.cases.div_ceil(2) {
        let (_case, log) = open(trial)?;
        let (done, wait) = mpsc::channel();
        let started = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            let mut reader = log.subscribe(0);
            let (done, started) = (done.clone(), started.clone());
            thread::spawn(move || {
                started.fetch_add(1, Ordering::SeqCst);
                let received = catch_unwind(AssertUnwindSafe(|| reader.blocking_recv()));
                // The receiver is gone once the verdict is there.
                let _ = done.send(received.ok());
            });
        }
        drop(done);
        while started.load(Ordering::SeqCst) < 2 {
            thread::yield_now();
        }
        // Each round lets the readers come a little further before the trigger.
        for _ in 0..round % 32 {
            thread::yield_now();
        }
        guarded(&format!("{trigger:?}"), || trigger.pull(trial, &log))?;
        for _ in 0..2 {
            let step = format!("{trigger:?} while readers block, round {round}");
            let expected = trigger.brings(trial);
            match wait.recv_timeout(trial.budget.patience) {
                Ok(Some(received)) if received == expected => report.visit(Class::Woken),
                Ok(received) => return Err(Parted::new(step, expected, received)),
                Err(_) => {
                    let actual = format!("a reader still sleeps after {:?}", trial.budget.patience);
                    return Err(Parted::said(step, format!("{expected:?}"), actual));
                }
            }
        }
    }
    Ok(())
}

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

const CAPACITY: usize = 8;

/// A reader reads nothing while four times the capacity is appended.
fn stalled<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut reader = log.subscribe(0);
    append_many(trial, &log, 4 * CAPACITY as u32, "a reader is stalled")?;
    let received = guarded("try_recv", || reader.try_recv())?;
    let lost = 3 * CAPACITY as u64;
    if received != Received::Lagged(lost) {
        let expected = Received::<S::Event>::Lagged(lost);
        return Err(Parted::new(
            "try_recv of a stalled reader",
            expected,
            received,
        ));
    }
    report.visit(Class::Lagged);
    Ok(())
}

/// A reader is dropped in the middle, perhaps while it waits; another one reads on.
fn dropped<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut gone = log.subscribe(0);
    let mut reader = log.subscribe(0);
    if trial.budget.has(Capability::Wait) {
        let waker = waker_fn(|| {});
        let _ = guarded("poll_recv", || {
            gone.poll_recv(&mut Context::from_waker(&waker))
        })?;
    }
    drop(gone);
    append_many(trial, &log, 2, "a reader was dropped")?;
    first_event(
        trial,
        reader.as_mut(),
        "a reader beside one that was dropped",
        report,
    )
}

fn panicking_waker<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut bad = log.subscribe(0);
    let mut good = log.subscribe(0);
    let (woken, wait) = mpsc::channel();
    let panics = waker_fn(|| panic!("a panic in a waker, on purpose"));
    let tells = waker_fn(move || woken.send(()).unwrap_or(()));
    let _ = bad.poll_recv(&mut Context::from_waker(&panics));
    let _ = good.poll_recv(&mut Context::from_waker(&tells));
    append_many(trial, &log, 2, "a reader's waker panics")?;
    let step = "a reader beside one whose waker panics";
    wait.recv_timeout(trial.budget.patience)
        .map_err(|_| Parted::said(step, "it is woken", "it was not"))?;
    first_event(trial, good.as_mut(), step, report)
}

fn appending_waker<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut reader = log.subscribe(0);
    let event = trial.subject.event(50, 50);
    let waker = {
        let log = log.clone();
        waker_fn(move || {
            log.append(event.clone());
        })
    };
    let _ = reader.poll_recv(&mut Context::from_waker(&waker));
    append_many(trial, &log, 1, "a reader's waker appends")?;
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

/// Appends versions 1, 2… in another thread, and waits for it.
fn append_many<S: Subject>(
    trial: &Trial<'_, S>,
    log: &Arc<S::Log>,
    count: u32,
    meanwhile: &str,
) -> Result<(), Parted> {
    let events: Vec<_> = (1..=count)
        .map(|pick| trial.subject.event(u64::from(pick), pick))
        .collect();
    let log = log.clone();
    within(trial.budget.patience, move || {
        for event in events {
            log.append(event);
        }
    })
    .map_err(|stuck| {
        let step = format!("{count} appends while {meanwhile}");
        Parted::said(
            step,
            "every append returns",
            stuck.text(trial.budget.patience),
        )
    })
}

fn open<S: Subject>(trial: &Trial<'_, S>) -> Result<(Case, Arc<S::Log>), Parted> {
    let case = Case::new(CAPACITY);
    let call = "open with a capacity of 8";
    let log = guarded(call, || trial.subject.open(&case))?
        .map_err(|error| Parted::said(call, "an open log", error.to_string()))?;
    Ok((case, Arc::new(log)))
}
