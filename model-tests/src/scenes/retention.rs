//! Judges the part of law R03 that a log says itself: how much it retains.

use crate::{
    report::Report,
    subject::{adapter::Subject, case::Case},
    trial::{Parted, Trial},
};

/// It retains as many as its capacity, and lets go of nothing that it would have again.
pub(crate) fn declared<S: Subject>(trial: &Trial<'_, S>, _: &mut Report) -> Result<(), Parted> {
    for capacity in [1, 2, 3, 8, 256, 257] {
        let case = Case::new(capacity);
        let mut evicted = 0;
        for appended in 0..=4 * capacity as u64 {
            let retained = trial.subject.retains(&case, appended);
            let step = format!("retains at a capacity of {capacity} after {appended} appends");
            let least = appended.min(capacity as u64);
            let most = appended - evicted;
            if !(least..=most).contains(&retained) {
                let expected = format!("from {least} to {most}");
                return Err(Parted::said(step, expected, retained.to_string()));
            }
            evicted = appended - retained;
        }
    }
    Ok(())
}
