//! Judges a writer that rotates its files, and readers that follow them.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{
    files::{CAPACITY, append, killed, open, shutdown, works},
    hands,
    history::{History, Span, bytes_of, short},
    lives::enough,
    power::{self, stored_in_the_end},
};
use eventlog::Versioned as _;

use crate::{
    evidence::Evidence,
    report::{Class, Report},
    sim_disk::{Op, SimDisk},
    subject::{
        adapter::{Following, Line, Subject},
        capability::Capability,
        case::Case,
        log::Log as _,
    },
    trial::{Parted, Trial, guarded},
};

/// Three lives with small files: each file within its bound, and nothing missing but what is older
/// than everything that is there.
pub(crate) fn rotated<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let cap = bytes_of(trial, 12)?;
    let history = History::alike(trial);
    let case = Case::new(CAPACITY).with_files_of(cap);
    let (mut last, mut most, mut events) = (0, 0, 0);
    for life in 1..=12 {
        let log = open(trial, &case, &format!("life {life}"))?;
        for _ in 0..7 {
            last += 1;
            history.store(&log, last..=last, &format!("life {life}"))?;
            let step = format!("life {life}, after event {last}");
            let size = bounded(trial, &case, cap, report, &step)?;
            most = most.max(size);
            // A rotation may throw away the oldest file, never the one that was just filled.
            if size * 3 < most {
                let expected = format!("most of the {most} bytes that were there");
                let files = Parted::said(format!("files of {step}"), expected, format!("{size}"));
                return Err(files.its_own());
            }
            events = enough(history.newest(&case, last, &step)?, events, &step)?;
        }
        shutdown::<S>(log, &format!("life {life}"))?;
        report.visit(Class::Reopened);
    }
    report.stands_on(Evidence::RealFiles);
    long_events(trial, report)?;
    power::rotated(trial, report)
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
        let files = Parted::said(format!("files of {step}"), expected, format!("{sizes:?}"));
        return Err(files.its_own());
    }
    Ok(sizes.iter().sum())
}

/// Files that are shorter than any event: each event has a file of its own.
fn long_events<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let history = History::mixed(trial);
    let case = Case::new(CAPACITY).with_files_of(8);
    let log = open(trial, &case, "with files that are shorter than an event")?;
    for last in 1..=20 {
        let step = format!("event {last}, each longer than a file may be");
        history.store(&log, last..=last, &step)?;
        let span = history.newest(&case, last, &step)?;
        report.visit(Class::LongEvent);
        let files = works("files", || trial.subject.files(&case))?;
        let sizes = files.iter().filter_map(|file| fs::metadata(file).ok());
        let files = sizes.filter(|file| file.len() > 0).count() as u64;
        let few = last.min(2);
        if span.len() > files || span.len() < few {
            let expected = format!("{few} events or more, each in a file of its own");
            let actual = format!("{} events in {files} files", span.len());
            return Err(Parted::said(
                format!("files after {step}"),
                expected,
                actual,
            ));
        }
    }
    shutdown::<S>(log, "of a log of events that are longer than a file")
}

/// Law W17: on a simulated disk that refuses to rename, and where the name of the full file is taken
/// by a directory, or that of the next one.
pub(crate) fn unrotated<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let cap = bytes_of(trial, 6)?;
    if trial.budget.has(Capability::Storage) {
        renames_refused(trial, cap, report)?;
    }
    name_taken(trial, cap, report)
}

fn renames_refused<S: Subject>(
    trial: &Trial<'_, S>,
    cap: u64,
    report: &mut Report,
) -> Result<(), Parted> {
    let history = History::alike(trial);
    let disk = SimDisk::new();
    let case = Case::new(CAPACITY).with_files_of(cap).on_disk(disk.clone());
    let log = open(trial, &case, "before renames are refused")?;
    disk.fail_all(Op::Rename, ErrorKind::PermissionDenied);
    let step = "where the file cannot be rotated, as no file can be renamed";
    for version in 1..=40 {
        history.append(&log, version..=version);
        stored_in_the_end(&format!("flush event {version} {step}"), || log.flush())?;
    }
    history.newest(&case, 40, step)?;
    report.visit(Class::Faulted);
    disk.heal();
    history.store(&log, 41..=60, "once the file can be rotated again")?;
    history.newest(&case, 60, "once the file can be rotated again")?;
    report.stands_on(Evidence::SimulatedFaults);
    shutdown::<S>(log, "of a log that was not rotated for a while")
}

fn name_taken<S: Subject>(
    trial: &Trial<'_, S>,
    cap: u64,
    report: &mut Report,
) -> Result<(), Parted> {
    let history = History::alike(trial);
    let case = Case::new(CAPACITY).with_files_of(cap);
    let files = works("files", || trial.subject.files(&case))?;
    let (current, full) = files
        .split_last()
        .map_or((None, files.as_slice()), |(last, full)| (Some(last), full));
    if full.is_empty() {
        return next_name_taken(trial, cap, report);
    }
    for name in full {
        take(name)?;
    }
    let log = open(trial, &case, "where no file can be put aside")?;
    let step = "where the file cannot be rotated";
    for version in 1..=40 {
        history.append(&log, version..=version);
        stored_in_the_end(&format!("flush event {version} {step}"), || log.flush())?;
    }
    let span = without_obstacles(trial, &case, 40, step)?;
    report.visit(Class::Faulted);
    let size = |file: &PathBuf| fs::metadata(file).map_or(0, |file| file.len());
    if span.first == 1 && current.is_some_and(|current| size(current) <= cap) {
        // It has found other names.
        report.visit(Class::Rotated);
    }
    free(full)?;
    for version in 41..=80 {
        history.store(
            &log,
            version..=version,
            "once the file can be rotated again",
        )?;
    }
    history.newest(&case, 80, "once the file can be rotated again")?;
    if let Some(current) = current.filter(|current| size(current) > cap) {
        let step = "the current file, long after it could be rotated again";
        let expected = format!("at most {cap} bytes: it is tried again");
        return Err(Parted::said(
            step,
            expected,
            format!("{} bytes", size(current)),
        ));
    }
    report.stands_on(Evidence::RealFiles);
    shutdown::<S>(log, "of a log that was not rotated for a while")
}

/// A log that leaves full files under the names they have is hindered where its next name is taken.
/// Which that is, another one tells. It is taken once the log is open: what stands there before is a
/// matter of opening.
fn next_name_taken<S: Subject>(
    trial: &Trial<'_, S>,
    cap: u64,
    report: &mut Report,
) -> Result<(), Parted> {
    const WHAT: &str = "a rotation that is hindered";
    let Some((first, second)) = first_names(trial, cap)? else {
        report.leaves_out(WHAT, "it is not seen to begin a second file");
        return Ok(());
    };
    let history = History::alike(trial);
    let case = Case::new(CAPACITY).with_files_of(cap);
    let dir = works("the directory", || Ok(case.dir()?.to_owned()))?;
    let log = open(trial, &case, "before the next file's name is taken")?;
    let taken = dir.join(second);
    take(&taken)?;
    let step = "where the name of the next file is taken by a directory";
    for version in 1..=40 {
        history.append(&log, version..=version);
        stored_in_the_end(&format!("flush event {version} {step}"), || log.flush())?;
        if version == 1 && !dir.join(&first).is_file() {
            report.leaves_out(WHAT, "its files have other names each time");
            return Ok(());
        }
    }
    without_obstacles(trial, &case, 40, step)?;
    report.visit(Class::Faulted);
    free(&[taken])?;
    let step = "once the next file can be made again";
    for version in 41..=80 {
        history.store(&log, version..=version, step)?;
    }
    history.newest(&case, 80, step)?;
    report.stands_on(Evidence::RealFiles);
    shutdown::<S>(log, "of a log that was not rotated for a while")
}

/// The names of a log's first two files, within its directory; `None` if it never has two.
fn first_names<S: Subject>(
    trial: &Trial<'_, S>,
    cap: u64,
) -> Result<Option<(PathBuf, PathBuf)>, Parted> {
    let history = History::alike(trial);
    let case = Case::new(CAPACITY).with_files_of(cap);
    let dir = works("the directory", || Ok(case.dir()?.to_owned()))?;
    let log = open(trial, &case, "to learn its names")?;
    for version in 1..=40 {
        history.store(&log, version..=version, "to learn its names")?;
        let files = works("files", || trial.subject.files(&case))?;
        let mut names = files.iter().filter(|file| file.is_file());
        let mut name = || names.next()?.strip_prefix(&dir).ok().map(PathBuf::from);
        if let (Some(first), Some(second)) = (name(), name()) {
            return Ok(Some((first, second)));
        }
    }
    Ok(None)
}

/// Has a directory take this name.
fn take(name: &Path) -> Result<(), Parted> {
    works("taking a name", || {
        Ok(fs::create_dir_all(name.join("taken"))?)
    })
}

/// What was written is read from a copy of the files without what stood in their way: whether
/// `read_back` goes past that is not the law's matter.
fn without_obstacles<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    last: u64,
    step: &str,
) -> Result<Span, Parted> {
    let copy = killed(case, step)?;
    let names = works("files", || trial.subject.files(&copy))?;
    free(&names)?;
    History::alike(trial).newest(&copy, last, step)
}

/// Frees these names where directories have taken them.
fn free(names: &[PathBuf]) -> Result<(), Parted> {
    for name in names.iter().filter(|name| name.is_dir()) {
        works("freeing a name", || Ok(fs::remove_dir_all(name)?))?;
    }
    Ok(())
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
    shutdown::<S>(log, "of the writer")?;
    report.stands_on(Evidence::RealFiles);
    hands::followed(trial, report)
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
            Line::Gap(events) => next += events,
            Line::Damage(_) if holes => declared = true,
            other => {
                let expected = format!("event {next}");
                return Err(Parted::said(step, expected, short(&other)));
            }
        }
    }
    Ok(next)
}
