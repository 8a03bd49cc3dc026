//! Judges what a power cut leaves: of a simulated disk that the log is on, or of one on which its
//! system calls are played again.

use std::ops::RangeInclusive;

use super::{
    files::{CAPACITY, open, works},
    history::{History, bytes_of, complete},
};
use crate::{
    crashes::{Ending, endings},
    evidence::Evidence,
    process::{
        files::{Found, put_down},
        parent::{Answer, Start, traced},
        replay, tools,
    },
    report::{Class, Report},
    sim_disk::{Crash, DataLoss, Fault, Note, Op, Picture, SimDisk},
    subject::{
        adapter::Subject,
        capability::Capability,
        case::Case,
        log::{Log as _, OpenError},
    },
    trial::{Parted, Trial, guarded},
};

/// Law W01: nothing is rotated, and then much is.
pub(super) fn acknowledged<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = Case::new(CAPACITY);
    let history = History::mixed(trial);
    cut_anywhere(trial, case, &history, (&[1; 8], &Whole::All), report)?;
    rotated(trial, report)
}

/// Laws W01 and W08: with files of six events. Events come one by one, and in groups that cross one
/// rotation or several, so that what a group leaves in a full file is looked at as well. None is
/// longer than what a log retains, so nothing of it may be lost to a short queue.
pub(super) fn rotated<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let case = Case::new(CAPACITY).with_files_of(bytes_of(trial, 6)?);
    let history = History::alike(trial);
    let groups = [1, 1, 6, 1, 16, 9, 1];
    cut_anywhere(trial, case, &history, (&groups, &Whole::Newest), report)
}

/// Groups of so many events are stored one after the other, and the power goes out after each
/// operation.
fn cut_anywhere<S: Subject>(
    trial: &Trial<'_, S>,
    case: Case,
    history: &History<'_, S>,
    (groups, whole): (&[u64], &Whole),
    report: &mut Report,
) -> Result<(), Parted> {
    let (written, evidence) = if trial.budget.has(Capability::Storage) {
        let case = case.on_disk(SimDisk::new());
        let pictures = written(trial, &case, history, groups)?;
        (Ok(pictures), Evidence::SimulatedPowerCut)
    } else {
        let written = written_under_trace(trial, &case, history, (1, groups), &[])?;
        (written, Evidence::TracedPowerCut)
    };
    match written {
        Err(why) => report.leaves_out("power cuts", why),
        Ok(pictures) => {
            survive(trial, history, &pictures, whole, report)?;
            report.stands_on(evidence);
        }
    }
    Ok(())
}

/// How much of the history has to be there.
enum Whole {
    /// From the first event on.
    All,
    /// Rotations may have taken old files.
    Newest,
}

/// As many as a full file of six must have left after it, however long their numbers are, and if a
/// log makes two files of one.
const FILLED: u64 = 3;

fn note(disk: &SimDisk, handed: u64, durable: u64) {
    disk.note(Note { handed, durable });
}

/// The versions of groups of so many events, from this version on.
fn grouped(first: u64, groups: &[u64]) -> impl Iterator<Item = RangeInclusive<u64>> {
    groups.iter().scan(first, |next, events| {
        let first = *next;
        *next += events;
        Some(first..=*next - 1)
    })
}

/// Appends groups of events, each flushed, and takes a picture after every operation of the disk.
fn written<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    history: &History<'_, S>,
    groups: &[u64],
) -> Result<Vec<Picture>, Parted> {
    let disk = on(case)?;
    disk.record();
    let log = open(trial, case, "on a simulated disk")?;
    for group in grouped(1, groups) {
        let last = *group.end();
        history.append(&log, group);
        works("flush on a simulated disk", || log.flush())?;
        note(disk, last, last);
    }
    disk.picture();
    let pictures = disk.pictures();
    drop(log);
    if pictures.len() < 2 {
        let step = "open and write on a simulated disk";
        let expected = "the log's files on `Case::disk()`, or `lacks: [Storage]`";
        return Err(Parted::said(step, expected, "nothing was written there"));
    }
    Ok(pictures)
}

fn on(case: &Case) -> Result<&SimDisk, Parted> {
    case.disk()
        .ok_or_else(|| Parted::said("opening a case", "a simulated disk", "none"))
}

/// The same by a process of its own whose system calls are traced.
fn written_under_trace<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    history: &History<'_, S>,
    (first, groups): (u64, &[u64]),
    inject: &[&str],
) -> Result<Result<Vec<Picture>, String>, Parted> {
    let run = |trace: &std::path::Path| {
        let under = traced(trace, inject);
        let start = Start {
            under: &under,
            ..Start::PLAIN
        };
        start.process(trial, case)
    };
    if let Err(why) = tools::strace() {
        return Ok(Err(why));
    }
    let text = |error: std::io::Error| Parted::said("tracing", "a directory", error.to_string());
    let traces = tempfile::tempdir().map_err(text)?;
    let trace = traces.path().join("calls");
    let dir = case.dir().and_then(std::fs::canonicalize).map_err(text)?;
    let found = Found::in_dir(&dir).map_err(text)?;
    let mut process = match run(&trace) {
        Ok(process) => process,
        Err(why) => return Ok(Err(why)),
    };
    process.works("open", "under a trace")?;
    // What is acknowledged once so many answers were given: after "ready" and "open" nothing.
    let mut acknowledged = vec![0, 0];
    for group in grouped(first, groups) {
        let (before, last) = (*group.start() - 1, *group.end());
        process.works(&history.order(group), "under a trace")?;
        acknowledged.push(before);
        let mut tries = 0;
        loop {
            let answer = process.ask("flush");
            tries += 1;
            match answer {
                Answer::Ok => break,
                Answer::Error(_) if !inject.is_empty() && tries < TRIES => {
                    acknowledged.push(before);
                }
                other => {
                    let step = format!("flush event {last} {}", under(inject));
                    let expected = "it is stored in the end";
                    return Err(Parted::said(step, expected, other.to_string()));
                }
            }
        }
        acknowledged.push(last);
    }
    process.kill();
    Ok(replay::pictures(&trace, &dir, &acknowledged, &found))
}

fn under(inject: &[&str]) -> String {
    match inject {
        [] => "under a trace".into(),
        _ => "while syncs fail".into(),
    }
}

/// How often a flush is tried again where the disk fails.
const TRIES: usize = 100;

/// After each operation the power goes out in several ways: what was acknowledged is there.
fn survive<S: Subject>(
    trial: &Trial<'_, S>,
    history: &History<'_, S>,
    pictures: &[Picture],
    whole: &Whole,
    report: &mut Report,
) -> Result<(), Parted> {
    for (at, picture) in pictures.iter().enumerate() {
        for ending in endings(picture, picture.operations) {
            let Ending::Power(crash) = ending else {
                continue;
            };
            // Each one is put down on the real disk, so there are fewer of them.
            let few = !trial.budget.has(Capability::Storage);
            if few && !matches!(crash.data, DataLoss::Lost | DataLoss::Kept) {
                continue;
            }
            let acknowledged = picture.note.durable;
            let step = format!(
                "after a power cut right after operation {} ({}), with event {acknowledged} \
                 acknowledged; {}",
                picture.operations,
                last_operations(&pictures[..=at]),
                crash.in_words()
            );
            let left = left(trial, &picture.disk().crash(&crash), &step)?;
            let lines = history.read(&left, &step)?;
            let span = history.part(&lines, Some(acknowledged + 1), &step)?;
            report.visit(Class::PowerCut);
            if acknowledged == 0 {
                continue;
            }
            if span.next <= acknowledged {
                complete(span, acknowledged, &step)?;
            }
            // Only what has filled a file takes older events with it.
            if matches!(whole, Whole::All) || span.len() < FILLED {
                complete(span, span.next - 1, &step)?;
            }
        }
    }
    Ok(())
}

/// The operations that led here.
fn last_operations(pictures: &[Picture]) -> String {
    let first = pictures.len().saturating_sub(4);
    let before = if first > 0 { "…, " } else { "" };
    let last = pictures[first..].iter();
    let last: Vec<_> = last.map(|picture| format!("{:?}", picture.op)).collect();
    format!("{before}{}", last.join(", "))
}

/// What stands on this disk, as a case that can be read.
fn left<S: Subject>(trial: &Trial<'_, S>, disk: &SimDisk, step: &str) -> Result<Case, Parted> {
    let case = Case::new(CAPACITY);
    if trial.budget.has(Capability::Storage) {
        return Ok(case.on_disk(disk.clone()));
    }
    works(step, || Ok(put_down(disk, &case)?))
}

/// Law W02: a process is killed after any operation; the next one stores one event more, and then
/// the power goes out: what it found is still there.
pub(crate) fn found_is_not_durable<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let history = History::mixed(trial);
    if !trial.budget.has(Capability::Storage) {
        return found_under_trace(trial, &history, report);
    }
    let case = Case::new(CAPACITY).on_disk(SimDisk::new());
    for picture in written(trial, &case, &history, &[1; 5])? {
        let step = format!(
            "after a kill at operation {}, one event more, and a power cut",
            picture.operations
        );
        let disk = picture.disk().kill();
        let left = Case::new(CAPACITY).on_disk(disk.clone());
        let log = open(trial, &left, "after a kill")?;
        let found = history.read(&left, "after a kill")?;
        let torn = Some(picture.note.durable + 1);
        let next = history.part(&found, torn, "after a kill")?.next;
        history.store(&log, next..=next, "after a kill")?;
        let cut = Case::new(CAPACITY).on_disk(disk.crash(&Crash::LOST));
        drop(log);
        let span = history.part(&history.read(&cut, &step)?, torn, &step)?;
        complete(span, next, &step)?;
        report.visit(Class::PowerCut);
    }
    report.stands_on(Evidence::SimulatedPowerCut);
    Ok(())
}

/// Nothing of what a traced process finds is on the platter.
fn found_under_trace<S: Subject>(
    trial: &Trial<'_, S>,
    history: &History<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    const FOUND: u64 = 5;
    let case = super::files::written(trial, Case::new(CAPACITY), FOUND)?;
    match written_under_trace(trial, &case, history, (FOUND + 1, &[1]), &[])? {
        Err(why) => report.leaves_out("power cuts", why),
        Ok(pictures) => {
            let step = "what was found and one event more, after a power cut";
            let cut = pictures.last().map(|last| last.disk().crash(&Crash::LOST));
            history.all(
                &left(trial, &cut.unwrap_or_default(), step)?,
                FOUND + 1,
                step,
            )?;
            report.visit(Class::PowerCut);
            report.stands_on(Evidence::TracedPowerCut);
        }
    }
    Ok(())
}

/// Law W06: each sync in turn fails, and what it should have synced is dropped; the log acknowledges
/// in the end, and what it acknowledged survives a power cut.
pub(crate) fn failed_syncs<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let history = History::mixed(trial);
    if !trial.budget.has(Capability::Storage) {
        let inject = ["fsync,fdatasync:error=EIO:when=3+4"];
        let case = Case::new(CAPACITY);
        match written_under_trace(trial, &case, &history, (1, &[1; 8]), &inject)? {
            Err(why) => report.leaves_out("failing syncs", why),
            Ok(pictures) => {
                survive(trial, &history, &pictures, &Whole::All, report)?;
                report.visit(Class::Faulted);
                report.stands_on(Evidence::InjectedFaults);
                report.stands_on(Evidence::TracedPowerCut);
            }
        }
        return Ok(());
    }
    let case = || Case::new(CAPACITY).on_disk(SimDisk::new());
    let sound = written(trial, &case(), &history, &[1; 4])?;
    let syncs = sound.iter().filter(|picture| picture.op == Op::Sync);
    for sync in syncs.map(|picture| picture.operations - 1) {
        for fault in [Fault::SyncDrops(sync), Fault::SyncReverts(sync)] {
            let case = case();
            on(&case)?.fail_at(sync, fault);
            let pictures = written_through(trial, &case, &history, 4)?;
            survive(trial, &history, &pictures, &Whole::All, report)?;
            report.visit(Class::Faulted);
        }
    }
    report.stands_on(Evidence::SimulatedFaults);
    report.stands_on(Evidence::SimulatedPowerCut);
    Ok(())
}

/// As [`written`], on a disk that fails now and then: a flush is asked again.
fn written_through<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
    history: &History<'_, S>,
    last: u64,
) -> Result<Vec<Picture>, Parted> {
    let disk = on(case)?;
    disk.record();
    let log = open_again(trial, case)?;
    for version in 1..=last {
        history.append(&log, version..=version);
        let step = format!("flush event {version} after a failed sync");
        stored_in_the_end(&step, || log.flush())?;
        note(disk, version, version);
    }
    disk.picture();
    Ok(disk.pictures())
}

/// Opens a log whose disk may fail at first.
fn open_again<S: Subject>(trial: &Trial<'_, S>, case: &Case) -> Result<S::Log, Parted> {
    let step = "open after a failed sync";
    let mut opened = None;
    stored_in_the_end(step, || {
        opened = Some(trial.subject.open(case)?);
        Ok(())
    })?;
    opened.ok_or_else(|| Parted::said(step, "an open log", "none"))
}

/// Tries until it works.
pub(super) fn stored_in_the_end(
    step: &str,
    mut act: impl FnMut() -> Result<(), OpenError>,
) -> Result<(), Parted> {
    let mut last = String::new();
    for _ in 0..TRIES {
        match guarded(step, &mut act)? {
            Ok(()) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    let expected = "it works in the end, once the disk does";
    Err(Parted::said(step, expected, last))
}
