//! Judges a writer that rotates its files, and readers that follow them.

use std::fs;

use super::files::{CAPACITY, append, lines, open, read, same, shutdown, works};
use eventlog::Versioned as _;

use crate::{
    report::{Class, Report},
    subject::{
        adapter::{Following, Line, Subject},
        case::Case,
        log::Log as _,
    },
    trial::{Parted, Trial, guarded},
};

/// Three lives with small files: each file within its bound, and nothing missing but what is older
/// than everything that is there.
pub(crate) fn rotated<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    const CAP: u64 = 1024;
    let case = Case::new(CAPACITY).with_files_of(CAP);
    let mut last = 0;
    let mut most = 0;
    for life in 1..=12 {
        let log = open(trial, &case, &format!("life {life}"))?;
        for _ in 0..7 {
            last += 1;
            append(trial, &log, last..=last);
            works("flush", || log.flush())?;
            let step = format!("life {life}, after event {last}");
            let size = bounded(trial, &case, CAP, report, &step)?;
            most = most.max(size);
            // A rotation may throw away the oldest file, never the one that was just filled.
            if size * 3 < most {
                let expected = format!("most of the {most} bytes that were there");
                return Err(Parted::said(
                    format!("files of {step}"),
                    expected,
                    format!("{size}"),
                ));
            }
            suffix(trial, &case, last, &step)?;
        }
        shutdown::<S>(log, &format!("life {life}"))?;
        report.visit(Class::Reopened);
    }
    Ok(())
}

/// The bytes of all files, none of which may be too long.
fn bounded<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    cap: u64,
    report: &mut Report,
    step: &str,
) -> Result<u64, Parted> {
    let files = works("files", || trial.subject.files(case))?;
    let sizes = files.iter().filter_map(|file| fs::metadata(file).ok());
    let sizes: Vec<u64> = sizes.map(|file| file.len()).collect();
    if sizes.len() > 1 {
        report.visit(Class::Rotated);
    }
    if sizes.iter().any(|size| *size > cap) {
        let expected = format!("no file above {cap} bytes");
        return Err(Parted::said(
            format!("files of {step}"),
            expected,
            format!("{sizes:?}"),
        ));
    }
    Ok(sizes.iter().sum())
}

/// What is read is the newest part of the history.
fn suffix<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    last: u64,
    step: &str,
) -> Result<(), Parted> {
    let found = read(trial, case, step)?;
    let first = last + 1 - (found.len() as u64).clamp(1, last);
    same(found, lines(trial, first..=last), step)
}

/// Reads along: after each event, then after bursts that fill a file or many.
pub(crate) fn followed<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = Case::new(CAPACITY).with_files_of(512);
    let log = open(trial, &case, "for the first time")?;
    let mut following = works("follow", || trial.subject.follow(&case))?;
    let (mut last, mut next) = (0, 1);
    for (burst, rounds) in [(1, 150), (7, 30), (200, 4)] {
        for _ in 0..rounds {
            append(trial, &log, last + 1..=last + burst);
            last += burst;
            works("flush", || log.flush())?;
            let step = format!("read along after event {last}, {burst} at a time");
            bounded(trial, &case, u64::MAX, report, &step)?;
            // No more than one file was put aside, so there is nothing that may be missing.
            let holes = burst > 1;
            next = read_along(trial, &mut following, next, holes, &step)?;
            if next <= last {
                let expected = format!("every event up to {last}");
                return Err(Parted::said(step, expected, format!("no event {next}")));
            }
        }
    }
    shutdown::<S>(log, "of the writer")
}

/// Takes what there is, and says which event comes next.
fn read_along<S: Subject>(
    trial: &Trial<'_, S>,
    following: &mut Following<S::Event>,
    mut next: u64,
    holes: bool,
    step: &str,
) -> Result<u64, Parted> {
    let mut declared = false;
    while let Some(line) = guarded(step, &mut *following)? {
        let version = match &line {
            Line::Event(event) => event.version(),
            Line::Gap(_) | Line::Damage(_) => next,
        };
        match line {
            Line::Event(event)
                if event == trial.subject.event(version, version as u32)
                    && (version == next || declared && version > next) =>
            {
                next = version + 1;
                declared = false;
            }
            Line::Gap(events) if holes => next += events,
            Line::Damage(_) if holes => declared = true,
            other => {
                let expected = format!("event {next}");
                return Err(Parted::said(step, expected, format!("{other:?}")));
            }
        }
    }
    Ok(next)
}
