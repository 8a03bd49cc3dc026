//! A program that holds the checked log in place of its own by one alias: with its asynchronous
//! calls, its writer, its drop-in channel and recovery.

#![allow(clippy::unwrap_used)]

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

// The alias. In a program it stands under `#[cfg(debug_assertions)]`.
use model_tests::{Tick, drop_in as eventlog};

use eventlog::{
    Coverage, EventLog, EventRef, LeaseBound, Start, TryRecvError, Versioned,
    disk::{DiskConfig, DiskWriter, run_disk_writer},
};
use futures_core::Stream;
use proptest::prelude::*;

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn program_runs_as_with_its_own_log() {
    let directory = tempfile::tempdir().unwrap();
    let config = || DiskConfig::new(directory.path().join("events.log"));
    let cursor = {
        let log = Arc::new(EventLog::builder().capacity(3).build().unwrap());
        let writer = DiskWriter::spawn(&log, config()).unwrap();
        let mut events = log.subscribe(0);
        let mut stored = writer.subscribe(Start::Oldest);
        let appending = tokio::spawn({
            let log = log.clone();
            async move {
                for version in 1..=3 {
                    log.append(Tick::new(version, 0));
                    tokio::task::yield_now().await;
                }
                log.append_with(|newest| Tick::new(newest.unwrap() + 1, 1));
                log.append_batch([Tick::new(5, 0), Tick::new(6, 0)])
            }
        });
        let mut seen = 0;
        while seen < 6 {
            match events.recv().await {
                Ok(event) => seen = event.version(),
                Err(eventlog::RecvError::Lagged(lost)) => assert!(lost <= 3),
                Err(eventlog::RecvError::Closed) => unreachable!("nobody closes"),
            }
        }
        assert!(events.is_live());
        let last = appending.await.unwrap().unwrap().last();
        writer.durable(last).await.unwrap();
        let batch = loop {
            // Three of six events are left.
            if let Ok(batch) = stored.recv_batch().await {
                break batch;
            }
        };
        let cursor = EventRef::cursor(&batch.into_iter().next().unwrap());
        assert_eq!(log.events_since(4).len(), 2);
        assert!(log.replay_truncated(1));
        assert_eq!(log.replay(events.cursor()).coverage(), Coverage::Complete);
        log.close();
        assert!(events.recv().await.is_err());
        assert_eq!(log.stats().appended, 6);
        writer.shutdown().await.unwrap();
        cursor
    };
    let (log, recovery) = EventLog::<Tick>::builder()
        .capacity(3)
        .recover(&config())
        .unwrap();
    assert_eq!(recovery.events, 3);
    assert!(log.replay_truncated(2) && !log.replay_truncated(3));
    let mut events = log.subscribe(cursor);
    log.append(Tick::new(7, 0));
    while !matches!(events.try_recv(), Err(TryRecvError::Empty)) {}
    assert_eq!(log.events_since(5), [Tick::new(6, 0), Tick::new(7, 0)]);
}

#[tokio::test]
async fn channel_writes_it_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.log");
    let log = Arc::new(EventLog::new(Some(path.clone())));
    let (sender, receiver) = tokio::sync::broadcast::channel(4);
    let writer = tokio::spawn(run_disk_writer(log.clone(), receiver));
    log.append(Tick::new(1, 2));
    sender.send(Tick::new(1, 2)).unwrap();
    drop(sender);
    writer.await.unwrap();
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        "{\"version\":1,\"pick\":2}\n"
    );
}

/// What a program says of weight and time, and what it keeps, filters and reads in parts.
#[tokio::test]
async fn limits_leases_pages_and_filters_are_compared_too() {
    let seconds = Arc::new(AtomicU64::new(0));
    let clock = seconds.clone();
    let log = EventLog::builder()
        .capacity(8)
        .max_bytes(30, Tick::version)
        .max_age(Duration::from_secs(60))
        .clock(move || Duration::from_secs(clock.load(Ordering::Relaxed)))
        .build()
        .unwrap();
    log.append_batch((1..=8).map(|version| Tick::new(version, 0)));
    assert_eq!(log.stats().retained_bytes, 8 + 7 + 6 + 5 + 4);
    assert!(log.replay_truncated(2) && !log.replay_truncated(3));

    let mut start = Start::Oldest;
    let mut sizes = Vec::new();
    let last = loop {
        let page = log.replay(start).take_page(3);
        sizes.push(page.len());
        start = page.cursor().into();
        if !page.has_more() {
            break page;
        }
    };
    assert_eq!((sizes, last.cursor()), (vec![3, 2], log.cursor()));

    let mut even: eventlog::Filtered<_, fn(&Tick) -> bool> = log
        .subscribe(0)
        .filter(|tick| tick.version().is_multiple_of(2));
    assert_eq!(even.recv().await.unwrap().version(), 4);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        log.subscribe(7)
            .filter(|_| panic!("of the filter"))
            .try_recv()
            .map(drop)
    }));
    assert!(panicked.is_err());

    let lease = log.lease(LeaseBound::events(9).bytes(99));
    log.append_with(|_| Tick::new(9, 0));
    let mut reader = lease.subscribe(8);
    log.append(Tick::new(30, 0));
    assert_eq!(log.replay(0).len(), 2);
    assert_eq!(reader.recv().await.unwrap().version(), 9);
    let mut live = reader.with_live();
    let mut next = async || poll_fn(|context| Pin::new(&mut live).poll_next(context)).await;
    assert!(matches!(next().await, Some(eventlog::Told::Live)));
    assert!(matches!(next().await, Some(eventlog::Told::Event(_))));
    assert!(poll_once(next()).await.is_none());
    // It has read everything: the lease is given up.
    assert_eq!(log.replay(0).len(), 1);
    seconds.store(61, Ordering::Relaxed);
    assert!(log.replay_truncated(29) && log.events_since(0).is_empty());
    log.append(Tick::new(31, 0));
    assert!(log.events_since(0).is_empty());
}

/// A weigher that panics has changed nothing; but where the event was made under the lock, it has
/// let all go.
#[test]
fn weigher_that_panics_leaves_the_model_beside_its_log() {
    let log = EventLog::builder()
        .max_bytes(30, |tick: &Tick| match tick.version() {
            13 => panic!("of the weigher"),
            version => version,
        })
        .build()
        .unwrap();
    log.append(Tick::new(1, 0));
    let appends = AssertUnwindSafe(|| log.append(Tick::new(13, 0)));
    assert!(catch_unwind(appends).is_err());
    assert_eq!(log.events_since(0), [Tick::new(1, 0)]);
    let appends = AssertUnwindSafe(|| log.append_batch([2, 13, 3].map(|of| Tick::new(of, 0))));
    assert!(catch_unwind(appends).is_err());
    assert_eq!(log.append(Tick::new(2, 0)).get(), 2);
    let appends = AssertUnwindSafe(|| log.append_with(|_| Tick::new(13, 0)));
    assert!(catch_unwind(appends).is_err());
    assert_eq!(log.events_since(0), []);
    assert_eq!(log.append(Tick::new(4, 0)).get(), 4);
    assert_eq!(log.events_since(0), [Tick::new(4, 0)]);
}

/// The output of a future that is ready.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// A number that the log gives passes the model as well.
#[test]
fn log_that_gives_the_numbers_is_compared_too() {
    let log = EventLog::<eventlog::Numbered<String>>::new(None);
    let mut events = log.subscribe(0);
    assert_eq!(log.push("one".to_owned()), 1);
    let place = log.push_placed("two".to_owned());
    assert_eq!(place.version(), 2);
    assert_eq!(log.replay(1).len(), 1);
    assert_eq!(&**events.try_recv().unwrap(), "one");
    assert_eq!(log.replay(place).coverage(), Coverage::Complete);
}

#[test]
fn log_that_parts_from_the_model_is_told_by_the_call() {
    let log = EventLog::new(None);
    log.append(Tick::new(1, 0));
    // Past the model: as a log that holds what nobody appended.
    (*log).append(Tick::new(2, 0));
    let told = catch_unwind(AssertUnwindSafe(|| log.events_since(0))).unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    assert!(
        told.contains("parts from the model at call 2, `events_since(0)`"),
        "{told}"
    );
    let mut events = log.subscribe(0);
    let receive = || while events.try_recv().is_ok() {};
    assert!(catch_unwind(AssertUnwindSafe(receive)).is_err());
}

#[derive(Clone, Debug)]
enum Call {
    Append(u64),
    Batch(Vec<u64>),
    Ask(u64),
    Save,
    Replay(prop::sample::Index),
    Subscribe(u8, u64),
    Resume(prop::sample::Index),
    Read(prop::sample::Index, u8),
    Reopen(bool),
    Close,
    Wait(u64),
    Lease(u64, Option<u64>),
    EndLease(prop::sample::Index),
    SubscribeLease(prop::sample::Index, u64),
    Page(u64, usize),
    PageAfter(prop::sample::Index, usize),
    Filter(prop::sample::Index),
    Skip(prop::sample::Index),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let index = || any::<prop::sample::Index>();
    let call = prop_oneof![
        8 => (0..12_u64).prop_map(Call::Append),
        2 => prop::collection::vec(0..12_u64, 0..5).prop_map(Call::Batch),
        4 => (0..14_u64).prop_map(Call::Ask),
        2 => Just(Call::Save),
        3 => index().prop_map(Call::Replay),
        3 => (0..3_u8, 0..14_u64).prop_map(|(kind, since)| Call::Subscribe(kind, since)),
        2 => index().prop_map(Call::Resume),
        8 => (index(), 0..4_u8).prop_map(|(reader, way)| Call::Read(reader, way)),
        1 => any::<bool>().prop_map(Call::Reopen),
        2 => (0..9_u64).prop_map(Call::Wait),
        2 => (0..9_u64, prop::option::of(0..40_u64)).prop_map(|(most, bytes)| Call::Lease(most, bytes)),
        1 => index().prop_map(Call::EndLease),
        2 => (index(), 0..14_u64).prop_map(|(of, since)| Call::SubscribeLease(of, since)),
        2 => (0..14_u64, 0..4_usize).prop_map(|(since, events)| Call::Page(since, events)),
        2 => (index(), 0..4_usize).prop_map(|(of, events)| Call::PageAfter(of, events)),
        3 => index().prop_map(Call::Filter),
        1 => index().prop_map(Call::Skip),
    ];
    prop::collection::vec(prop_oneof![60 => call, 1 => Just(Call::Close)], 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    /// Through any lives, with a writer: `eventlog` never parts from the model.
    #[test]
    fn no_history_of_lives_parts(
        calls in calls(),
        capacity in 1..6_usize,
        max_bytes in prop::option::of(0..40_u64),
        max_age in prop::option::of(0..20_u64),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let config = DiskConfig::new(directory.path().join("events.log"));
        let seconds = Arc::new(AtomicU64::new(0));
        let open = || {
            let mut builder = EventLog::<Tick>::builder().capacity(capacity);
            if let Some(most) = max_bytes {
                builder = builder.max_bytes(most, |tick: &Tick| tick.version());
            }
            if let Some(most) = max_age {
                let clock = seconds.clone();
                builder = builder.max_age(Duration::from_secs(most));
                builder = builder.clock(move || Duration::from_secs(clock.load(Ordering::Relaxed)));
            }
            let (log, _) = builder.recover(&config).unwrap();
            let writer = DiskWriter::spawn(&log, config.clone()).unwrap();
            (log, writer)
        };
        let (mut log, mut writer) = open();
        let (mut readers, mut cursors, mut leases) = (Vec::new(), Vec::new(), Vec::new());
        for (pick, call) in calls.into_iter().enumerate() {
            let pick = u32::try_from(pick).unwrap();
            match call {
                Call::Append(version) => {
                    log.append(Tick::new(version, pick));
                }
                Call::Batch(versions) => {
                    log.append_batch(versions.into_iter().map(|version| Tick::new(version, pick)));
                }
                Call::Ask(since) => {
                    let _ = (log.events_since(since), log.replay_truncated(since));
                    let _ = (log.replay(since), log.replay(Start::Oldest), log.replay(Start::Now));
                }
                Call::Save => cursors.push(log.cursor()),
                Call::Replay(of) if !cursors.is_empty() => {
                    let _ = log.replay(of.get(&cursors));
                }
                Call::Subscribe(0, _) => readers.push(log.subscribe(Start::Oldest)),
                Call::Subscribe(1, _) => {
                    writer.blocking_flush(LONG).unwrap();
                    readers.push(writer.subscribe(Start::Oldest));
                }
                Call::Subscribe(_, since) => readers.push(log.subscribe(since)),
                Call::Resume(of) if !cursors.is_empty() => {
                    readers.push(log.subscribe(of.get(&cursors)));
                }
                Call::Read(of, way) if !readers.is_empty() => {
                    let at = of.index(readers.len());
                    let reader = &mut readers[at];
                    match way {
                        0 => drop(reader.try_recv()),
                        1 => drop(reader.try_recv_batch()),
                        2 => drop(reader.is_live()),
                        _ => cursors.push(reader.cursor()),
                    }
                }
                Call::Reopen(in_order) => {
                    if in_order {
                        writer.blocking_shutdown(LONG).unwrap();
                    }
                    readers.clear();
                    leases.clear();
                    drop((writer, log));
                    (log, writer) = open();
                }
                Call::Close => log.close(),
                Call::Wait(more) => {
                    seconds.fetch_add(more, Ordering::Relaxed);
                    let _ = log.stats();
                }
                Call::Lease(most, bytes) => {
                    let bound = LeaseBound::events(most);
                    leases.push(log.lease(bytes.map_or(bound, |bytes| bound.bytes(bytes))));
                }
                Call::EndLease(of) if !leases.is_empty() => {
                    let lease = leases.swap_remove(of.index(leases.len()));
                    let _ = lease.is_revoked();
                }
                Call::SubscribeLease(of, since) if !leases.is_empty() => {
                    let lease = leases.swap_remove(of.index(leases.len()));
                    readers.push(lease.subscribe(since));
                }
                Call::Page(since, events) => {
                    cursors.push(log.replay(since).take_page(events).cursor());
                }
                Call::PageAfter(of, events) if !cursors.is_empty() => {
                    cursors.push(log.replay(of.get(&cursors)).take_page(events).cursor());
                }
                Call::Filter(of) if !readers.is_empty() => {
                    let at = of.index(readers.len());
                    let third = |tick: &Tick| tick.version().is_multiple_of(3);
                    let mut some = readers.swap_remove(at).filter(third);
                    let _ = (some.try_recv(), some.is_live());
                    cursors.push(some.cursor());
                    readers.push(some.into_inner());
                }
                Call::Skip(of) if !readers.is_empty() => {
                    let at = of.index(readers.len());
                    readers[at].skip_to_newest();
                }
                _ => {}
            }
        }
    }
}
