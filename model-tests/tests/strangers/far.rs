//! Logs that may be busy, lose an answer and show late what they have: the sound one keeps every law, and
//! each broken one breaks those of its row.

use std::{collections::BTreeSet, time::Duration};

use model_tests::{
    AnySubject, Budget,
    Capability::{
        AppendWith, Batch, Close, Cursor, LagOnce, Live, Probe, Replay, Skip, Wait, Yields,
    },
    Class, Law, Ruling, check_laws, laws,
    zoo::{FarBug, FarSubject, far_rows},
};

fn far(bug: Option<FarBug>) -> AnySubject<model_tests::Tick> {
    AnySubject::new(FarSubject { bug })
}

fn budget() -> Budget {
    let mut budget = Budget::default();
    budget.patience = Duration::from_millis(500);
    budget.lacks = &[
        AppendWith, Batch, Close, Cursor, LagOnce, Live, Probe, Replay, Skip, Wait, Yields,
    ];
    (budget.cases, budget.small_histories) = (32, 300);
    budget
}

const ABOUT: [&Law; 4] = [&laws::R19, &laws::R20, &laws::R21, &laws::R22];

#[test]
fn sound_log_far_away_keeps_its_laws() {
    let others = [
        &laws::R01,
        &laws::R02,
        &laws::R03,
        &laws::R04,
        &laws::R05,
        &laws::S01,
        &laws::S02,
    ];
    let all: Vec<_> = ABOUT.into_iter().chain(others).collect();
    for outcome in check_laws(&far(None), &all, &budget()) {
        let Ruling::Kept(report) = &outcome.ruling else {
            panic!("{outcome}");
        };
        // It met what it is for.
        match outcome.law.id {
            "R19" => [Class::Busy, Class::Unknown, Class::Late]
                .iter()
                .for_each(|class| assert!(report.count(*class) > 0, "{class:?}: {report}")),
            "R22" => assert_eq!(report.count(Class::Handle), 1),
            _ => {}
        }
    }
}

#[test]
fn every_bug_far_away_breaks_the_laws_of_its_row_and_no_other() {
    let mut wrong = Vec::new();
    for row in far_rows() {
        let named: BTreeSet<_> = [row.law].iter().chain(row.also).map(|law| law.id).collect();
        let mut broken = BTreeSet::new();
        for outcome in check_laws(&far(Some(row.bug)), &ABOUT, &budget()) {
            let Ruling::Broken(violation) = outcome.ruling else {
                continue;
            };
            broken.insert(violation.law.id);
            let text = violation.to_string();
            if violation.law == row.law && !text.contains(row.part) {
                wrong.push(format!("{:?}: not {:?} in\n{text}", row.bug, row.part));
            }
        }
        if broken != named {
            wrong.push(format!("{:?}: {broken:?} broken, {named:?} named", row.bug));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
