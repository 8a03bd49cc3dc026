//! What `#[derive(Versioned)]` must generate.

use eventlog::Versioned;

use super::laws;
use crate::{
    Class, Report, Subject, Violation,
    check::{Parted, Trial},
};

laws! {
    D01 "version is the field" {
        statement: "The derived `version()` is what a hand-written match over all variants returns, \
            for an enum of one variant and for one of sixty-two.",
        why: "A version read from the wrong field sorts an event into another place in history.",
        bug: "The baseline's match of sixty-two arms is kept by hand, and a second copy of it in its \
            tests.",
        needs: [],
        visits: [VersionZero, VersionMax, History],
    }
    D02 "no variant is forgotten" {
        statement: "A variant without a version is a compile error at that variant, and all such \
            errors are reported in one compile. (Judged by compiling, in `eventlog-derive`.)",
        why: "An event whose version is made up, or optional, is one that a replay loses.",
        bug: "enum-fields 0.2.0 turns every accessor into an `Option` as soon as one variant lacks \
            the field.",
        needs: [],
        visits: [],
    }
    D03 "no cost over a match" {
        statement: "The machine code of the derived `version()` is that of the hand-written match. \
            (Judged by comparing it, in `eventlog`'s benches.)",
        why: "It runs once an append; a derive that costs would be written by hand again.",
        bug: "None on record: the law keeps it so.",
        needs: [],
        visits: [],
    }
}

/// The subject's own events: whatever the variant that `pick` chooses, the version is the one that
/// the event was made with.
pub(super) fn judge<S: Subject>(trial: &Trial<'_, S>) -> Result<Report, Box<Violation>> {
    let mut report = Report::default();
    if trial.law.id != "D01" {
        let elsewhere = "a test of the compiler's output";
        let here = "a question to a running log, which cannot answer it";
        return Err(trial.violation(Parted::said("judging", elsewhere, here)));
    }
    for pick in 0..256 {
        for version in [0, 1, u64::from(u32::MAX), u64::MAX] {
            let event = trial.subject.event(version, pick);
            let step = format!("subject.event({version}, {pick}).version()");
            if event.version() != version {
                return Err(trial.violation(Parted::new(step, version, event.version())));
            }
            match version {
                0 => report.visit(Class::VersionZero),
                u64::MAX => report.visit(Class::VersionMax),
                _ => report.visit(Class::History),
            }
        }
    }
    Ok(report)
}
