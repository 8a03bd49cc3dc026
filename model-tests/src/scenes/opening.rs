//! Judges the part of law R10 that no history can show: a log that is not opened.

use crate::{
    report::Report,
    subject::{adapter::Subject, case::Case},
    trial::{Parted, Trial, guarded},
};

pub(crate) fn refuses_capacity_zero<S: Subject>(
    trial: &Trial<'_, S>,
    _: &mut Report,
) -> Result<(), Parted> {
    let step = "open with a capacity of 0";
    if guarded(step, || trial.subject.open(&Case::new(0)).is_err())? {
        Ok(())
    } else {
        Err(Parted::said(step, "an error", "an open log"))
    }
}
