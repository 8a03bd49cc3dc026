//! One law, one subject, one verdict.

use crate::{
    law::Law,
    laws::all::judge,
    process::serve,
    report::Report,
    subject::adapter::Subject,
    trial::{Budget, Parted, Trial, Violation},
};

/// Judges one subject by one law.
///
/// ```
/// # use model_tests::{Budget, Class, Ours, Tick, check, laws};
/// let report = check(&Ours(Tick::new), &laws::R04, &Budget::default()).unwrap();
/// assert!(report.count(Class::Wrapped) > 0);
/// ```
///
/// Where what a law needs is lacking here, the report says what was
/// [not judged](Report::not_judged), and why.
///
/// # Errors
///
/// The violation: a call that answered otherwise than the law demands, or panicked; or a run that
/// never met what the law is about.
pub fn check<S: Subject>(
    subject: &S,
    law: &'static Law,
    budget: &Budget,
) -> Result<Report, Box<Violation>> {
    if serve(subject) {
        return Ok(Report::default());
    }
    let trial = Trial {
        subject,
        law,
        budget,
    };
    let report = judge(&trial)?;
    if report.is_empty_handed() {
        return Ok(report);
    }
    match law.visits.iter().find(|class| report.count(**class) == 0) {
        Some(class) => Err(trial.violation(Parted {
            step: "the whole run".into(),
            expected: format!("{class:?} is met at least once"),
            actual: "it never was, so the run proves nothing".into(),
        })),
        None => Ok(report),
    }
}
