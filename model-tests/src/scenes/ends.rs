//! Judges law W16: what is stored when a log or its process ends without a word.

use super::{
    files::{CAPACITY, open},
    history::History,
};
use crate::{
    evidence::Evidence,
    process::parent::{Answer, Start},
    report::{Class, Report},
    subject::{adapter::Subject, case::Case},
    trial::{Parted, Trial},
};

pub(crate) fn last_moments<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    dropped(trial, report)?;
    report.stands_on(Evidence::RealFiles);
    for (order, how) in [("return", "returned from"), ("unwind", "unwound from")] {
        match ended(trial, order, how)? {
            Ok(()) => report.stands_on(Evidence::EndedProcess),
            Err(why) => {
                report.leaves_out("processes that end", why);
                break;
            }
        }
    }
    Ok(())
}

/// The log is dropped, and opened again at once.
fn dropped<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let history = History::mixed(trial);
    let case = Case::new(CAPACITY);
    let mut last = 0;
    for part in [1, 5, CAPACITY as u64] {
        let log = open(trial, &case, "after a log that was dropped")?;
        history.append(&log, last + 1..=last + part);
        last += part;
        drop(log);
        let step = format!("after a log of {last} events was dropped");
        history.all(&case, last, &step)?;
        report.visit(Class::Reopened);
    }
    Ok(())
}

/// A process ends with the log in scope.
fn ended<S: Subject>(
    trial: &Trial<'_, S>,
    order: &str,
    how: &str,
) -> Result<Result<(), String>, Parted> {
    const STORED: u64 = 2;
    const LAST: u64 = STORED + CAPACITY as u64;
    let history = History::mixed(trial);
    let case = Case::new(CAPACITY);
    let mut process = match Start::PLAIN.process(trial, &case) {
        Ok(process) => process,
        Err(why) => return Ok(Err(why)),
    };
    let step = format!("in a process that has {how} `main`");
    process.works("open", &step)?;
    process.works(&history.order(1..=STORED), &step)?;
    process.works("flush", &step)?;
    process.works(&history.order(STORED + 1..=LAST), &step)?;
    process
        .ends(order)
        .map_err(|answer: Answer| Parted::said(order, "the process ends", answer.to_string()))?;
    history.all(&case, LAST, &format!("what was appended {step}"))?;
    Ok(Ok(()))
}
