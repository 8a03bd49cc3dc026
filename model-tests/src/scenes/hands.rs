//! Judges readers and writers whose files somebody else has in hand.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use eventlog::Versioned as _;

use super::{
    files::{CAPACITY, current, open, works},
    history::{History, short},
};
use crate::{
    evidence::Evidence,
    report::{Class, Report},
    subject::{
        adapter::{Following, Line, Subject},
        capability::Capability,
        case::Case,
        log::Log as _,
    },
    trial::{Parted, Trial, guarded},
};

/// What another hand does to the files that are followed.
#[derive(Clone, Copy, Debug)]
enum Hand {
    /// Cuts the file to nothing, and a writer goes on in it.
    Truncates,
    /// The same, with more written than had been read.
    TruncatesAndMoreComes,
    /// Copies the file to the old name, and cuts it.
    CopiesAndTruncates,
    /// Renames the file to a name that the log does not know, with lines that were not read yet.
    RenamesAway,
    /// Renames it to the old name.
    RenamesToOld,
    /// Removes the file, with lines that were not read yet, and another one comes.
    Removes,
    /// Renames another file over it.
    Replaces,
}

/// Law W12, the part about others than the writer.
pub(crate) fn followed<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    use Hand::{
        CopiesAndTruncates, Removes, RenamesAway, RenamesToOld, Replaces, Truncates,
        TruncatesAndMoreComes,
    };
    if !trial.budget.has(Capability::JsonLines) {
        report.leaves_out("other hands on the files", "lacks JsonLines");
        return Ok(());
    }
    for hand in [
        Truncates,
        TruncatesAndMoreComes,
        CopiesAndTruncates,
        RenamesAway,
        RenamesToOld,
        Removes,
        Replaces,
    ] {
        one_hand(trial, hand)?;
        report.visit(Class::OtherHands);
    }
    Ok(())
}

/// Files that a test writes in place of a writer.
struct Files<'a, S: Subject> {
    trial: &'a Trial<'a, S>,
    current: PathBuf,
    /// Where the newest full file is put.
    old: PathBuf,
}

impl<S: Subject> Files<'_, S> {
    fn lines(&self, versions: std::ops::RangeInclusive<u64>) -> String {
        let event = |version| self.trial.subject.event(version, version as u32);
        versions
            .map(|version| self.trial.subject.line(&event(version)))
            .collect()
    }

    fn append(&self, path: &Path, versions: std::ops::RangeInclusive<u64>) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(self.lines(versions).as_bytes())
    }

    /// Does it. Events 1 to 5 stand in the file and were read; 6 and 7 may stand there and were
    /// not, and from 101 on are those that come later.
    fn do_it(&self, hand: Hand) -> io::Result<()> {
        let current = &self.current;
        let beside = |suffix: &str| {
            let mut name = current.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let cut = || OpenOptions::new().write(true).open(current)?.set_len(0);
        match hand {
            Hand::Truncates => {
                cut()?;
                self.append(current, 101..=103)
            }
            Hand::TruncatesAndMoreComes => {
                cut()?;
                self.append(current, 101..=120)
            }
            Hand::CopiesAndTruncates => {
                fs::copy(current, &self.old)?;
                cut()?;
                self.append(current, 101..=103)
            }
            Hand::RenamesAway => {
                self.append(current, 6..=7)?;
                fs::rename(current, beside(".somewhere"))?;
                self.append(current, 101..=103)
            }
            Hand::RenamesToOld => {
                self.append(current, 6..=7)?;
                fs::rename(current, &self.old)?;
                self.append(current, 101..=103)
            }
            Hand::Removes => {
                self.append(current, 6..=7)?;
                fs::remove_file(current)?;
                self.append(current, 101..=103)
            }
            Hand::Replaces => {
                self.append(current, 6..=7)?;
                let other = beside(".other");
                self.append(&other, 101..=103)?;
                fs::rename(other, current)
            }
        }
    }
}

fn one_hand<S: Subject>(trial: &Trial<'_, S>, hand: Hand) -> Result<(), Parted> {
    let case = Case::new(CAPACITY);
    let names = works("files", || trial.subject.files(&case))?;
    let [.., old, current] = &names[..] else {
        return Ok(());
    };
    let files = Files {
        trial,
        current: current.clone(),
        old: old.clone(),
    };
    let step = format!("read along while somebody {hand:?}");
    let writes = |result: io::Result<()>| {
        result.map_err(|error| Parted::said(step.clone(), "files", error.to_string()))
    };
    writes(files.append(&files.current, 1..=5))?;
    let mut following = works("follow", || trial.subject.follow(&case))?;
    let mut reader = Reading {
        trial,
        seen: Vec::new(),
        told: false,
        step: &step,
    };
    reader.read(&mut following)?;
    reader.has_seen(&[1, 2, 3, 4, 5])?;
    writes(files.do_it(hand))?;
    reader.read(&mut following)?;
    writes(files.append(&files.current, 121..=123))?;
    reader.read(&mut following)?;
    let later: Vec<u64> = match hand {
        Hand::TruncatesAndMoreComes => (101..=123).collect(),
        _ => (101..=103).chain(121..=123).collect(),
    };
    // What was not read yet is read, or told as missing.
    let (unread, new): (Vec<u64>, Vec<u64>) = match hand {
        Hand::Truncates | Hand::TruncatesAndMoreComes | Hand::CopiesAndTruncates => {
            (Vec::new(), later)
        }
        _ => (vec![6, 7], later),
    };
    let seen = reader.seen.split_off(5);
    let (before, after) = seen.split_at(seen.iter().take_while(|seen| **seen < 100).count());
    let missing = before != unread;
    if after == new && unread.starts_with(before) && (!missing || reader.told) {
        return Ok(());
    }
    let expected = match unread[..] {
        [] => format!("then {new:?}"),
        _ => format!("then {unread:?}, or word that some are missing, then {new:?}"),
    };
    let told = if reader.told { ", with a notice" } else { "" };
    Err(Parted::said(
        step.clone(),
        expected,
        format!("{seen:?}{told}"),
    ))
}

/// What a follower was given.
struct Reading<'a, S> {
    trial: &'a Trial<'a, S>,
    seen: Vec<u64>,
    /// Whether it was told that something is missing.
    told: bool,
    step: &'a str,
}

impl<S: Subject> Reading<'_, S> {
    /// Takes what there is. A follower may say "nothing yet" where it goes from one file to the
    /// next.
    fn read(&mut self, following: &mut Following<S::Event>) -> Result<(), Parted> {
        let mut nothing = 0;
        while nothing < 3 {
            match guarded(self.step, &mut *following)? {
                None => nothing += 1,
                Some(Line::Event(event)) => {
                    let version = event.version();
                    if event != self.trial.subject.event(version, version as u32) {
                        let found = short(&Line::Event(event));
                        return Err(Parted::said(self.step, "an event as it was written", found));
                    }
                    self.seen.push(version);
                }
                Some(Line::Gap(_) | Line::Damage(_)) => self.told = true,
            }
            if self.seen.len() > 1_000 {
                return Err(Parted::said(self.step, "each event once", "no end of them"));
            }
        }
        Ok(())
    }

    fn has_seen(&self, versions: &[u64]) -> Result<(), Parted> {
        if self.seen == versions {
            return Ok(());
        }
        Err(Parted::new(self.step, versions, &self.seen))
    }
}

/// Law W05, the part about what a writer finds: its own torn tails, one after the other, and a file
/// that is none of its own. Not a byte of it is thrown away.
pub(crate) fn set_aside<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    torn_tails(trial, report)?;
    no_log(trial, report)
}

fn torn_tails<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let history = History::mixed(trial);
    let case = super::files::written(trial, Case::new(CAPACITY), 3)?;
    let file = current(trial, &case)?;
    let mut tails = Vec::new();
    for (turn, last) in [(1, 4_u64), (2, 5)] {
        // The beginning of a line that nobody finished: that of an event of the log's own.
        let torn = torn(trial, last * 11)?;
        works("tearing the file", || {
            let mut file = OpenOptions::new().append(true).open(&file)?;
            Ok(file.write_all(&torn)?)
        })?;
        tails.push(torn);
        let step = format!("after a torn tail, the {turn}. of its life");
        let log = open(trial, &case, &step)?;
        history.store(&log, last..=last, &step)?;
        drop(log);
        report.visit(Class::Torn);
        let lines = history.read(&case, &step)?;
        let lines: Vec<_> = lines
            .into_iter()
            .filter(|line| !matches!(line, Line::Damage(_)))
            .collect();
        let span = history.part(&lines, None, &step)?;
        super::history::complete(span, last, &step)?;
        for tail in &tails {
            still_there(&case, tail, &step)?;
        }
    }
    Ok(())
}

/// The first half of what another log has of an event.
fn torn<S: Subject>(trial: &Trial<'_, S>, version: u64) -> Result<Vec<u8>, Parted> {
    let case = Case::new(CAPACITY);
    let log = open(trial, &case, "to have a line to tear")?;
    log.append(trial.subject.event(version, 1));
    super::files::shutdown::<S>(log, "of a log whose line is torn")?;
    let mut bytes = works("reading the file", || {
        Ok(fs::read(current(trial, &case).map_err(|_| "no file")?)?)
    })?;
    bytes.truncate(bytes.len() * 2 / 3);
    Ok(bytes)
}

/// A file of somebody else's stands in the place: refused or not, its bytes stay.
fn no_log<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    for text in [
        "Dear diary,\nnothing of this is an event.\n",
        "\u{89}PNG\r\n\u{1a}\n: neither is this, and it has no last newline",
    ] {
        let case = Case::new(CAPACITY);
        let file = current(trial, &case)?;
        works("writing a file", || Ok(fs::write(&file, text)?))?;
        let step = "after opening a file that is no log";
        if let Ok(log) = guarded(step, || trial.subject.open(&case))? {
            log.append(trial.subject.event(1, 1));
            let _ = guarded(step, || log.flush())?;
            drop(log);
        }
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            still_there(&case, line.as_bytes(), step)?;
        }
        report.visit(Class::OtherHands);
    }
    report.stands_on(Evidence::RealFiles);
    Ok(())
}

/// These bytes stand in a file of the case.
fn still_there(case: &Case, bytes: &[u8], step: &str) -> Result<(), Parted> {
    let found = works(step, || {
        for entry in fs::read_dir(case.dir()?)? {
            let path = entry?.path();
            let holds = |file: &Vec<u8>| file.windows(bytes.len()).any(|part| part == bytes);
            if path.is_file() && holds(&fs::read(path)?) {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    if found {
        return Ok(());
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let expected = format!("{text:?} in some file");
    Err(Parted::said(step, expected, "it is gone"))
}
