//! A verdict comes in bounded time, whatever a log does.

#![allow(clippy::unwrap_used)]

use std::{
    sync::{Condvar, Mutex, PoisonError},
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use model_tests::{
    Budget,
    Capability::{
        self, AppendWith, Base, Batch, CatchesWakers, Close, Cursor, Durable, LagOnce, Live, Probe,
        Replay, Skip, Truncation, Yields,
    },
    Case, Law, Log, OpenError, Received, Subject, Subscription, Tick, Versioned, Violation, check,
    laws,
    zoo::{Bug, NaiveSubject},
};

const LACKS: &[Capability] = &[
    Base,
    Probe,
    Replay,
    Truncation,
    Batch,
    AppendWith,
    Cursor,
    LagOnce,
    Live,
    Yields,
    CatchesWakers,
    Skip,
    Close,
    Durable,
];

/// What a log does when it is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trap {
    DeadlocksInAppend,
    DeadlocksInDrop,
    LoopsInEventsSince,
    PanicsInAppend,
    PanicsInDrop,
    PanicsInTryRecv,
    NeverOpens,
    NeverWakes,
}

#[derive(Clone, Copy)]
struct Trapped(Trap);

struct TrappedLog {
    trap: Trap,
    capacity: usize,
    events: Mutex<Vec<Tick>>,
}

impl Subject for Trapped {
    type Event = Tick;
    type Log = TrappedLog;

    fn open(&self, case: &Case) -> Result<TrappedLog, OpenError> {
        if case.capacity == 0 {
            return Err("a log of capacity 0 can hold nothing".into());
        }
        if self.0 == Trap::NeverOpens {
            for_ever();
        }
        Ok(TrappedLog {
            trap: self.0,
            capacity: case.capacity,
            events: Mutex::default(),
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for TrappedLog {
    fn append(&self, event: Tick) -> Option<u64> {
        match self.trap {
            Trap::DeadlocksInAppend => for_ever(),
            Trap::PanicsInAppend => panic!("a bug in append"),
            _ => {}
        }
        let mut events = self.events.lock().unwrap();
        if events.len() == self.capacity {
            events.remove(0);
        }
        events.push(event);
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let above = |event: &&Tick| event.version() > since;
        loop {
            if self.trap != Trap::LoopsInEventsSince {
                let events = self.events.lock().unwrap();
                return events.iter().filter(above).cloned().collect();
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn subscribe(&self, _: u64) -> Box<dyn Subscription<Tick>> {
        Box::new(TrappedReader(self.trap))
    }
}

impl Drop for TrappedLog {
    fn drop(&mut self) {
        match self.trap {
            Trap::DeadlocksInDrop => for_ever(),
            Trap::PanicsInDrop => panic!("a bug in drop"),
            _ => {}
        }
    }
}

struct TrappedReader(Trap);

impl Subscription<Tick> for TrappedReader {
    fn try_recv(&mut self) -> Received<Tick> {
        assert!(self.0 != Trap::PanicsInTryRecv, "a bug in try_recv");
        Received::Empty
    }

    fn poll_recv(&mut self, _: &mut Context<'_>) -> Poll<Received<Tick>> {
        Poll::Pending
    }
}

/// Costs no time of a processor.
fn for_ever() -> ! {
    let (mutex, never) = (Mutex::new(()), Condvar::new());
    let mut guard = mutex.lock().unwrap();
    loop {
        guard = never.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
}

/// The violation, and that it comes in time: even a reopened log may take 8 times the patience, and
/// is judged once more to tell what was done.
fn broken(trap: Trap, law: &'static Law) -> Box<Violation> {
    let mut budget = Budget::default();
    budget.lacks = LACKS;
    budget.patience = Duration::from_millis(300);
    let begun = Instant::now();
    let broken = check(&Trapped(trap), law, &budget).unwrap_err();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(60), "{took:?}\n{broken}");
    assert!(broken.script.contains("_again() {"), "{broken}");
    broken
}

#[test]
fn an_append_that_deadlocks() {
    let broken = broken(Trap::DeadlocksInAppend, &laws::R02);
    assert_eq!(broken.step, "append");
    assert!(broken.actual.contains("it has not after"), "{broken}");
    assert!(broken.script.contains("// under way"), "{broken}");
}

#[test]
fn a_drop_that_deadlocks() {
    let broken = broken(Trap::DeadlocksInDrop, &laws::R02);
    assert_eq!(broken.step, "drop of the log");
}

#[test]
fn a_replay_that_loops_for_ever() {
    let broken = broken(Trap::LoopsInEventsSince, &laws::R02);
    assert_eq!(broken.step, "events_since");
    assert!(broken.script.contains("log0.events_since("), "{broken}");
}

#[test]
fn a_log_that_never_opens() {
    assert_eq!(broken(Trap::NeverOpens, &laws::R02).step, "open");
}

#[test]
fn panics_anywhere_are_told() {
    for trap in [Trap::PanicsInAppend, Trap::PanicsInDrop] {
        let broken = broken(trap, &laws::R02);
        assert!(broken.actual.contains("a panic: a bug in"), "{broken}");
    }
    let broken = broken(Trap::PanicsInTryRecv, &laws::S01);
    // It keeps other laws as little.
    let itself = broken.found_itself.as_deref().unwrap_or(&broken);
    assert!(itself.actual.contains("a bug in try_recv"), "{broken}");
}

#[test]
fn a_reader_that_is_never_woken() {
    let broken = broken(Trap::NeverWakes, &laws::S03);
    assert!(broken.actual.contains("only 0 were within"), "{broken}");
}

/// The wakers of this log run under its lock, and to drop a reader takes that lock: the judge's own
/// thread waited for it for ever.
#[test]
fn wakers_under_the_lock_that_a_drop_takes() {
    let subject = NaiveSubject {
        bug: Some(Bug::WakesUnderLock),
    };
    let mut budget = Budget::default();
    budget.lacks = &[Probe, Durable];
    budget.patience = Duration::from_millis(500);
    let begun = Instant::now();
    let broken = check(&subject, &laws::S04, &budget).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(30), "{broken}");
    assert!(broken.step.contains("waker appends"), "{broken}");
}

/// Where a wake-up is all that a reader says, it is asked again, but not for ever.
#[test]
fn a_reader_that_wakes_and_never_delivers() {
    #[derive(Clone)]
    struct Busy;
    struct BusyLog;
    struct BusyReader;
    impl Subject for Busy {
        type Event = Tick;
        type Log = BusyLog;
        fn open(&self, _: &Case) -> Result<BusyLog, OpenError> {
            Ok(BusyLog)
        }
        fn event(&self, version: u64, pick: u32) -> Tick {
            Tick::new(version, pick)
        }
    }
    impl Log<Tick> for BusyLog {
        fn append(&self, _: Tick) -> Option<u64> {
            None
        }
        fn events_since(&self, _: u64) -> Vec<Tick> {
            Vec::new()
        }
        fn subscribe(&self, _: u64) -> Box<dyn Subscription<Tick>> {
            Box::new(BusyReader)
        }
    }
    impl Subscription<Tick> for BusyReader {
        fn try_recv(&mut self) -> Received<Tick> {
            Received::Empty
        }
        fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<Tick>> {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    }
    let mut budget = Budget::default();
    budget.lacks = LACKS;
    budget.patience = Duration::from_millis(300);
    let broken = check(&Busy, &laws::S03, &budget).unwrap_err();
    assert!(broken.step.contains("poll_recv"), "{broken}");
}
