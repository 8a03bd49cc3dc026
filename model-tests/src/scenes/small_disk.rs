//! Judges laws W07 and W09 with a process whose file system is full.

use std::time::Instant;

use super::{
    full::{no_loss, stored_by},
    history::{History, bytes_of},
};
use crate::{
    evidence::Evidence,
    process::{
        parent::Answer,
        small_disk::{PAGE, SmallDisk},
    },
    report::{Class, Report},
    scenes::files::works,
    subject::{adapter::Subject, case::Case},
    trial::{Parted, Trial},
};

const WHAT: &str = "a full file system";

/// A process that has stored event 1, and a file system that has no room for the others.
struct Full {
    disk: SmallDisk,
    case: Case,
    last: u64,
}

/// `None` where that cannot be.
fn full<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<Option<Full>, Parted> {
    let history = History::alike(trial);
    // More than is left of any page that a file has begun.
    let last = 16 + 4 * PAGE / bytes_of(trial, 1)?;
    let case = Case::new(last as usize);
    let mut disk = match SmallDisk::of(trial, &case) {
        Ok(disk) => disk,
        Err(why) => {
            report.leaves_out(WHAT, why);
            return Ok(None);
        }
    };
    let step = "on a file system that will be full";
    for order in ["open", &history.order(1..=1), "flush"] {
        disk.process.works(order, step)?;
    }
    works("filling the file system", || Ok(disk.fill()?))?;
    Ok(Some(Full { disk, case, last }))
}

/// Law W07: what waited while there was no room is all there once there is.
pub(super) fn loses_nothing<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let history = History::alike(trial);
    let Some(Full {
        mut disk,
        case,
        last,
    }) = full(trial, report)?
    else {
        return Ok(());
    };
    let step = "while the file system is full";
    disk.process.works(&history.order(2..=last), step)?;
    let answer = disk.process.ask_for("flush", trial.budget.patience);
    works("making room", || Ok(disk.clear()?))?;
    let room = "after there is room on the full file system";
    if answer == Answer::Ok {
        // A log may have taken its room before.
        report.leaves_out(WHAT, "it had room for more than was written");
    } else {
        stored_by(trial, &mut disk.process, &answer, room)?;
        report.visit(Class::Faulted);
        report.stands_on(Evidence::FullFileSystem);
    }
    let left = works("copying the files", || Ok(disk.copy(&case)?))?;
    no_loss(trial, &history, &left, last, "what waited for room")
}

/// Law W09: each append returns, before the full file system was met and after it.
pub(super) fn delays_no_append<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let history = History::alike(trial);
    let Some(Full { mut disk, last, .. }) = full(trial, report)? else {
        return Ok(());
    };
    let patience = trial.budget.patience;
    for (flushes, versions) in (1..).zip([2..=last, last + 1..=last + 100]) {
        let order = history.order(versions);
        match disk.process.ask_for(&order, patience) {
            Answer::Ok => {}
            other => {
                let step = format!("{order} while the file system is full");
                return Err(Parted::said(step, "each returns", other.to_string()));
            }
        }
        disk.process.works("flushing", "on a full file system")?;
        // It is refused, or still trying after a while.
        let began = Instant::now();
        while began.elapsed() < patience / 4
            && disk.process.ask("flushed") != Answer::Number(flushes)
        {}
    }
    report.visit(Class::Faulted);
    report.stands_on(Evidence::FullFileSystem);
    Ok(())
}
