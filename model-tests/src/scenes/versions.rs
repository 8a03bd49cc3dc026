//! Judges law D01 by the subject's own events.

use eventlog::Versioned;

use crate::{
    report::{Class, Report},
    subject::adapter::Subject,
    trial::{Parted, Trial},
};

/// Whatever the variant that `pick` chooses, the version is the one that the event was made with.
pub(crate) fn as_made<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    for pick in 0..256 {
        for version in [0, 1, u64::from(u32::MAX), u64::MAX] {
            let event = trial.subject.event(version, pick);
            let step = format!("subject.event({version}, {pick}).version()");
            if event.version() != version {
                return Err(Parted::new(step, version, event.version()));
            }
            match version {
                0 => report.visit(Class::VersionZero),
                u64::MAX => report.visit(Class::VersionMax),
                _ => report.visit(Class::History),
            }
        }
    }
    Ok(())
}
