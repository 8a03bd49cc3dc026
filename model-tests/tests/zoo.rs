//! Every broken log is found by the law that is meant for it, and the sound one by none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unnecessary_box_returns
)]

use std::{collections::BTreeSet, fmt::Debug, sync::Mutex, thread, time::Duration};

use model_tests::{
    Budget, Capability, Case, Checked, Law, Log, Outcome, Probed, Ruling, Subject, Tick, Violation,
    check, check_all, check_laws,
    laws::{self, R04, R06, R08, R11, W03, W04},
    serve,
    zoo::{
        Baseline, BaselineSubject, BaselineWriterSubject, Bug, FileBug, FileSubject, NaiveSubject,
        Row, StoredSubject, far_rows, file_rows, rows, stored_rows,
    },
};

/// A broken log costs the whole patience where it blocks, so there is less of it.
fn hasty() -> Budget {
    let mut budget = Budget::default();
    budget.patience = Duration::from_millis(500);
    budget
}

/// Two threads that have to meet inside of a log may miss each other, so a bug is asked for three
/// times before it counts as one that survives.
fn kill<S: Subject + Clone, B: Debug>(
    subject: &S,
    row: &Row<B>,
    budget: &Budget,
) -> Result<(), String> {
    let again = |_| try_to_kill(subject, row, budget);
    try_to_kill(subject, row, budget)
        .or_else(again)
        .or_else(again)
}

/// Says which law has found a bug, or why none has.
fn try_to_kill<S: Subject + Clone, B: Debug>(
    subject: &S,
    row: &Row<B>,
    budget: &Budget,
) -> Result<(), String> {
    match check(subject, row.law, budget) {
        Err(broken) if broken.to_string().contains(row.part) => {
            assert!(broken.script.contains("#[test]"), "{broken}");
            tells_the_calls(&broken);
            println!("{} kills {:?}: {}", row.law.id, row.bug, row.story);
            Ok(())
        }
        Err(broken) => Err(format!("{:?}: not {:?} in\n{broken}", row.bug, row.part)),
        Ok(_) => Err(format!("{:?} survived {}", row.bug, row.law.id)),
    }
}

/// Whoever reads of a scene that failed sees what was done, in lines that fit.
fn tells_the_calls(broken: &Violation) {
    // A history is code, and how an event is made is no call on a log.
    if broken.found_by != "a scenario" || broken.law.id == "D01" {
        return;
    }
    let text = broken.to_string();
    let fits = |line: &str| line.chars().count() <= 80;
    assert!(text.lines().all(fits), "{broken}");
    assert!(broken.script.contains("\n    //   "), "{broken}");
}

/// Lets the log have processes of its own, which come to [`child`].
fn with_processes(mut budget: Budget, bug: Option<FileBug>) -> Budget {
    budget.again = Some("child");
    budget.subject = format!("FileSubject {{ bug: {bug:?} }}").leak();
    budget
}

/// What a process of its own comes to: it is told whom it has to serve. Otherwise there is nothing
/// to do.
#[test]
fn child() {
    let Ok(subject) = std::env::var("MODEL_TESTS_SUBJECT") else {
        return;
    };
    let bugs = file_rows().into_iter().map(|row| Some(row.bug));
    let named = |bug: &Option<FileBug>| with_processes(hasty(), *bug).subject == subject;
    let bug = bugs
        .chain([None])
        .find(named)
        .expect("a subject of this file");
    assert!(serve(&FileSubject { bug }));
}

#[test]
fn every_bug_is_killed_by_its_law() {
    let in_memory = rows().into_iter().map(|row| {
        let bug = Some(row.bug);
        kill(&NaiveSubject { bug }, &row, &hasty())
    });
    let on_disk = file_rows().into_iter().map(|row| {
        let bug = Some(row.bug);
        kill(&FileSubject { bug }, &row, &with_processes(hasty(), bug))
    });
    let stored = stored_rows().into_iter().map(|row| {
        let bug = Some(row.bug);
        kill(&StoredSubject { bug }, &row, &hasty())
    });
    let verdicts: Vec<_> = in_memory.chain(on_disk).chain(stored).collect();
    let bugs = verdicts.len();
    let survivors: Vec<_> = verdicts.into_iter().filter_map(Result::err).collect();
    let figure = format!("zoo: killed {} of {bugs}", bugs - survivors.len());
    println!("{figure}");
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/figure-zoo"), figure).unwrap();
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

/// A law that accuses a log of what another law is about would send its author the wrong way.
#[test]
fn every_bug_breaks_the_laws_of_its_row_and_no_other() {
    let mut budget = hasty();
    budget.cases = 128;
    budget.small_histories = 1000;
    budget.lacks = &[Capability::Durable];
    let mut wrong = Vec::new();
    for row in rows() {
        let bug = Some(row.bug);
        let named = named(&row);
        let mut broken = BTreeSet::new();
        // As often as above, where too few are broken; one too many is wrong at once.
        for _ in 0..3 {
            if broken.is_subset(&named) && broken != named {
                broken = self::broken(check_all(&NaiveSubject { bug }, &budget));
            }
        }
        if broken != named {
            wrong.push(format!("{:?}: {broken:?} broken, {named:?} named", row.bug));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same of the logs with files, by the laws about files: on all evidence that there is.
#[test]
fn every_bug_in_files_breaks_the_laws_of_its_row_and_no_other() {
    let rows = Mutex::new(file_rows().into_iter());
    let wrong = Mutex::new(Vec::new());
    let next = || rows.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = next() {
                    let (broken, named) = (broken_in_files(row.bug), named(&row));
                    if broken != named {
                        let text = format!("{:?}: {broken:?} broken, {named:?} named", row.bug);
                        wrong.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn broken_in_files(bug: FileBug) -> BTreeSet<&'static str> {
    let subject = FileSubject { bug: Some(bug) };
    let budget = with_processes(hasty(), Some(bug));
    let mut about_files = laws::all();
    about_files.retain(|law| law.id.starts_with('W'));
    broken(check_laws(&subject, &about_files, &budget))
}

/// The laws that outcomes name as broken.
fn broken(outcomes: Vec<Outcome>) -> BTreeSet<&'static str> {
    let broken = outcomes
        .into_iter()
        .filter_map(|outcome| match outcome.ruling {
            Ruling::Broken(broken) => Some(broken.law.id),
            _ => None,
        });
    broken.collect()
}

fn named<B>(row: &Row<B>) -> BTreeSet<&'static str> {
    [row.law].iter().chain(row.also).map(|law| law.id).collect()
}

/// What a law finds of its own is not put down to another, though that one is broken as well.
#[test]
fn a_law_that_it_breaks_by_itself_is_told() {
    let mut budget = hasty();
    budget.lacks = &[
        Capability::Base,
        Capability::Batch,
        Capability::AppendWith,
        Capability::Replay,
    ];
    let broken = check(&Careless, &laws::R10, &budget).expect_err("two bugs");
    assert_eq!(broken.law.id, "R10", "{broken}");
    let broken = check(&Careless, &R04, &budget).expect_err("two bugs");
    assert_eq!(broken.law.id, "R04", "{broken}");
}

/// A log that opens with a capacity of 0, and never says that something is missing.
#[derive(Clone)]
struct Careless;

impl Subject for Careless {
    type Event = Probed<Tick>;
    type Log = model_tests::zoo::Naive<Probed<Tick>>;

    fn open(&self, case: &Case) -> Result<Self::Log, model_tests::OpenError> {
        let bug = if case.capacity == 0 {
            Bug::AcceptsCapacityZero
        } else {
            Bug::NeverTruncated
        };
        NaiveSubject { bug: Some(bug) }.open(case)
    }

    fn event(&self, version: u64, pick: u32) -> Self::Event {
        Probed::new(Tick::new(version, pick), None)
    }
}

/// One outcome per law, whatever became of it, for a person and for a machine.
#[test]
fn every_law_has_an_outcome() {
    let mut budget = hasty();
    budget.cases = 32;
    budget.small_histories = 100;
    budget.lacks = &[Capability::Durable, Capability::Probe];
    let bug = Some(Bug::NeverTruncated);
    let outcomes = check_all(&NaiveSubject { bug }, &budget);
    let ids: Vec<_> = outcomes.iter().map(|outcome| outcome.law.id).collect();
    let all: Vec<_> = laws::all().iter().map(|law| law.id).collect();
    assert_eq!(ids, all);
    let of = |id: &str| {
        let outcome = outcomes.iter().find(|outcome| outcome.law.id == id);
        let outcome = outcome.expect("an outcome");
        let json: serde_json::Value = outcome.to_json().parse().expect("JSON");
        assert!(json["suite"].is_string() && json["law"] == id, "{json}");
        json
    };
    assert_eq!(of("R01")["outcome"], "kept");
    assert!(of("R01")["visits"]["Wrapped"].as_u64() > Some(0));
    assert_eq!(of("R04")["broken"], "R04");
    assert_eq!(of("R11")["lacks"], "Probe");
    assert_eq!(of("D02")["outcome"], "not judged");
    assert_eq!(of("W06")["outcome"], "ignored");
}

/// Laws of the compiler's output, and of what only `eventlog` has, have their own tests.
#[test]
fn every_law_that_a_subject_can_break_kills_a_bug() {
    let bite: BTreeSet<_> = rows().iter().map(|row| row.law.id).collect();
    let bite: BTreeSet<_> = bite
        .into_iter()
        .chain(file_rows().iter().map(|row| row.law.id))
        .chain(stored_rows().iter().map(|row| row.law.id))
        .chain(far_rows().iter().map(|row| row.law.id))
        .collect();
    let elsewhere = ["D02", "D03", "M01", "M03"];
    let all = laws::all();
    let ids = all.iter().map(|law| law.id);
    let toothless: Vec<_> = ids
        .filter(|id| !bite.contains(id) && !elsewhere.contains(id))
        .collect();
    assert!(toothless.is_empty(), "{toothless:?}");
}

fn baseline_writer_breaks(law: &'static Law) -> Box<Violation> {
    check(&BaselineWriterSubject, law, &hasty()).expect_err("the baseline breaks this law")
}

#[test]
fn the_baseline_breaks_w03() {
    let broken = baseline_writer_breaks(&W03);
    assert!(broken.expected.contains("a gap line"), "{broken}");
}

#[test]
fn the_baseline_breaks_w04() {
    let broken = baseline_writer_breaks(&W04);
    let broken = broken.found_itself.expect("W03 is broken as well");
    assert!(broken.step.contains("after a cut"), "{broken}");
}

fn baseline_breaks(law: &'static Law) -> Box<Violation> {
    let mut budget = hasty();
    budget.lacks = &[
        Capability::Base,
        Capability::Batch,
        Capability::AppendWith,
        Capability::Subscribe,
    ];
    // Between two locks there is room for an append. Whether one comes is up to the machine, so it
    // is tried until one does.
    let broken = (0..1000).find_map(|_| check(&BaselineSubject, law, &budget).err());
    broken.expect("the baseline breaks this law")
}

#[test]
fn the_baseline_breaks_r04() {
    baseline_breaks(&R04);
}

fn checked_baseline() -> Checked<Probed<Tick>, Baseline<Probed<Tick>>> {
    Checked::new(BaselineSubject.open(&Case::new(1)).unwrap(), 1, None)
}

/// One of two events of version 5 is gone, and a subscriber at 4 is told that nothing is.
#[test]
#[should_panic(expected = "expected: true\n  actual:   false")]
fn the_baseline_loses_repeats_silently() {
    let log = checked_baseline();
    log.append(BaselineSubject.event(5, 1));
    log.append(BaselineSubject.event(5, 2));
    log.replay_truncated(4);
}

/// Version 6 never was, and a subscriber at 5 is told that it missed something.
#[test]
#[should_panic(expected = "expected: false\n  actual:   true")]
fn the_baseline_raises_false_alarms_at_gaps() {
    let log = checked_baseline();
    log.append(BaselineSubject.event(5, 1));
    log.append(BaselineSubject.event(7, 2));
    log.replay_truncated(5);
}

#[test]
fn the_baseline_breaks_r06() {
    let broken = baseline_breaks(&R06);
    let broken = broken.found_itself.expect("R08 is broken as well");
    assert!(
        broken.step.contains("while another thread appends"),
        "{broken}"
    );
}

#[test]
fn the_baseline_breaks_r08() {
    let broken = baseline_breaks(&R08);
    assert!(broken.expected.contains("Ahead"), "{broken}");
    assert!(broken.actual.contains("Complete"), "{broken}");
}

#[test]
fn the_baseline_breaks_r11() {
    let broken = baseline_breaks(&R11);
    assert!(broken.actual.contains("under the lock"), "{broken}");
}

mod sound {
    use super::{Budget, NaiveSubject, check};

    #[test]
    fn stored_log() {
        let subject = super::StoredSubject { bug: None };
        for law in [&super::laws::S07, &super::laws::M02] {
            let verdict = check(&subject, law, &Budget::default());
            verdict.unwrap_or_else(|broken| panic!("{broken}"));
        }
    }

    model_tests::conformance!(
        naive => NaiveSubject { bug: None }, lacks: [Durable]
    );
}

/// What a violation prints can be pasted: `tests/pasted.rs` is such a test, word for word.
#[test]
fn the_printed_test_is_the_one_that_was_pasted() {
    let subject = NaiveSubject {
        bug: Some(Bug::SinceInclusive),
    };
    let mut budget = hasty();
    budget.subject = "BROKEN";
    let broken = check(&subject, &laws::R02, &budget).expect_err("a bug of the zoo");
    let body = broken.script.strip_prefix("#[test]\n").expect("a test");
    assert!(include_str!("pasted.rs").contains(body), "{broken}");
}
