//! Judges law R17: what a lease keeps, to the event.

use std::ops::RangeInclusive;

use eventlog::Versioned;

use crate::{
    report::{Class, Report},
    scenes::logs::{append, evicted, open},
    subject::{
        adapter::Subject,
        capability::Capability,
        case::Case,
        log::{Log, Received},
    },
    trial::{Parted, Trial, guarded},
};

const CAPACITY: u64 = 4;
/// Events from before the lease.
const BEFORE: u64 = 6;
/// No log retains so many events more than its capacity.
const MOST_SURPLUS: u64 = 2_000;

/// Leases of several bounds: up to the bound, one beyond it, and given up before that.
pub(crate) fn within_their_bounds<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    for most in [0, 1, 5, 40] {
        exceeded(trial, most, report)?;
        given_up(trial, most)?;
        if trial.budget.has(Capability::Subscribe) {
            listed_then_watched(trial, most, report)?;
        }
    }
    Ok(())
}

fn exceeded<S: Subject>(
    trial: &Trial<'_, S>,
    most: u64,
    report: &mut Report,
) -> Result<(), Parted> {
    let (case, log) = begun(trial)?;
    let lease = guarded("lease", || log.lease(most))?;
    let last = last_kept(trial, &case, most);
    let surplus = surplus(trial, &case);
    for version in BEFORE + 1..=last {
        append(trial, &log, version..=version)?;
        // What the log has anyway may reach back before the lease.
        let oldest = evicted(trial, &case, version).min(BEFORE) + 1;
        let earliest = oldest.saturating_sub(surplus).max(1);
        retains(&log, earliest..=oldest, version, most)?;
        if guarded("is_revoked", || lease.is_revoked())? {
            return Err(revoked(version, most, false));
        }
    }
    report.visit(Class::Complete);
    append(trial, &log, last + 1..=last + 1)?;
    if !guarded("is_revoked", || lease.is_revoked())? {
        return Err(revoked(last + 1, most, true));
    }
    report.visit(Class::Truncated);
    retains_the_usual(trial, &case, &log, last + 1, most)
}

fn given_up<S: Subject>(trial: &Trial<'_, S>, most: u64) -> Result<(), Parted> {
    let (case, log) = begun(trial)?;
    let lease = guarded("lease", || log.lease(most))?;
    // With room to keep more, if it still kept.
    let last = BEFORE + CAPACITY + most / 2;
    append(trial, &log, BEFORE + 1..=last)?;
    guarded("drop of the lease", move || drop(lease))?;
    append(trial, &log, last + 1..=last + 1)?;
    retains_the_usual(trial, &case, &log, last + 1, most)
}

/// A reader that comes from the snapshot gets everything after it.
fn listed_then_watched<S: Subject>(
    trial: &Trial<'_, S>,
    most: u64,
    report: &mut Report,
) -> Result<(), Parted> {
    let (case, log) = begun(trial)?;
    let lease = guarded("lease", || log.lease(most))?;
    let last = last_kept(trial, &case, most);
    append(trial, &log, BEFORE + 1..=last)?;
    let mut reader = log.subscribe(BEFORE);
    for version in BEFORE + 1..=last {
        let step = format!("try_recv() of a reader since {BEFORE}, under a lease of {most} events");
        match guarded(&step, || reader.try_recv())? {
            Received::Event(event) if event.version() == version => report.visit(Class::Delivered),
            other => {
                return Err(Parted::said(
                    step,
                    format!("version {version}"),
                    format!("{other:?}"),
                ));
            }
        }
    }
    drop(lease);
    Ok(())
}

fn begun<S: Subject>(trial: &Trial<'_, S>) -> Result<(Case, S::Log), Parted> {
    let (case, log) = open(trial, CAPACITY as usize)?;
    append(trial, &log, 1..=BEFORE)?;
    Ok((case, log))
}

/// The last version with which a lease keeps no more than it may.
fn last_kept<S: Subject>(trial: &Trial<'_, S>, case: &Case, most: u64) -> u64 {
    let least = BEFORE + CAPACITY + most;
    let goes_on = |version: &u64| evicted(trial, case, *version) <= BEFORE + most;
    let more = (least + 1..least + MOST_SURPLUS).take_while(goes_on);
    more.last().unwrap_or(least)
}

/// How much more than its capacity a log says that it retains at most: whole segments may stay for a
/// lease that begins inside of one.
fn surplus<S: Subject>(trial: &Trial<'_, S>, case: &Case) -> u64 {
    let retained = (0..MOST_SURPLUS).map(|appended| trial.subject.retains(case, appended));
    retained.max().unwrap_or(0).saturating_sub(CAPACITY)
}

/// What the log retains when nothing is leased.
fn retains_the_usual<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    log: &S::Log,
    newest: u64,
    most: u64,
) -> Result<(), Parted> {
    let oldest = evicted(trial, case, newest) + 1;
    retains(log, oldest..=oldest, newest, most)
}

fn retains<E: Versioned, L: Log<E>>(
    log: &L,
    oldest: RangeInclusive<u64>,
    newest: u64,
    most: u64,
) -> Result<(), Parted> {
    let step = format!("events_since(0) with a lease of {most} events, since {BEFORE}");
    let events = guarded(&step, || log.events_since(0))?;
    let versions: Vec<_> = events.iter().map(Versioned::version).collect();
    let first = versions.first().copied().unwrap_or(newest + 1);
    if !oldest.contains(&first) || !versions.iter().copied().eq(first..=newest) {
        let expected = format!("versions {} to {newest}", oldest.end());
        return Err(Parted::said(
            step,
            expected,
            format!("versions {versions:?}"),
        ));
    }
    Ok(())
}

fn revoked(version: u64, most: u64, expected: bool) -> Parted {
    let step = format!(
        "is_revoked of a lease of {most} events since {BEFORE} after version {version}, at a \
         capacity of {CAPACITY}"
    );
    Parted::new(step, expected, !expected)
}
