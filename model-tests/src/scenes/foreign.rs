//! Judges law R09 with the cursors of another log.

use eventlog::Coverage;

use crate::{
    model::log::Model,
    report::{Class, Report},
    subject::{
        adapter::{Event, Subject},
        capability::Capability,
        case::Case,
        log::{Log, Received},
    },
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
            let told = format!("of another log, {theirs} events there, {ours} here");
            if trial.budget.has(Capability::Subscribe) {
                resumed(&log, &model, &other.cursor(), &told)?;
            }
            if trial.budget.has(Capability::Pages) {
                let cursor = guarded("page(0, 8)", || other.page(0, 8))?.cursor;
                paged(&log, &model, &cursor, &told)?;
            }
        }
    }
    Ok(())
}

/// A reader begins with the oldest event, too.
fn resumed<E: Event>(
    log: &impl Log<E>,
    model: &Model<E>,
    cursor: &str,
    told: &str,
) -> Result<(), Parted> {
    let mut reader = guarded("resume", || log.resume(cursor))?;
    let events = model.retained().iter().cloned().map(Received::Event);
    for expected in events.chain([Received::Empty]) {
        let step = format!("try_recv() of a reader that resumed from a cursor {told}");
        let received = guarded(&step, || reader.try_recv())?;
        if received != expected {
            return Err(Parted::new(step, expected, received));
        }
    }
    Ok(())
}

/// So does a page, and it says why.
fn paged<E: Event>(
    log: &impl Log<E>,
    model: &Model<E>,
    cursor: &str,
    told: &str,
) -> Result<(), Parted> {
    let step = format!("page_after(a page's cursor {told}, 8)");
    let page = guarded(&step, || log.page_after(cursor, 8))?;
    let expected = (Coverage::Foreign, model.retained(), false);
    let actual = (page.coverage, &*page.events, page.has_more);
    if actual != expected {
        return Err(Parted::new(step, expected, actual));
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
