//! Judges law R09 with the cursors of another log.

use crate::{
    model::log::Model,
    report::{Class, Report},
    subject::{adapter::Subject, case::Case, log::Log},
    trial::{Parted, Trial, guarded},
};

/// Cursors of one log before another: before, while and after its numbers have caught up.
pub(crate) fn never_mistaken<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    for theirs in 0..5_u32 {
        for ours in 0..8_u32 {
            let other = filled(trial, theirs)?.0;
            let (log, model) = filled(trial, ours)?;
            let step =
                format!("replay_after a cursor of another log, {theirs} events there, {ours} here");
            let answer = guarded(&step, || log.replay_after(&other.cursor()))?;
            let expected = model.replay_after(None);
            if answer != expected {
                return Err(Parted::new(step, expected, answer));
            }
            report.visit(Class::Foreign);
        }
    }
    Ok(())
}

/// A log of capacity 4 with so many events, and the model of it.
fn filled<S: Subject>(
    trial: &Trial<'_, S>,
    events: u32,
) -> Result<(S::Log, Model<S::Event>), Parted> {
    let open = "open with a capacity of 4";
    let case = Case::new(4);
    let log = guarded(open, || trial.subject.open(&case))?
        .map_err(|error| Parted::said(open, "an open log", error.to_string()))?;
    let mut model = Model::new(4, None);
    for pick in 1..=events {
        let event = trial.subject.event(u64::from(pick), pick);
        log.append(event.clone());
        model.append(event);
        model.retain(trial.subject.retains(&case, u64::from(pick)));
    }
    Ok((log, model))
}
