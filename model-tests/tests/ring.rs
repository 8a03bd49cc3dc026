//! The ring against the model, at length, and what no law of a single subject can say.

#![allow(clippy::unwrap_used)]

use model_tests::{Budget, Checked, Class, Coverage, Law, Log, Ours, Tick, check, laws};

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
fn an_append_returns_the_numbers_of_its_events() {
    let log = eventlog::EventLog::new(None);
    let tick = |version| Tick::new(version, 0);
    let seq = eventlog::Seq::new;
    let range = |first, last| eventlog::SeqRange::new(seq(first), seq(last));
    assert_eq!(log.append(tick(7)), seq(1));
    assert_eq!(log.append_batch([]), None);
    assert_eq!(log.append_batch([8, 8, 9].map(tick)), range(2, 4));
    assert_eq!(log.append_batch([tick(10)]), range(5, 5));
    assert_eq!(log.append_with(|newest| tick(newest.unwrap())), seq(6));
    assert_eq!(log.newest_version(), Some(10));
}

#[test]
fn the_counters_are_those_of_this_instant() {
    let log = eventlog::EventLog::builder().capacity(3).build().unwrap();
    let mut slow = log.subscribe(0);
    let mut fast = log.subscribe(0);
    log.append_batch((1..=3).map(|version| Tick::new(version, 0)));
    fast.skip_to_newest();
    log.append_batch((4..=5).map(|version| Tick::new(version, 0)));
    let stats = log.stats();
    assert_eq!((stats.appended, stats.evicted, stats.retained), (5, 2, 3));
    assert_eq!((stats.subscribers, stats.slowest_distance), (2, 5));
    assert_eq!(stats.lagged, 0, "nobody was told yet");
    slow.try_recv().unwrap_err();
    fast.try_recv().unwrap();
    let stats = log.stats();
    assert_eq!((stats.lagged, stats.slowest_distance), (2, 3));
    drop(slow);
    let stats = log.stats();
    assert_eq!((stats.subscribers, stats.slowest_distance), (1, 1));
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

/// A cursor of the future of this very life can only come from outside, as text.
#[test]
fn a_cursor_beyond_the_newest_event_is_ahead() {
    let log = eventlog::EventLog::new(None);
    log.append(Tick::new(7, 0));
    let forged: eventlog::Cursor = format!("{}.2.9", log.epoch()).parse().unwrap();
    let replay = log.replay(forged);
    assert_eq!(replay.coverage(), Coverage::Ahead { newest: 7 });
    assert!(replay.is_empty());
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
