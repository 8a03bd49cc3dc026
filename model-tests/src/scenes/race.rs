//! Judges laws R06 and S01 with appends in the middle of other calls: from the code of an event,
//! which fixes the order, and from a thread that appends all the while.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use eventlog::{Coverage, Versioned};

use crate::{
    report::{Class, Report},
    scenes::{
        logs::{evicted, open},
        patience::within,
    },
    subject::{
        adapter::Subject,
        capability::Capability,
        case::Case,
        log::{Log, Received, Replay},
        probe::{Moment, Probe},
    },
    trial::{Parted, Trial, guarded},
};

const CAPACITY: u64 = 8;
/// An append that the log's lock keeps out until a replay is done proves nothing.
const MEANWHILE: Duration = Duration::from_millis(50);

/// Appends as many events as the log retains while a replay clones the first, the second…
pub(crate) fn while_it_clones<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    if !trial.budget.has(Capability::Probe) {
        return Ok(());
    }
    for skip in 0..3 {
        let (case, log) = open(trial, CAPACITY as usize)?;
        let (log, probe) = (Arc::new(log), Probe::new());
        let event = |version| trial.subject.probed_event(version, &probe);
        for version in 1..=CAPACITY {
            log.append(event(version));
        }
        // Made here: the subject cannot travel to another thread.
        let more: Vec<_> = (CAPACITY + 1..=3 * CAPACITY).map(event).collect();
        let appender = log.clone();
        probe.arm(Moment::Clone, skip, move || {
            let _ = within(MEANWHILE, move || {
                for event in more {
                    appender.append(event);
                }
            });
        });
        let step = format!(
            "log.replay(1) while another thread appends at clone {}",
            skip + 1
        );
        let answer = guarded(&step, || log.replay(1))?;
        if !probe.disarm() {
            report.visit(Class::Raced);
        }
        let versions: Vec<_> = answer.events.iter().map(Versioned::version).collect();
        let actual = (versions, uncounted(answer.coverage, 1), answer.newest);
        let expected = dense_answer(trial, &case, answer.newest, 1);
        if actual != expected {
            return Err(Parted::new(step, expected, actual));
        }
    }
    Ok(())
}

/// Replays while another thread appends dense versions: each answer must be that of the instant
/// that its newest version names.
pub(crate) fn one_instant<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let (case, log) = open(trial, CAPACITY as usize)?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for version in 1..=u64::from(u32::MAX) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                append(trial, &log, version);
                // Where they share a core, it would append for the whole of its turn.
                if version % CAPACITY == 0 {
                    thread::yield_now();
                }
            }
        });
        let result = race(trial, &case, &log, report);
        stop.store(true, Ordering::Relaxed);
        result
    })
}

/// Compares replays until enough of them found the log changed since the one before.
fn race<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    log: &S::Log,
    report: &mut Report,
) -> Result<(), Parted> {
    // Only the end for a log that never changes: what counts is how often it did.
    let deadline = Instant::now() + 4 * trial.budget.patience;
    let mut last = None;
    for round in 0.. {
        if report.count(Class::Raced) > u64::from(trial.budget.cases) * 8
            || Instant::now() > deadline
        {
            break;
        }
        // Around the oldest retained version, where the answer turns; never ahead of the log.
        let newest = last.unwrap_or(0_u64);
        let since = newest.saturating_sub(CAPACITY + 4) + round % 12;
        let since = since.min(newest);
        let call = format!("log.replay({since}) while another thread appends");
        let mut answer = guarded(&call, || log.replay(since))?;
        answer.coverage = uncounted(answer.coverage, since);
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
        let expected = dense_replay(trial, case, answer.newest, since);
        if answer != expected {
            return Err(Parted::new(call, expected, answer));
        }
    }
    Ok(())
}

/// What a log of versions 1, 2… `newest` answers.
fn dense_replay<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    newest: Option<u64>,
    since: u64,
) -> Replay<S::Event> {
    let (versions, coverage, newest) = dense_answer(trial, case, newest, since);
    let event = |version| trial.subject.event(version, version as u32);
    Replay {
        events: versions.into_iter().map(event).collect(),
        coverage,
        newest,
    }
}

/// The same, with versions for events.
fn dense_answer<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    newest: Option<u64>,
    since: u64,
) -> (Vec<u64>, Coverage, Option<u64>) {
    let last = newest.unwrap_or(0);
    let evicted = evicted(trial, case, last);
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
    ((since.max(evicted) + 1..=last).collect(), coverage, newest)
}

/// The same without its count of the missing events, which it need not have, where that is right.
fn uncounted(coverage: Coverage, since: u64) -> Coverage {
    match coverage {
        Coverage::Truncated {
            missed_through,
            missed: Some(missed),
        } if missed_through.checked_sub(since) == Some(missed) => Coverage::Truncated {
            missed_through,
            missed: None,
        },
        other => other,
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

fn append<S: Subject>(trial: &Trial<'_, S>, log: &S::Log, version: u64) {
    log.append(trial.subject.event(version, version as u32));
}
