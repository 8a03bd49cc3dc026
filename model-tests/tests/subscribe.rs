//! Subscriptions against the model, step by step.

#![allow(clippy::unwrap_used)]

use eventlog::EventLog;
use model_tests::{Checked, Log, Received, Tick};

fn checked(capacity: usize) -> Checked<Tick, EventLog<Tick>> {
    let log = EventLog::builder().capacity(capacity).build();
    Checked::new(log.unwrap(), capacity, None)
}

/// The reader was four events behind a log of one when the log was closed; the event after the
/// close took the place of the one that it was to get next, and was delivered.
#[test]
fn a_reader_that_lags_to_a_closed_end_gets_no_later_event() {
    let log = checked(1);
    let mut reader = log.subscribe(0);
    log.append(Tick::new(1, 1));
    log.close();
    log.append(Tick::new(2, 2));
    assert_eq!(reader.try_recv(), Received::Lagged(1));
    assert_eq!(reader.try_recv(), Received::Closed);
}

#[test]
fn a_closed_log_has_nothing_to_skip_after_its_end() {
    let log = checked(4);
    let mut reader = log.subscribe(0);
    log.append(Tick::new(1, 1));
    log.close();
    log.append(Tick::new(2, 2));
    assert_eq!(reader.skip_to_newest(), 1);
    assert_eq!(reader.skip_to_newest(), 0);
    assert_eq!(reader.try_recv(), Received::Closed);
}

#[test]
fn a_reader_gets_all_after_its_start_also_where_versions_fall() {
    let log = checked(8);
    for (version, pick) in [(5, 1), (9, 2), (3, 3), (9, 4)] {
        log.append(Tick::new(version, pick));
    }
    let mut reader = log.subscribe(5);
    for (version, pick) in [(9, 2), (3, 3), (9, 4)] {
        assert_eq!(reader.try_recv(), Received::Event(Tick::new(version, pick)));
    }
    assert_eq!(reader.try_recv(), Received::Empty);
}

#[test]
fn the_event_in_hand_after_a_lag_is_delivered_though_evicted() {
    let log = checked(2);
    let mut reader = log.subscribe(0);
    for version in 1..=4 {
        log.append(Tick::new(version, 0));
    }
    assert_eq!(reader.try_recv(), Received::Lagged(2));
    for version in 5..=8 {
        log.append(Tick::new(version, 0));
    }
    assert_eq!(reader.try_recv(), Received::Event(Tick::new(3, 0)));
    assert_eq!(reader.try_recv(), Received::Lagged(3));
    assert_eq!(reader.try_recv(), Received::Event(Tick::new(7, 0)));
}
