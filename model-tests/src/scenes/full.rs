//! Judges a writer whose disk is full.

use std::{sync::Arc, time::Duration};

use super::{
    files::{CAPACITY, drained, open, works},
    history::{History, bytes_of},
    power::stored_in_the_end,
    small_disk,
    stalls::Flush,
};
use crate::{
    evidence::Evidence,
    process::{
        parent::{Answer, Process, Start, limited},
        tools,
    },
    report::{Class, Report},
    sim_disk::{Crash, SimDisk},
    subject::{
        adapter::{Line, Subject},
        capability::Capability,
        case::Case,
        log::Log as _,
    },
    trial::{Parted, Trial, guarded},
};

/// So much is appended while the disk takes nothing: it fits the shortest backlog.
const WAITING: u64 = CAPACITY as u64;

/// Law W07.
pub(crate) fn full_disk<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    if trial.budget.has(Capability::Storage) {
        return full_simulated(trial, report);
    }
    full_limited(trial, report)?;
    small_disk::loses_nothing(trial, report)
}

fn full_simulated<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let history = History::alike(trial);
    let room = bytes_of(trial, 7)?;
    // From nothing to an event and a half more than the five that fit for certain.
    for spare in 0..4 {
        let disk = SimDisk::new();
        let case = Case::new(CAPACITY).on_disk(disk.clone());
        let log = Arc::new(open(trial, &case, "on a simulated disk")?);
        let step = "on a disk that will be full";
        history.store(&log, 1..=5, step)?;
        disk.set_capacity(Some(room * (20 + spare) / 28));
        let refusals = disk.refusals();
        history.append(&log, 6..=5 + WAITING);
        // Whether it writes by itself or is asked to, the full disk has been met before it is
        // enlarged.
        let flush = Flush::of(&log);
        flush.until(trial.budget.patience, || disk.refusals() > refusals);
        disk.set_capacity(None);
        flush.ends(trial, "while the full disk is enlarged")?;
        report.visit(Class::Faulted);
        let step = "flush after the full disk was enlarged";
        stored_in_the_end(step, || log.flush())?;
        let step = "what waited while the disk was full";
        no_loss(trial, &history, &case, 5 + WAITING, step)?;
    }
    report.stands_on(Evidence::SimulatedFaults);
    Ok(())
}

/// All events are there, and no gap line stands for one.
pub(super) fn no_loss<S: Subject>(
    trial: &Trial<'_, S>,
    history: &History<'_, S>,
    case: &Case,
    last: u64,
    step: &str,
) -> Result<(), Parted> {
    history.all(case, last, step)?;
    let lines = works(step, || trial.subject.read_back(case))?;
    match lines.iter().find(|line| matches!(line, Line::Gap(_))) {
        None => Ok(()),
        Some(gap) => {
            let expected = "no loss: it would have fitted the memory";
            Err(Parted::said(
                format!("read back {step}"),
                expected,
                format!("{gap:?}"),
            ))
        }
    }
}

/// A process whose files may not grow, until they may.
fn full_limited<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let history = History::alike(trial);
    let case = Case::new(CAPACITY);
    let Some(mut process) = limited_process(trial, &case, 5, report)? else {
        return Ok(());
    };
    let step = "while its files may not grow, being full";
    process.works(&history.order(1..=WAITING), step)?;
    // Refused, or still trying: both are fine while there is no room.
    let answer = process.ask_for("flush", trial.budget.patience);
    if let Answer::Ok = answer {
        return Err(Parted::said(format!("flush {step}"), "an error", "Ok"));
    }
    report.visit(Class::Faulted);
    let raised = tools::limit_files(process.id(), 1 << 30);
    raised.map_err(|why| Parted::said("raising the limit", "it works", why))?;
    let step = "after the full files may grow again";
    stored_by(trial, &mut process, &answer, step)?;
    process.kill();
    no_loss(
        trial,
        &history,
        &case,
        WAITING,
        "what waited while its files were full",
    )?;
    report.stands_on(Evidence::LimitedFiles);
    Ok(())
}

/// The process has stored everything in the end, after it gave this answer while it could not.
pub(super) fn stored_by<S: Subject>(
    trial: &Trial<'_, S>,
    process: &mut Process,
    answer: &Answer,
    step: &str,
) -> Result<(), Parted> {
    if *answer == Answer::Silence {
        // The answer to the flush that is still under way.
        process.hear(trial.budget.patience * 8);
    }
    let step = format!("flush {step}");
    let mut tries = 0;
    loop {
        tries += 1;
        match process.ask("flush") {
            Answer::Ok => return Ok(()),
            Answer::Error(_) if tries < 100 => {}
            other => return Err(Parted::said(step, "it works", other.to_string())),
        }
    }
}

/// A process whose files have room for so many events, opened; `None` where that cannot be.
fn limited_process<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    events: u64,
    report: &mut Report,
) -> Result<Option<Process>, Parted> {
    let room = bytes_of(trial, events)?;
    let under = limited(room + room / events / 2);
    let start = Start {
        under: &under,
        ..Start::PLAIN
    };
    let process = tools::prlimit().and_then(|()| start.process(trial, case));
    match process {
        Ok(mut process) => {
            process.works("open", "with files that may not grow")?;
            Ok(Some(process))
        }
        Err(why) => {
            report.leaves_out("full disks", why);
            Ok(None)
        }
    }
}

/// Law W11: all is stored after a shutdown; where it cannot be, exactly the rest is named.
pub(crate) fn shutdowns<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    drained(trial, report)?;
    report.stands_on(Evidence::RealFiles);
    if !trial.budget.has(Capability::Missing) {
        report.leaves_out("what a shutdown says", "lacks Missing");
        return Ok(());
    }
    if trial.budget.has(Capability::Storage) {
        named_simulated(trial, report)
    } else {
        named_limited(trial, report)
    }
}

/// How long a shutdown may take on a disk that does not get well.
const BRIEF: Duration = Duration::from_millis(50);

fn named_simulated<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    const FITS: u64 = 5;
    const LAST: u64 = FITS + WAITING;
    let history = History::alike(trial);
    let disk = SimDisk::new();
    let case = Case::new(CAPACITY).on_disk(disk.clone());
    let log = open(trial, &case, "on a simulated disk")?;
    history.store(&log, 1..=FITS, "on a disk that will be full")?;
    disk.set_capacity(Some(0));
    history.append(&log, FITS + 1..=LAST);
    let step = "shutdown on a full disk";
    let named = guarded(step, || log.shutdown_within(BRIEF))?;
    report.visit(Class::Faulted);
    let cut = Case::new(CAPACITY).on_disk(disk.crash(&Crash::LOST));
    let lines = history.read(&cut, "after a shutdown on a full disk")?;
    let stored = history.part(&lines, Some(FITS + 1), step)?.next - 1;
    let expected: Vec<u64> = (stored + 1..=LAST).collect();
    let named = named.err().unwrap_or_default();
    report.stands_on(Evidence::SimulatedFaults);
    exactly(&named, &expected, step)
}

fn exactly(named: &[u64], expected: &[u64], step: &str) -> Result<(), Parted> {
    if named == expected {
        return Ok(());
    }
    let text = |numbers: &[u64]| format!("not durable: {numbers:?}");
    Err(Parted::said(step, text(expected), text(named)))
}

fn named_limited<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let history = History::alike(trial);
    let case = Case::new(CAPACITY);
    let Some(mut process) = limited_process(trial, &case, 5, report)? else {
        return Ok(());
    };
    let step = "shutdown while its files may not grow";
    process.works(&history.order(1..=WAITING), step)?;
    let answer = process.ask(&format!("within {}", BRIEF.as_millis()));
    process.kill();
    report.visit(Class::Faulted);
    let Answer::Missing(named) = answer else {
        let expected = "not durable: those that do not fit";
        return Err(Parted::said(step, expected, answer.to_string()));
    };
    let lines = history.read(&case, step)?;
    let stored = history.part(&lines, Some(1), step)?.next - 1;
    let expected: Vec<u64> = (stored + 1..=WAITING).collect();
    report.stands_on(Evidence::LimitedFiles);
    exactly(&named, &expected, step)
}
