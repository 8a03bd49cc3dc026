//! Judges what is left of a log over several lives, each of which is killed.

use super::{
    files::{CAPACITY, killed, open, works},
    history::{History, Span, bytes_of},
};
use crate::{
    evidence::Evidence,
    process::parent::Start,
    report::{Class, Report},
    scenes::power,
    subject::{adapter::Subject, case::Case, log::Log as _},
    trial::{Parted, Trial},
};

/// Law W01: by copies of the files, by killed processes, by power cuts.
pub(crate) fn acknowledged<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    copied(trial, report)?;
    copied_and_rotated(trial, report)?;
    report.stands_on(Evidence::CopiedFiles);
    match in_processes(trial, report)? {
        Ok(()) => report.stands_on(Evidence::KilledProcess),
        Err(why) => report.leaves_out("killed processes", why),
    }
    power::acknowledged(trial, report)
}

/// How many events each life appends, with a flush after each part.
const LIVES: [&[u64]; 4] = [&[1, 2, 40], &[1], &[3, 4], &[1, 1]];

/// Nothing is rotated, so nothing may be missing.
fn copied<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let history = History::mixed(trial);
    let mut case = Case::new(CAPACITY);
    let mut last = 0;
    for (life, parts) in (1..).zip(LIVES) {
        let log = open(trial, &case, &format!("for life {life}"))?;
        for part in parts {
            history.append(&log, last + 1..=last + part);
            last += part;
            works("flush", || log.flush())?;
            report.visit(Class::Acknowledged);
            // The process is killed here: nothing of it runs on in the copy.
            let step = format!("what was acknowledged before life {life} was killed");
            history.all(&killed(&case, &step)?, last, &step)?;
        }
        let left = killed(&case, "copying the files")?;
        drop(log);
        case = left;
        report.visit(Class::Reopened);
    }
    Ok(())
}

/// With small files: the newest events are there, and never much fewer than there were.
fn copied_and_rotated<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let history = History::alike(trial);
    let mut case = Case::new(CAPACITY).with_files_of(bytes_of(trial, 12)?);
    let (mut last, mut most) = (0, 0);
    for life in 1..=5 {
        let log = open(trial, &case, &format!("for life {life} of a rotated log"))?;
        for _ in 0..11 {
            last += 1;
            history.store(&log, last..=last, "of a rotated log")?;
            let step = format!("life {life} of a rotated log, after event {last}");
            let span = history.newest(&case, last, &step)?;
            most = enough(span, most, &step)?;
        }
        let left = killed(&case, "copying the files")?;
        drop(log);
        case = left;
        report.visit(Class::Reopened);
        let step = format!("life {life} of a rotated log, after a kill");
        history.newest(&case, last, &step)?;
    }
    Ok(())
}

/// A rotation takes the oldest file, and with it at most two thirds of what there was.
pub(super) fn enough(span: Span, most: u64, step: &str) -> Result<u64, Parted> {
    let found = span.len();
    if found * 3 >= most {
        return Ok(most.max(found));
    }
    let expected = format!("a third of the {most} events that were there, at least");
    Err(Parted::said(
        format!("read back {step}"),
        expected,
        format!("{found} events"),
    ))
}

/// Each life is a process that is killed. Says why if there can be none.
fn in_processes<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<Result<(), String>, Parted> {
    let history = History::mixed(trial);
    let case = Case::new(CAPACITY);
    let mut last = 0;
    for life in 1..=3 {
        let mut process = match Start::PLAIN.process(trial, &case) {
            Ok(process) => process,
            Err(why) => return Ok(Err(why)),
        };
        let step = format!("in life {life}");
        process.works("open", &step)?;
        for part in [1, 7] {
            process.works(&history.order(last + 1..=last + part), &step)?;
            last += part;
            process.works("flush", &step)?;
            report.visit(Class::Acknowledged);
        }
        process.kill();
        let step = format!("what was acknowledged before the process of life {life} was killed");
        history.all(&case, last, &step)?;
        report.visit(Class::Reopened);
    }
    Ok(Ok(()))
}
