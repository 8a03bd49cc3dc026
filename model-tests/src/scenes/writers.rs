//! Judges law W10: who may write at a path.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use super::{
    files::{CAPACITY, open, shutdown, works},
    history::{History, bytes_of},
};
use crate::{
    evidence::Evidence,
    process::parent::{Answer, Start},
    report::{Class, Report},
    subject::{adapter::Subject, case::Case},
    trial::{Parted, Trial, guarded},
};

/// Another writer knocks after each event, through several rotations; in the end the history is
/// read.
pub(crate) fn one_at_a_time<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    const LAST: u64 = 20;
    let history = History::alike(trial);
    let case = Case::new(CAPACITY).with_files_of(bytes_of(trial, 6)?);
    let log = open(trial, &case, "for the first time")?;
    for last in 1..=LAST {
        history.store(&log, last..=last, "beside others that knock")?;
        let before = contents(&case)?;
        let step = format!("open beside a writer that has written {last} events");
        if guarded(&step, || trial.subject.open(&case))?.is_ok() {
            return Err(second_writer(step));
        }
        let files = works("files", || trial.subject.files(&case))?;
        if files.iter().filter(|file| file.exists()).count() > 1 {
            report.visit(Class::Rotated);
        }
        untouched(&before, &contents(&case)?, &step)?;
    }
    history.newest(&case, LAST, "a log at which others have knocked")?;
    report.stands_on(Evidence::RealFiles);
    other_process(trial, &case, report)?;
    shutdown::<S>(log, "of the first writer")?;
    let log = open(trial, &case, "after the first writer has ended")?;
    report.visit(Class::Reopened);
    shutdown::<S>(log, "of the second writer")?;
    history.newest(&case, LAST, "a log that two have opened")?;
    after_a_kill(trial, &history, report)
}

fn second_writer(step: impl Into<String>) -> Parted {
    Parted::said(step, "an error", "a second writer").its_own()
}

type Contents = BTreeMap<PathBuf, Vec<u8>>;

/// All files of the case that have something in them.
fn contents(case: &Case) -> Result<Contents, Parted> {
    let look = || -> io::Result<Contents> {
        let mut contents = Contents::new();
        for entry in fs::read_dir(case.dir()?)? {
            let path = entry?.path();
            if path.is_file() {
                let bytes = fs::read(&path)?;
                contents.extend((!bytes.is_empty()).then_some((path, bytes)));
            }
        }
        Ok(contents)
    };
    works("reading all files", || Ok(look()?))
}

/// The files begin with what they had. The writer that has the log may add to its own.
fn untouched(before: &Contents, after: &Contents, step: &str) -> Result<(), Parted> {
    let is_there = |path, bytes: &Vec<u8>| {
        let now: Option<&Vec<u8>> = after.get(path);
        now.is_some_and(|now| now.starts_with(bytes))
    };
    let changed = before.iter().find(|(path, bytes)| !is_there(*path, bytes));
    match changed {
        None => Ok(()),
        Some((path, _)) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let actual = format!("{name} is another");
            Err(Parted::said(step, "it touches nothing", actual).its_own())
        }
    }
}

/// A writer in another process is refused as well.
fn other_process<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    report: &mut Report,
) -> Result<(), Parted> {
    let mut process = match Start::PLAIN.process(trial, case) {
        Ok(process) => process,
        Err(why) => {
            report.leaves_out("a writer in another process", why);
            return Ok(());
        }
    };
    let step = "open in another process beside a writer";
    match process.ask("open") {
        Answer::Error(_) => Ok(()),
        Answer::Ok => Err(second_writer(step)),
        other => Err(Parted::said(step, "an error", other.to_string())),
    }
}

/// Who was killed keeps nobody away.
fn after_a_kill<S: Subject>(
    trial: &Trial<'_, S>,
    history: &History<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = Case::new(CAPACITY);
    let Ok(mut process) = Start::PLAIN.process(trial, &case) else {
        return Ok(());
    };
    process.works("open", "in a process that will be killed")?;
    process.works(&history.order(1..=3), "in a process that will be killed")?;
    process.works("flush", "in a process that will be killed")?;
    let step = "open beside a writer in another process";
    if guarded(step, || trial.subject.open(&case))?.is_ok() {
        return Err(second_writer(step));
    }
    process.kill();
    report.stands_on(Evidence::KilledProcess);
    let log = open(trial, &case, "after the writer before was killed")?;
    history.store(&log, 4..=4, "after the writer before was killed")?;
    history.all(&case, 4, "after the writer before was killed")?;
    shutdown::<S>(log, "after the writer before was killed")
}
