//! Judges law R15: looks at a log in the middle of a batch.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Context,
    thread,
    time::{Duration, Instant},
};

use eventlog::Versioned;

use crate::{
    report::{Class, Report},
    scenes::{logs, patience::within},
    subject::{
        adapter::Subject,
        capability::Capability,
        log::Log,
        probe::{Moment, Probe},
        waker::waker_fn,
    },
    trial::{Parted, Trial, guarded},
};

const BATCH: u64 = 3;
/// Whole batches, so that none is evicted in part.
const CAPACITY: usize = 8 * BATCH as usize;
/// A log that each batch fills anew.
const SMALL: usize = 4;
/// A look from another thread that the log's lock keeps out has seen nothing.
const LOOK: Duration = Duration::from_millis(50);

/// How many events were seen, where it was not a whole number of batches.
type Seen = Arc<Mutex<Option<usize>>>;

pub(crate) fn in_one_piece<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    if trial.budget.has(Capability::Probe) {
        for skip in 0..2 * BATCH as usize {
            seen_by_events(trial, skip)?;
        }
        for skip in 0..SMALL {
            seen_by_evicted(trial, skip)?;
        }
    }
    if trial.budget.has(Capability::Subscribe) && trial.budget.has(Capability::Wait) {
        seen_by_a_waker(trial)?;
    }
    seen_by_threads(trial, report)
}

/// The code of the batch's events looks at the log: the order is fixed, and no race needed.
fn seen_by_events<S: Subject>(trial: &Trial<'_, S>, skip: usize) -> Result<(), Parted> {
    let log = open(trial)?;
    let probe = Probe::new();
    let seen = Seen::default();
    let (looks, at) = (log.clone(), seen.clone());
    probe.arm(Moment::Version, skip, move || {
        let looked = within(LOOK, move || looks.events_since(0).len());
        note(&at, looked.unwrap_or(0));
    });
    let batch = (1..=BATCH).map(|version| trial.subject.probed_event(version, &probe));
    let batch = batch.collect();
    guarded("append_batch", || log.append_batch(batch))?;
    // Whether the moment came at all does not matter: there are other ways to look.
    let _ = probe.disarm();
    verdict(&seen, "an event of the batch looks at the log")
}

/// A log that is full lets events go in the middle of a batch, and their code looks at it.
///
/// What it retains then, and how soon it shows an event, is its own matter; the newest is the last of
/// the batch, or from before the batch.
fn seen_by_evicted<S: Subject>(trial: &Trial<'_, S>, skip: usize) -> Result<(), Parted> {
    let (_case, log) = logs::open(trial, SMALL)?;
    let (log, probe) = (Arc::new(log), Probe::new());
    let event = |version| trial.subject.probed_event(version, &probe);
    let before = SMALL as u64 + 2;
    for version in 1..=before {
        guarded("append", || log.append(event(version)))?;
    }
    // Enough for whatever the log frees at once to be freed once.
    let last = before + 2 * SMALL as u64 + 1;
    let batch: Vec<_> = (before + 1..=last).map(event).collect();
    let seen = Arc::new(Mutex::new(None));
    let (looks, at) = (log.clone(), seen.clone());
    probe.arm(Moment::Drop, skip, move || {
        let newest = move || looks.events_since(0).last().map(Versioned::version);
        // A look that the log's lock keeps out has seen nothing.
        let newest = within(LOOK, newest).ok().flatten();
        *at.lock().unwrap_or_else(PoisonError::into_inner) = newest;
    });
    let events = batch.len();
    guarded("append_batch", || log.append_batch(batch))?;
    let _ = probe.disarm();
    let seen = *seen.lock().unwrap_or_else(PoisonError::into_inner);
    match seen {
        Some(newest) if newest > before && newest != last => Err(Parted::said(
            format!("append_batch of {events} events; an event that is evicted looks at the log"),
            format!("the newest version is at most {before}, as before, or {last}"),
            format!("it is {newest}"),
        )),
        _ => Ok(()),
    }
}

/// A reader that is woken looks at the log.
fn seen_by_a_waker<S: Subject>(trial: &Trial<'_, S>) -> Result<(), Parted> {
    let log = open(trial)?;
    let seen = Seen::default();
    let mut reader = log.subscribe(0);
    let (looks, at) = (log.clone(), seen.clone());
    let waker = waker_fn(move || {
        let looks = looks.clone();
        let looked = within(LOOK, move || looks.events_since(0).len());
        note(&at, looked.unwrap_or(0));
    });
    let _ = guarded("poll_recv", || {
        reader.poll_recv(&mut Context::from_waker(&waker))
    })?;
    guarded("append_batch", || log.append_batch(batch(trial, 1)))?;
    verdict(&seen, "the waker of a reader looks at the log")
}

/// Two threads append batches while others look.
fn seen_by_threads<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let log = open(trial)?;
    let (stop, appended) = (AtomicBool::new(false), AtomicU64::new(0));
    let wanted = u64::from(trial.budget.cases) * 4;
    let deadline = Instant::now() + trial.budget.patience;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let first = appended.fetch_add(BATCH, Ordering::Relaxed) + 1;
                    log.append_batch(batch(trial, first));
                    thread::yield_now();
                }
            });
        }
        let result = (|| {
            let mut last = None;
            while report.count(Class::Raced) < wanted && Instant::now() < deadline {
                let events = guarded("events_since(0) between batches", || log.events_since(0))?;
                let newest = events.last().map(Versioned::version);
                if newest == last {
                    thread::yield_now();
                } else {
                    report.visit(Class::Raced);
                    report.visit(Class::Batch);
                }
                last = newest;
                whole(&events)?;
            }
            Ok(())
        })();
        stop.store(true, Ordering::Relaxed);
        result
    })
}

/// A replay of whole batches, each in one piece.
fn whole<E: Versioned>(events: &[E]) -> Result<(), Parted> {
    let versions: Vec<_> = events.iter().map(Versioned::version).collect();
    let is_whole = |batch: &[u64]| {
        let first = batch[0];
        first % BATCH == 1 && batch.iter().copied().eq(first..first + BATCH)
    };
    if versions.chunks(BATCH as usize).all(is_whole) {
        return Ok(());
    }
    Err(Parted::said(
        "events_since(0) while two threads append batches of 3",
        "batches of 3 events, each whole and in one piece",
        format!("versions {versions:?}"),
    ))
}

fn note(seen: &Seen, events: usize) {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if !events.is_multiple_of(BATCH as usize) {
        seen.get_or_insert(events);
    }
}

fn verdict(seen: &Seen, how: &str) -> Result<(), Parted> {
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    match *seen {
        None => Ok(()),
        Some(events) => Err(Parted::said(
            format!("append_batch of {BATCH} events; {how}"),
            format!("none of the {BATCH} events, or all"),
            format!("{events}"),
        )),
    }
}

/// A batch of versions from `first` on.
fn batch<S: Subject>(trial: &Trial<'_, S>, first: u64) -> Vec<S::Event> {
    (first..first + BATCH)
        .map(|version| trial.subject.event(version, version as u32))
        .collect()
}

fn open<S: Subject>(trial: &Trial<'_, S>) -> Result<Arc<S::Log>, Parted> {
    let (_case, log) = logs::open(trial, CAPACITY)?;
    Ok(Arc::new(log))
}
