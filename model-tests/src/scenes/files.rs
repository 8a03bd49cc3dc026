//! Judges the laws of a writer by its files, as they are left by a process that ends or is killed.

use std::{fs, path::PathBuf, sync::Arc};

use crate::{
    evidence::Evidence,
    report::{Class, Report},
    scenes::{
        history::{History, bytes_of},
        logs::append_many,
    },
    subject::{
        adapter::{Line, Subject},
        case::Case,
        log::{Log, OpenError},
    },
    trial::{Parted, Trial, guarded},
};

pub(super) const CAPACITY: usize = 16;

/// Runs something of the subject that may fail; that it does not is demanded.
pub(super) fn works<T>(
    step: &str,
    act: impl FnOnce() -> Result<T, OpenError>,
) -> Result<T, Parted> {
    guarded(step, act)?.map_err(|error| Parted::said(step, "no error", error.to_string()))
}

pub(super) fn open<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    step: &str,
) -> Result<S::Log, Parted> {
    works(&format!("open {step}"), || trial.subject.open(case))
}

pub(super) fn append<S: Subject>(
    trial: &Trial<'_, S>,
    log: &S::Log,
    versions: std::ops::RangeInclusive<u64>,
) {
    for version in versions {
        log.append(trial.subject.event(version, version as u32));
    }
}

pub(super) fn shutdown<S: Subject>(log: S::Log, step: &str) -> Result<(), Parted> {
    works(&format!("shutdown {step}"), || log.shutdown())
}

pub(super) fn current<S: Subject>(trial: &Trial<'_, S>, case: &Case) -> Result<PathBuf, Parted> {
    let files = works("files", || trial.subject.files(case))?;
    files
        .last()
        .cloned()
        .ok_or_else(|| Parted::said("files", "at least one", "none"))
}

pub(super) fn current_of<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
) -> Result<PathBuf, OpenError> {
    let files = trial.subject.files(case)?;
    files
        .last()
        .cloned()
        .ok_or_else(|| "the log has no files".into())
}

/// Writes these versions to a new case and ends the writer.
pub(super) fn written<S: Subject>(
    trial: &Trial<'_, S>,
    case: Case,
    last: u64,
) -> Result<Case, Parted> {
    let log = open(trial, &case, "for the first time")?;
    append(trial, &log, 1..=last);
    shutdown::<S>(log, "of the first life")?;
    Ok(case)
}

/// The case as it would be left if the process were killed now.
pub(super) fn killed(case: &Case, step: &str) -> Result<Case, Parted> {
    case.killed()
        .map_err(|error| Parted::said(step, "a copy", error.to_string()))
}

/// A burst of many times the capacity, with which the writer has to keep up.
pub(crate) fn declared_holes<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    const EVENTS: u64 = 2_000;
    let case = Case::new(CAPACITY);
    let log = open(trial, &case, "for the first time")?;
    append(trial, &log, 1..=EVENTS);
    // What it could not keep it says here; the file must say so too.
    let _ = guarded("shutdown", || log.shutdown())?;
    report.visit(Class::History);
    History::mixed(trial).all(&case, EVENTS, "a burst")?;
    report.stands_on(Evidence::RealFiles);
    losses_of_the_backlog(trial, report)?;
    rotations_in_batches(trial)
}

/// A burst that a backlog of a few events cannot hold: what it lost and what it stored are together
/// what was appended.
fn losses_of_the_backlog<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    const EVENTS: u64 = 1_000;
    let history = History::mixed(trial);
    let case = Case::new(1).with_waiting_bytes(100);
    let log = open(trial, &case, "with a backlog of 100 bytes")?;
    history.append(&log, 1..=EVENTS);
    let _ = guarded("shutdown", || log.shutdown())?;
    let step = "a burst that a backlog of 100 bytes cannot hold";
    history.all(&case, EVENTS, step)?;
    let lines = history.read(&case, step)?;
    if !lines.iter().any(|line| matches!(line, Line::Gap(_))) {
        report.leaves_out(
            "the count of what a backlog cannot hold",
            "a backlog of 100 bytes lost nothing of a burst",
        );
    }
    Ok(())
}

/// Batches that fill several files each, stored by a flush or by the end: rotations may have taken
/// the oldest events, and none of the others.
fn rotations_in_batches<S: Subject>(trial: &Trial<'_, S>) -> Result<(), Parted> {
    const BATCH: u64 = CAPACITY as u64;
    let history = History::alike(trial);
    let case = Case::new(CAPACITY).with_files_of(bytes_of(trial, 5)?);
    let log = open(trial, &case, "with files shorter than a batch")?;
    let mut last = 0;
    for _ in 0..6 {
        history.append(&log, last + 1..=last + BATCH);
        last += BATCH;
        works("flush", || log.flush())?;
        let step = format!("batches of {BATCH} that fill several files, after event {last}");
        // Whether the newest are there is the acknowledgement's matter.
        history.part(&history.read(&case, &step)?, None, &step)?;
    }
    history.append(&log, last + 1..=last + BATCH);
    shutdown::<S>(log, "after a batch that fills several files")?;
    let step = "batches that fill several files, after a shutdown";
    history.newest(&case, last + BATCH, step).map(drop)
}

/// A directory stands where the file should be.
pub(crate) fn no_place_to_write<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = Case::new(CAPACITY);
    let file = current(trial, &case)?;
    works("making a directory", || Ok(fs::create_dir_all(&file)?))?;
    report.visit(Class::History);
    // To refuse is allowed; to open and then fail in `append` is not.
    let step = "appends where a directory stands in place of the file";
    let Ok(log) = guarded("open where a directory stands", || {
        trial.subject.open(&case)
    })?
    else {
        return Ok(());
    };
    append_many(trial, Arc::new(log), 100, step)
}

pub(crate) fn drained<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    for count in [1, 10, 500] {
        let case = written(trial, Case::new(1024), count)?;
        report.visit(Class::History);
        let step = "after a shutdown without an error";
        History::mixed(trial).all(&case, count, step)?;
    }
    Ok(())
}

pub(crate) fn same_bytes<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    const LAST: u64 = 20;
    let event = |version| trial.subject.event(version, version as u32);
    let all: String = (1..=LAST)
        .map(|version| trial.subject.line(&event(version)))
        .collect();
    // Two thirds of all: one rotation, and nothing is gone.
    let case = Case::new(64).with_files_of(all.len() as u64 * 2 / 3);
    let log = open(trial, &case, "for the first time")?;
    History::mixed(trial).store(&log, 1..=LAST, "one by one")?;
    shutdown::<S>(log, "of the only life")?;
    let files = works("files", || trial.subject.files(&case))?;
    let parts: Vec<String> = files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .collect();
    if parts.len() > 1 {
        report.visit(Class::Rotated);
    }
    if parts.concat() == all {
        Ok(())
    } else {
        Err(Parted::new("the bytes of all files", all, parts.concat()))
    }
}

pub(crate) fn no_file_yet<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = Case::new(CAPACITY);
    let log = open(trial, &case, "for the first time")?;
    works("flush", || log.flush())?;
    shutdown::<S>(log, "before the first event")?;
    report.visit(Class::History);
    let files = works("files", || trial.subject.files(&case))?;
    match files.iter().find(|file| file.exists()) {
        None => Ok(()),
        Some(file) => {
            let actual = format!("{} is there", file.display());
            Err(Parted::said("open, flush and shutdown", "no file", actual))
        }
    }
}
