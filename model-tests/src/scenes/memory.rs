//! Judges law R12 by counting events.

use crate::{
    report::{Class, Report},
    subject::{adapter::Subject, capability::Capability, case::Case, log::Log, probe::Probe},
    trial::{Parted, Trial, guarded},
};

/// Segments are never longer than this.
const LONGEST_SEGMENT: usize = 256;

/// Counts the live events after each append, at capacities around each edge.
pub(crate) fn bounded<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    for capacity in [1, 2, 3, 5, 8, 255, 256, 257] {
        count(trial, capacity, report)?;
    }
    Ok(())
}

fn count<S: Subject>(
    trial: &Trial<'_, S>,
    capacity: usize,
    report: &mut Report,
) -> Result<(), Parted> {
    let probe = Probe::new();
    let case = Case::new(capacity);
    let open = format!("open with a capacity of {capacity}");
    let log = guarded(&open, || trial.subject.open(&case))?
        .map_err(|error| Parted::said(&open, "an open log", error.to_string()))?;
    if capacity == 1 {
        report.visit(Class::CapacityOne);
    }
    let segment = capacity.next_power_of_two().min(LONGEST_SEGMENT);
    let mut version = 0;
    let mut append_many = |count: usize, bound: usize, report: &mut Report| {
        for _ in 0..count {
            version += 1;
            let step = format!("{version} appends to a log of capacity {capacity}");
            guarded(&step, || {
                log.append(trial.subject.probed_event(version, &probe))
            })?;
            report.visit(Class::Counted);
            let live = probe.live();
            if live > bound {
                let expected = format!("at most {bound} live events");
                return Err(Parted::said(step, expected, format!("{live} live events")));
            }
        }
        Ok(())
    };
    append_many(
        3 * capacity + 2 * LONGEST_SEGMENT,
        capacity + 2 * segment,
        report,
    )?;
    report.visit(Class::Wrapped);
    if trial.budget.has(Capability::Subscribe) {
        // A reader that stalls in the middle pins the one segment that it stands in.
        let mut reader = log.subscribe(0);
        let _ = reader.try_recv();
        append_many(
            4 * capacity + 2 * LONGEST_SEGMENT,
            capacity + 3 * segment,
            report,
        )?;
        drop(reader);
        append_many(1, capacity + 2 * segment, report)?;
    }
    drop(log);
    match probe.live() {
        0 => Ok(()),
        live => Err(Parted::said(
            format!("dropping a log of capacity {capacity}"),
            "no live event",
            format!("{live} live events"),
        )),
    }
}
