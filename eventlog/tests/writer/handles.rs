//! W11 and the handle: `durable`, `flush`, `shutdown`, and the order of writers on one log.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use eventlog::disk::{DiskConfig, DiskWriter, NotStored, SyncPolicy};
use eventlog::{EventLog, Seq, TryRecvError, Versioned as _};

use crate::account::{
    Event, GATES, HELD, PATIENCE, SYNCED, account, append_all, config, event, exited, missing_of,
    range, scripted, stick,
};
use crate::script::{Script, Step};

/// A wait that no test can afford.
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn w11_flush_says_exactly_what_is_not_durable_at_the_deadline() {
    let (log, writer, remote) = scripted(64, &config("w11-flush"));
    log.append_batch((1..=3).map(event));
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(3)));
    remote.stall();
    log.append_batch((4..=10).map(event));
    let missing = vec![range(4, 10)];
    let flushed = writer.blocking_flush(Duration::from_millis(5));
    assert_eq!(missing_of(flushed), missing);
    remote.release();
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(10)));
}

#[tokio::test]
async fn w11_flush_can_be_awaited() {
    let (log, writer, remote) = scripted(64, &config("w11-awaited"));
    log.append_batch((1..=3).map(event));
    assert_eq!(writer.flush().await, Ok(Seq::new(3)));
    assert_eq!(remote.durable().len(), 3);
}

#[test]
fn w11_what_was_lost_and_what_is_to_come_are_told_apart() {
    let (log, writer, remote) = scripted(2, &config("w11-both").backlog_events(0));
    stick(&log, &remote, event(1));
    log.append_batch((2..=9).map(event)); // of these the ring keeps 8 and 9
    remote.then(Step::Stall);
    remote.release();
    remote.wait_stalled();
    let error = writer.blocking_flush(Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("1..=9"), "{error}");
    let missing = vec![range(1, 9)];
    assert_eq!(missing_of(Err(error)), missing, "nothing is settled yet");
    remote.release();
    let missing = vec![range(2, 7)];
    assert_eq!(missing_of(writer.blocking_flush(PATIENCE)), missing);
}

#[tokio::test]
async fn w11_shutdown_is_bounded_by_its_caller_and_a_second_one_joins_it() {
    let (log, writer, remote) = scripted(64, &config("w11-shutdown"));
    let seq = log.append(event(1));
    assert_eq!(writer.durable(seq).await, Ok(SYNCED));
    remote.stall();
    log.append_batch([event(2), event(3)]);
    let waits = writer.durable(Seq::new(3));
    let ended = tokio::time::timeout(Duration::from_millis(5), writer.shutdown()).await;
    assert!(ended.is_err(), "the caller's time is up, not the writer's");
    assert_eq!(writer.missing(), Some(range(2, 3)));
    // The thread comes out of the stall, completes what it was in, and ends.
    remote.release();
    assert_eq!(waits.await, Ok(SYNCED));
    assert_eq!(writer.shutdown().await, Ok(Seq::new(3)));
    assert_eq!(writer.missing(), None);
}

#[test]
fn w11_shutdown_says_what_is_missing_when_its_timeout_has_passed() {
    let (log, writer, remote) = scripted(64, &config("w11-timeout"));
    stick(&log, &remote, event(1));
    log.append_batch([event(2), event(3)]);
    let error = writer
        .blocking_shutdown(Duration::from_millis(5))
        .unwrap_err();
    assert!(error.to_string().contains("5ms have passed"), "{error}");
    assert_eq!(missing_of(Err(error)), [range(1, 3)]);
    remote.release();
    assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(Seq::new(3)));
}

/// A disk that was full and has room again was not tried again before the deadline, because the
/// pause between two attempts had grown longer than the time left.
#[test]
fn w11_shutdown_goes_on_trying_until_the_deadline() {
    let config = config("w11-trying").retry_max(HOUR);
    let (log, writer, remote) = scripted(64, &config);
    for _ in 0..25 {
        remote.then(Step::FailWrite);
    }
    log.append(event(1));
    // Each flush cuts the pause short, and the next is twice as long: 2^22 ms in the end.
    while remote.lock().failures < 22 {
        let failures = remote.lock().failures;
        writer.blocking_flush(Duration::ZERO).unwrap_err();
        remote.wait("another attempt", |state| state.failures > failures);
    }
    assert_eq!(writer.blocking_shutdown(PATIENCE / 2), Ok(Seq::new(1)));
}

/// While events kept coming, `shutdown` went on writing them until its deadline.
#[test]
fn w11_shutdown_covers_what_came_before_it_and_nothing_more() {
    let (log, writer, _remote) = scripted(64, &config("w11-more"));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut version = 0;
            while !done.load(Ordering::Relaxed) {
                version += 1;
                log.append(event(version));
            }
        });
        writer.blocking_durable(Seq::new(1000)).unwrap();
        let began = Instant::now();
        let _ = writer.blocking_shutdown(PATIENCE);
        let took = began.elapsed();
        done.store(true, Ordering::Relaxed);
        assert!(took < PATIENCE / 2, "{took:?}");
    });
}

#[test]
fn w11_a_drop_timeout_of_zero_drains_without_waiting() {
    let config = config("w11-drop").drop_timeout(Duration::ZERO);
    let (log, writer, remote) = scripted(64, &config);
    stick(&log, &remote, event(1));
    log.append(event(2));
    let (last, never) = (writer.durable(Seq::new(2)), writer.durable(Seq::new(3)));
    drop(writer);
    remote.release();
    remote.wait("both lines", |state| state.durable.len() == 2);
    assert_eq!(block_on(last), Ok(SYNCED));
    assert!(block_on(never).is_err(), "and its thread ends");
}

/// More than the writer takes from the ring at a time.
#[test]
fn w11_the_end_covers_any_number_of_events() {
    let (log, writer, remote) = scripted(32_768, &config("w11-many"));
    stick(&log, &remote, event(1));
    log.append_batch((2..=30_000).map(event));
    drop(writer);
    remote.release();
    remote.wait("every line", |state| state.durable.len() == 30_000);
}

/// `Instant + Duration` panics on overflow.
#[test]
fn a_deadline_may_be_as_far_away_as_a_duration_reaches() {
    let (log, writer, _remote) = scripted(64, &config("far-deadline"));
    let seq = log.append(event(1));
    assert_eq!(writer.blocking_flush(Duration::MAX), Ok(seq));
    assert_eq!(writer.blocking_shutdown(Duration::MAX), Ok(seq));
}

/// A waker that tells whether it was used.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A server answered from the log and then followed its writer, which was not that far yet: the
/// client got the events between the two places twice.
#[test]
fn s01_a_writer_behind_the_cursor_repeats_nothing() {
    let (log, writer, remote) = scripted(64, &config("s01-cursor"));
    stick(&log, &remote, event(1));
    log.append_batch((2..=5).map(event));
    let mut subscription = writer.subscribe(log.cursor());
    assert!(subscription.coverage().is_complete());
    assert_eq!(subscription.try_recv().err(), Some(TryRecvError::Empty));
    assert_eq!(subscription.skip_to_newest(), 0);
    assert_eq!(subscription.cursor(), log.cursor());
    remote.release();
    log.append(event(6));
    assert_eq!(subscription.blocking_recv().unwrap().version(), 6);
    assert_eq!(subscription.try_recv().err(), Some(TryRecvError::Empty));
}

#[test]
fn several_waits_for_one_event_do_not_take_each_others_place() {
    let (log, writer, remote) = scripted(64, &config("several"));
    let seq = stick(&log, &remote, event(1));
    let wakers: Vec<_> = (0..3).map(|_| Arc::new(Woken::default())).collect();
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(writer.durable(seq))).collect();
    for (wait, woken) in waits.iter_mut().zip(&wakers) {
        let waker = Waker::from(woken.clone());
        let poll = wait.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
    }
    drop(waits.remove(1));
    remote.release();
    // Wakers are called in the order of what they wait for, and this comes last.
    log.append(event(2));
    writer.blocking_flush(PATIENCE).unwrap();
    let woken = wakers.iter().map(|woken| woken.0.load(Ordering::SeqCst));
    assert_eq!(woken.collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn durable_may_be_dropped_and_asked_again_without_a_trace() {
    let (log, writer, remote) = scripted(64, &config("cancel"));
    let seq = stick(&log, &remote, event(1));
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    for _ in 0..100 {
        let mut waits = Box::pin(writer.durable(seq));
        assert!(waits.as_mut().poll(&mut context).is_pending());
        assert!(
            waits.as_mut().poll(&mut context).is_pending(),
            "polling twice is one waiter"
        );
    }
    assert_eq!(
        Arc::strong_count(&woken),
        2,
        "dropped futures leave no waker behind"
    );
    let mut waits = Box::pin(writer.durable(seq));
    assert!(waits.as_mut().poll(&mut context).is_pending());
    remote.release();
    // Wakers are called in the order of what they wait for, and this comes last.
    log.append(event(2));
    writer.blocking_flush(PATIENCE).unwrap();
    assert!(
        woken.0.load(Ordering::SeqCst),
        "the one that was not dropped is woken"
    );
    assert_eq!(waits.as_mut().poll(&mut context), Poll::Ready(Ok(SYNCED)));
}

#[test]
fn durable_waits_for_an_event_that_is_not_appended_yet() {
    let (log, writer, _remote) = scripted(64, &config("not-yet"));
    let waits = writer.durable(Seq::new(2));
    log.append(event(1));
    log.append(event(2));
    assert_eq!(block_on(waits), Ok(SYNCED));
    let never = writer.durable(Seq::new(3));
    let settled = writer.blocking_shutdown(PATIENCE).unwrap();
    let stopped = NotStored::Stopped {
        seq: Seq::new(3),
        settled,
    };
    assert_eq!(
        block_on(never),
        Err(stopped),
        "and is told when the writer ends"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_tasks_that_await_each_of_their_events_share_commits() {
    const GATE: i32 = HELD - 2;
    let directory = tempfile::tempdir().unwrap();
    let log = Arc::new(EventLog::new(None));
    let config = DiskConfig::new(directory.path().join("x.log"));
    let writer = Arc::new(DiskWriter::spawn(&log, config.clone()).unwrap());
    // The writer comes to the first event of each task when all are there: one that is faster than
    // they are has nothing to share.
    let first = exited(1, GATE);
    log.append(first.clone());
    GATES.wait_held(GATE);
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (log, writer) = (log.clone(), writer.clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..20 {
                let seq = log.append_with(|newest| event(newest.unwrap_or(0) + 1));
                writer.durable(seq).await.unwrap();
            }
        }));
    }
    while log.stats().appended < 17 {
        tokio::task::yield_now().await;
    }
    GATES.open(GATE);
    for task in tasks {
        task.await.unwrap();
    }
    let text = std::fs::read_to_string(config.path()).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
    let history: Vec<_> = [first].into_iter().chain((2..=321).map(event)).collect();
    assert_eq!(account(&lines, &history), []);
    assert!(writer.stats().commits < 320, "{:?}", writer.stats());
}

#[test]
fn what_comes_during_a_commit_is_one_batch() {
    let (log, writer, remote) = scripted(4096, &config("group"));
    stick(&log, &remote, event(1));
    append_all(&log, (2..=1000).map(event));
    remote.release();
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(1000)));
    assert_eq!(writer.stats().commits, 2);
}

/// A commit that takes long is one that everybody waits for.
#[test]
fn a_batch_is_closed_at_4_mib_and_the_next_begins_empty() {
    let (log, writer, remote) = scripted(64, &config("batches"));
    let commits_of = |events: Vec<Event>| {
        let before = writer.stats().commits;
        stick(&log, &remote, event(1));
        log.append_batch(events);
        remote.release();
        writer.blocking_flush(PATIENCE).unwrap();
        writer.stats().commits - before
    };
    let large = |version| Event::Started {
        version,
        name: "x".repeat(1 << 20),
    };
    assert_eq!(commits_of((2..=11).map(large).collect()), 1 + 3);
    assert_eq!(commits_of((2..=40).map(event).collect()), 1 + 1);
}

#[test]
fn an_interval_delays_the_sync_until_it_has_passed_or_a_flush() {
    let config = config("interval").sync(SyncPolicy::Interval(HOUR));
    let (log, writer, remote) = scripted(64, &config);
    log.append(event(1));
    remote.wait("the line to be written", |state| state.handed.len() == 1);
    log.append(event(2));
    remote.wait("the line to be written", |state| state.handed.len() == 2);
    assert_eq!(
        (remote.lock().syncs, writer.stats().settled),
        (0, Seq::ZERO)
    );
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(2)));
    log.append(event(3));
    assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(Seq::new(3)));
    assert_eq!(remote.lock().syncs, 2);
}

#[test]
fn an_interval_syncs_by_itself_when_it_has_passed() {
    let config = config("interval-passes").sync(SyncPolicy::Interval(Duration::from_millis(1)));
    let (log, writer, _remote) = scripted(64, &config);
    let seq = log.append(event(1));
    assert_eq!(writer.blocking_durable(seq), Ok(SYNCED));
}

#[test]
fn an_interval_begins_anew_with_each_sync() {
    const INTERVAL: Duration = Duration::from_millis(50);
    let began = Instant::now();
    let config = config("interval-anew").sync(SyncPolicy::Interval(INTERVAL));
    let (log, writer, _remote) = scripted(64, &config);
    for version in 1..=3 {
        let seq = log.append(event(version));
        assert_eq!(writer.blocking_durable(seq), Ok(SYNCED));
    }
    let took = began.elapsed();
    assert!(took >= INTERVAL * 3, "{took:?}");
}

/// Events that keep coming do not put it off.
#[test]
fn an_interval_passes_also_while_events_keep_coming() {
    let config = config("interval-busy").sync(SyncPolicy::Interval(Duration::from_millis(30)));
    let (log, writer, remote) = scripted(64, &config);
    let began = Instant::now();
    let mut appended = log.append(event(1));
    while writer.stats().settled < Seq::new(1) {
        // One at a time: a batch of many bytes is synced at once.
        remote.wait("the line to be written", |state| {
            state.handed.len() as u64 == appended.get() || !state.durable.is_empty()
        });
        appended = log.append(event(2));
        assert!(
            appended.get() < 20_000,
            "it was put off for {:?}",
            began.elapsed()
        );
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn writers_one_after_the_other_write_each_event_once() {
    let log = Arc::new(EventLog::new(None));
    let config = config("successors");
    let mut lines = Vec::new();
    for round in 0..5 {
        let (script, remote) = Script::new();
        let writer = DiskWriter::spawn_to(&log, config.writer().clone(), script).unwrap();
        append_all(&log, (1..=10).map(|n| event(20 * round + n)));
        assert!(writer.blocking_shutdown(PATIENCE).is_ok());
        lines.extend(remote.durable());
        append_all(&log, (11..=20).map(|n| event(20 * round + n)));
    }
    assert_eq!(
        account(&lines, &(1..=90).map(event).collect::<Vec<_>>()),
        []
    );
}

/// A deadline that passes leaves events to the next writer, neither lost nor written twice.
#[test]
fn a_writer_that_was_cut_off_leaves_the_rest_to_the_next() {
    let log = Arc::new(EventLog::new(None));
    let config = config("cut-off")
        .retry_min(HOUR)
        .retry_max(HOUR)
        .drop_timeout(Duration::from_millis(20));
    let (script, remote) = Script::new();
    let writer = DiskWriter::spawn_to(&log, config.writer().clone(), script).unwrap();
    remote.then(Step::KeepThenFailWrite(2));
    log.append_batch((1..=5).map(event));
    assert_eq!(writer.blocking_durable(Seq::new(2)), Ok(SYNCED));
    // A flush or a shutdown has it tried again at once, more than once.
    for _ in 0..100 {
        remote.then(Step::FailWrite);
    }
    let last = writer.durable(Seq::new(5));
    let missing = vec![range(3, 5)];
    let ended = writer.blocking_shutdown(Duration::from_millis(20));
    assert_eq!(missing_of(ended), missing);

    drop(writer);
    assert!(
        block_on(last).is_err(),
        "resolves when the thread has ended"
    );

    let (script, next) = Script::new();
    let writer = DiskWriter::spawn_to(&log, config.writer().clone(), script).unwrap();
    assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(Seq::new(5)));
    let lines: Vec<_> = remote.durable().into_iter().chain(next.durable()).collect();
    assert_eq!(account(&lines, &(1..=5).map(event).collect::<Vec<_>>()), []);
}

#[test]
fn what_comes_after_a_batch_kept_in_part_is_written_too() {
    let (log, writer, remote) = scripted(64, &config("in-part"));
    remote.then(Step::KeepThenFailWrite(3));
    log.append_batch((1..=5).map(event));
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(5)));
    for version in 6..=12 {
        let seq = log.append(event(version));
        assert_eq!(writer.blocking_flush(PATIENCE), Ok(seq));
    }
    let history: Vec<_> = (1..=12).map(event).collect();
    assert_eq!(account(&remote.durable(), &history), []);
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// A waker is the user's code. One that panicked once ended the writer, and those after it were
/// never woken.
#[test]
fn w09_a_panicking_waker_ends_no_writer_and_no_other_wait() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a bug in the user's waker");
        }
    }
    let (log, writer, remote) = scripted(64, &config("waker-panics"));
    let seq = stick(&log, &remote, event(1));
    let waker = Waker::from(Arc::new(Panics));
    let mut first = Box::pin(writer.durable(seq));
    let pending = first.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(pending.is_pending());
    let woken = Arc::new(Flag::default());
    let waker = Waker::from(woken.clone());
    let mut second = Box::pin(writer.durable(seq));
    let pending = second.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(pending.is_pending());
    remote.release();
    let next = log.append(event(2));
    assert_eq!(writer.blocking_durable(next), Ok(SYNCED));
    assert!(woken.0.load(Ordering::SeqCst));
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
