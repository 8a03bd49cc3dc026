//! Judges the laws of a writer by its files, as they are left by a process that ends or is killed.

use std::{fs, path::PathBuf};

use crate::{
    report::{Class, Report},
    scenes::patience::within,
    subject::{
        adapter::{Event, Line, Subject},
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

pub(super) fn read<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    step: &str,
) -> Result<Vec<Line<S::Event>>, Parted> {
    works(&format!("read back {step}"), || {
        trial.subject.read_back(case)
    })
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

/// The events of these versions, as lines.
pub(super) fn lines<S: Subject>(
    trial: &Trial<'_, S>,
    versions: impl IntoIterator<Item = u64>,
) -> Vec<Line<S::Event>> {
    let line = |version| Line::Event(trial.subject.event(version, version as u32));
    versions.into_iter().map(line).collect()
}

/// Holds what is read against what must be there.
fn must_read<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    versions: impl IntoIterator<Item = u64>,
    step: &str,
) -> Result<(), Parted> {
    let found = read(trial, case, step)?;
    same(found, lines(trial, versions), step)
}

/// Holds lines that were read against those that must be there.
pub(super) fn same<E: Event>(
    found: Vec<Line<E>>,
    expected: Vec<Line<E>>,
    step: &str,
) -> Result<(), Parted> {
    if found == expected {
        Ok(())
    } else {
        Err(Parted::new(format!("read back {step}"), expected, found))
    }
}

/// The case as it would be left if the process were killed now.
pub(super) fn killed(case: &Case, step: &str) -> Result<Case, Parted> {
    case.killed()
        .map_err(|error| Parted::said(step, "a copy", error.to_string()))
}

pub(crate) fn acknowledged<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    for count in [1, 2, 40] {
        let case = Case::new(CAPACITY);
        let log = open(trial, &case, "for the first time")?;
        append(trial, &log, 1..=count);
        works("flush", || log.flush())?;
        report.visit(Class::Acknowledged);
        // The process is killed here: nothing of it runs on in the copy.
        let left = killed(&case, "copying the files")?;
        must_read(
            trial,
            &left,
            1..=count,
            "what was acknowledged before the kill",
        )?;
        let log = open(trial, &left, "after the kill")?;
        append(trial, &log, count + 1..=count + 1);
        shutdown::<S>(log, "of the second life")?;
        report.visit(Class::Reopened);
        must_read(trial, &left, 1..=count + 1, "both lives")?;
    }
    Ok(())
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
    let mut next = 1;
    for line in read(trial, &case, "a burst")? {
        match line {
            Line::Gap(events) => next += events,
            Line::Event(event) if event == trial.subject.event(next, next as u32) => next += 1,
            other => {
                let step = format!("read back a burst, event {next}");
                let expected = "this event, or a gap line that counts what is missing";
                return Err(Parted::said(step, expected, format!("{other:?}")));
            }
        }
    }
    if next <= EVENTS {
        let step = format!("read back a burst of {EVENTS}");
        let expected = "every event, or a gap line that counts what is missing";
        return Err(Parted::said(
            step,
            expected,
            format!("it ends before event {next}"),
        ));
    }
    Ok(())
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
    let events: Vec<_> = (1..=100)
        .map(|pick| trial.subject.event(u64::from(pick), pick))
        .collect();
    within(trial.budget.patience, move || {
        for event in events {
            log.append(event);
        }
    })
    .map_err(|stuck| Parted::said(step, "each returns", stuck.text(trial.budget.patience)))
}

pub(crate) fn second_writer<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = Case::new(CAPACITY).with_files_of(256);
    let log = open(trial, &case, "for the first time")?;
    for last in 1..=8 {
        append(trial, &log, last..=last);
        works("flush", || log.flush())?;
        let step = format!("open beside a writer that has written {last} events");
        if guarded(&step, || trial.subject.open(&case))?.is_ok() {
            return Err(Parted::said(step, "an error", "a second writer"));
        }
    }
    shutdown::<S>(log, "of the first writer")?;
    let log = open(trial, &case, "after the first writer has ended")?;
    report.visit(Class::Reopened);
    shutdown::<S>(log, "of the second writer")
}

pub(crate) fn drained<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    for count in [1, 10, 500] {
        let case = written(trial, Case::new(1024), count)?;
        report.visit(Class::History);
        must_read(trial, &case, 1..=count, "after a shutdown without an error")?;
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
    let case = written(trial, case, LAST)?;
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
