//! Judges law R12 by counting events.

use crate::{
    report::{Class, Report},
    scenes::logs::open,
    subject::{adapter::Subject, capability::Capability, case::Case, log::Log, probe::Probe},
    trial::{Parted, Trial, guarded},
};

/// Our own segments are never longer than this.
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
    let (case, log) = open(trial, capacity)?;
    if capacity == 1 {
        report.visit(Class::CapacityOne);
    }
    let segment = trial.subject.segment(&case);
    let pins = trial.subject.reader_pins(&case);
    let retained = most_retained(trial, &case);
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
        retained + 2 * segment,
        report,
    )?;
    report.visit(Class::Wrapped);
    if trial.budget.has(Capability::Subscribe) {
        // A reader that stalls in the middle pins the segment that it stands in, or what it took.
        let mut reader = log.subscribe(0);
        let _ = reader.try_recv();
        append_many(
            4 * capacity + 2 * LONGEST_SEGMENT,
            retained + 2 * segment + pins,
            report,
        )?;
        drop(reader);
        append_many(1, retained + 2 * segment, report)?;
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

/// The most events that a log retains, by what it says.
fn most_retained<S: Subject>(trial: &Trial<'_, S>, case: &Case) -> usize {
    let until = 3 * case.capacity + LONGEST_SEGMENT;
    let retained = (0..=until).map(|appended| trial.subject.retains(case, appended as u64));
    retained.max().map_or(case.capacity, |most| most as usize)
}
