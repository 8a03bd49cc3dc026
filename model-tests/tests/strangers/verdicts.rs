//! What other people's logs are told, law by law. Why each verdict is right is at the head of its
//! adapter, in `examples/foreign`.

use model_tests::{
    AnySubject, Budget,
    Capability::{self, *},
    Law, Ruling, Subject, Tick, check_laws, laws,
};

use crate::{overflowing::Overflowing, rotating::Rotating, sqlite::Sqlite};

/// What became of each law: the id of the one that is broken, or nothing.
fn verdicts<S: Subject<Event = Tick>>(
    subject: S,
    laws: &[&'static Law],
    lacks: &'static [Capability],
) -> Vec<(&'static str, Option<&'static str>)> {
    let mut budget = Budget::default();
    budget.lacks = lacks;
    // A database takes its time, and what these logs break is found at once.
    (budget.cases, budget.small_histories) = (24, 200);
    // Without processes of its own: the same wherever it runs.
    let outcomes = check_laws(&AnySubject::new(subject), laws, &budget);
    let ruling = |ruling: &Ruling| match ruling {
        Ruling::Broken(broken) => Some(broken.law.id),
        _ => None,
    };
    outcomes
        .iter()
        .map(|outcome| (outcome.law.id, ruling(&outcome.ruling)))
        .collect()
}

#[test]
fn ring_in_sqlite() {
    let laws = [
        &laws::R01,
        &laws::R02,
        &laws::R03,
        &laws::R04,
        &laws::R05,
        &laws::R07,
    ];
    let lacks = &[Base, Batch, AppendWith, Replay, Cursor, Subscribe, Durable];
    let told = verdicts(Sqlite, &laws, lacks);
    let expected = [
        ("R01", None),
        ("R02", None),
        ("R03", None),
        ("R04", Some("R04")),
        ("R05", None),
        ("R07", Some("R07")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn channel_that_overflows() {
    let laws = [&laws::R03, &laws::S01, &laws::S02, &laws::S03, &laws::S06];
    let lacks = &[
        Base,
        Batch,
        AppendWith,
        Replay,
        Truncation,
        Cursor,
        LagOnce,
        Live,
        Yields,
        CatchesWakers,
        Skip,
        Durable,
    ];
    let told = verdicts(Overflowing, &laws, lacks);
    let expected = ["R03", "S01", "S02", "S03", "S06"].map(|law| (law, None));
    assert_eq!(told, expected);
}

#[test]
fn file_that_rotates() {
    let laws = [&laws::W04, &laws::W10, &laws::W13];
    let lacks = &[
        Base,
        Batch,
        AppendWith,
        Replay,
        Truncation,
        Cursor,
        Subscribe,
        StoresOnDrop,
        Storage,
        Missing,
        Extremes,
        Stored,
        Follow,
    ];
    let told = verdicts(Rotating, &laws, lacks);
    let expected = [("W04", Some("W04")), ("W10", Some("W10")), ("W13", None)];
    assert_eq!(told, expected);
}

#[test]
fn machine_of_other_people_runs() {
    crate::state_machine::run();
}
