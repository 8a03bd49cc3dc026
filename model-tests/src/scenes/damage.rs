//! Judges what a writer makes of damaged files: cut at every byte, and with every line damaged.

use std::{fs, ops::RangeInclusive};

use super::{
    files::{CAPACITY, append, current, current_of, killed, open, shutdown, works, written},
    hands,
    history::{History, short},
};
use eventlog::Versioned as _;

use crate::{
    evidence::Evidence,
    report::{Class, Report},
    subject::{
        adapter::{Line, Subject},
        capability::Capability,
        case::Case,
    },
    trial::{Parted, Trial},
    watch::note_files,
};

/// The file is cut at every byte; then a writer opens it and goes on.
pub(crate) fn cut_anywhere<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    cut_file(trial, Case::new(CAPACITY), "", report)?;
    let case = Case::new(CAPACITY).with_files_of(8);
    cut_file(
        trial,
        case,
        " of an event that is longer than a file may be",
        report,
    )?;
    report.stands_on(Evidence::RealFiles);
    Ok(())
}

/// Three events are stored; the file that has the last of them is cut.
fn cut_file<S: Subject>(
    trial: &Trial<'_, S>,
    case: Case,
    of: &str,
    report: &mut Report,
) -> Result<(), Parted> {
    const LAST: u64 = 3;
    let (case, ends) = stored_one_by_one(trial, case, LAST)?;
    let file = current(trial, &case)?;
    let bytes = works("reading the file", || Ok(fs::read(&file)?))?;
    // Events in files before this one.
    let before = LAST - ends.len() as u64;
    for cut in 0..bytes.len() {
        let step = format!("after a cut at byte {cut} of {}{of}", bytes.len());
        note_files(&format!("a copy of {LAST} events{of}, cut at byte {cut}"));
        let left = killed(&case, &step)?;
        works(&step, || {
            Ok(fs::write(current_of(trial, &left)?, &bytes[..cut])?)
        })?;
        let log = open(trial, &left, &step)?;
        append(trial, &log, 100..=100);
        shutdown::<S>(log, &step)?;
        report.visit(Class::Torn);
        report.visit(Class::Reopened);
        let whole = ends.iter().filter(|end| **end <= cut as u64).count() as u64;
        // What lacks only its end may be completed.
        let least = before + whole;
        after_the_cut(trial, &left, (before, least..=LAST), &step)?;
    }
    Ok(())
}

/// Stores so many events, and says where those end that are in the current file.
fn stored_one_by_one<S: Subject>(
    trial: &Trial<'_, S>,
    case: Case,
    last: u64,
) -> Result<(Case, Vec<u64>), Parted> {
    let log = open(trial, &case, "for the first time")?;
    let history = History::mixed(trial);
    let (mut ends, mut before) = (Vec::new(), Vec::new());
    for version in 1..=last {
        history.store(&log, version..=version, "of the first life")?;
        let file = current(trial, &case)?;
        let bytes = works("reading the file", || Ok(fs::read(file)?))?;
        if !bytes.starts_with(&before) {
            // It is another file.
            ends.clear();
        }
        ends.push(bytes.len() as u64);
        before = bytes;
    }
    shutdown::<S>(log, "of the first life")?;
    Ok((case, ends))
}

/// What is read is a part of the history that ends with one of these, then event 100. What was torn
/// may be reported.
fn after_the_cut<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    (before, last): (u64, RangeInclusive<u64>),
    step: &str,
) -> Result<(), Parted> {
    let found = History::mixed(trial).read(case, step)?;
    let events = found.iter().filter(|line| !matches!(line, Line::Damage(_)));
    let versions: Vec<u64> = events
        .map(|line| match line {
            Line::Event(event)
                if *event == trial.subject.event(event.version(), event.version() as u32) =>
            {
                event.version()
            }
            _ => 0,
        })
        .collect();
    let first = versions.first().copied().unwrap_or(0);
    let fits = |last: u64| {
        let wanted: Vec<u64> = (first.max(1)..=last).chain([100]).collect();
        versions == wanted && (first == 1 || first > last || before > 0)
    };
    if last.clone().any(fits) {
        return Ok(());
    }
    let expected = format!(
        "the events up to {}, then event 100, each line whole",
        last.start()
    );
    let found: Vec<_> = found.iter().map(short).collect();
    Err(Parted::said(
        format!("read back {step}"),
        expected,
        found.join(", "),
    ))
}

/// Each line in turn is made unreadable; then a writer opens the file and goes on.
pub(crate) fn damaged_anywhere<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    const LAST: u64 = 5;
    hands::set_aside(trial, report)?;
    if !trial.budget.has(Capability::JsonLines) {
        report.leaves_out("damage in the middle", "lacks JsonLines");
        return Ok(());
    }
    let case = written(trial, Case::new(CAPACITY), LAST)?;
    let file = current(trial, &case)?;
    let bytes = works("reading the file", || Ok(fs::read(&file)?))?;
    let mut start = 0;
    for damaged in 1..LAST {
        let mut bytes = bytes.clone();
        bytes[start] = b'#';
        start += 1 + bytes[start..]
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(0);
        let step = format!("with line {damaged} of {LAST} damaged");
        note_files(&format!("a file of {LAST} events, line {damaged} damaged"));
        works(&step, || Ok(fs::write(&file, &bytes)?))?;
        one_damage(trial, &case, damaged, 1..=LAST, &step)?;
        let left = killed(&case, &step)?;
        let log = open(trial, &left, &step)?;
        append(trial, &log, LAST + 1..=LAST + 1);
        shutdown::<S>(log, &step)?;
        report.visit(Class::Damaged);
        report.visit(Class::Reopened);
        one_damage(
            trial,
            &left,
            damaged,
            1..=LAST + 1,
            &format!("{step}, and one more event"),
        )?;
    }
    Ok(())
}

/// All of these versions are read, but one, in whose place damage is reported.
fn one_damage<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    damaged: u64,
    versions: RangeInclusive<u64>,
    step: &str,
) -> Result<(), Parted> {
    let found = History::mixed(trial).read(case, step)?;
    let matches = |(line, version): (&Line<S::Event>, u64)| match line {
        Line::Damage(_) => version == damaged,
        Line::Event(event) => *event == trial.subject.event(version, version as u32),
        Line::Gap(_) => false,
    };
    let count = versions.clone().count();
    if found.len() == count && found.iter().zip(versions.clone()).all(matches) {
        return Ok(());
    }
    let expected = format!("events {versions:?}, with a report of damage in place of {damaged}");
    Err(Parted::said(
        format!("read back {step}"),
        expected,
        found.iter().map(short).collect::<Vec<_>>().join(", "),
    ))
}
