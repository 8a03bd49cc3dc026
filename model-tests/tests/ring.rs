//! The ring against the model, at length, and what no law of a single subject can say.

#![allow(clippy::unwrap_used)]

use model_tests::{Budget, Checked, Class, Law, Log, Ours, Tick, check, laws};

#[test]
fn ten_thousand_random_histories_agree_on_events_since() {
    agrees_on_ten_thousand(&laws::R02);
}

#[test]
fn ten_thousand_random_histories_agree_on_replay_truncated() {
    agrees_on_ten_thousand(&laws::R04);
}

fn agrees_on_ten_thousand(law: &'static Law) {
    let mut budget = Budget::default();
    budget.cases = budget.cases.max(10_000);
    budget.depth = 1;
    let report = check(&Ours(Tick::new), law, &budget).unwrap_or_else(|broken| panic!("{broken}"));
    assert!(report.count(Class::History) >= 10_000, "{report}");
}

fn checked(capacity: usize) -> Checked<Tick, eventlog::EventLog<Tick>> {
    let log = eventlog::EventLog::builder().capacity(capacity).build();
    Checked::new(log.unwrap(), capacity, None)
}

#[test]
fn a_full_ring_evicts_the_oldest() {
    let log = checked(4096);
    for version in 1..=4096 + 5 {
        log.append(Tick::new(version, 0));
    }
    let events = log.events_since(0);
    assert_eq!(events.len(), 4096);
    assert_eq!(events[0], Tick::new(6, 0));
    assert_eq!(events[4095], Tick::new(4101, 0));
}

#[test]
fn a_new_log_replays_nothing_and_misses_nothing() {
    let log = checked(8);
    for since in [0, 100, u64::MAX] {
        assert!(log.events_since(since).is_empty());
        assert!(!log.replay_truncated(since));
    }
}

#[test]
fn a_subscriber_behind_the_ring_is_told() {
    let log = checked(4096);
    for version in 1..=4096 + 100 {
        log.append(Tick::new(version, 0));
    }
    assert!(log.replay_truncated(5));
    assert!(!log.replay_truncated(100));
    assert!(!log.replay_truncated(101));
}

#[test]
#[should_panic(expected = "`replay_truncated(4)`:\n  expected: true\n  actual:   false")]
fn the_oracle_says_where_a_log_parts_from_it() {
    use model_tests::{
        Case, Subject,
        zoo::{Bug, NaiveSubject},
    };
    let subject = NaiveSubject {
        bug: Some(Bug::OldestVersionOnly),
    };
    let log = Checked::new(subject.open(&Case::new(1)).unwrap(), 1, None);
    log.append(subject.event(5, 1));
    log.append(subject.event(5, 2));
    log.replay_truncated(4);
}
