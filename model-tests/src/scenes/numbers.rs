//! Judges law R16: numbers that the log gives, by one thread and by three.

use std::thread;

use super::logs::evicted;
use crate::{
    report::{Class, Report},
    subject::{adapter::Subject, case::Case, log::Numbering},
    trial::{Parted, Trial, guarded},
};

/// One more each time, beyond what the log retains; then a race.
pub(crate) fn dense_and_in_order<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let log = open(trial, 4)?;
    for payload in 1..=20 {
        let step = format!("push number {payload} to a log of capacity 4");
        let number = guarded(&step, || log.push(payload))?;
        let evicted = evicted(trial, &Case::new(4), u64::from(payload)) as u32;
        let retained: Vec<_> = (evicted + 1..=payload)
            .map(|payload| (u64::from(payload), payload))
            .collect();
        let theirs = (number, guarded(&step, || log.retained())?);
        if theirs != (u64::from(payload), retained.clone()) {
            return Err(Parted::new(step, (payload, retained), theirs));
        }
    }
    report.visit(Class::Wrapped);
    in_a_race(trial, report)
}

/// Numbers are in the order of the history, and each is its payload's own.
fn in_a_race<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    const THREADS: u32 = 3;
    let each = trial.budget.cases.clamp(8, 256);
    let log = open(trial, (THREADS * each) as usize)?;
    let log = &*log;
    let mut given = thread::scope(|scope| {
        let pushers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let payloads = thread * each..(thread + 1) * each;
                let push = move |payload| (log.push(payload), payload);
                scope.spawn(move || payloads.map(push).collect::<Vec<_>>())
            })
            .collect();
        let ended: Vec<_> = pushers
            .into_iter()
            .filter_map(|pusher| pusher.join().ok())
            .collect();
        ended.concat()
    });
    report.visit(Class::Raced);
    given.sort_unstable();
    let step = format!("{THREADS} threads push {each} times each");
    let retained = guarded(&step, || log.retained())?;
    let dense = (1..=u64::from(THREADS * each)).eq(given.iter().map(|(number, _)| *number));
    if dense && retained == given {
        return Ok(());
    }
    let wrong = retained
        .iter()
        .zip(&given)
        .position(|(kept, given)| kept != given);
    let expected = "each number once, from 1 on, in the order of the history";
    let actual = match wrong {
        Some(at) => format!(
            "{:?} at place {at}, where {:?} was given",
            retained[at], given[at]
        ),
        None => format!("{} numbers, {} events", given.len(), retained.len()),
    };
    Err(Parted::said(step, expected, actual))
}

fn open<S: Subject>(trial: &Trial<'_, S>, capacity: usize) -> Result<Box<dyn Numbering>, Parted> {
    let step = format!("numbering with a capacity of {capacity}");
    guarded(&step, || trial.subject.numbering(&Case::new(capacity)))?
        .map_err(|error| Parted::said(step, "an open log", error.to_string()))
}
