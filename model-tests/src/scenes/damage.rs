//! Judges what a writer makes of damaged files: cut at every byte, and with every line damaged.

use std::fs;

use super::files::{
    CAPACITY, append, current, current_of, killed, lines, open, read, shutdown, works, written,
};
use crate::{
    report::{Class, Report},
    subject::{
        adapter::{Line, Subject},
        case::Case,
    },
    trial::{Parted, Trial},
};

/// The file is cut at every byte; then a writer opens it and goes on.
pub(crate) fn cut_anywhere<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = written(trial, Case::new(CAPACITY), 3)?;
    let file = current(trial, &case)?;
    let bytes = works("reading the file", || Ok(fs::read(&file)?))?;
    for cut in 0..bytes.len() {
        let step = format!("after a cut at byte {cut} of {}", bytes.len());
        let left = killed(&case, &step)?;
        works(&step, || {
            Ok(fs::write(current_of(trial, &left)?, &bytes[..cut])?)
        })?;
        let log = open(trial, &left, &step)?;
        append(trial, &log, 100..=100);
        shutdown::<S>(log, &step)?;
        report.visit(Class::Torn);
        report.visit(Class::Reopened);
        let whole = bytes[..cut].split_inclusive(|byte| *byte == b'\n');
        let whole = whole.filter(|line| line.ends_with(b"\n")).count() as u64;
        // A line that lacks only its newline may be completed.
        let completed = whole + u64::from(bytes[cut] == b'\n');
        let found = read(trial, &left, &step)?;
        let allowed = [whole, completed].map(|last| lines(trial, (1..=last).chain([100])));
        if !allowed.contains(&found) {
            return Err(Parted::new(format!("read back {step}"), &allowed[0], found));
        }
    }
    Ok(())
}

/// Each line in turn is made unreadable; then a writer opens the file and goes on.
pub(crate) fn damaged_anywhere<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    const LAST: u64 = 5;
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
    versions: std::ops::RangeInclusive<u64>,
    step: &str,
) -> Result<(), Parted> {
    let found = read(trial, case, step)?;
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
        format!("{found:?}"),
    ))
}
