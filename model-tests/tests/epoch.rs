//! Whether a cursor is of this life of the log, where the system cannot tell lives apart.

#![allow(clippy::unwrap_used)]

use eventlog::{Coverage, Cursor, Epoch, EventLog, Versioned as _};
use model_tests::Tick;

fn log(epoch: Epoch, versions: &[u64]) -> EventLog<Tick> {
    let log = EventLog::builder().epoch(epoch).build().unwrap();
    log.append_batch(versions.iter().map(|version| Tick::new(*version, 0)));
    log
}

#[track_caller]
fn is_foreign(log: &EventLog<Tick>, cursor: Cursor) {
    let replay = log.replay(cursor);
    assert_eq!(replay.coverage(), Coverage::Foreign, "{cursor}");
    assert_eq!(replay.iter().next().unwrap().version(), 1);
    let mut resumed = log.subscribe(cursor);
    assert_eq!(resumed.coverage(), Coverage::Foreign, "{cursor}");
    assert_eq!(resumed.try_recv().unwrap().version(), 1);
}

/// On `wasm32-unknown-unknown` making a log was a trap, since it asked for the time. Without that,
/// the standard library's hasher would have given each run the same epoch, and a cursor of the run
/// before would have left out events that nobody had seen.
#[test]
fn in_a_log_without_an_epoch_every_cursor_is_foreign() {
    let (first, second) = (
        log(Epoch::new(0), &[1, 2, 3]),
        log(Epoch::new(0), &[1, 2, 3]),
    );
    let mut subscription = first.subscribe(0);
    let before = subscription.cursor();
    subscription.try_recv().unwrap();
    for cursor in [
        before,
        subscription.cursor(),
        first.cursor(),
        second.cursor(),
    ] {
        is_foreign(&first, cursor);
    }
    // What no cursor is needed for goes on to work.
    assert_eq!(first.replay(1).coverage(), Coverage::Complete);
    assert_eq!(first.replay(1).len(), 2);
}

#[test]
fn a_cursor_counts_in_the_life_that_it_is_of() {
    let (first, second) = (log(Epoch::new(8), &[1, 2]), log(Epoch::new(10), &[1, 2]));
    assert_eq!(first.epoch(), Epoch::new(8));
    assert_eq!(first.cursor().to_string(), "0000000000000008.2.2");
    assert_eq!(first.replay(first.cursor()).coverage(), Coverage::Complete);
    is_foreign(&first, second.cursor());
}

#[test]
fn a_subscription_that_missed_something_is_not_taken_for_complete_without_an_epoch() {
    let log = EventLog::builder()
        .capacity(1)
        .epoch(Epoch::new(0))
        .build()
        .unwrap();
    log.append_batch([1, 2].map(|version| Tick::new(version, 0)));
    let subscription = log.subscribe(0);
    assert!(!subscription.coverage().is_complete());
    let resumed = log.subscribe(subscription.cursor());
    assert_eq!(resumed.coverage(), Coverage::Foreign);
}

/// A log that comes back from its disk is another life, and can be given its id as well.
#[test]
fn a_recovered_log_has_the_epoch_that_it_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let config = eventlog::disk::DiskConfig::new(dir.path().join("x.log"));
    let recovered = |epoch| EventLog::<Tick>::builder().epoch(epoch).recover(&config);
    let (log, _) = recovered(Epoch::new(9)).unwrap();
    assert_eq!(log.epoch(), Epoch::new(9));
}

#[test]
fn logs_make_epochs_that_differ() {
    let epoch = || EventLog::<Tick>::new(None).epoch();
    assert_ne!(epoch(), epoch());
    assert_ne!(epoch(), Epoch::new(0));
}
