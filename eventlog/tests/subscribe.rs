//! Subscriptions, step by step: streams, batches, cursors, the live moment.
#![cfg(feature = "derive")]
#![allow(clippy::unwrap_used)]

use std::pin::Pin;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use std::task::{Context, Poll, Wake, Waker};

use eventlog::{
    Coverage, Cursor, EventLog, EventRef, Lagged, RecvError, Start, Subscription, Told,
    TryRecvError, Versioned,
};
use futures_core::Stream as _;

/// The smallest event: a version, and a number that tells equal versions apart.
#[derive(Versioned, Clone, PartialEq, Debug)]
struct Tick {
    version: u64,
    pick: u32,
}

impl Tick {
    fn new(version: u64, pick: u32) -> Self {
        Self { version, pick }
    }
}

/// A subscriber that had read a closed log to its end was said to fall further behind with every
/// event that no subscriber gets.
#[test]
fn no_reader_is_behind_a_closed_log_that_was_read_to_its_end() {
    let log = EventLog::new(None);
    let mut reader = log.subscribe(0);
    log.append(Tick::new(1, 1));
    log.close();
    log.append(Tick::new(2, 2));
    assert_eq!(log.stats().slowest_distance, 1);
    reader.try_recv().unwrap();
    assert_eq!(log.stats().slowest_distance, 0);
}

/// The version of the next event, as a `Stream` gives it.
fn next(subscription: &mut Subscription<Tick>) -> Poll<Option<Result<u64, Lagged>>> {
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(subscription)
        .poll_next(&mut context)
        .map_ok(|event| event.version())
}

#[test]
fn a_subscription_is_a_stream_that_ends_with_its_log() {
    let log = EventLog::builder().capacity(2).build().unwrap();
    let mut subscription = log.subscribe(0);
    assert_eq!(next(&mut subscription), Poll::Pending);
    log.append_batch((1..=5).map(|version| Tick::new(version, 0)));
    assert_eq!(next(&mut subscription), Poll::Ready(Some(Err(Lagged(3)))));
    assert_eq!(next(&mut subscription), Poll::Ready(Some(Ok(4))));
    drop(log);
    assert_eq!(next(&mut subscription), Poll::Ready(Some(Ok(5))));
    assert_eq!(next(&mut subscription), Poll::Ready(None));
    assert_eq!(next(&mut subscription), Poll::Ready(None));
}

#[test]
fn a_subscription_dropped_while_it_waits_leaves_no_trace() {
    struct Nothing;
    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }
    let log = EventLog::<Tick>::new(None);
    let mut subscription = log.subscribe(0);
    let nothing = Arc::new(Nothing);
    {
        let waker = Waker::from(nothing.clone());
        let poll = subscription.poll_recv(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
    }
    assert_eq!(Arc::strong_count(&nothing), 2, "it waits");
    drop(subscription);
    assert_eq!(Arc::strong_count(&nothing), 1);
    assert_eq!(log.stats().subscribers, 0);
}

#[test]
fn who_skips_to_the_newest_event_stands_where_the_log_stands() {
    let log = EventLog::builder().capacity(4).build().unwrap();
    let mut subscription = log.subscribe(0);
    assert_eq!(subscription.skip_to_newest(), 0);
    for last in [3, 9] {
        let first = log.stats().appended + 1;
        log.append_batch((first..=last).map(|version| Tick::new(10 * version, 0)));
        assert_eq!(subscription.skip_to_newest(), last + 1 - first);
        assert_eq!(subscription.cursor(), log.cursor());
        assert_eq!(subscription.skip_to_newest(), 0);
        assert_eq!(subscription.cursor(), log.cursor());
        assert_eq!(next(&mut subscription), Poll::Pending);
    }
    log.append(Tick::new(95, 0));
    assert_eq!(next(&mut subscription), Poll::Ready(Some(Ok(95))));

    let mut ahead = log.subscribe(1000);
    let cursor = ahead.cursor();
    assert_eq!(ahead.skip_to_newest(), 0);
    assert_eq!(ahead.cursor(), cursor, "there was nothing to skip");
}

fn tick(version: u64) -> Tick {
    Tick::new(version, 0)
}

/// A cursor that was taken before anything was delivered called itself complete, although the
/// subscription it came from had just said that it was not.
#[test]
fn s05_a_cursor_taken_too_early_is_not_complete() {
    let other = EventLog::new(None);
    other.append_batch((1..=5).map(tick));
    let log = EventLog::builder().capacity(2).build().unwrap();
    log.append_batch((1..=9).map(tick));
    let evicted: Cursor = format!("{}.3.3", log.epoch()).parse().unwrap();
    let starts = [
        Start::Cursor(other.cursor()),
        Start::Cursor(evicted),
        Start::After(3),
        Start::After(20),
        Start::Oldest,
    ];
    for start in starts {
        let mut first = log.subscribe(start);
        assert!(!first.coverage().is_complete(), "{start:?}");
        let again = log.subscribe(first.cursor());
        assert!(!again.coverage().is_complete(), "{start:?}");
        if first.try_recv().is_ok() {
            let after = log.subscribe(first.cursor());
            assert!(after.coverage().is_complete(), "{start:?}");
        }
    }
    let late = EventLog::builder().base_version(7).build().unwrap();
    late.append(tick(8));
    let first = late.subscribe(3);
    assert!(
        !late.subscribe(first.cursor()).coverage().is_complete(),
        "also where nothing was evicted"
    );
}

/// Whoever subscribed to a closed log to which appends went on waited for events that nobody gets,
/// and was never live.
#[test]
fn s08_live_at_the_end_of_a_closed_log() {
    let log = EventLog::new(None);
    log.append(tick(1));
    log.close();
    log.append(tick(2));
    let mut subscription = log.subscribe(0);
    assert!(!subscription.is_live());
    subscription.try_recv().unwrap();
    assert_eq!(subscription.try_recv().err(), Some(TryRecvError::Closed));
    assert!(subscription.is_live());
}

#[test]
fn s08_live_is_what_comes_after_the_moment_of_subscribing() {
    let log = EventLog::builder().capacity(2).build().unwrap();
    assert!(log.subscribe(0).is_live(), "there is nothing to replay");
    log.append_batch((1..=3).map(tick));
    let mut subscription = log.subscribe(0);
    assert!(!subscription.is_live());
    log.append_batch((4..=9).map(tick));
    assert_eq!(subscription.try_recv().err(), Some(TryRecvError::Lagged(6)));
    assert!(!subscription.is_live(), "the event after the notice is due");
    subscription.try_recv().unwrap();
    assert!(subscription.is_live());
    log.append_batch((10..=19).map(tick));
    assert!(subscription.is_live(), "never false again");
}

#[test]
fn s01_batches_are_the_events_one_by_one() {
    let log = EventLog::builder().capacity(600).build().unwrap();
    let mut single = log.subscribe(0);
    let mut batched = log.subscribe(0);
    log.append_batch((1..=1000).map(tick));
    let lagged = single.try_recv().err();
    assert_eq!(lagged, Some(TryRecvError::Lagged(400)));
    assert_eq!(batched.try_recv_batch().err(), lagged);
    let mut largest = 0;
    loop {
        let batch = match batched.try_recv_batch() {
            Ok(batch) => batch,
            Err(error) => {
                assert_eq!(error, TryRecvError::Empty);
                break;
            }
        };
        largest = largest.max(batch.len());
        let cursor = batch.cursor();
        for event in batch {
            let alone = single.try_recv().unwrap();
            assert_eq!(event.version(), alone.version());
            assert_eq!(EventRef::seq(&event), EventRef::seq(&alone));
        }
        assert_eq!(cursor, single.cursor());
        assert_eq!(cursor, batched.cursor());
    }
    assert_eq!(single.try_recv().err(), Some(TryRecvError::Empty));
    assert_eq!(largest, 256);
}

#[test]
fn s03_a_batch_that_is_awaited_comes_with_the_next_append() {
    let log = EventLog::new(None);
    let mut subscription = log.subscribe(Start::Now);
    let batch = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| subscription.blocking_recv_batch().unwrap());
        log.append(tick(1));
        waiting.join().unwrap()
    });
    assert_eq!(
        batch.iter().map(Versioned::version).collect::<Vec<_>>(),
        [1]
    );
    log.close();
    assert_eq!(
        subscription.blocking_recv_batch().err(),
        Some(RecvError::Closed)
    );
}

/// A reader with half a million events before it kept its runtime's thread for two seconds.
#[test]
fn s09_a_reader_with_a_backlog_lets_other_tasks_run() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    const EVENTS: u64 = 10_000;
    let log = EventLog::builder().capacity(10_000).build().unwrap();
    log.append_batch((1..=EVENTS).map(tick));
    let woken = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    let mut single = log.subscribe(0);
    let (mut in_a_row, mut longest, mut delivered) = (0, 0, 0);
    while delivered < EVENTS {
        if let Poll::Ready(event) = single.poll_recv(&mut context) {
            event.unwrap();
            delivered += 1;
            in_a_row += 1;
            longest = longest.max(in_a_row);
        } else {
            in_a_row = 0;
        }
    }
    assert_eq!(longest, 128);
    let turns = woken.0.load(Ordering::Relaxed) as u64;
    assert!(turns >= EVENTS / 128 - 1, "each is woken at once: {turns}");

    // Past the first segments, which are short.
    let mut batched = log.subscribe(1_023);
    assert!(batched.poll_recv_batch(&mut context).is_ready());
    assert!(batched.poll_recv_batch(&mut context).is_pending());
    assert!(batched.poll_recv_batch(&mut context).is_ready());
    let mut tried = log.subscribe(0);
    assert!(
        (0..EVENTS).all(|_| tried.try_recv().is_ok()),
        "it never lies"
    );
}

/// It hung for ever, without a word, on the only thread that could have appended.
#[tokio::test]
#[cfg(feature = "tokio")]
#[should_panic(expected = "Cannot block the current thread from within a runtime")]
async fn s03_blocking_where_it_would_stop_a_runtime_panics() {
    let log = EventLog::<Tick>::new(None);
    let _ = log.subscribe(0).blocking_recv();
}

#[tokio::test]
async fn s03_blocking_is_fine_on_a_thread_for_it() {
    let log = EventLog::new(None);
    let mut subscription = log.subscribe(0);
    let waiting = tokio::task::spawn_blocking(move || subscription.blocking_recv().map(drop));
    log.append(tick(1));
    assert_eq!(waiting.await.unwrap(), Ok(()));
    let mut here = log.subscribe(0);
    assert!(here.blocking_recv().is_ok(), "what is there needs no wait");
}

/// An event of version 0 comes after no version: a subscriber that began after version 0 was told
/// `Complete` and never saw it. `Start::Oldest` is the way to begin with it.
#[test]
fn an_event_of_version_0_is_seen_from_the_oldest_on() {
    let log = EventLog::new(None);
    log.append_batch([0, 1].map(|version| Tick::new(version, 0)));
    let versions = |start: Start| {
        let mut subscription = log.subscribe(start);
        let replay = log.replay(start);
        assert_eq!(subscription.coverage(), Coverage::Complete);
        assert_eq!(replay.coverage(), Coverage::Complete);
        let replayed: Vec<_> = replay.iter().map(Versioned::version).collect();
        let received = std::iter::from_fn(|| subscription.try_recv().ok());
        let received: Vec<_> = received.map(|event| event.version()).collect();
        assert_eq!(replayed, received);
        received
    };
    assert_eq!(versions(Start::Oldest), [0, 1]);
    assert_eq!(versions(Start::After(0)), [1]);
}

/// Also where the replay is empty, where it ends in events that are gone, and on a log that is
/// closed already.
#[test]
fn s08_a_stream_says_once_that_the_replay_is_over() {
    let told = |log: &EventLog<Tick>, start: Start| {
        let mut stream = log.subscribe(start).with_live();
        let mut context = Context::from_waker(Waker::noop());
        let mut all = Vec::new();
        while let Poll::Ready(Some(told)) = Pin::new(&mut stream).poll_next(&mut context) {
            all.push(match told {
                Told::Event(event) => event.version.to_string(),
                Told::Lagged(events) => format!("{events} lost"),
                Told::Live => "live".to_owned(),
            });
        }
        all
    };
    let log = EventLog::builder().capacity(2).build().unwrap();
    assert_eq!(told(&log, Start::Oldest), ["live"]);
    log.append_batch((1..=3).map(|version| Tick::new(version, 0)));
    assert_eq!(told(&log, Start::After(2)), ["3", "live"]);
    assert_eq!(told(&log, Start::Now), ["live"]);
    log.close();
    log.append(Tick::new(4, 0));
    assert_eq!(told(&log, Start::After(2)), ["3", "live"]);
}
