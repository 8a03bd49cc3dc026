//! Writers of other hands before the laws: sound ones are accused of nothing, whichever evidence
//! there is, and broken ones are found also where no disk can be simulated.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env,
    path::PathBuf,
    time::{Duration, Instant},
};

use model_tests::{
    Budget, Capability, Case, Evidence, Law, Line, OpenError, Report, Sample, SamplesOnDisk,
    Subject, check,
    laws::{self, W01, W02, W06, W07, W09, W11, W17, W18},
    serve,
    zoo::{FileBug, FileLog, FileSubject, LossyFileSubject, file_rows},
};

/// What processes of their own serve, by name.
fn budget(subject: String) -> Budget {
    let mut budget = Budget::default();
    budget.again = Some("child");
    budget.subject = subject.leak();
    budget
}

fn named(bug: Option<FileBug>) -> String {
    format!("FileSubject {{ bug: {bug:?} }}")
}

#[test]
fn child() {
    let Ok(subject) = env::var("MODEL_TESTS_SUBJECT") else {
        return;
    };
    let served = match &subject[..] {
        "LossyFileSubject" => serve(&LossyFileSubject),
        "SamplesOnDisk" => serve(&SamplesOnDisk),
        _ => {
            let bugs = file_rows().into_iter().map(|row| Some(row.bug));
            let bug = bugs.chain([None]).find(|bug| named(*bug) == subject);
            serve(&FileSubject { bug: bug.unwrap() })
        }
    };
    assert!(served);
}

/// All laws about writers.
fn writers_laws() -> impl Iterator<Item = &'static Law> {
    laws::all()
        .into_iter()
        .filter(|law| law.id.starts_with('W'))
}

fn judge<S: Subject + Clone>(subject: &S, law: &'static Law, budget: &Budget) -> Report {
    let began = Instant::now();
    let report = check(subject, law, budget).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{} {:?}\n{report}", law.id, began.elapsed());
    report
}

fn keeps_all<S: Subject + Clone>(subject: &S, budget: &Budget) {
    for law in writers_laws() {
        judge(subject, law, budget);
    }
}

/// The laws that a disk has to be simulated for, or system calls to be traced.
const OF_FAULTS: [&Law; 7] = [&W01, &W02, &W06, &W07, &W09, &W11, &W18];

#[test]
fn a_sound_log_keeps_all() {
    keeps_all(&FileSubject { bug: None }, &budget(named(None)));
}

/// A log that declares each of its losses is a sound one.
#[test]
fn a_lossy_log_keeps_all() {
    keeps_all(&LossyFileSubject, &budget("LossyFileSubject".into()));
}

/// On the real kernel alone: killed, limited and traced processes.
fn keeps_all_without_storage<S: Subject + Clone>(subject: &S, mut budget: Budget) {
    budget.lacks = &[Capability::Storage];
    for law in OF_FAULTS {
        let report = judge(subject, law, &budget);
        let simulated = [Evidence::SimulatedFaults, Evidence::SimulatedPowerCut];
        assert!(
            !report
                .evidence()
                .any(|evidence| simulated.contains(&evidence))
        );
    }
}

#[test]
fn a_sound_log_keeps_all_without_a_simulated_disk() {
    keeps_all_without_storage(&FileSubject { bug: None }, budget(named(None)));
}

#[test]
fn ours_keeps_all_without_a_simulated_disk() {
    keeps_all_without_storage(&SamplesOnDisk, budget("SamplesOnDisk".into()));
}

/// A report names the strongest evidence that there was.
#[test]
fn reports_say_what_they_stand_on() {
    let report = judge(&SamplesOnDisk, &W01, &budget("SamplesOnDisk".into()));
    let evidence: Vec<_> = report.evidence().collect();
    assert!(
        evidence.contains(&Evidence::SimulatedPowerCut),
        "{evidence:?}"
    );
    assert!(evidence.contains(&Evidence::KilledProcess), "{evidence:?}");
    assert!(
        report.to_string().contains("simulated power cut"),
        "{report}"
    );
    assert_eq!(report.not_judged().count(), 0, "{report}");
}

/// What was not judged is said, and nothing is claimed.
#[test]
fn without_storage_and_processes_the_faults_are_not_judged() {
    let mut budget = Budget::default();
    budget.lacks = &[Capability::Storage];
    for law in OF_FAULTS {
        // Broken in each of them, but nobody can see it.
        let report = judge(&FileSubject { bug: None }, law, &budget);
        let left_out: Vec<_> = report.not_judged().map(ToString::to_string).collect();
        assert!(
            left_out.iter().any(|part| part.contains("Budget::again")),
            "{left_out:?}"
        );
    }
}

/// The broken logs that a simulated disk finds are found on the real kernel, too.
#[test]
fn faults_are_found_without_a_simulated_disk() {
    for row in file_rows() {
        if !OF_FAULTS.contains(&row.law) {
            continue;
        }
        let mut budget = budget(named(Some(row.bug)));
        budget.lacks = &[Capability::Storage];
        budget.patience = Duration::from_millis(500);
        match check(&FileSubject { bug: Some(row.bug) }, row.law, &budget) {
            Err(broken) => println!("{} kills {:?} at {}", row.law.id, row.bug, broken.step),
            Ok(report) => {
                let left_out = report.not_judged().count();
                assert!(
                    left_out > 0,
                    "{:?} survived {}\n{report}",
                    row.bug,
                    row.law.id
                );
                eprintln!("NOT RUN: {:?}\n{report}", row.bug);
            }
        }
    }
}

#[test]
fn events_of_every_kind_keep_all() {
    keeps_all(&SamplesOnDisk, &budget("SamplesOnDisk".into()));
}

/// A log whose reader gives up where a directory stands in the place of a file: W17 is about
/// writing.
#[derive(Clone)]
struct GivesUpAtDirectories;

const NAIVE: FileSubject = FileSubject { bug: None };

impl Subject for GivesUpAtDirectories {
    type Event = Sample;
    type Log = FileLog;

    fn open(&self, case: &Case) -> Result<FileLog, OpenError> {
        NAIVE.open(case)
    }

    fn event(&self, version: u64, pick: u32) -> Sample {
        NAIVE.event(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Sample>>, OpenError> {
        if self.files(case)?.iter().any(|file| file.is_dir()) {
            return Err("a directory stands in the place of a file".into());
        }
        NAIVE.read_back(case)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        NAIVE.files(case)
    }
}

#[test]
fn a_reader_that_gives_up_at_directories_is_not_accused() {
    judge(&GivesUpAtDirectories, &W17, &Budget::default());
}
