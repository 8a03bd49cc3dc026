//! Judges law R17: what a lease keeps, to the event.

use eventlog::Versioned;

use crate::{
    report::{Class, Report},
    scenes::logs::{append, open},
    subject::{
        adapter::Subject,
        capability::Capability,
        log::{Log, Received},
    },
    trial::{Parted, Trial, guarded},
};

const CAPACITY: u64 = 4;
/// Events from before the lease.
const BEFORE: u64 = 6;

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
    let log = begun(trial)?;
    let lease = guarded("lease", || log.lease(most))?;
    let last = BEFORE + CAPACITY + most;
    for version in BEFORE + 1..=last {
        append(trial, &log, version..=version)?;
        // What the log has anyway may reach back before the lease.
        let oldest = (version - CAPACITY + 1).min(BEFORE + 1);
        retains(&log, oldest, version, most)?;
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
    retains(&log, last + 2 - CAPACITY, last + 1, most)
}

fn given_up<S: Subject>(trial: &Trial<'_, S>, most: u64) -> Result<(), Parted> {
    let log = begun(trial)?;
    let lease = guarded("lease", || log.lease(most))?;
    // With room to keep more, if it still kept.
    let last = BEFORE + CAPACITY + most / 2;
    append(trial, &log, BEFORE + 1..=last)?;
    guarded("drop of the lease", move || drop(lease))?;
    append(trial, &log, last + 1..=last + 1)?;
    retains(&log, last + 2 - CAPACITY, last + 1, most)
}

/// A reader that comes from the snapshot gets everything after it.
fn listed_then_watched<S: Subject>(
    trial: &Trial<'_, S>,
    most: u64,
    report: &mut Report,
) -> Result<(), Parted> {
    let log = begun(trial)?;
    let lease = guarded("lease", || log.lease(most))?;
    let last = BEFORE + CAPACITY + most;
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

fn begun<S: Subject>(trial: &Trial<'_, S>) -> Result<S::Log, Parted> {
    let (_case, log) = open(trial, CAPACITY as usize)?;
    append(trial, &log, 1..=BEFORE)?;
    Ok(log)
}

fn retains<E: Versioned, L: Log<E>>(
    log: &L,
    oldest: u64,
    newest: u64,
    most: u64,
) -> Result<(), Parted> {
    let step = format!("events_since(0) with a lease of {most} events, since {BEFORE}");
    let events = guarded(&step, || log.events_since(0))?;
    let versions: Vec<_> = events.iter().map(Versioned::version).collect();
    if !versions.iter().copied().eq(oldest..=newest) {
        let expected = format!("versions {oldest} to {newest}");
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
