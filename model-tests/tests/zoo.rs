//! Every broken log is found by the law that is meant for it, and the sound one by none.

use std::{collections::BTreeSet, time::Duration};

use model_tests::{
    Budget, Capability, Violation, check,
    laws::{self, R04, R06, R08, R11},
    zoo::{BaselineSubject, NaiveSubject, rows},
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

fn baseline_breaks(law: &'static model_tests::Law) -> Box<Violation> {
    let mut budget = hasty();
    budget.lacks = &[Capability::Base, Capability::Batch];
    check(&BaselineSubject, law, &budget).expect_err("the baseline breaks this law")
}

#[test]
fn the_baseline_breaks_r04() {
    baseline_breaks(&R04);
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

    model_tests::conformance!(naive => NaiveSubject { bug: None });
}
