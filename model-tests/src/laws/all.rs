//! All laws, and the verdict by any of them.

use super::{broker, declare::Family, derive, marks, ring, subscription, writer};
use crate::{
    law::Law,
    subject::adapter::Subject,
    trial::{Parted, Trial, Verdict},
};

/// The families. Each is named in this file only: here, in [`judge`] and in `__all_laws!`.
pub(super) const FAMILIES: [Family; 6] = [
    ring::FAMILY,
    subscription::FAMILY,
    writer::FAMILY,
    marks::FAMILY,
    broker::FAMILY,
    derive::FAMILY,
];

/// All laws, in the order of their ids.
///
/// ```
/// # use model_tests::laws;
/// let r04 = laws::all().into_iter().find(|law| law.id == "R04").unwrap();
/// println!("{}: {}", r04.name, r04.statement);
/// assert_eq!(*r04, laws::R04);
/// ```
#[must_use]
pub fn all() -> Vec<&'static Law> {
    FAMILIES
        .iter()
        .flat_map(|family| family.laws)
        .copied()
        .collect()
}

/// Runs the engine or the scenes of the trial's law.
pub(crate) fn judge<S: Subject>(trial: &Trial<'_, S>) -> Verdict {
    ring::judge(trial)
        .or_else(|| subscription::judge(trial))
        .or_else(|| writer::judge(trial))
        .or_else(|| marks::judge(trial))
        .or_else(|| broker::judge(trial))
        .or_else(|| derive::judge(trial))
        .unwrap_or_else(|| {
            Err(trial.violation(Parted::said("judging", "a law of this crate", trial.law.id)))
        })
}

/// Hands the tests of every family to `__law_tests!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __all_laws {
    ($($given:tt)*) => {
        $crate::__ring_laws! { $($given)* }
        $crate::__subscription_laws! { $($given)* }
        $crate::__writer_laws! { $($given)* }
        $crate::__marks_laws! { $($given)* }
        $crate::__broker_laws! { $($given)* }
        $crate::__derive_laws! { $($given)* }
    };
}
