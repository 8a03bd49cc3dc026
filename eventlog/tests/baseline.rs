//! The six tests of the module that this crate replaces, as a caller of this crate writes them.

use eventlog::{Builder, EventLog, Versioned};

const CAPACITY: u64 = Builder::<Event>::DEFAULT_CAPACITY as u64;

#[derive(Clone, Debug, PartialEq, Versioned)]
enum Event {
    PhaseChanged { to: &'static str, version: u64 },
    Registered { client: u64, version: u64 },
    ProcessSpawned { pid: u32, version: u64 },
}

fn phase_changed(version: u64) -> Event {
    Event::PhaseChanged {
        to: "running",
        version,
    }
}

fn versions(events: &[Event]) -> Vec<u64> {
    events.iter().map(Versioned::version).collect()
}

#[test]
fn append_grows_the_ring_up_to_its_capacity_then_evicts_the_oldest() {
    let log = EventLog::new(None);
    for version in 1..=CAPACITY {
        log.append(phase_changed(version));
    }
    assert_eq!(log.stats().retained, CAPACITY);
    for version in CAPACITY + 1..=CAPACITY + 5 {
        log.append(phase_changed(version));
    }
    let retained = versions(&log.events_since(0));
    assert_eq!(retained, (6..=CAPACITY + 5).collect::<Vec<_>>());
}

#[test]
fn events_since_returns_only_versions_above() {
    let log = EventLog::new(None);
    for version in 1..=5 {
        log.append(phase_changed(version));
    }
    assert_eq!(versions(&log.events_since(2)), [3, 4, 5]);
}

#[test]
fn events_since_zero_returns_all() {
    let log = EventLog::new(None);
    let registered = [1, 2, 3].map(|version| Event::Registered { client: 1, version });
    for event in registered.clone() {
        log.append(event);
    }
    assert_eq!(log.events_since(0), registered);
}

#[test]
fn events_since_the_newest_or_later_returns_none() {
    let log = EventLog::new(None);
    for version in [5, 6] {
        log.append(Event::ProcessSpawned { pid: 100, version });
    }
    for since in [6, 10, u64::MAX] {
        assert_eq!(log.events_since(since), []);
    }
}

#[test]
fn replay_truncated_tells_who_missed_evicted_events() {
    let log = EventLog::new(None);
    for version in 1..=CAPACITY + 100 {
        log.append(phase_changed(version));
    }
    assert_eq!(versions(&log.events_since(5))[0], 101, "6..=100 are gone");
    assert!(log.replay_truncated(5));
    assert!(log.replay_truncated(99), "100 is gone");
    assert!(!log.replay_truncated(100));
    assert!(!log.replay_truncated(101));
}

#[test]
fn replay_truncated_on_an_empty_log_is_false() {
    let log = EventLog::<Event>::new(None);
    for since in [0, 100, u64::MAX] {
        assert!(!log.replay_truncated(since));
    }
}
