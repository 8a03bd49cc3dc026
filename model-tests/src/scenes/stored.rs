//! Judges law S07: whatever a writer's subscription delivers is looked for in the files, as they are
//! at that moment.

use std::{thread, time::Instant};

use crate::{
    report::{Class, Report},
    subject::{
        adapter::{Line, Subject},
        case::Case,
        log::{Log, Received},
    },
    trial::{Parted, Trial, guarded},
};

const EVENTS: u32 = 24;

/// Appends one by one and several at a time; a copy of the files, as a killed process leaves them,
/// is read after each delivery.
pub(crate) fn never_before<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = Case::new(64);
    let open = "open with a capacity of 64";
    let log = guarded(open, || trial.subject.open(&case))?
        .map_err(|error| Parted::said(open, "an open log", error.to_string()))?;
    let event = |pick: u32| trial.subject.event(u64::from(pick), pick);
    let mut reader = guarded("subscribe_stored", || log.subscribe_stored(0))?;
    let (mut appended, mut delivered) = (0, 0);
    while delivered < EVENTS {
        // Now one, now several.
        for _ in 0..=appended % 4 {
            appended += 1;
            guarded("append", || log.append(event(appended)))?;
        }
        let mut flushed = None;
        while delivered < appended {
            let step = format!("try_recv of stored event {}", delivered + 1);
            let received = guarded(&step, || reader.try_recv())?;
            match (&received, flushed) {
                (Received::Event(stored), _) if *stored == event(delivered + 1) => {
                    delivered += 1;
                    in_the_files(trial, &case, stored, report)?;
                }
                // Perhaps a log that stores only what it is told to.
                (Received::Empty, None) => {
                    guarded("flush", || log.flush())?
                        .map_err(|error| Parted::said("flush", "no error", error.to_string()))?;
                    flushed = Some(Instant::now());
                }
                (Received::Empty, Some(at)) if at.elapsed() < trial.budget.patience => {
                    thread::yield_now();
                }
                _ => return Err(Parted::new(step, event(delivered + 1), received)),
            }
        }
    }
    Ok(())
}

/// The event is read back from what a kill would leave at this moment.
fn in_the_files<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    event: &S::Event,
    report: &mut Report,
) -> Result<(), Parted> {
    let killed = case
        .killed()
        .map_err(|error| Parted::said("copying the files", "a copy", error.to_string()))?;
    let step = "a kill just after a stored event was delivered, and reading back";
    let lines = guarded(step, || trial.subject.read_back(&killed))?
        .map_err(|error| Parted::said(step, "the files", error.to_string()))?;
    report.visit(Class::Stored);
    if lines.contains(&Line::Event(event.clone())) {
        return Ok(());
    }
    let actual = format!("{} lines, and it is not among them", lines.len());
    Err(Parted::said(step, format!("{event:?} is read"), actual))
}
