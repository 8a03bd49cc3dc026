//! R13 and R14: what events weigh and how old they are counts exactly, whoever asks and whenever.
#![cfg(not(shuttle))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use eventlog::{
    Builder, Coverage, EventLog, EventRef, Numbered, RecvError, Start, TryRecvError, Versioned,
};
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

fn event(version: u64, weight: u64) -> Event {
    Event { version, weight }
}

/// A clock that stands where it is put.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn put(&self, seconds: u64) {
        self.0.store(seconds, SeqCst);
    }

    fn clock(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let seconds = self.0.clone();
        move || Duration::from_secs(seconds.load(SeqCst))
    }
}

fn weighing(limit: u64) -> Builder<Event> {
    EventLog::builder().max_bytes(limit, |event: &Event| event.weight)
}

fn aging(limit: u64, clock: &Clock) -> Builder<Event> {
    let builder = EventLog::builder().max_age(Duration::from_secs(limit));
    builder.clock(clock.clock())
}

fn ignore<T>(_: T) {}

fn retained(log: &EventLog<Event>) -> Vec<Event> {
    log.replay(Start::Oldest).iter().cloned().collect()
}

/// The specification: everything that ever was, and which of it is left.
#[derive(Default)]
struct Model {
    all: Vec<(Event, u64)>,
    oldest: usize,
    clock: u64,
    /// The latest that anybody has looked at it.
    now: u64,
}

impl Model {
    fn append(&mut self, event: Event) {
        self.now = self.now.max(self.clock);
        self.all.push((event, self.now));
    }

    fn evict(&mut self, capacity: usize, bytes: u64, age: u64) {
        self.now = self.now.max(self.clock);
        let fits = |from: &usize| {
            let left = &self.all[*from..];
            let weight: u64 = left.iter().map(|(event, _)| event.weight).sum();
            let old = left.iter().any(|(_, at)| self.now - at > age);
            left.len() <= capacity && weight <= bytes && !old
        };
        let first = (0..=self.all.len()).find(fits).unwrap();
        self.oldest = self.oldest.max(first);
    }

    fn retained(&self) -> Vec<Event> {
        let left = &self.all[self.oldest..];
        left.iter().map(|(event, _)| event.clone()).collect()
    }
}

#[derive(Clone, Debug)]
enum Op {
    Append(u64),
    Batch(Vec<u64>),
    With(u64),
    Clock(u64),
    Ask,
    Read(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let weight = || prop_oneof![4 => 0..6_u64, 1 => 20..40_u64];
    prop_oneof![
        6 => weight().prop_map(Op::Append),
        1 => vec(weight(), 0..8).prop_map(Op::Batch),
        1 => weight().prop_map(Op::With),
        2 => (0..200_u64).prop_map(Op::Clock),
        2 => Just(Op::Ask),
        2 => (0..12_usize).prop_map(Op::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn r13_r14_retention_is_exact(
        capacity in prop_oneof![1..5_usize, 20..60_usize],
        bytes in prop_oneof![Just(None), (0..90_u64).prop_map(Some)],
        age in prop_oneof![Just(None), (0..80_u64).prop_map(Some)],
        ops in vec(op(), 0..150),
    ) {
        let clock = Clock::default();
        let mut builder = EventLog::builder().capacity(capacity).clock(clock.clock());
        if let Some(bytes) = bytes {
            builder = builder.max_bytes(bytes, |event: &Event| event.weight);
        }
        if let Some(age) = age {
            builder = builder.max_age(Duration::from_secs(age));
        }
        let log = builder.build().unwrap();
        let mut model = Model::default();
        let mut reader = log.subscribe(Start::Oldest);
        let mut seen = 0;
        let (most, oldest) = (bytes.unwrap_or(u64::MAX), age.unwrap_or(u64::MAX));
        for op in ops {
            let next = model.all.len() as u64 + 1;
            let made: Vec<_> = match &op {
                Op::Append(weight) | Op::With(weight) => vec![event(next, *weight)],
                Op::Batch(weights) => (next..).zip(weights).map(|(at, weight)| event(at, *weight)).collect(),
                _ => vec![],
            };
            for event in &made {
                model.append(event.clone());
                model.evict(capacity, most, oldest);
            }
            match op {
                Op::Append(_) => ignore(log.append(made[0].clone())),
                Op::With(_) => ignore(log.append_with(|newest| {
                    assert_eq!(newest, next.checked_sub(2).map(|_| next - 1));
                    made[0].clone()
                })),
                Op::Batch(_) => ignore(log.append_batch(made)),
                Op::Clock(seconds) => {
                    clock.put(seconds);
                    model.clock = seconds;
                }
                Op::Ask => {
                    model.evict(capacity, most, oldest);
                    let left = model.retained();
                    prop_assert_eq!(&retained(&log), &left);
                    let stats = log.stats();
                    let weight: u64 = left.iter().map(|event| event.weight).sum();
                    prop_assert_eq!(stats.retained, left.len() as u64);
                    prop_assert_eq!(stats.retained_bytes, if bytes.is_some() { weight } else { 0 });
                    prop_assert_eq!(stats.evicted, model.oldest as u64);
                    prop_assert!(stats.evicted_by_bytes + stats.evicted_by_age <= stats.evicted);
                    for since in 0..next {
                        let is_gone = since < model.oldest as u64;
                        prop_assert_eq!(log.replay_truncated(since), is_gone);
                        prop_assert_eq!(log.replay(since).coverage().is_complete(), !is_gone);
                    }
                }
                Op::Read(events) => for _ in 0..events {
                    match reader.try_recv() {
                        Ok(event) => {
                            prop_assert_eq!(&*event, &model.all[seen].0);
                            seen += 1;
                        }
                        Err(TryRecvError::Lagged(lost)) => {
                            seen += usize::try_from(lost).unwrap();
                            prop_assert_eq!(seen, model.oldest);
                        }
                        Err(TryRecvError::Empty) => {
                            prop_assert_eq!(seen, model.all.len());
                            break;
                        }
                        Err(TryRecvError::Closed) => unreachable!(),
                    }
                }
            }
        }
    }
}

/// It goes to nobody: who waits for it is told, and goes on with the next.
#[test]
fn r13_an_event_heavier_than_the_limit_leaves_an_empty_log() {
    let log = weighing(10).build().unwrap();
    let mut reader = log.subscribe(0);
    log.append(event(1, 5));
    log.append(event(2, 11));
    assert_eq!(retained(&log), []);
    let gone = Coverage::Truncated {
        missed_through: 2,
        missed: None,
    };
    assert_eq!(log.replay(0).coverage(), gone);
    assert_eq!(log.replay(2).coverage(), Coverage::Complete);
    assert_eq!(log.newest_version(), Some(2));
    assert_eq!(reader.try_recv().err(), Some(TryRecvError::Lagged(2)));
    assert_eq!(reader.try_recv().err(), Some(TryRecvError::Empty));
    assert!(reader.is_live());
    log.append(event(3, 10));
    assert_eq!(*reader.try_recv().unwrap(), event(3, 10));
    assert_eq!(log.stats().evicted_by_bytes, 2);
}

#[test]
fn r13_no_weight_makes_the_sum_wrap() {
    let log = weighing(u64::MAX).build().unwrap();
    for version in 1..=3 {
        log.append(event(version, u64::MAX));
        assert_eq!(retained(&log), [event(version, u64::MAX)]);
    }
    log.append(event(4, 0));
    assert_eq!(log.stats().retained, 2);
    let nothing = weighing(0).build().unwrap();
    nothing.append(event(1, 0));
    nothing.append(event(2, 1));
    nothing.append(event(3, 0));
    assert_eq!(retained(&nothing), [event(3, 0)]);
}

/// Nobody appends any more, and time goes on: each way to ask is asked first.
#[test]
fn r14_an_idle_log_is_as_old_as_its_clock_says() {
    type Ask = fn(&EventLog<Event>) -> u64;
    let asks: [Ask; 6] = [
        |log| log.replay(0).len() as u64,
        |log| log.replay(log.cursor()).len() as u64 + log.replay(Start::Oldest).len() as u64,
        |log| log.events_since(0).len() as u64,
        |log| if log.replay_truncated(0) { 0 } else { 3 },
        |log| log.stats().retained,
        |log| {
            let mut reader = log.subscribe(0);
            let missed = if reader.coverage().is_complete() {
                0
            } else {
                3
            };
            let read = std::iter::from_fn(|| reader.try_recv().ok()).count() as u64;
            assert_eq!(read + missed, 3);
            read
        },
    ];
    for ask in asks {
        let clock = Clock::default();
        let log = aging(10, &clock).build().unwrap();
        clock.put(5);
        for version in 1..=3 {
            log.append(event(version, 0));
        }
        clock.put(15);
        assert_eq!(ask(&log), 3, "as old as it may be");
        clock.put(16);
        assert_eq!(ask(&log), 0);
        assert_eq!(log.stats().evicted_by_age, 3);
        clock.put(0);
        assert_eq!(ask(&log), 0, "what is gone does not come back");
    }
}

/// A clock that is set back makes nothing older than it is, and nothing young again.
#[test]
fn r14_a_clock_that_goes_back_stands_still() {
    let clock = Clock::default();
    let log = aging(10, &clock).build().unwrap();
    clock.put(100);
    log.append(event(1, 0));
    clock.put(0);
    log.append(event(2, 0));
    assert_eq!(retained(&log).len(), 2);
    clock.put(99);
    assert_eq!(retained(&log).len(), 2);
    clock.put(110);
    assert_eq!(retained(&log).len(), 2, "both are of 100");
    clock.put(111);
    assert_eq!(retained(&log).len(), 0);
    clock.put(u64::MAX);
    log.append(event(3, 0));
    assert_eq!(retained(&log).len(), 1);
}

#[test]
fn r14_without_a_clock_time_is_that_of_the_system() {
    let log = EventLog::<Event>::builder();
    let log = log.max_age(Duration::ZERO).build().unwrap();
    log.append(event(1, 0));
    let began = std::time::Instant::now();
    while log.stats().retained > 0 {
        assert!(began.elapsed() < Duration::from_secs(60));
    }
    let log = EventLog::<Event>::builder();
    let log = log.max_age(Duration::MAX).build().unwrap();
    log.append(event(1, 0));
    assert_eq!(log.stats().retained, 1);
}

/// Whatever a user gives is run outside of the lock: it may use the log itself.
#[test]
fn no_weigher_clock_or_drop_runs_under_the_lock() {
    static LOG: OnceLock<Weak<EventLog<Calls>>> = OnceLock::new();
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    fn look() {
        if let Some(log) = LOG.get().and_then(Weak::upgrade) {
            assert!(log.newest_version() < Some(1_000));
        }
    }
    struct Calls(u64);
    impl Versioned for Calls {
        fn version(&self) -> u64 {
            look();
            self.0
        }
    }
    impl Drop for Calls {
        fn drop(&mut self) {
            look();
            DROPS.fetch_add(1, SeqCst);
        }
    }
    let clock = Clock::default();
    let log = EventLog::builder()
        .max_bytes(20, |_: &Calls| {
            look();
            1
        })
        .max_age(Duration::from_secs(10));
    let at = clock.clock();
    let log = log.clock(move || {
        look();
        at()
    });
    let log = Arc::new(log.build().unwrap());
    LOG.set(Arc::downgrade(&log)).unwrap();
    let (done, wait) = std::sync::mpsc::channel();
    let works = log.clone();
    thread::spawn(move || {
        for version in 0..100 {
            works.append(Calls(version));
            works.append_batch([Calls(version), Calls(version)]);
        }
        clock.put(60);
        assert_eq!(works.stats().retained, 0);
        // One each, because the end of a segment that is full may not come while it is filled.
        for version in 100..140 {
            clock.put(60 + 20 * version);
            works.append(Calls(version));
            clock.put(60 + 20 * version + 15);
            ignore(works.replay(0));
        }
        done.send(()).unwrap();
    });
    wait.recv_timeout(Duration::from_secs(60))
        .expect("no call waits for itself");
    assert!(DROPS.load(SeqCst) > 250);
}

/// Pushed and made under the lock, an event is weighed outside of it all the same.
#[test]
fn what_is_made_under_the_lock_is_weighed_outside_of_it() {
    static LOG: OnceLock<EventLog<Numbered<u64>>> = OnceLock::new();
    let weigh = |event: &Numbered<u64>| {
        if let Some(log) = LOG.get() {
            // In `append_with` it is there already, and its number is known in `push`.
            assert!(log.newest_version().unwrap_or(0) >= event.version() - 1);
        }
        event.version() * event.payload()
    };
    let log = EventLog::builder().max_bytes(100, weigh).build().unwrap();
    let log = LOG.get_or_init(|| log);
    assert_eq!(log.push(10), 1);
    assert_eq!(log.push(10), 2);
    log.append_with(|newest| Numbered::new(newest.unwrap() + 1, 10));
    assert_eq!((log.stats().retained, log.stats().retained_bytes), (3, 60));
    log.append_with(|newest| Numbered::new(newest.unwrap() + 1, 20));
    assert_eq!((log.stats().retained, log.stats().retained_bytes), (1, 80));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..500).for_each(|_| ignore(log.push(0))));
        }
    });
    assert_eq!(log.newest_version(), Some(1_504));
    assert_eq!(log.stats().retained_bytes, 80);
    let replay = log.replay(4);
    assert!(replay.iter().map(Versioned::version).eq(5..=1_504));
}

#[test]
fn a_weigher_that_panics_has_done_nothing() {
    let panics = Arc::new(AtomicBool::new(true));
    let armed = panics.clone();
    let log = EventLog::builder().max_bytes(100, move |event: &Event| {
        assert!(!armed.load(SeqCst), "cannot weigh this");
        event.weight
    });
    let log = log.build().unwrap();
    let fails = |call: &dyn Fn()| catch_unwind(AssertUnwindSafe(call)).is_err();
    assert!(fails(&|| ignore(log.append(event(1, 1)))));
    assert!(fails(&|| ignore(
        log.append_batch([event(1, 1), event(2, 1)])
    )));
    assert_eq!(log.stats().appended, 0);
    panics.store(false, SeqCst);
    log.append(event(1, 1));
    panics.store(true, SeqCst);
    assert!(fails(&|| ignore(log.append_with(|_| event(2, 1)))));
    assert_eq!((log.stats().appended, log.stats().retained), (2, 0));
    panics.store(false, SeqCst);
    log.append(event(3, 100));
    assert_eq!(retained(&log), [event(3, 100)]);
}

#[test]
fn a_clock_that_panics_has_done_nothing() {
    let panics = Arc::new(AtomicBool::new(false));
    let armed = panics.clone();
    let log = EventLog::builder().max_age(Duration::from_secs(1));
    let log = log.clock(move || {
        assert!(!armed.load(SeqCst), "what time is it?");
        Duration::ZERO
    });
    let log = log.build().unwrap();
    log.append(event(1, 0));
    panics.store(true, SeqCst);
    for call in [
        &(|| ignore(log.append(event(2, 0)))) as &dyn Fn(),
        &|| ignore(log.append_with(|_| event(2, 0))),
        &|| ignore(log.replay(0)),
        &|| ignore(log.subscribe(0)),
        &|| ignore(log.stats()),
    ] {
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    }
    panics.store(false, SeqCst);
    assert_eq!(retained(&log), [event(1, 0)]);
    assert_eq!(log.stats().subscribers, 0);
}

/// What is evicted by weight does not stay in memory with its segment for long: such a ring has
/// short ones.
#[test]
fn r12_heavy_events_leave_memory() {
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    struct Heavy(u64);
    impl Versioned for Heavy {
        fn version(&self) -> u64 {
            self.0
        }
    }
    impl Drop for Heavy {
        fn drop(&mut self) {
            LIVE.fetch_sub(1, SeqCst);
        }
    }
    let log = EventLog::builder().max_bytes(4, |_: &Heavy| 1);
    let log = log.build().unwrap();
    for version in 0..1_000 {
        LIVE.fetch_add(1, SeqCst);
        log.append(Heavy(version));
        let live = LIVE.load(SeqCst);
        assert!(live <= 4 + 2 * 16, "{live} live");
    }
    drop(log);
    assert_eq!(LIVE.load(SeqCst), 0);
}

/// A subscription is exact about what it lost, also where a part of it was lost to age, and goes on.
#[test]
fn r14_a_slow_reader_is_told_of_what_grew_too_old() {
    let clock = Clock::default();
    let log = aging(10, &clock).build().unwrap();
    let mut reader = log.subscribe(0);
    for version in 1..=30 {
        clock.put(version);
        log.append(event(version, 0));
    }
    assert_eq!(
        reader.blocking_recv().err(),
        Some(RecvError::Lagged(19)),
        "30 − 10 is as old as it may be"
    );
    let next = reader.blocking_recv().unwrap();
    assert_eq!(EventRef::seq(&next).get(), 20);
    log.close();
    assert_eq!(
        std::iter::from_fn(|| reader.blocking_recv().ok()).count(),
        10
    );
}

#[cfg(feature = "disk")]
mod on_disk {
    use super::*;
    use eventlog::disk::{self, DiskConfig, DiskWriter};

    const PATIENCE: Duration = Duration::from_secs(30);

    fn numbered(bytes: u64) -> Builder<Numbered<String>> {
        let builder = EventLog::builder().capacity(64);
        builder.max_bytes(bytes, |event: &Numbered<String>| event.len() as u64)
    }

    /// The ring lets go of it, the writer holds it: the file has everything.
    #[test]
    fn what_is_evicted_by_weight_is_still_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let log = numbered(3).build().unwrap();
        let writer = DiskWriter::spawn(&log, DiskConfig::new(&path)).unwrap();
        for _ in 0..2_000 {
            log.push("four".into());
        }
        assert_eq!(log.stats().retained, 0);
        writer.blocking_shutdown(PATIENCE).unwrap();
        let read = disk::read::<Numbered<String>>(&path);
        let versions = read.map(|record| record.unwrap().into_event().unwrap().version());
        assert!(versions.eq(1..=2_000));
    }

    #[test]
    fn a_recovered_log_keeps_to_its_limits() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let config = DiskConfig::new(&path);
        let log = numbered(1_000).build().unwrap();
        let writer = DiskWriter::spawn(&log, config.clone()).unwrap();
        for _ in 0..10 {
            log.push("four".into());
        }
        writer.blocking_shutdown(PATIENCE).unwrap();
        drop((log, writer));

        let (log, recovery) = numbered(10).recover(&config).unwrap();
        assert_eq!(recovery.events, 10);
        assert_eq!((log.stats().retained, log.stats().retained_bytes), (2, 8));
        assert_eq!(log.replay(8).coverage(), Coverage::Complete);
        assert!(log.replay_truncated(7));
        assert_eq!(log.push("12345".into()), 11);
        assert_eq!((log.stats().retained, log.stats().retained_bytes), (2, 9));
        drop(log);

        let clock = Clock::default();
        let builder = EventLog::<Numbered<String>>::builder().max_age(Duration::from_secs(5));
        clock.put(100);
        let (log, _) = builder.clock(clock.clock()).recover(&config).unwrap();
        clock.put(105);
        assert_eq!(log.stats().retained, 10);
        clock.put(106);
        assert_eq!(log.stats().retained, 0);
        assert_eq!(log.push(String::new()), 11);
    }
}
