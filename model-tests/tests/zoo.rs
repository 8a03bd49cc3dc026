//! Every broken log is found by the law that is meant for it, and the sound one by none.

use std::{collections::BTreeSet, time::Duration};

use model_tests::{
    Budget, Capability, Case, Checked, Law, Log, Probed, Subject, Tick, Violation, check,
    laws::{self, R04, R06, R08, R11},
    zoo::{Baseline, BaselineSubject, Bug, NaiveSubject, rows},
};

/// A broken log costs the whole patience where it blocks, so there is less of it.
fn hasty() -> Budget {
    let mut budget = Budget::default();
    budget.patience = Duration::from_millis(500);
    budget
}

#[test]
fn every_bug_is_killed_by_its_law() {
    let mut survivors = Vec::new();
    for row in rows() {
        let subject = NaiveSubject { bug: Some(row.bug) };
        match check(&subject, row.law, &hasty()) {
            Err(broken) if broken.to_string().contains(row.part) => {
                println!("{} kills {:?}: {}", row.law.id, row.bug, row.story);
                assert!(broken.script.contains("#[test]"), "{broken}");
            }
            Err(broken) => {
                survivors.push(format!("{:?}: not {:?} in\n{broken}", row.bug, row.part))
            }
            Ok(_) => survivors.push(format!("{:?} survived {}", row.bug, row.law.id)),
        }
    }
    let bugs = rows().len();
    println!("zoo: killed {} of {bugs}", bugs - survivors.len());
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

#[test]
fn every_law_of_ring_and_subscription_kills_a_bug() {
    let bite: BTreeSet<_> = rows().iter().map(|row| row.law.id).collect();
    let toothless: Vec<_> = laws::all()
        .into_iter()
        .map(|law| law.id)
        .filter(|id| id.starts_with(['R', 'S']) && !bite.contains(id))
        .collect();
    assert!(toothless.is_empty(), "{toothless:?}");
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
