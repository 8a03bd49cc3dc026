//! S07: a writer's subscription delivers what is stored, and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

use eventlog::disk::DiskWriter;
use eventlog::{Coverage, EventLog, RecvError, Seq, Start, Subscription, TryRecvError, Versioned};

use crate::account::{
    Event, PANICS, PATIENCE, REFUSES, append_all, config, event, exited, scripted, stick,
};
use crate::handles::block_on;
use crate::script::{Script, Step};

/// What is there by now: versions, and how many events are told as lost; and why that is all.
pub fn drain(subscription: &mut Subscription<Event>) -> (Vec<Result<u64, u64>>, TryRecvError) {
    let mut got = Vec::new();
    loop {
        match subscription.try_recv() {
            Ok(event) => got.push(Ok(event.version())),
            Err(TryRecvError::Lagged(lost)) => {
                assert_ne!(lost, 0, "nothing is told as lost");
                got.push(Err(lost));
            }
            Err(error) => return (got, error),
        }
    }
}

fn versions(range: std::ops::RangeInclusive<u64>) -> Vec<Result<u64, u64>> {
    range.map(Ok).collect()
}

#[test]
fn s07_nothing_is_delivered_before_it_is_stored() {
    let (log, writer, remote) = scripted(64, &config("s07-before"));
    let mut early = writer.subscribe(Start::Oldest);
    stick(&log, &remote, event(1));
    append_all(&log, (2..=5).map(event));
    let mut late = writer.subscribe(0);
    for subscription in [&mut early, &mut late] {
        assert_eq!(drain(subscription), (vec![], TryRecvError::Empty));
        assert!(subscription.is_live(), "nothing was stored when it began");
        assert_eq!(subscription.coverage(), Coverage::Complete);
    }
    assert_eq!(log.events_since(0).len(), 5, "the log itself has them");
    remote.then(Step::FailSync);
    remote.then(Step::Stall);
    remote.release();
    remote.wait_stalled();
    assert_eq!(drain(&mut early).0, [], "a sync that failed stores nothing");
    remote.release();
    writer.blocking_flush(PATIENCE).unwrap();
    for subscription in [&mut early, &mut late] {
        assert_eq!(drain(subscription), (versions(1..=5), TryRecvError::Empty));
        assert_eq!(subscription.cursor(), log.cursor());
    }
}

#[test]
fn s07_every_start_counts_from_what_is_stored() {
    let (log, writer, remote) = scripted(64, &config("s07-starts"));
    append_all(&log, (1..=4).map(event));
    let stored = log.cursor();
    writer.blocking_flush(PATIENCE).unwrap();
    stick(&log, &remote, event(5));
    append_all(&log, (6..=8).map(event));
    let ahead = log.cursor();
    let after = |version| Start::After(version);
    let newest = 8;
    // Those who have seen what is not stored yet get what comes after it, once that is stored.
    let cases = [
        (Start::Oldest, Coverage::Complete, 1, false),
        (Start::Now, Coverage::Complete, 5, true),
        (after(0), Coverage::Complete, 1, false),
        (after(2), Coverage::Complete, 3, false),
        (after(4), Coverage::Complete, 5, true),
        (after(6), Coverage::Complete, 7, true),
        (after(9), Coverage::Ahead { newest }, 9, true),
        (Start::Cursor(stored), Coverage::Complete, 5, true),
        (Start::Cursor(ahead), Coverage::Complete, 9, true),
    ];
    let mut subscriptions: Vec<_> = cases
        .iter()
        .map(|(start, ..)| writer.subscribe(*start))
        .collect();
    for ((start, coverage, first, live), subscription) in cases.iter().zip(&mut subscriptions) {
        assert_eq!(subscription.coverage(), *coverage, "{start:?}");
        assert_eq!(subscription.is_live(), *live, "{start:?}");
        let expected = (versions(*first..=4), TryRecvError::Empty);
        assert_eq!(drain(subscription), expected, "{start:?}");
        assert!(subscription.is_live(), "{start:?}");
    }
    remote.release();
    writer.blocking_flush(PATIENCE).unwrap();
    for ((start, _, first, _), mut subscription) in cases.iter().zip(subscriptions) {
        let rest = versions(*first.max(&5)..=8);
        assert_eq!(drain(&mut subscription).0, rest, "{start:?}");
    }
}

/// The search for a place once looked past what is stored, and panicked.
#[test]
fn s07_versions_that_fall_after_what_is_stored_do_not_matter() {
    let (log, writer, remote) = scripted(64, &config("s07-falls"));
    append_all(&log, [1, 20, 30].map(event));
    writer.blocking_flush(PATIENCE).unwrap();
    stick(&log, &remote, event(5));
    append_all(&log, [40, 15, 50].map(event));
    for (since, expected) in [(0, vec![1, 20, 30]), (1, vec![20, 30]), (30, vec![])] {
        let mut subscription = writer.subscribe(since);
        assert_eq!(subscription.coverage(), Coverage::Complete, "{since}");
        let expected: Vec<_> = expected.into_iter().map(Ok).collect();
        assert_eq!(drain(&mut subscription).0, expected, "{since}");
    }
    remote.release();
}

#[test]
fn s07_what_is_lost_comes_as_lagged_with_the_exact_count() {
    let (log, writer, remote) = scripted(4, &config("s07-lost").backlog_events(0));
    let mut subscription = writer.subscribe(0);
    log.append(event(1));
    append_all(&log, [exited(2, REFUSES), exited(3, REFUSES), event(4)]);
    writer.blocking_flush(PATIENCE).unwrap_err();
    let got = [Ok(1), Err(2), Ok(4)];
    assert_eq!(
        drain(&mut subscription),
        (got.to_vec(), TryRecvError::Empty)
    );
    // The backlog overflows: 6..=16 have no line, and 17..=20 do.
    stick(&log, &remote, event(5));
    append_all(&log, (6..=20).map(event));
    assert_eq!(drain(&mut subscription), (vec![], TryRecvError::Empty));
    remote.release();
    writer.blocking_flush(PATIENCE).unwrap_err();
    // Event 5 is stored, but the ring has evicted it meanwhile.
    let got = [Err(12), Ok(17), Ok(18), Ok(19), Ok(20)];
    assert_eq!(
        drain(&mut subscription),
        (got.to_vec(), TryRecvError::Empty)
    );
}

#[test]
fn s07_a_loss_at_the_end_is_told_when_its_gap_line_is_stored() {
    let (log, writer, remote) = scripted(64, &config("s07-end"));
    let mut subscription = writer.subscribe(0);
    remote.then(Step::KeepThenFailWrite(2));
    remote.then(Step::Stall);
    log.append_batch([event(1), event(2), exited(3, REFUSES), exited(4, PANICS)]);
    remote.wait_stalled();
    let got = drain(&mut subscription);
    assert_eq!(got, (versions(1..=2), TryRecvError::Empty));
    remote.release();
    writer.blocking_flush(PATIENCE).unwrap_err();
    let got = drain(&mut subscription);
    assert_eq!(got, (vec![Err(2)], TryRecvError::Empty));
    log.append(event(5));
    writer.blocking_flush(PATIENCE).unwrap();
    assert_eq!(drain(&mut subscription).0, [Ok(5)]);
}

#[test]
fn s07_what_the_ring_evicts_before_it_is_read_comes_as_lagged() {
    let (log, writer, _remote) = scripted(4, &config("s07-evicted"));
    log.append(event(1));
    writer.blocking_flush(PATIENCE).unwrap();
    let mut subscription = writer.subscribe(0);
    assert!(!subscription.is_live());
    for version in 2..=11 {
        log.append(event(version));
        writer.blocking_flush(PATIENCE).unwrap();
    }
    assert_eq!(subscription.try_recv().err(), Some(TryRecvError::Lagged(7)));
    assert!(!subscription.is_live(), "the event after the notice is due");
    assert_eq!(drain(&mut subscription).0, versions(8..=11));
    assert!(subscription.is_live());

    // Events evicted while they waited to be stored are there for the writer, not for readers.
    for version in 12..=19 {
        log.append(event(version));
        writer.blocking_flush(PATIENCE).unwrap();
    }
    assert_eq!(subscription.try_recv().err(), Some(TryRecvError::Lagged(4)));
    assert!(subscription.is_live(), "never false again");
    assert_eq!(drain(&mut subscription).0, versions(16..=19));
}

#[test]
fn s07_an_eviction_past_what_is_stored_is_told_no_further_than_that() {
    let (log, writer, remote) = scripted(4, &config("s07-stalled"));
    append_all(&log, (1..=2).map(event));
    writer.blocking_flush(PATIENCE).unwrap();
    let mut subscription = writer.subscribe(0);
    stick(&log, &remote, event(3));
    append_all(&log, (4..=12).map(event)); // the ring has 9..=12
    let got = drain(&mut subscription);
    assert_eq!(got, (vec![Err(2)], TryRecvError::Empty));
    remote.release();
    writer.blocking_flush(PATIENCE).unwrap();
    let mut expected = vec![Err(6)];
    expected.extend(versions(9..=12));
    assert_eq!(drain(&mut subscription), (expected, TryRecvError::Empty));
}

#[test]
fn s07_a_batch_ends_where_the_stored_ends_or_a_loss_begins() {
    let (log, writer, remote) = scripted(64, &config("s07-batch"));
    append_all(&log, [event(1), event(2), exited(3, REFUSES), event(4)]);
    writer.blocking_flush(PATIENCE).unwrap_err();
    remote.then(Step::KeepThenFailWrite(2));
    remote.then(Step::Stall);
    log.append_batch((5..=9).map(event));
    remote.wait_stalled();
    let mut subscription = writer.subscribe(0);
    let versions = |subscription: &mut Subscription<Event>| {
        let batch = subscription.try_recv_batch()?;
        Ok(batch.iter().map(Versioned::version).collect::<Vec<_>>())
    };
    assert_eq!(versions(&mut subscription), Ok(vec![1, 2]));
    assert_eq!(versions(&mut subscription), Err(TryRecvError::Lagged(1)));
    assert_eq!(versions(&mut subscription), Ok(vec![4, 5, 6]));
    assert_eq!(versions(&mut subscription), Err(TryRecvError::Empty));
    remote.release();
    writer.blocking_flush(PATIENCE).unwrap();
    // The first segment, which is short, ends in between.
    assert_eq!(versions(&mut subscription), Ok(vec![7]));
    assert_eq!(versions(&mut subscription), Ok(vec![8, 9]));
}

#[test]
fn s07_skipping_to_the_newest_goes_to_the_newest_that_is_stored() {
    let (log, writer, remote) = scripted(64, &config("s07-skip"));
    append_all(&log, (1..=4).map(event));
    writer.blocking_flush(PATIENCE).unwrap();
    let stored = log.cursor();
    let mut subscription = writer.subscribe(0);
    stick(&log, &remote, event(5));
    log.append(event(6));
    assert_eq!(subscription.skip_to_newest(), 4);
    assert_eq!(
        (subscription.cursor(), subscription.is_live()),
        (stored, true)
    );
    assert_eq!(subscription.skip_to_newest(), 0);
    remote.release();
    writer.blocking_flush(PATIENCE).unwrap();
    assert_eq!(drain(&mut subscription).0, versions(5..=6));
}

#[test]
fn s07_closing_the_log_ends_it_once_all_that_came_before_is_stored_and_delivered() {
    let (log, writer, remote) = scripted(64, &config("s07-close"));
    let mut subscription = writer.subscribe(0);
    stick(&log, &remote, event(1));
    log.append(event(2));
    log.close();
    log.append(event(3));
    assert_eq!(drain(&mut subscription), (vec![], TryRecvError::Empty));
    remote.release();
    writer.blocking_flush(PATIENCE).unwrap();
    assert_eq!(
        drain(&mut subscription),
        (versions(1..=2), TryRecvError::Closed)
    );
}

/// Those of one writer do not learn of it from another that started later.
#[test]
fn s07_closing_the_log_wakes_the_subscribers_of_every_writer() {
    let (log, writer, _remote) = scripted(64, &config("s07-first"));
    append_all(&log, [event(1)]);
    let mut subscription = writer.subscribe(0);
    let (tell, told) = mpsc::channel();
    let waiting = thread::spawn(move || {
        while subscription.blocking_recv().is_ok() {
            tell.send("got").unwrap();
        }
        tell.send("closed").unwrap();
    });
    assert_eq!(told.recv_timeout(PATIENCE), Ok("got"));
    let (script, _) = Script::new();
    let other = config("s07-second").writer().clone();
    let other = DiskWriter::spawn_to(&log, other, script).unwrap();
    log.close();
    assert_eq!(told.recv_timeout(PATIENCE), Ok("closed"));
    waiting.join().unwrap();
    drop((writer, other));
}

/// What was lost after the end was once counted too.
#[test]
fn s07_a_loss_that_reaches_past_the_end_of_the_log_is_counted_up_to_there() {
    let (log, writer, remote) = scripted(64, &config("s07-past"));
    let mut subscription = writer.subscribe(0);
    stick(&log, &remote, event(1));
    append_all(&log, [exited(2, REFUSES), exited(3, REFUSES)]);
    log.close();
    append_all(&log, [exited(4, REFUSES), exited(5, REFUSES), event(6)]);
    remote.release();
    writer.blocking_flush(PATIENCE).unwrap_err();
    assert_eq!(
        drain(&mut subscription),
        (vec![Ok(1), Err(2)], TryRecvError::Closed)
    );
}

/// Losses whose gap line was never stored were once told as none, again and again.
#[test]
fn s07_a_writer_that_ends_ends_it_once_all_that_is_stored_is_delivered() {
    for way in ["drop", "shutdown", "panic", "gives up"] {
        let config = config("s07-ends").drop_timeout(Duration::ZERO);
        let (log, writer, remote) = scripted(64, &config);
        append_all(&log, (1..=2).map(event));
        writer.blocking_flush(PATIENCE).unwrap();
        let mut subscription = writer.subscribe(0);
        let never = writer.stored(Seq::new(99));
        if matches!(way, "panic" | "gives up") {
            remote.then(Step::Stall);
            log.append_batch([exited(3, REFUSES), exited(4, REFUSES), event(5)]);
            remote.wait_stalled();
            remote.then(if way == "panic" {
                Step::Panic
            } else {
                Step::FailWrite
            });
        }
        if way == "shutdown" {
            writer.blocking_shutdown(PATIENCE).unwrap();
        }
        drop(writer);
        remote.release();
        block_on(never).unwrap_err();
        let got = [(); 2].map(|()| drain(&mut subscription));
        let end = TryRecvError::Closed;
        assert_eq!(got, [(versions(1..=2), end), (vec![], end)], "{way}");
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

type Poll1 = Poll<Result<u64, RecvError>>;

fn poll(subscription: &mut Subscription<Event>, woken: &Arc<Woken>) -> Poll1 {
    let waker = Waker::from(woken.clone());
    let polled = subscription.poll_recv(&mut Context::from_waker(&waker));
    polled.map(|got| got.map(|event| event.version()))
}

#[test]
fn s07_a_thousand_subscribers_wait_and_are_woken_when_it_is_stored() {
    let (log, writer, remote) = scripted(64, &config("s07-thousand"));
    stick(&log, &remote, event(1));
    let mut waiting: Vec<_> = (0..1000)
        .map(|_| (writer.subscribe(0), Arc::new(Woken::default())))
        .collect();
    for (subscription, woken) in &mut waiting {
        assert_eq!(poll(subscription, woken), Poll::Pending);
    }
    // An append wakes none of them.
    log.append(event(2));
    assert!(
        waiting
            .iter()
            .all(|(_, woken)| !woken.0.load(Ordering::SeqCst))
    );
    drop(waiting.split_off(999));
    remote.release();
    // Wakers are called in the order of what they wait for, and this comes last.
    log.append(event(3));
    writer.blocking_flush(PATIENCE).unwrap();
    for (subscription, woken) in &mut waiting {
        assert!(woken.0.load(Ordering::SeqCst));
        assert_eq!(drain(subscription), (versions(1..=3), TryRecvError::Empty));
    }
    assert_eq!(log.stats().subscribers, 999);
}

#[test]
fn s07_whoever_waits_is_woken_by_the_ends_of_the_log_and_of_the_writer() {
    for way in ["close", "drop the log", "shutdown", "panic"] {
        let (log, writer, remote) = scripted(64, &config("s07-woken"));
        let mut subscription = writer.subscribe(Start::Now);
        let woken = Arc::new(Woken::default());
        assert_eq!(poll(&mut subscription, &woken), Poll::Pending);
        match way {
            "close" => log.close(),
            "drop the log" => drop(Arc::into_inner(log).unwrap()),
            "shutdown" => drop(writer.blocking_shutdown(PATIENCE).unwrap()),
            _ => {
                remote.then(Step::Panic);
                let seq = log.append(event(1));
                writer.blocking_stored(seq).unwrap_err();
            }
        }
        assert!(woken.0.load(Ordering::SeqCst), "{way}");
        assert_eq!(
            poll(&mut subscription, &woken),
            Poll::Ready(Err(RecvError::Closed)),
            "{way}"
        );
    }
}

#[test]
fn s07_threads_and_tasks_get_everything_while_it_is_being_stored() {
    const EVENTS: u64 = 2000;
    let (log, writer, _remote) = scripted(4096, &config("s07-live"));
    thread::scope(|scope| {
        for blocking in [true, false] {
            let mut subscription = writer.subscribe(0);
            scope.spawn(move || {
                for version in 1..=EVENTS {
                    let got = if blocking {
                        subscription.blocking_recv()
                    } else {
                        block_on(subscription.recv())
                    };
                    assert_eq!(got.map(|event| event.version()), Ok(version));
                }
            });
        }
        append_all(&log, (1..=EVENTS).map(event));
    });
}

/// The log's own subscriptions keep the same promise.
#[test]
fn s08_a_subscription_that_is_live_is_so_also_when_it_lags() {
    let log = EventLog::builder().capacity(2).build().unwrap();
    let mut subscription = log.subscribe(0);
    assert!(subscription.is_live());
    append_all(&log, (1..=5).map(event));
    assert_eq!(subscription.try_recv().err(), Some(TryRecvError::Lagged(3)));
    assert!(subscription.is_live());
    assert_eq!(drain(&mut subscription).0, versions(4..=5));
}
