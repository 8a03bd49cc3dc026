//! Each thing that is compared can part: a log beside the model of another one is told.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use eventlog::Versioned;

use super::{
    beside::{Beside, Settings},
    log::EventLog,
    replay::Replay,
    subscription::Subscription,
    told::locked,
};
use crate::{model::reader::Reader, subject::in_memory::Tick};

fn tick(version: u64) -> Tick {
    Tick::new(version, 0)
}

/// A log that holds so many events, beside the model of one with 4.
fn holding(events: usize) -> EventLog<Tick> {
    let theirs = eventlog::EventLog::builder().capacity(events);
    let ours = Settings {
        capacity: 4,
        ..Settings::default()
    };
    EventLog::beside(theirs.build().unwrap(), ours)
}

/// A log whose events may weigh so much, beside the model of one with 10.
fn weighing(bytes: u64) -> EventLog<Tick> {
    let ours = Settings {
        max_bytes: Some(10),
        ..Settings::default()
    };
    let weighed = ours.told.weighed.clone();
    let theirs = eventlog::EventLog::builder().max_bytes(bytes, move |tick: &Tick| {
        locked(&weighed).push_back(tick.version());
        tick.version()
    });
    EventLog::beside(theirs.build().unwrap(), ours)
}

/// A log whose events may be so many seconds old, beside the model of one with 10.
fn ageing(seconds: u64) -> EventLog<Tick> {
    let mut ours = Settings {
        max_age: Some(Duration::from_secs(10)),
        ..Settings::default()
    };
    let asked = std::sync::atomic::AtomicU64::new(0);
    ours.told.clock = Some(Box::new(move || {
        Duration::from_secs(11 * asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }));
    let now = ours.told.now.clone();
    let theirs = eventlog::EventLog::builder()
        .max_age(Duration::from_secs(seconds))
        .clock(move || *locked(&now));
    EventLog::beside(theirs.build().unwrap(), ours)
}

impl EventLog<Tick> {
    fn reader(&self, since: u64) -> Reader {
        Beside::lock(&self.beside).model.subscribe(since)
    }
}

/// The call at which a log parts from its model.
#[track_caller]
fn parts(expected: &str, calls: impl FnOnce()) {
    let told = catch_unwind(AssertUnwindSafe(calls)).expect_err("it parts");
    let told = told.downcast_ref::<String>().expect("words");
    assert!(told.contains(&format!("`{expected}`")), "{told}");
}

#[test]
fn log_that_holds_another_weight_is_told() {
    let filled = |bytes| {
        let log = weighing(bytes);
        log.append_batch([5, 5, 1].map(tick));
        log
    };
    let log = filled(10);
    assert_eq!(log.events_since(0), [5, 1].map(tick));
    assert_eq!(log.stats().retained_bytes, 6);
    parts("events_since(0)", || drop(filled(11).events_since(0)));
    parts("replay_truncated(4)", || {
        let _ = filled(11).replay_truncated(4);
    });
    parts("stats: retained", || {
        assert!(filled(5).stats().retained < 9);
    });
}

#[test]
fn log_that_holds_another_age_is_told() {
    let filled = |seconds| {
        let log = ageing(seconds);
        log.append(tick(1));
        log.append(tick(2));
        log
    };
    assert_eq!(filled(10).replay(0).len(), 0);
    parts("replay(After(0))", || drop(filled(11).replay(0)));
    parts("stats: retained", || {
        assert!(filled(30).stats().retained < 9);
    });
}

#[test]
fn lease_that_keeps_too_much_is_told() {
    let leased = |keeps: u64| {
        let log = holding(4);
        let theirs = log.log.lease(keeps);
        let ours = Beside::lock(&log.beside).model.lease(2, u64::MAX);
        let lease = super::lease::Lease::new(theirs, ours, log.beside.clone());
        log.append_batch((1..=7).map(tick));
        (log, lease)
    };
    assert!(leased(2).1.is_revoked());
    parts("is_revoked", || assert!(leased(3).1.is_revoked()));
    parts("events_since(0)", || {
        let (log, _lease) = leased(3);
        let _ = log.events_since(0);
    });
}

/// What keeps on after its lease was given up, in each way that it can be.
#[test]
fn lease_that_is_never_given_up_is_told() {
    let log = holding(4);
    let kept = log.log.lease(9);
    let lease = log.lease(9);
    log.append_batch((1..=6).map(tick));
    drop(lease);
    parts("events_since(0)", || drop(log.events_since(0)));
    drop(kept);
    assert_eq!(log.events_since(0).len(), 4);

    let mut reader = log.lease(9).subscribe(6);
    log.append_batch((7..=12).map(tick));
    assert_eq!(log.events_since(0).len(), 6);
    let kept = log.log.lease(9);
    while reader.try_recv().is_ok() {}
    log.append_batch((13..=20).map(tick));
    parts("events_since(0)", || drop(log.events_since(0)));
    drop(kept);
}

#[test]
fn page_of_another_replay_is_told() {
    let log = holding(4);
    log.append_batch([1, 1, 2, 2].map(tick));
    let page = |from, to, events| {
        let theirs = (*log).replay(0);
        let _ = Replay::new(theirs, from..to, log.beside.clone()).take_page(events);
    };
    page(0, 4, 2);
    page(0, 4, 4);
    parts("take_page(2)", || page(1, 4, 2));
    // It says that there is no more.
    parts("take_page(4)", || page(0, 5, 4));
    parts("take_page(3)", || page(0, 3, 3));
}

#[test]
fn filter_that_passes_over_others_is_told() {
    let log = holding(4);
    log.append_batch((1..=4).map(tick));
    let reader = |since| {
        let theirs = (*log).subscribe(0);
        Subscription::new(theirs, log.reader(since), log.beside.clone(), false)
    };
    let even = |tick: &Tick| tick.version().is_multiple_of(2);
    let mut sound = reader(0).filter(even);
    assert_eq!(sound.try_recv().unwrap().version(), 2);
    // One that has passed over an event is not at the one before it.
    parts("try_recv", || drop(reader(1).filter(even).try_recv()));
    // What it says that it has passed over, it has not.
    let skipping = || reader(1).filter(|_: &Tick| false).try_recv();
    parts("try_recv", || drop(skipping()));
    // One that is live is not yet.
    let mut read = (*log).subscribe(0);
    read.skip_to_newest();
    let live = Subscription::new(read, log.reader(0), log.beside.clone(), false).filter(even);
    parts("is_live", || assert!(live.is_live()));
}
