//! Bugs that other systems shipped, as tests: each opens with what happened, and where.
#![cfg(not(shuttle))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    hint::spin_loop,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use eventlog::{Coverage, EventLog, RecvError, Subscription, TryRecvError, Versioned};

#[derive(Clone, Debug, PartialEq)]
struct Tick(u64);

impl Versioned for Tick {
    fn version(&self) -> u64 {
        self.0
    }
}

fn log_of(capacity: usize, versions: impl IntoIterator<Item = u64>) -> EventLog<Tick> {
    let log = EventLog::builder().capacity(capacity).build().unwrap();
    log.append_batch(versions.into_iter().map(Tick));
    log
}

/// Everything that is there for a subscriber now, each lag as an error.
fn read(subscription: &mut Subscription<Tick>) -> Vec<Result<u64, u64>> {
    let mut all = Vec::new();
    loop {
        match subscription.try_recv() {
            Ok(event) => all.push(Ok(event.0)),
            Err(TryRecvError::Lagged(events)) => all.push(Err(events)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return all,
        }
    }
}

/// A watch cache that had just been filled from a list at version 11 had no events in its ring. A
/// client that had listed at version 10 asked for what came after; the cache took its empty ring
/// as "nothing happened since", and the creation at 11 reached the client never. (The fix
/// overshot, and for a year a client that stood exactly at the list's version was refused.)
///
/// <https://github.com/kubernetes/kubernetes/issues/49956>,
/// <https://github.com/kubernetes/kubernetes/pull/68065>
#[test]
fn kubernetes_49956_an_empty_ring_takes_the_head_as_delivered() {
    let log = EventLog::builder().base_version(11).build().unwrap();
    let missed_11 = Coverage::Truncated {
        missed_through: 11,
        missed: None,
    };
    assert_eq!(log.replay(10).coverage(), missed_11);
    assert_eq!(log.subscribe(10).coverage(), missed_11);
    assert_eq!(log.replay(11).coverage(), Coverage::Complete);

    log.append(Tick(12));
    assert_eq!(log.replay(10).coverage(), missed_11);
    assert_eq!(log.replay(11).coverage(), Coverage::Complete);
    assert_eq!(read(&mut log.subscribe(11)), [Ok(12)]);
}

/// A watcher was registered while its initial events were still being sent; events that were both
/// in the initial part and in its buffer came twice, so the watcher saw an object go back in time.
///
/// <https://github.com/kubernetes/kubernetes/pull/73845>
#[test]
fn kubernetes_73845_a_watcher_goes_back_in_time() {
    let log = log_of(64, 1..=3);
    for cut in 0..=3 {
        let mut subscription = log.subscribe(1);
        let newest = log.newest_version().unwrap();
        log.append(Tick(newest + 1));
        let mut all = Vec::new();
        for _ in 0..cut {
            all.push(subscription.try_recv().unwrap().0);
            // An event that arrives in the middle of the initial part.
            log.append(Tick(log.newest_version().unwrap() + 1));
        }
        let mut resumed = log.subscribe(subscription.cursor());
        all.extend(read(&mut resumed).into_iter().map(Result::unwrap));
        let expected: Vec<u64> = (2..=log.newest_version().unwrap()).collect();
        assert_eq!(all, expected, "cut after {cut}");
    }
}

/// A watcher with a full channel was put aside; by the time it was served again, compaction had
/// removed what it had not seen. It was handed what was left: revision 2725, then 184694, and no
/// error between the two.
///
/// <https://github.com/etcd-io/etcd/issues/17529>
#[test]
fn etcd_17529_a_jump_without_an_error() {
    let log = log_of(10, 1..=2);
    let mut subscription = log.subscribe(0);
    subscription.try_recv().unwrap();
    log.append_batch((3..=100).map(Tick));

    let mut expected = vec![Err(89)];
    expected.extend((91..=100).map(Ok));
    assert_eq!(read(&mut subscription), expected);
    assert_eq!(log.stats().lagged, 89);

    // The same for one that was away in the meantime.
    let mut away = log.subscribe(100);
    let cursor = away.cursor();
    assert!(read(&mut away).is_empty());
    drop(away);
    log.append_batch((101..=120).map(Tick));
    let resumed = log.subscribe(cursor);
    let missed = Coverage::Truncated {
        missed_through: 110,
        missed: Some(10),
    };
    assert_eq!(resumed.coverage(), missed);
}

/// `broadcast` reported `Lagged` to a receiver that was behind by no more than the capacity: the
/// slot of the oldest value and the slot of the next one are the same, and the comparison took one
/// for the other.
///
/// <https://github.com/tokio-rs/tokio/issues/2425>
#[test]
fn tokio_2425_a_lag_within_the_capacity() {
    for capacity in [1, 2, 3, 4, 5, 255, 256, 257, 300] {
        for before in [0, 1, 2, 7, 256, 1_000] {
            let log = log_of(capacity, 1..=before);
            let mut in_time = log.subscribe(before);
            let mut late = log.subscribe(before);
            let full = before + capacity as u64;
            log.append_batch((before + 1..=full).map(Tick));
            let whole: Vec<_> = (before + 1..=full).map(Ok).collect();
            assert_eq!(read(&mut in_time), whole, "{capacity} after {before}");

            log.append(Tick(full + 1));
            assert_eq!(late.try_recv().err(), Some(TryRecvError::Lagged(1)));
        }
    }
}

/// Dropping a receiver walked from its place to the tail that it had read before. When the receiver
/// had fallen behind in between, the walk jumped past that end, and `Drop` panicked.
///
/// Here no drop walks; what can run past an end is a reader that fell behind the end set by
/// `close`, so it must neither panic nor be told of events that were never meant for it.
///
/// <https://github.com/tokio-rs/tokio/issues/2533>
#[test]
fn tokio_2533_a_lag_past_the_end() {
    let log = log_of(4, 1..=3);
    let mut lagging = log.subscribe(0);
    let mut skipping = log.subscribe(0);
    let untouched = log.subscribe(0);
    log.close();
    log.append_batch((4..=100).map(Tick));
    drop(untouched);

    assert_eq!(lagging.try_recv().err(), Some(TryRecvError::Lagged(3)));
    assert_eq!(lagging.try_recv().err(), Some(TryRecvError::Closed));
    assert_eq!(lagging.cursor().seq().get(), 3);
    assert_eq!(skipping.skip_to_newest(), 3);
    assert_eq!(skipping.blocking_recv().err(), Some(RecvError::Closed));

    // It starts after the end.
    let mut too_late = log.subscribe(0);
    assert_eq!(too_late.skip_to_newest(), 0);
    assert_eq!(too_late.try_recv().err(), Some(TryRecvError::Closed));
}

/// The other way round: what is retained after the end is not delivered after a lag either.
#[test]
fn tokio_2533_a_lag_up_to_the_end() {
    let log = log_of(4, 1..=3);
    let mut lagging = log.subscribe(0);
    log.close();
    log.append_batch((4..=7).map(Tick)); // 4 is the oldest, and the first after the end
    assert_eq!(lagging.try_recv().err(), Some(TryRecvError::Lagged(3)));
    assert_eq!(lagging.try_recv().err(), Some(TryRecvError::Closed));
}

/// A consumer with a filter gets messages whose stream sequence numbers skip. Its check for gaps
/// compared those, so that each skipped number was taken for a lost message.
///
/// <https://github.com/nats-io/nats.rs/pull/585>
#[test]
fn nats_rs_585_a_gap_check_on_sparse_numbers() {
    let log = log_of(3, [10, 20, 30, 40, 50]); // 10 and 20 are evicted
    for (since, missed) in [(20, false), (25, false), (29, false), (19, true), (9, true)] {
        assert_eq!(log.replay_truncated(since), missed, "since {since}");
        assert_eq!(log.replay(since).coverage().is_complete(), !missed);
    }
    let mut subscription = log.subscribe(20);
    assert_eq!(read(&mut subscription), [Ok(30), Ok(40), Ok(50)]);
    log.append_batch([Tick(1_000), Tick(5_000)]);
    assert_eq!(read(&mut subscription), [Ok(1_000), Ok(5_000)]);
}

/// `recv` looked at the flag that `close` sets, and only then registered for its notification. A
/// `close` between the two notified nobody, and `recv` hung for ever: three times in 365,000 tries.
///
/// Tries with real threads only give the bug a chance to show; the search over interleavings in
/// `shuttle.rs` is the proof.
///
/// <https://docs.rs/sequenced-broadcast/0.3.0/sequenced_broadcast/>
#[test]
fn sequenced_broadcast_0_3_a_close_between_check_and_wait() {
    const TRIES: usize = 20_000;
    let logs: Vec<_> = (0..TRIES)
        .map(|_| EventLog::<Tick>::builder().capacity(1).build().unwrap())
        .collect();
    let subscriptions: Vec<_> = logs.iter().map(|log| log.subscribe(0)).collect();
    let turn = Arc::new(AtomicUsize::new(0));
    let (done, finished) = mpsc::channel();
    let reader = thread::spawn({
        let turn = turn.clone();
        move || {
            for (number, mut subscription) in subscriptions.into_iter().enumerate() {
                turn.store(number + 1, Ordering::Release);
                assert_eq!(subscription.blocking_recv().err(), Some(RecvError::Closed));
            }
            done.send(()).unwrap();
        }
    });
    let closer = thread::spawn(move || {
        for (number, log) in logs.iter().enumerate() {
            while turn.load(Ordering::Acquire) <= number {
                spin_loop();
            }
            // A little later each time, up to where the reader is asleep.
            for _ in 0..number % 128 {
                spin_loop();
            }
            log.close();
        }
        // Dropping a log closes it once more, which would cover up a wake-up that was lost.
        logs
    });
    let outcome = finished.recv_timeout(Duration::from_secs(60));
    assert_eq!(outcome, Ok(()), "a reader was never woken");
    reader.join().unwrap();
    closer.join().unwrap();
}

/// A broker lost its newest events and went on from where it was left. A consumer that stood behind
/// the new end was told `OffsetOutOfRange`; but one that came back after the new history had grown
/// past its offset was told nothing, and had read events that never were. Kafka added the leader's
/// epoch to each offset. Years later an event bus that numbers from 1 after each start did it again.
///
/// <https://cwiki.apache.org/confluence/display/KAFKA/KIP-320%3A+Allow+fetchers+to+detect+and+handle+log+truncation>,
/// <https://github.com/manaflow-ai/cmux/issues/9615>
#[test]
fn kafka_kip_320_a_rewound_history_that_catches_up() {
    let before = log_of(64, 1..=10);
    let mut subscription = before.subscribe(0);
    assert_eq!(read(&mut subscription).len(), 10);
    let cursor = subscription.cursor();

    for newest in [0, 5, 9, 10, 11, 200] {
        let after = log_of(64, 1..=newest);
        assert_eq!(after.replay(cursor).coverage(), Coverage::Foreign);
        let mut resumed = after.subscribe(cursor);
        assert_eq!(resumed.coverage(), Coverage::Foreign, "at {newest}");
        // It gets all that there is, to start anew.
        let retained = newest.min(64);
        let all: Vec<_> = (newest - retained + 1..=newest).map(Ok).collect();
        assert_eq!(read(&mut resumed), all);
    }
    assert_eq!(before.subscribe(cursor).coverage(), Coverage::Complete);
}

/// The same from the other side: a client at 1200 met a server that was rewound to 1001, asked for
/// what came after 1200, and waited, without an error, for events that it took for new.
///
/// <https://github.com/kubernetes/kubernetes/issues/107457>
#[test]
fn kubernetes_107457_a_client_from_the_future() {
    let log = log_of(64, 990..=1_001);
    let ahead = Coverage::Ahead { newest: 1_001 };
    assert_eq!(log.replay(1_200).coverage(), ahead);
    assert_eq!(log.subscribe(1_200).coverage(), ahead);
    assert_eq!(log.replay(1_001).coverage(), Coverage::Complete);
}

#[test]
fn each_reason_to_receive_nothing_says_what_it_is() {
    let texts = [
        TryRecvError::Empty,
        TryRecvError::Lagged(3),
        TryRecvError::Closed,
    ]
    .map(|error| error.to_string());
    assert!(texts[0].contains("no event yet"), "{texts:?}");
    assert!(texts[1].contains('3'), "{texts:?}");
    assert!(texts[2].contains("closed"), "{texts:?}");
    assert_eq!(RecvError::Closed.to_string(), texts[2]);
    assert_eq!(RecvError::Lagged(3).to_string(), texts[1]);
}

#[test]
fn a_replay_says_whether_it_has_events_and_what_is_newest() {
    let log = EventLog::new(None);
    assert!(log.replay(0).is_empty());
    assert_eq!(log.replay(0).newest(), None);
    log.append(Tick(7));
    log.append(Tick(5));
    assert!(!log.replay(0).is_empty());
    let beyond = log.replay(7);
    assert!(beyond.is_empty());
    assert_eq!(beyond.newest(), Some(5));
}
