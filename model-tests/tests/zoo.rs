//! Every broken log is found by the law that is meant for it, and the sound one by none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unnecessary_box_returns
)]

use std::{collections::BTreeSet, fmt::Debug, time::Duration};

use model_tests::{
    Budget, Capability, Case, Checked, Law, Log, Probed, Subject, Tick, Violation, check,
    laws::{self, R04, R06, R08, R11, W03, W04},
    serve,
    zoo::{
        Baseline, BaselineSubject, BaselineWriterSubject, Bug, FileBug, FileSubject, NaiveSubject,
        Row, file_rows, rows,
    },
};

/// A broken log costs the whole patience where it blocks, so there is less of it.
fn hasty() -> Budget {
    let mut budget = Budget::default();
    budget.patience = Duration::from_millis(500);
    budget
}

/// Says which law has found a bug, or why none has.
fn kill<S: Subject, B: Debug>(subject: &S, row: &Row<B>, budget: &Budget) -> Result<(), String> {
    match check(subject, row.law, budget) {
        Err(broken) if broken.to_string().contains(row.part) => {
            assert!(broken.script.contains("#[test]"), "{broken}");
            println!("{} kills {:?}: {}", row.law.id, row.bug, row.story);
            Ok(())
        }
        Err(broken) => Err(format!("{:?}: not {:?} in\n{broken}", row.bug, row.part)),
        Ok(_) => Err(format!("{:?} survived {}", row.bug, row.law.id)),
    }
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
    let verdicts: Vec<_> = in_memory.chain(on_disk).collect();
    let bugs = verdicts.len();
    let survivors: Vec<_> = verdicts.into_iter().filter_map(Result::err).collect();
    println!("zoo: killed {} of {bugs}", bugs - survivors.len());
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

/// Laws of the compiler's output have their own tests.
#[test]
fn every_law_that_a_subject_can_break_kills_a_bug() {
    let bite: BTreeSet<_> = rows().iter().map(|row| row.law.id).collect();
    let bite: BTreeSet<_> = bite
        .into_iter()
        .chain(file_rows().iter().map(|row| row.law.id))
        .collect();
    let elsewhere = ["D02", "D03"];
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
    assert!(broken.step.contains("after a cut"), "{broken}");
}

fn baseline_breaks(law: &'static Law) -> Box<Violation> {
    let mut budget = hasty();
    budget.lacks = &[Capability::Base, Capability::Batch];
    check(&BaselineSubject, law, &budget).expect_err("the baseline breaks this law")
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
    use super::NaiveSubject;

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
