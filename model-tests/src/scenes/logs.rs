//! Opening a log in memory, and appending to one, as many scenes do.

use std::{ops::RangeInclusive, sync::Arc};

use super::patience::within;
use crate::{
    subject::{adapter::Subject, case::Case, log::Log},
    trial::{Parted, Trial, guarded},
};

/// A log of this capacity.
pub(super) fn open<S: Subject>(
    trial: &Trial<'_, S>,
    capacity: usize,
) -> Result<(Case, S::Log), Parted> {
    let case = Case::new(capacity);
    let call = format!("open with a capacity of {capacity}");
    let log = guarded(&call, || trial.subject.open(&case))?
        .map_err(|error| Parted::said(call, "an open log", error.to_string()))?;
    Ok((case, log))
}

/// How many of so many events a log has let go, by what it says.
pub(super) fn evicted<S: Subject>(trial: &Trial<'_, S>, case: &Case, appended: u64) -> u64 {
    appended.saturating_sub(trial.subject.retains(case, appended))
}

/// Appends versions 1, 2… in another thread, where the log also ends if nobody else has it: all
/// that returns in time, and without a panic.
pub(super) fn append_many<S: Subject>(
    trial: &Trial<'_, S>,
    log: Arc<S::Log>,
    count: u32,
    step: &str,
) -> Result<(), Parted> {
    let events: Vec<_> = (1..=count)
        .map(|pick| trial.subject.event(u64::from(pick), pick))
        .collect();
    within(trial.budget.patience, move || {
        for event in events {
            log.append(event);
        }
    })
    .map_err(|stuck| {
        let told = stuck.text(trial.budget.patience);
        Parted::said(step, "every append returns", told)
    })
}

/// Appends these versions.
pub(super) fn append<S: Subject>(
    trial: &Trial<'_, S>,
    log: &S::Log,
    versions: RangeInclusive<u64>,
) -> Result<(), Parted> {
    for version in versions {
        let event = trial.subject.event(version, version as u32);
        guarded("append", || log.append(event))?;
    }
    Ok(())
}
