//! The laws about threads, checked over thousands of interleavings that a scheduler chooses.
//!
//! ```sh
//! .ci/shuttle
//! ```
//!
//! Each scenario runs under random schedules and under schedules with few, well-placed switches
//! (PCT). A thread that is never woken is a deadlock to the scheduler, so a lost wake-up fails at
//! once instead of hanging. Each scenario returns what its readers saw, and the number of distinct
//! sights is printed and demanded: a scenario whose threads never met would prove nothing.
#![cfg(shuttle)]
#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "helpers of tests; and `eprintln!` would be swallowed"
)]

use std::{
    collections::BTreeSet,
    fmt::Debug,
    future::poll_fn,
    io::{Write as _, stderr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Waker},
};

use eventlog::{
    Coverage, EventLog, EventRef, RecvError, Replay, Subscription, TryRecvError, Versioned,
};
use futures_core::Stream;
use shuttle::{
    Config, Runner,
    future::block_on,
    scheduler::{PctScheduler, RandomScheduler},
    thread,
};

/// Schedules of each of the two schedulers.
const SCHEDULES: usize = 10_000;
/// Forced switches in a PCT schedule. The known bugs of this kind need two or three.
const PCT_DEPTH: usize = 3;

#[derive(Clone, Debug, PartialEq)]
struct Tick(u64);

impl Versioned for Tick {
    fn version(&self) -> u64 {
        self.0
    }
}

type Log = Arc<EventLog<Tick>>;

fn log_of(capacity: usize) -> Log {
    Arc::new(EventLog::builder().capacity(capacity).build().unwrap())
}

/// Runs a scenario under both schedulers; `sights` is how many distinct outcomes there must be.
fn explore<S: Ord + Debug + Send + 'static>(name: &str, sights: usize, scenario: fn() -> S) {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let run = {
        let seen = seen.clone();
        move || {
            let sight = scenario();
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(sight);
        }
    };
    let random = Runner::new(RandomScheduler::new(SCHEDULES), Config::new()).run(run.clone());
    let pct = Runner::new(PctScheduler::new(PCT_DEPTH, SCHEDULES), Config::new()).run(run);

    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(
        stderr(),
        "{name}: {random} random + {pct} PCT schedules, {} distinct outcomes",
        seen.len()
    )
    .unwrap();
    assert!(random + pct >= 10_000, "only {} schedules", random + pct);
    assert!(seen.len() >= sights, "the threads hardly met: {seen:?}");
}

/// Two appenders of three events each; the versions say who appended what.
fn two_appenders(log: &Log) -> [thread::JoinHandle<()>; 2] {
    [10, 20].map(|first| {
        let log = log.clone();
        thread::spawn(move || {
            log.append(Tick(first));
            log.append_batch([Tick(first + 1), Tick(first + 2)]);
        })
    })
}

/// Two appenders that number what they append, two events each.
fn two_numberers(log: &Log) -> [thread::JoinHandle<()>; 2] {
    [(); 2].map(|()| {
        let log = log.clone();
        thread::spawn(move || {
            for _ in 0..2 {
                log.append_with(|newest| Tick(newest.map_or(1, |version| version + 1)));
            }
        })
    })
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

/// What a subscriber gets until the log is closed: events, and `None` with a number for a lag.
type Received = Vec<Result<(u64, u64), u64>>;

fn received(event: Result<EventRef<Tick>, RecvError>) -> Option<Result<(u64, u64), u64>> {
    match event {
        Ok(event) => Some(Ok((EventRef::seq(&event).get(), event.0))),
        Err(RecvError::Lagged(events)) => Some(Err(events)),
        Err(RecvError::Closed) => None,
    }
}

fn drain_blocking(mut subscription: Subscription<Tick>) -> Received {
    std::iter::from_fn(|| received(subscription.blocking_recv())).collect()
}

async fn drain_async(mut subscription: Subscription<Tick>) -> Received {
    let mut all = Vec::new();
    while let Some(one) = received(subscription.recv().await) {
        all.push(one);
    }
    all
}

/// What `recv` returns, and how often it had to wait for it.
async fn recv_counting_waits(
    subscription: &mut Subscription<Tick>,
) -> (Result<EventRef<Tick>, RecvError>, usize) {
    let mut waits = 0;
    let event = poll_fn(|context| {
        let polled = subscription.poll_recv(context);
        waits += usize::from(polled.is_pending());
        polled
    })
    .await;
    (event, waits)
}

/// Through the `Stream` implementation.
async fn drain_stream(mut subscription: Subscription<Tick>) -> Received {
    let mut all = Vec::new();
    loop {
        match poll_fn(|context| Pin::new(&mut subscription).poll_next(context)).await {
            Some(Ok(event)) => all.push(Ok((EventRef::seq(&event).get(), event.0))),
            Some(Err(lagged)) => all.push(Err(lagged.0)),
            None => return all,
        }
    }
}

/// The whole history of a log that evicted nothing, as a subscriber would get it.
fn history(log: &Log) -> Received {
    numbered(&log.replay(0))
}

fn numbered(replay: &Replay<Tick>) -> Received {
    replay
        .with_cursors()
        .map(|(cursor, event)| Ok((cursor.seq().get(), event.0)))
        .collect()
}

/// S01: a replay, then a subscription that resumes after it, are the history: each event once, in
/// order, wherever the appends fall between the two.
#[test]
fn s01_a_replay_and_what_follows_it_are_the_history() {
    explore("S01 replay ++ live", 20, || {
        let log = log_of(64);
        let appenders = two_appenders(&log);
        let reader = {
            let log = log.clone();
            thread::spawn(move || {
                let replay = log.replay(0);
                let resumed = log.subscribe(replay.cursor());
                assert_eq!(resumed.coverage(), Coverage::Complete);
                let mut all = numbered(&replay);
                all.extend(drain_blocking(resumed));
                (replay.len(), all)
            })
        };
        let live = log.subscribe(0);
        let live = thread::spawn(move || block_on(drain_async(live)));
        join(appenders);
        log.close();
        let (replayed, all) = reader.join().unwrap();
        assert_eq!(all, history(&log));
        assert_eq!(live.join().unwrap(), history(&log));
        (replayed, all)
    });
}

/// S01, cut: a subscriber that goes away at any point and comes back with its cursor has missed
/// nothing and gets nothing twice (S05).
#[test]
fn s01_a_subscriber_that_comes_back_goes_on_where_it_was() {
    explore("S01/S05 cut and resume", 20, || {
        let log = log_of(64);
        let appenders = two_appenders(&log);
        let reader = {
            let log = log.clone();
            thread::spawn(move || {
                let mut first = log.subscribe(0);
                let mut all = Vec::new();
                while let Ok(event) = first.try_recv() {
                    all.push(Ok((EventRef::seq(&event).get(), event.0)));
                }
                let cut = all.len();
                let cursor = first.cursor();
                drop(first);
                all.extend(drain_blocking(log.subscribe(cursor)));
                (cut, all)
            })
        };
        join(appenders);
        log.close();
        let (cut, all) = reader.join().unwrap();
        assert_eq!(all, history(&log));
        (cut, all)
    });
}

/// S02: in a log of two, a reader that is late is told exactly how late, and then gets an event.
#[test]
fn s02_what_is_delivered_and_what_is_reported_lost_add_up() {
    explore("S02 lag", 4, || {
        let log = log_of(2);
        let subscription = log.subscribe(0);
        let reader = thread::spawn(move || drain_blocking(subscription));
        join(two_numberers(&log));
        log.close();

        let all = reader.join().unwrap();
        let mut next = 1;
        let mut lagged = 0;
        for (at, one) in all.iter().enumerate() {
            match one {
                Ok((seq, version)) => {
                    assert_eq!((*seq, *version), (next, next), "in {all:?}");
                    next += 1;
                }
                Err(events) => {
                    assert!(*events > 0, "an empty notice in {all:?}");
                    assert!(matches!(all.get(at + 1), Some(Ok(_))), "{all:?}");
                    next += events;
                    lagged += events;
                }
            }
        }
        assert_eq!(next, 5, "an event neither came nor was reported: {all:?}");
        assert_eq!(log.stats().lagged, lagged);
        all
    });
}

/// S03: one append wakes a waiting reader of each kind. Nothing closes the log, so no later wake-up
/// can stand in for the one that was lost.
#[test]
fn s03_an_append_wakes_every_waiter() {
    explore("S03 append", 2, || {
        let log = log_of(4);
        let mut blocking = log.subscribe(0);
        let mut polled = log.subscribe(0);
        let blocking = thread::spawn(move || assert_eq!(blocking.blocking_recv().unwrap().0, 1));
        let polled = thread::spawn(move || {
            let (event, waits) = block_on(recv_counting_waits(&mut polled));
            assert_eq!(event.unwrap().0, 1);
            waits
        });
        log.append(Tick(1));
        blocking.join().unwrap();
        polled.join().unwrap()
    });
}

/// S03: so does every append of two appenders, one event after another, and each wake-up is for
/// any reader that waits at that moment.
#[test]
fn s03_two_appenders_wake_every_waiter() {
    explore("S03 two appenders", 4, || {
        let log = log_of(64);
        let subscription = log.subscribe(0);
        let reader = thread::spawn(move || {
            let mut subscription = subscription;
            (0..4)
                .map(|_| subscription.blocking_recv().unwrap().0)
                .collect::<Vec<_>>()
        });
        let appenders = [10, 20].map(|first| {
            let log = log.clone();
            thread::spawn(move || {
                log.append(Tick(first));
                log.append(Tick(first + 1));
            })
        });
        let got = reader.join().unwrap();
        join(appenders);
        got
    });
}

/// S03: readers that come, wait and go take no one else's place, before a wake-up or after it.
#[test]
fn s03_readers_that_go_take_no_wake_up_along() {
    explore("S03 come and go", 4, || {
        let log = log_of(4);
        let guests = [(); 2].map(|()| {
            let log = log.clone();
            thread::spawn(move || {
                let mut guest = log.subscribe(0);
                let mut context = Context::from_waker(Waker::noop());
                guest.poll_recv(&mut context).is_ready()
            })
        });
        let mut stays = log.subscribe(0);
        let stays = thread::spawn(move || {
            let (first, waits) = block_on(recv_counting_waits(&mut stays));
            assert_eq!(first.unwrap().0, 1);
            let (second, more) = block_on(recv_counting_waits(&mut stays));
            assert_eq!(second.unwrap().0, 2);
            (waits, more)
        });
        log.append(Tick(1));
        log.append(Tick(2));
        let saw = guests.map(|guest| guest.join().unwrap());
        (saw, stays.join().unwrap())
    });
}

/// S03: `close` wakes readers of every kind, also those that were just about to wait.
#[test]
fn s03_close_wakes_every_waiter() {
    explore("S03 close", 2, || {
        let log = log_of(4);
        let (blocking, streamed) = (log.subscribe(0), log.subscribe(0));
        let mut polled = log.subscribe(0);
        let others = [
            thread::spawn(move || assert_eq!(drain_blocking(blocking), [])),
            thread::spawn(move || assert_eq!(block_on(drain_stream(streamed)), [])),
        ];
        let polled = thread::spawn(move || {
            let (event, waits) = block_on(recv_counting_waits(&mut polled));
            assert_eq!(event.err(), Some(RecvError::Closed));
            waits
        });
        log.close();
        join(others);
        polled.join().unwrap()
    });
}

/// S06: what was appended before `close` is delivered, what is appended after it is not, to a
/// reader that is at the tip, that waits, or that fell behind.
#[test]
fn s06_close_is_one_point_in_the_history() {
    explore("S06 close", 3, || {
        let log = log_of(2);
        let subscription = log.subscribe(0);
        let reader = thread::spawn(move || drain_blocking(subscription));
        log.append(Tick(1));
        log.append(Tick(2));
        log.close();
        log.append(Tick(3));
        log.append(Tick(4));
        let all = reader.join().unwrap();
        let until_close: u64 = all.iter().map(|one| one.map_or_else(|n| n, |_| 1)).sum();
        assert_eq!(until_close, 2, "{all:?}");
        assert!(all.iter().flatten().all(|(seq, _)| *seq <= 2), "{all:?}");
        all
    });
}

/// R06: with versions numbered from 1, each part of a replay can be computed from each other part.
/// Were they of different instants, they would disagree.
#[test]
fn r06_a_replay_is_of_one_instant() {
    explore("R06 replay", 5, || {
        let log = log_of(2);
        let appenders = two_numberers(&log);
        let reader = {
            let log = log.clone();
            thread::spawn(move || {
                let replay = log.replay(0);
                let versions: Vec<u64> = replay.iter().map(|tick| tick.0).collect();
                let newest = replay.newest().unwrap_or(0);
                let oldest = newest.saturating_sub(2);
                assert_eq!(versions, (oldest + 1..=newest).collect::<Vec<_>>());
                assert_eq!(replay.len(), versions.len());
                assert_eq!(replay.cursor().seq().get(), newest);
                assert_eq!(replay.cursor().version(), newest);
                let coverage = match oldest {
                    0 => Coverage::Complete,
                    missed_through => Coverage::Truncated {
                        missed_through,
                        missed: None,
                    },
                };
                assert_eq!(replay.coverage(), coverage);
                // Nothing that happens later changes it.
                log.append_with(|newest| Tick(newest.map_or(1, |version| version + 1)));
                assert!(replay.iter().map(|tick| tick.0).eq(versions));
                newest
            })
        };
        join(appenders);
        reader.join().unwrap()
    });
}

/// R06 for a subscription: what it says it misses ends right before what it delivers or reports
/// as lost.
#[test]
fn r06_a_subscription_starts_where_its_coverage_ends() {
    explore("R06 subscribe", 6, || {
        let log = log_of(1);
        let appenders = two_numberers(&log);
        let reader = {
            let log = log.clone();
            thread::spawn(move || {
                let mut subscription = log.subscribe(0);
                let missed = match subscription.coverage() {
                    Coverage::Complete => 0,
                    Coverage::Truncated { missed_through, .. } => missed_through,
                    other => panic!("{other:?}"),
                };
                let lost = match subscription.try_recv() {
                    Ok(first) => {
                        assert_eq!(first.0, missed + 1);
                        0
                    }
                    Err(TryRecvError::Lagged(events)) => {
                        assert_eq!(subscription.try_recv().unwrap().0, missed + events + 1);
                        events
                    }
                    Err(TryRecvError::Empty) => {
                        assert_eq!(missed, 0);
                        return (0, 0);
                    }
                    Err(TryRecvError::Closed) => panic!("nobody closed the log"),
                };
                (missed, lost)
            })
        };
        join(appenders);
        reader.join().unwrap()
    });
}

/// A batch is in a replay whole or not at all, and in one piece.
#[test]
fn r06_a_batch_is_seen_whole_or_not_at_all() {
    explore("R06 batch", 4, || {
        let log = log_of(64);
        let appenders = [10, 20].map(|first| {
            let log = log.clone();
            thread::spawn(move || {
                log.append_batch([Tick(first), Tick(first + 1), Tick(first + 2)]);
            })
        });
        let reader = {
            let log = log.clone();
            thread::spawn(move || {
                let replay = log.replay(0);
                let versions: Vec<u64> = replay.iter().map(|tick| tick.0).collect();
                for batch in versions.chunks(3) {
                    assert_eq!(
                        batch,
                        [batch[0], batch[0] + 1, batch[0] + 2],
                        "{versions:?}"
                    );
                }
                versions
            })
        };
        join(appenders);
        assert_eq!(log.replay(0).len(), 6);
        reader.join().unwrap()
    });
}

/// Producers that number their events with `append_with` need no lock of their own.
#[test]
fn append_with_numbers_without_a_race() {
    explore("append_with", 2, || {
        let log = log_of(64);
        let appenders = two_numberers(&log);
        // A third appender that goes by the same numbers, and says which one it got.
        let seq = log.append_with(|newest| Tick(newest.map_or(1, |version| version + 1)));
        join(appenders);
        let versions: Vec<u64> = log.replay(0).iter().map(|tick| tick.0).collect();
        assert_eq!(versions, [1, 2, 3, 4, 5]);
        seq
    });
}
