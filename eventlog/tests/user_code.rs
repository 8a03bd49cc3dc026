//! R11 and S04: whatever the user's code does in `version`, `Clone`, `Drop`, `Serialize`, a waker or
//! `append_with`'s closure (ask the log, append to it, panic), the log and its other readers go on.
#![cfg(not(shuttle))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

use eventlog::{EventLog, TryRecvError, Versioned};
use serde::{Serialize, Serializer};

/// Runs a test that would hang if it failed.
fn without_deadlock(test: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        // The receiver is gone only after a timeout, which has failed the test already.
        let _ = done.send(());
    });
    let outcome = finished.recv_timeout(Duration::from_secs(60));
    assert_ne!(outcome, Err(mpsc::RecvTimeoutError::Timeout), "deadlock");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn panics<R>(action: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(action)).is_err()
}

/// Asks its log something at every opportunity.
struct Nosy {
    version: u64,
    log: Weak<EventLog<Nosy>>,
    asked: Arc<AtomicUsize>,
}

impl Nosy {
    fn ask(&self) {
        if let Some(log) = self.log.upgrade() {
            // `stats` takes the lock.
            assert!(log.stats().retained <= 4);
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Versioned for Nosy {
    fn version(&self) -> u64 {
        self.ask();
        self.version
    }
}

impl Clone for Nosy {
    fn clone(&self) -> Self {
        self.ask();
        Self {
            version: self.version,
            log: self.log.clone(),
            asked: self.asked.clone(),
        }
    }
}

impl Serialize for Nosy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.ask();
        serializer.serialize_u64(self.version)
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.ask();
    }
}

struct NosyLog {
    log: Arc<EventLog<Nosy>>,
    asked: Arc<AtomicUsize>,
}

impl NosyLog {
    fn new() -> Self {
        Self {
            log: Arc::new(EventLog::builder().capacity(4).build().unwrap()),
            asked: Arc::default(),
        }
    }

    fn event(&self, version: u64) -> Nosy {
        Nosy {
            version,
            log: Arc::downgrade(&self.log),
            asked: self.asked.clone(),
        }
    }

    fn append_all(&self, versions: std::ops::RangeInclusive<u64>) {
        for version in versions {
            self.log.append(self.event(version));
        }
    }

    /// How often events asked during `action`.
    fn asked_during(&self, action: impl FnOnce()) -> usize {
        let before = self.asked.load(Ordering::Relaxed);
        action();
        self.asked.load(Ordering::Relaxed) - before
    }
}

#[test]
fn r11_version_and_drop_may_use_the_log_during_an_append() {
    without_deadlock(|| {
        let nosy = NosyLog::new();
        // 12 times `version`, and `Drop` in 4..=7. The first segment that is gone, 1..=3, waits.
        assert_eq!(nosy.asked_during(|| nosy.append_all(1..=12)), 16);
        let batch: Vec<_> = (13..=20).map(|version| nosy.event(version)).collect();
        let asked = nosy.asked_during(|| {
            nosy.log.append_batch(batch);
        });
        assert_eq!(asked, 16);
    });
}

/// A reader that is about to wait drops what waits for a thread with time.
#[test]
fn r11_drop_may_use_the_log_when_a_reader_waits() {
    without_deadlock(|| {
        let nosy = NosyLog::new();
        nosy.append_all(1..=8);
        let mut subscription = nosy.log.subscribe(eventlog::Start::Now);
        let mut context = Context::from_waker(Waker::noop());
        let asked = nosy.asked_during(|| {
            assert!(subscription.poll_recv(&mut context).is_pending());
        });
        assert_eq!(asked, 3);
    });
}

#[test]
#[cfg(feature = "serde")]
fn r11_clone_and_serialize_may_use_the_log() {
    without_deadlock(|| {
        let nosy = NosyLog::new();
        nosy.append_all(1..=4);
        assert_eq!(nosy.asked_during(|| drop(nosy.log.events_since(2))), 4);
        let replay = nosy.log.replay(0);
        let json = serde_json::to_value(&replay).unwrap();
        assert_eq!(json["events"], serde_json::json!([1, 2, 3, 4]));
    });
}

/// A subscriber that walks out of a segment is the last to hold it, so the events in it are dropped
/// right there. The first version dropped them while it looked up the next segment under the lock.
#[test]
fn r11_drop_may_use_the_log_when_a_subscriber_moves_on() {
    without_deadlock(|| {
        let nosy = NosyLog::new();
        let mut subscription = nosy.log.subscribe(0);
        nosy.append_all(1..=3);
        for _ in 1..=3 {
            subscription.try_recv().unwrap();
        }
        nosy.append_all(4..=7); // 4..=7 are retained, and only the subscriber holds 1..=3
        let asked = nosy.asked_during(|| assert_eq!(subscription.try_recv().unwrap().version, 4));
        assert_eq!(asked, 3);

        nosy.append_all(8..=20); // now it lags
        let asked = nosy.asked_during(|| {
            assert_eq!(
                subscription.try_recv().err(),
                Some(TryRecvError::Lagged(12))
            );
        });
        assert_eq!(asked, 4);
        assert_eq!(subscription.try_recv().unwrap().version, 17);
    });
}

#[test]
fn r11_drop_may_use_the_log_when_the_last_reader_lets_go() {
    without_deadlock(|| {
        let nosy = NosyLog::new();
        nosy.append_all(1..=4);
        let replay = nosy.log.replay(0);
        let mut subscription = nosy.log.subscribe(0);
        let event = subscription.try_recv().unwrap();
        nosy.append_all(5..=20);
        // Only the replay holds 4..=7; 1..=3 are shared with the subscription and its event.
        assert_eq!(nosy.asked_during(|| drop(replay)), 4);
        assert_eq!(nosy.asked_during(|| drop(subscription)), 0);
        assert_eq!(nosy.asked_during(|| drop(event)), 3);
    });
}

/// Counts its wakes, and does something in each.
struct OnWake<F> {
    wakes: AtomicUsize,
    action: F,
}

impl<F: Fn() + Send + Sync> Wake for OnWake<F> {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        (self.action)();
    }
}

fn on_wake<F: Fn() + Send + Sync + 'static>(action: F) -> (Arc<OnWake<F>>, Waker) {
    let on_wake = Arc::new(OnWake {
        wakes: AtomicUsize::new(0),
        action,
    });
    (on_wake.clone(), Waker::from(on_wake))
}

#[derive(Clone, PartialEq, Debug)]
struct Tick(u64);

impl Versioned for Tick {
    fn version(&self) -> u64 {
        self.0
    }
}

/// tokio #5578 is this deadlock in another channel.
#[test]
fn r11_a_waker_may_append() {
    without_deadlock(|| {
        let log = Arc::new(EventLog::new(None));
        let mut subscription = log.subscribe(0);
        let (woken, waker) = on_wake({
            let log = log.clone();
            move || {
                log.append(Tick(2));
            }
        });
        let mut context = Context::from_waker(&waker);
        assert!(subscription.poll_recv(&mut context).is_pending());
        log.append(Tick(1));
        assert_eq!(woken.wakes.load(Ordering::Relaxed), 1);
        assert_eq!(log.events_since(0), [Tick(1), Tick(2)]);
        assert_eq!(subscription.try_recv().unwrap().0, 1);
        assert_eq!(subscription.try_recv().unwrap().0, 2);
    });
}

#[test]
fn r11_a_panicking_waker_harms_no_appender_and_no_other_reader() {
    let log = EventLog::new(None);
    let mut readers: Vec<_> = (0..3).map(|_| log.subscribe(0)).collect();
    let (_, bad) = on_wake(|| panic!("a bug in a waker"));
    let (good, well) = on_wake(|| {});
    for (reader, waker) in readers.iter_mut().zip([&well, &bad, &well]) {
        let mut context = Context::from_waker(waker);
        assert!(reader.poll_recv(&mut context).is_pending());
    }
    log.append(Tick(1));
    assert_eq!(good.wakes.load(Ordering::Relaxed), 2);
    for reader in &mut readers {
        assert_eq!(reader.try_recv().unwrap().0, 1);
    }
}

/// A future moves between tasks: the waker of the last poll counts, and each is woken once.
#[test]
fn s03_the_waker_of_the_last_poll_is_woken() {
    let log = EventLog::new(None);
    let mut subscription = log.subscribe(0);
    let (stale, first) = on_wake(|| {});
    let (fresh, second) = on_wake(|| {});
    for waker in [&first, &second] {
        let mut context = Context::from_waker(waker);
        assert!(subscription.poll_recv(&mut context).is_pending());
    }
    log.append(Tick(1));
    log.append(Tick(2));
    assert_eq!(stale.wakes.load(Ordering::Relaxed), 0);
    assert_eq!(fresh.wakes.load(Ordering::Relaxed), 1);
    let mut context = Context::from_waker(&second);
    assert!(matches!(
        subscription.poll_recv(&mut context),
        Poll::Ready(Ok(_))
    ));
}

#[test]
fn r11_a_closure_of_append_with_that_panics_changes_nothing() {
    let log = EventLog::new(None);
    let mut subscription = log.subscribe(0);
    log.append(Tick(1));
    assert!(panics(
        || log.append_with(|_| panic!("a bug in the closure"))
    ));
    assert_eq!(log.stats().appended, 1);
    assert_eq!(log.append_with(|newest| Tick(newest.unwrap() + 1)).get(), 2);
    assert_eq!(log.events_since(0), [Tick(1), Tick(2)]);
    assert_eq!(subscription.try_recv().unwrap().0, 1);
    assert_eq!(subscription.try_recv().unwrap().0, 2);
    drop(subscription);
    log.close();
}

/// Panics in what it is told to.
struct Bad {
    version: u64,
    bug: Bug,
}

#[derive(Clone, Copy, PartialEq)]
enum Bug {
    None,
    InVersion,
    InClone,
    InDrop,
}

impl Bad {
    fn good(version: u64) -> Self {
        Self::new(version, Bug::None)
    }

    fn new(version: u64, bug: Bug) -> Self {
        Self { version, bug }
    }
}

impl Versioned for Bad {
    fn version(&self) -> u64 {
        assert!(self.bug != Bug::InVersion, "a bug in version");
        self.version
    }
}

impl Clone for Bad {
    fn clone(&self) -> Self {
        assert!(self.bug != Bug::InClone, "a bug in Clone");
        Self::good(self.version)
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        assert!(self.bug != Bug::InDrop, "a bug in Drop");
    }
}

#[test]
fn r11_a_version_that_panics_changes_nothing() {
    let log = EventLog::new(None);
    log.append(Bad::good(1));
    let bad = || Bad::new(2, Bug::InVersion);
    assert!(panics(|| log.append(bad())));
    assert!(panics(|| log.append_batch([Bad::good(2), bad()])));
    assert_eq!(log.stats().appended, 1);
    assert_eq!(log.append(Bad::good(2)).get(), 2);
}

#[test]
fn r11_a_clone_that_panics_changes_nothing() {
    let log = EventLog::new(None);
    log.append(Bad::new(1, Bug::InClone));
    log.append(Bad::good(2));
    assert!(panics(|| log.events_since(0)));
    assert_eq!(log.events_since(1).len(), 1);
    assert_eq!(log.append(Bad::good(3)).get(), 3);
    assert_eq!(log.replay(0).len(), 3);
}

/// Events panic in their `Drop` where they make room, and where a reader or a batch drops them for
/// others: that ends nobody, every reader is woken, and no other event is kept by it.
#[test]
fn r11_a_drop_that_panics_ends_nobody() {
    let log = EventLog::builder().capacity(1).build().unwrap();
    let mut subscription = log.subscribe(0);
    let mut late = log.subscribe(0);
    log.append(Bad::new(1, Bug::InDrop));
    drop(subscription.try_recv().unwrap());
    late.skip_to_newest();
    let (woken, waker) = on_wake(|| {});
    let mut context = Context::from_waker(&waker);
    assert!(late.poll_recv(&mut context).is_pending());

    // The subscription is the last to hold the first event, the log to hold those after it.
    for version in 2..=4 {
        assert_eq!(log.append(Bad::new(version, Bug::InDrop)).get(), version);
    }
    assert_eq!(woken.wakes.load(Ordering::Relaxed), 1);
    let batch = [5, 6].map(|version| Bad::new(version, Bug::InDrop));
    assert!(log.append_batch(batch).is_some());
    assert_eq!(log.append(Bad::good(7)).get(), 7);
    for reader in [&mut subscription, &mut late] {
        assert!(matches!(
            reader.try_recv(),
            Err(TryRecvError::Lagged(5 | 6))
        ));
        assert_eq!(reader.try_recv().unwrap().version, 7);
        // It has time now, and drops what waits.
        assert!(reader.poll_recv(&mut context).is_pending());
    }
}

/// Whoever lets go last of several that panic is not ended by the second of them.
#[test]
fn r11_a_log_and_its_last_reader_may_go_together() {
    let log = EventLog::builder().capacity(1).build().unwrap();
    let mut subscription = log.subscribe(0);
    log.append(Bad::new(1, Bug::InDrop));
    drop(subscription.try_recv().unwrap());
    log.append(Bad::new(2, Bug::InDrop));
    log.append(Bad::new(3, Bug::InDrop));
    drop(log);
    // What is retained panics where the log ends; the rest was caught before.
    assert!(panics(|| drop(subscription)));
}

/// S04: a reader that panics with a replay, an event and a subscription in its hands delays nobody.
#[test]
fn s04_a_reader_that_panics_or_stalls_delays_no_append() {
    let log = EventLog::builder().capacity(8).build().unwrap();
    log.append(Tick(1));
    let (_replay, mut stalled) = (log.replay(0), log.subscribe(0));
    let _event = stalled.try_recv().unwrap();
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let _replay = log.replay(0);
            let mut subscription = log.subscribe(0);
            let _event = subscription.try_recv().unwrap();
            panic!("a bug in a reader");
        });
        assert!(reader.join().is_err());
    });
    for version in 2..=1_000 {
        log.append(Tick(version));
    }
    assert_eq!(log.stats().subscribers, 1);
    assert_eq!(stalled.try_recv().err(), Some(TryRecvError::Lagged(991)));
}
