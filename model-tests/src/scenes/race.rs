//! Judges laws R06 and S01 with a thread that appends all the while.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Instant,
};

use eventlog::Coverage;

use crate::{
    report::{Class, Report},
    subject::{
        adapter::Subject,
        case::Case,
        log::{Log, Received, Replay},
    },
    trial::{Parted, Trial, guarded},
};

const CAPACITY: u64 = 8;

/// Replays while another thread appends dense versions: each answer must be that of the instant
/// that its newest version names.
pub(crate) fn one_instant<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let (_case, log) = open(trial, CAPACITY as usize)?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for version in 1..=u64::from(u32::MAX) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                append(trial, &log, version);
            }
        });
        let result = race(trial, &log, report);
        stop.store(true, Ordering::Relaxed);
        result
    })
}

/// Compares replays until enough of them found the log changed since the one before.
fn race<S: Subject>(trial: &Trial<'_, S>, log: &S::Log, report: &mut Report) -> Result<(), Parted> {
    let deadline = Instant::now() + trial.budget.patience;
    let mut last = None;
    for round in 0.. {
        if report.count(Class::Raced) > u64::from(trial.budget.cases) * 8
            || Instant::now() > deadline
        {
            break;
        }
        // Around the oldest retained version, where the answer turns.
        let newest = last.unwrap_or(0_u64);
        let since = newest.saturating_sub(CAPACITY) + round % 16;
        let call = format!("log.replay({since}) while another thread appends");
        let answer = guarded(&call, || log.replay(since))?;
        if answer.newest == last {
            thread::yield_now();
        } else {
            report.visit(Class::Raced);
        }
        last = answer.newest;
        report.visit(match answer.coverage {
            Coverage::Truncated { .. } => Class::Truncated,
            _ => Class::Complete,
        });
        let expected = dense_replay(trial.subject, answer.newest, since);
        if answer != expected {
            return Err(Parted::new(call, expected, answer));
        }
    }
    Ok(())
}

/// What a log of versions 1, 2… `newest` answers.
fn dense_replay<S: Subject>(subject: &S, newest: Option<u64>, since: u64) -> Replay<S::Event> {
    let last = newest.unwrap_or(0);
    let evicted = last.saturating_sub(CAPACITY);
    let coverage = if since > last {
        Coverage::Ahead { newest: last }
    } else if evicted > since {
        Coverage::Truncated {
            missed_through: evicted,
            missed: None,
        }
    } else {
        Coverage::Complete
    };
    let from = since.max(evicted) + 1;
    let events = (from..=last)
        .map(|version| subject.event(version, version as u32))
        .collect();
    Replay {
        events,
        coverage,
        newest,
    }
}

/// Subscribes while another thread appends dense versions: each reader must get every version
/// after the one that it asked for.
pub(crate) fn no_seam<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let rounds = 8 + trial.budget.cases / 16;
    (0..rounds).try_for_each(|_| seam_round(trial, report))
}

fn seam_round<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    const EVENTS: u64 = 600;
    let (_case, log) = open(trial, EVENTS as usize)?;
    let appended = AtomicU64::new(0);
    let readers = thread::scope(|scope| {
        scope.spawn(|| {
            for version in 1..=EVENTS {
                append(trial, &log, version);
                appended.store(version, Ordering::Relaxed);
            }
        });
        let mut readers = Vec::new();
        while appended.load(Ordering::Relaxed) < EVENTS {
            let since = appended.load(Ordering::Relaxed);
            for since in [0, since] {
                readers.push((since, guarded("subscribe", || log.subscribe(since))?));
                report.visit(Class::Raced);
            }
            if readers.len() > 64 {
                break;
            }
        }
        Ok(readers)
    })?;
    for (since, mut reader) in readers {
        let step = format!("a reader that subscribed since {since} while another thread appended");
        for version in since + 1..=EVENTS {
            let expected = Received::Event(trial.subject.event(version, version as u32));
            let answer = guarded(&step, || reader.try_recv())?;
            if answer != expected {
                return Err(Parted::new(step, expected, answer));
            }
        }
        let answer = guarded(&step, || reader.try_recv())?;
        if answer != Received::Empty {
            return Err(Parted::new(step, Received::<S::Event>::Empty, answer));
        }
    }
    Ok(())
}

fn open<S: Subject>(trial: &Trial<'_, S>, capacity: usize) -> Result<(Case, S::Log), Parted> {
    let case = Case::new(capacity);
    let call = format!("open with a capacity of {capacity}");
    let log = guarded(&call, || trial.subject.open(&case))?
        .map_err(|error| Parted::said(call, "an open log", error.to_string()))?;
    Ok((case, log))
}

fn append<S: Subject>(trial: &Trial<'_, S>, log: &S::Log, version: u64) {
    log.append(trial.subject.event(version, version as u32));
}
