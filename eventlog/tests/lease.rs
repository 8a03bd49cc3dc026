//! A lease keeps what comes after it, exactly within its bound, and gives it all back.
#![cfg(not(shuttle))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use eventlog::{Coverage, EventLog, Lease, LeaseBound, RecvError, Start, TryRecvError, Versioned};
use proptest::{collection::vec, prelude::*};

#[derive(Clone, PartialEq, Debug)]
struct Event {
    version: u64,
    weight: u64,
}

impl Versioned for Event {
    fn version(&self) -> u64 {
        self.version
    }
}

fn event(version: u64) -> Event {
    Event { version, weight: 1 }
}

fn log_of(capacity: usize) -> EventLog<Event> {
    EventLog::builder().capacity(capacity).build().unwrap()
}

fn append(log: &EventLog<Event>, versions: impl IntoIterator<Item = u64>) {
    for version in versions {
        log.append(event(version));
    }
}

fn retained(log: &EventLog<Event>) -> Vec<u64> {
    let replay = log.replay(Start::Oldest);
    replay.iter().map(Versioned::version).collect()
}

/// From one event to the next it keeps all or nothing.
#[test]
fn a_lease_ends_exactly_at_its_bound() {
    let log = log_of(3);
    append(&log, 1..=5);
    let lease = log.lease(4);
    append(&log, 6..=12);
    assert!(!lease.is_revoked());
    assert_eq!(retained(&log), [6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(log.replay(5).coverage(), Coverage::Complete);
    assert_eq!(log.replay(lease.cursor()).len(), 7);
    assert_eq!(log.stats().retained, 7);

    append(&log, [13]);
    assert!(lease.is_revoked());
    assert_eq!(retained(&log), [11, 12, 13]);
    assert!(log.replay_truncated(9) && !log.replay_truncated(10));
    drop(lease);
    append(&log, [14]);
    assert_eq!(retained(&log), [12, 13, 14]);
}

#[test]
fn what_a_lease_kept_goes_with_it() {
    let log = log_of(2);
    let (first, second) = (log.lease(100), {
        append(&log, 1..=10);
        log.lease(LeaseBound::events(100))
    });
    append(&log, 11..=20);
    assert_eq!(log.stats().retained, 20);
    drop(first);
    assert_eq!(retained(&log), (11..=20).collect::<Vec<_>>());
    drop(second);
    assert_eq!(retained(&log), [19, 20]);
    drop(log.lease(0));
    assert_eq!(retained(&log), [19, 20]);
}

/// The bound in bytes counts what would have gone, and nothing from before the lease.
#[test]
fn a_lease_is_bounded_in_bytes_where_events_are_weighed() {
    let weigh = |event: &Event| event.weight;
    let log = EventLog::builder().max_bytes(10, weigh).build().unwrap();
    let heavy = |version, weight| Event { version, weight };
    log.append(heavy(1, 10));
    let lease = log.lease(LeaseBound::events(100).bytes(20));
    for version in 2..=4 {
        log.append(heavy(version, 10));
    }
    assert_eq!(retained(&log), [2, 3, 4], "two of them would have gone");
    assert_eq!(
        log.stats().retained_bytes,
        30,
        "what is kept weighs something too"
    );
    assert!(!lease.is_revoked());
    log.append(heavy(5, 1));
    assert!(lease.is_revoked());
    assert_eq!(retained(&log), [5]);
    assert_eq!(log.stats().retained_bytes, 1);
}

/// List, then watch: it is complete, however slow the list is, and the lease goes once it is read.
#[test]
fn a_subscription_keeps_its_lease_until_it_has_read_everything() {
    let log = log_of(2);
    append(&log, 1..=5);
    let lease = log.lease(100);
    let snapshot = log.newest_version().unwrap();
    append(&log, 6..=20);
    let mut reader = lease.subscribe(snapshot);
    assert_eq!(reader.coverage(), Coverage::Complete);
    append(&log, 21..=30);
    for version in 6..=30 {
        assert_eq!(reader.try_recv().unwrap().version, version);
    }
    assert_eq!(
        log.stats().retained,
        25,
        "it does not know yet that this is all"
    );
    assert_eq!(reader.try_recv().err(), Some(TryRecvError::Empty));
    assert_eq!(retained(&log), [29, 30]);
    append(&log, 31..=40);
    assert_eq!(reader.try_recv().err(), Some(TryRecvError::Lagged(8)));
}

#[test]
fn a_subscription_whose_lease_is_revoked_is_told_what_it_lost() {
    let log = log_of(2);
    let mut reader = log.lease(10).subscribe(Start::Oldest);
    append(&log, 1..=13);
    assert_eq!(reader.try_recv().err(), Some(TryRecvError::Lagged(11)));
    assert_eq!(reader.try_recv().unwrap().version, 12);
    let mut skips = log.lease(10).subscribe(Start::Now);
    append(&log, 14..=20);
    assert_eq!(skips.skip_to_newest(), 7);
    assert_eq!(log.stats().retained, 2);
    // A reader that goes away takes its lease with it.
    let reader = log.lease(10).subscribe(Start::Now);
    append(&log, 21..=30);
    assert_eq!(log.stats().retained, 10);
    drop(reader);
    assert_eq!(log.stats().retained, 2);
}

/// It is no appender's matter: what a lease kept is dropped outside of the lock.
#[test]
fn no_drop_runs_under_the_lock_when_a_lease_ends() {
    static LOG: OnceLock<EventLog<Looks>> = OnceLock::new();
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Looks(u64);
    impl Versioned for Looks {
        fn version(&self) -> u64 {
            self.0
        }
    }
    impl Drop for Looks {
        fn drop(&mut self) {
            if let Some(log) = LOG.get() {
                assert!(log.newest_version() > Some(0));
                DROPPED.fetch_add(1, SeqCst);
            }
        }
    }
    let log = LOG.get_or_init(|| EventLog::builder().capacity(1).build().unwrap());
    let lease = log.lease(10_000);
    for version in 1..=5_000 {
        log.append(Looks(version));
    }
    assert_eq!(DROPPED.load(SeqCst), 0);
    drop(lease);
    assert!(DROPPED.load(SeqCst) > 4_000);
    let lease = log.lease(100);
    for version in 1..=5_000 {
        log.append(Looks(version));
    }
    assert!(lease.is_revoked());
}

/// A busy log and readers that always need longer than the ring holds.
#[test]
fn list_then_watch_never_goes_round_in_circles() {
    let log = Arc::new(log_of(8));
    let stop = Arc::new(AtomicBool::new(false));
    let (busy, stopped) = (log.clone(), stop.clone());
    let appender = thread::spawn(move || {
        let mut version = 0;
        while !stopped.load(SeqCst) {
            version += 1;
            busy.append(event(version));
            thread::yield_now();
        }
    });
    for _ in 0..20 {
        let lease = log.lease(1_000_000);
        let snapshot = log.newest_version().unwrap_or(0);
        let began = log.cursor().seq();
        while log.cursor().seq().get() < began.get() + 100 {
            thread::yield_now();
        }
        let mut reader = lease.subscribe(snapshot);
        assert_eq!(reader.coverage(), Coverage::Complete);
        for next in 1..=50 {
            assert_eq!(reader.blocking_recv().unwrap().version, snapshot + next);
        }
    }
    stop.store(true, SeqCst);
    appender.join().unwrap();
    assert!(log.stats().retained <= 8);
    log.close();
    let mut ended = log.lease(1).subscribe(Start::Now);
    assert_eq!(ended.blocking_recv().err(), Some(RecvError::Closed));
}

#[derive(Clone, Debug)]
enum Op {
    Append(u64),
    Lease(u64, u64),
    Drop(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..5_u64).prop_map(Op::Append),
        1 => (0..30_u64, 0..40_u64).prop_map(|(events, bytes)| Op::Lease(events, bytes)),
        1 => any::<usize>().prop_map(Op::Drop),
    ]
}

struct Held {
    lease: Lease<Event>,
    from: usize,
    events: usize,
    bytes: u64,
    revoked: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn leases_keep_exactly_what_they_are_for(
        capacity in 1..40_usize,
        most in prop_oneof![Just(None), (0..60_u64).prop_map(Some)],
        ops in vec(op(), 0..200),
    ) {
        let mut builder = EventLog::builder().capacity(capacity);
        if let Some(most) = most {
            builder = builder.max_bytes(most, |event: &Event| event.weight);
        }
        let log = builder.build().unwrap();
        let mut all: Vec<u64> = Vec::new();
        let mut leases: Vec<Held> = Vec::new();
        // What would be the oldest without leases, and what is.
        let (mut bare, mut oldest) = (0, 0);
        for op in ops {
            match op {
                Op::Append(weight) => {
                    all.push(weight);
                    let event = Event { version: all.len() as u64, weight };
                    if weight % 2 == 0 {
                        log.append(event);
                    } else {
                        log.append_with(|_| event); // weighed after it was appended
                    }
                    let fits = |from: &usize| {
                        all.len() - from <= capacity
                            && most.is_none_or(|most| all[*from..].iter().sum::<u64>() <= most)
                    };
                    bare = (bare..=all.len()).find(fits).unwrap();
                    for held in &mut leases {
                        let gone = all.get(held.from..bare).unwrap_or_default();
                        let bytes = if most.is_some() { gone.iter().sum() } else { 0 };
                        held.revoked |= gone.len() > held.events || bytes > held.bytes;
                    }
                }
                Op::Lease(events, bytes) => leases.push(Held {
                    lease: log.lease(LeaseBound::events(events).bytes(bytes)),
                    from: all.len(),
                    events: usize::try_from(events).unwrap(),
                    bytes,
                    revoked: false,
                }),
                Op::Drop(pick) => if !leases.is_empty() {
                    leases.swap_remove(pick % leases.len());
                }
            }
            let needed = leases.iter().filter(|held| !held.revoked).map(|held| held.from).min();
            oldest = oldest.max(needed.unwrap_or(bare).min(bare));
            let expected: Vec<_> = (oldest as u64 + 1..=all.len() as u64).collect();
            prop_assert_eq!(retained(&log), expected);
            for held in &leases {
                prop_assert_eq!(held.lease.is_revoked(), held.revoked);
            }
        }
        drop(leases);
        prop_assert_eq!(log.stats().retained, (all.len() - bare) as u64);
    }
}
