//! A filtered subscription: what it delivers, where it stands, and what it tells, beside the same
//! subscription without a filter.
#![cfg(not(shuttle))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

use eventlog::{Coverage, EventLog, EventRef, RecvError, Start, TryRecvError, Versioned};
use futures_core::Stream;
use proptest::{collection::vec, prelude::*};

#[derive(Clone, PartialEq, Debug)]
struct Tick(u64);

impl Versioned for Tick {
    fn version(&self) -> u64 {
        self.0
    }
}

fn even(tick: &Tick) -> bool {
    tick.0.is_multiple_of(2)
}

fn log(capacity: usize, versions: impl IntoIterator<Item = u64>) -> EventLog<Tick> {
    let log = EventLog::builder().capacity(capacity).build().unwrap();
    for version in versions {
        log.append(Tick(version));
    }
    log
}

#[test]
fn what_is_passed_over_is_seen() {
    let log = log(100, 1..=5);
    let mut reader = log.subscribe(0).filter(even);
    assert_eq!(reader.coverage(), Coverage::Complete);
    assert_eq!(reader.try_recv().unwrap().0, 2);
    assert_eq!(reader.try_recv().unwrap().0, 4);
    assert!(!reader.is_live());
    assert_eq!(reader.try_recv().err(), Some(TryRecvError::Empty));
    assert!(reader.is_live());
    assert_eq!(reader.cursor(), log.cursor());
    assert_eq!(log.stats().slowest_distance, 0);
    assert_eq!(log.replay(reader.cursor()).coverage(), Coverage::Complete);
    log.append(Tick(7));
    log.append(Tick(8));
    log.close();
    assert_eq!(reader.blocking_recv().unwrap().0, 8);
    assert_eq!(reader.blocking_recv().err(), Some(RecvError::Closed));
}

/// Two filters are one, and everything comes once the filter is taken off.
#[test]
fn it_goes_on_as_a_subscription() {
    let log = log(100, 1..=6);
    let mut reader = log.subscribe(0).filter(even);
    reader.try_recv().unwrap();
    let mut all = reader.into_inner();
    assert_eq!(all.try_recv().unwrap().0, 3);
    let mut reader = all.filter(|tick| tick.0 > 100);
    assert_eq!(reader.skip_to_newest(), 3);
    assert_eq!(reader.cursor(), log.cursor());
}

/// The event that the filter panicked at is neither delivered nor lost.
#[test]
fn a_filter_that_panics_is_asked_again() {
    let log = log(2, 1..=4); // the first two are lost
    let asked = AtomicUsize::new(0);
    let mut reader = log.subscribe(Start::Oldest).filter(|tick: &Tick| {
        assert!(asked.fetch_add(1, SeqCst) > 1, "not yet");
        even(tick)
    });
    let before = reader.cursor();
    for _ in 0..2 {
        assert!(catch_unwind(AssertUnwindSafe(|| reader.try_recv().is_ok())).is_err());
        assert_eq!(reader.cursor(), before);
    }
    assert_eq!(reader.try_recv().unwrap().0, 4);
    assert_eq!(asked.load(SeqCst), 4);
    assert_eq!(reader.try_recv().err(), Some(TryRecvError::Empty));
}

#[test]
fn a_filter_may_use_the_log() {
    let log = log(100, 1..=4);
    let again = &log;
    let mut reader = log.subscribe(0).filter(move |tick: &Tick| {
        if tick.0 < 50 {
            again.append(Tick(tick.0 + 50));
        }
        again.replay(0).len() > 1 && again.stats().subscribers == 1 && even(tick)
    });
    let read: Vec<_> = std::iter::from_fn(|| Some(reader.try_recv().ok()?.0)).collect();
    assert_eq!(read, [2, 4, 52, 54]);
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// S09: it leaves its thread to others also while it finds nothing that is wanted.
#[test]
fn s09_it_takes_turns_while_it_passes_over() {
    let log = log(10_000, 1..=10_000);
    let mut asked = 0;
    let mut reader = log.subscribe(0).filter(|tick: &Tick| {
        asked += 1;
        tick.0 == 10_000
    });
    let woken = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    let mut turns = 0;
    let event = loop {
        match reader.poll_recv(&mut context) {
            Poll::Ready(event) => break event.unwrap(),
            Poll::Pending => turns += 1,
        }
        assert_eq!(woken.0.load(SeqCst), turns, "it asks to be polled again");
    };
    assert_eq!(event.0, 10_000);
    assert!(turns >= 10_000 / 128, "{turns} turns");
    // What is there already is found at once where nobody is polled.
    let mut reader = log.subscribe(0).filter(|tick: &Tick| tick.0 == 10_000);
    assert_eq!(reader.try_recv().unwrap().0, 10_000);
}

#[test]
fn it_waits_for_what_is_wanted_and_is_a_stream() {
    let log = Arc::new(log(100, []));
    let mut reader = log.subscribe(0).filter(even);
    let waits = thread::spawn(move || reader.blocking_recv().unwrap().0);
    log.append(Tick(1));
    log.append(Tick(3));
    log.append(Tick(6));
    assert_eq!(waits.join().unwrap(), 6);
    log.close();

    let mut stream = pin!(log.subscribe(0).filter(even));
    let mut context = Context::from_waker(Waker::noop());
    let next = stream.as_mut().poll_next(&mut context);
    assert!(matches!(next, Poll::Ready(Some(Ok(event))) if event.0 == 6));
    assert!(matches!(stream.poll_next(&mut context), Poll::Ready(None)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Beside a subscription without a filter: the same losses, and of the same events those that
    /// are kept; after each call a cursor from which exactly the rest follows.
    #[test]
    fn it_is_a_subscription_less_what_is_not_kept(
        capacity in 1..30_usize,
        keeps in 1..5_u64,
        // Some appends, then some reads.
        steps in vec((vec(0..20_u64, 0..20), 0..8_usize), 0..20),
    ) {
        let log = log(capacity, []);
        let mut all = log.subscribe(Start::Oldest);
        let mut some = log.subscribe(Start::Oldest).filter(|tick: &Tick| tick.0.is_multiple_of(keeps));
        for (appends, reads) in steps {
            for version in appends {
                log.append(Tick(version));
            }
            for _ in 0..reads {
                let next = some.try_recv();
                // The other reads as far, and finds nothing in between that is kept.
                let told = loop {
                    match all.try_recv() {
                        Ok(event) if !event.0.is_multiple_of(keeps) => {}
                        other => break other,
                    }
                };
                match (next, told) {
                    (Ok(next), Ok(told)) => {
                        prop_assert_eq!(EventRef::seq(&next), EventRef::seq(&told));
                    }
                    (next, told) => prop_assert_eq!(next.err(), told.err()),
                }
                prop_assert_eq!(some.cursor(), all.cursor());
                prop_assert_eq!(some.is_live(), all.is_live());
            }
        }
    }

    /// Pages, one after the other, have what a subscription has.
    #[test]
    fn pages_are_a_subscription_in_parts(
        capacity in 1..40_usize,
        versions in vec(0..30_u64, 0..60),
        since in 0..32_u64,
        size in 0..10_usize,
    ) {
        let log = log(capacity, versions);
        let mut reader = log.subscribe(since);
        let whole = log.replay(since);
        let mut start = Start::After(since);
        let mut coverage = whole.coverage();
        loop {
            let page = log.replay(start).take_page(size);
            prop_assert_eq!(page.coverage(), coverage);
            prop_assert!(page.len() <= size.max(1));
            prop_assert!(!page.is_empty() || !page.has_more());
            prop_assert_eq!(page.newest(), whole.newest());
            let mut last = None;
            for (cursor, event) in page.with_cursors() {
                prop_assert_eq!(event, &*reader.try_recv().unwrap());
                last = Some(cursor);
            }
            prop_assert_eq!(page.cursor(), last.unwrap_or(log.cursor()));
            start = page.cursor().into();
            coverage = Coverage::Complete;
            if !page.has_more() {
                break;
            }
        }
        prop_assert_eq!(reader.try_recv().err(), Some(TryRecvError::Empty));
        prop_assert!(log.replay(start).take_page(size).is_empty());
    }
}

/// What was evicted between two requests is told by the second.
#[test]
fn a_page_that_comes_too_late_is_truncated() {
    let log = log(10, 1..=10);
    let first = log.replay(0).take_page(4);
    assert!(first.has_more());
    for version in 11..=16 {
        log.append(Tick(version));
    }
    assert_eq!(
        first.iter().map(|tick| tick.0).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!((first.len(), first.is_empty()), (4, false));
    let second = log.replay(first.cursor()).take_page(4);
    let missed = Coverage::Truncated {
        missed_through: 6,
        missed: Some(2),
    };
    assert_eq!(second.coverage(), missed);
    assert_eq!(second.iter().next(), Some(&Tick(7)));
}

#[test]
#[cfg(feature = "disk")]
fn a_page_says_in_json_whether_there_is_more() {
    use eventlog::{Numbered, Replay};
    let log = EventLog::<Numbered<u8>>::new(None);
    log.push(7);
    log.push(8);
    let json = |replay: Replay<_>| serde_json::to_value(replay.take_page(1)).unwrap();
    let page = json(log.replay(0));
    assert_eq!(page["events"][0]["version"], 1);
    assert_eq!(
        (&page["has_more"], &page["coverage"]),
        (&true.into(), &"complete".into())
    );
    let cursor: eventlog::Cursor = page["cursor"].as_str().unwrap().parse().unwrap();
    assert_eq!(json(log.replay(cursor))["has_more"], false);
    assert!(
        serde_json::to_value(log.replay(0))
            .unwrap()
            .get("has_more")
            .is_none()
    );
}

#[test]
#[cfg(feature = "disk")]
fn a_writers_subscription_is_filtered_too() {
    use eventlog::{
        Numbered,
        disk::{DiskConfig, DiskWriter},
    };
    let dir = tempfile::tempdir().unwrap();
    let log = EventLog::<Numbered<u64>>::new(None);
    let writer = DiskWriter::spawn(&log, DiskConfig::new(dir.path().join("x.log"))).unwrap();
    let mut reader = writer.subscribe(0).filter(|event| event.is_multiple_of(5));
    for payload in 1..=10 {
        log.push(payload);
    }
    assert_eq!(*reader.blocking_recv().unwrap().payload(), 5);
    let last = reader.blocking_recv().unwrap();
    assert_eq!(last.version(), 10);
    assert_eq!(reader.cursor(), EventRef::cursor(&last));
    writer
        .blocking_shutdown(std::time::Duration::from_secs(30))
        .unwrap();
    assert_eq!(reader.blocking_recv().err(), Some(RecvError::Closed));
}
