//! How long something takes to arrive, by the clock on the wall.

use std::{
    hint::{black_box, spin_loop},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use eventlog::EventLog;
use tokio::sync::broadcast;

use crate::support::{
    event::Event,
    measure::{Pair, compare, quantile, sized},
    sides::{CAPACITY, Sides, touch},
};

/// Latencies of waking one thread that waits: theirs and ours, round by round.
pub struct Wake(Vec<(Vec<u64>, Vec<u64>)>);

impl Wake {
    pub fn measure() -> Self {
        let theirs = || {
            let (sender, mut receiver) = broadcast::channel::<Event>(CAPACITY);
            wake_ups(
                |event| {
                    let _ = sender.send(event);
                },
                move || drop(receiver.blocking_recv()),
            )
        };
        let ours = || {
            let log = EventLog::builder().capacity(CAPACITY).build().unwrap();
            let mut subscription = log.subscribe(0);
            wake_ups(
                |event| {
                    log.append(event);
                },
                move || drop(subscription.blocking_recv()),
            )
        };
        Self(
            (0..sized(21, 1))
                .map(|round| {
                    if round % 2 == 0 {
                        (theirs(), ours())
                    } else {
                        let ours = ours();
                        (theirs(), ours)
                    }
                })
                .collect(),
        )
    }

    /// The same quantile of both, round by round.
    pub fn quantile(&self, share: f64) -> Pair {
        let of = |latencies: &Vec<u64>| quantile(latencies.clone(), share);
        Pair::of(self.0.iter().map(|(theirs, ours)| (of(theirs), of(ours))))
    }
}

/// From just before an event is published until a thread that slept has it.
fn wake_ups(publish: impl Fn(Event), mut receive: impl FnMut() + Send) -> Vec<u64> {
    const TIMES: u64 = 200;
    /// Long enough for the other thread to be asleep.
    const IDLE: Duration = Duration::from_micros(150);
    let began = Instant::now();
    let now = || began.elapsed().as_nanos() as u64;
    let arrived = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..TIMES {
                receive();
                arrived.store(now(), Ordering::Release);
            }
        });
        (0..TIMES)
            .map(|version| {
                arrived.store(0, Ordering::Release);
                thread::sleep(IDLE);
                let event = Event::new(version);
                let published = now();
                publish(event);
                loop {
                    match arrived.load(Ordering::Acquire) {
                        0 => spin_loop(),
                        arrived => return arrived - published,
                    }
                }
            })
            .collect()
    })
}

/// The 99.9th percentile of an append's latency, in an open loop of one every 20 µs, while
/// another thread replays everything over and over. Counted from when the append was due, so that
/// one that is held up also counts for those after it.
pub fn beside_replays(rounds: usize) -> Pair {
    let sides = Sides::full(CAPACITY);
    compare(
        rounds,
        || {
            open_loop(
                || touch(&sides.baseline.events_since(0)),
                |event| sides.baseline.append(event),
            )
        },
        || ours_in_open_loop(&sides),
    )
}

/// The same two threads with nothing between them: what the machine itself adds, by taking a core
/// away now and then.
pub fn beside_nothing(rounds: usize) -> Pair {
    let sides = Sides::full(CAPACITY);
    compare(
        rounds,
        || open_loop(|| touch::<Event>(&[]), |event| drop(black_box(event))),
        || ours_in_open_loop(&sides),
    )
}

fn ours_in_open_loop(sides: &Sides<Event>) -> f64 {
    open_loop(
        || touch(&sides.ours.replay(0)),
        |event| {
            sides.ours.append(event);
        },
    )
}

fn open_loop(replay: impl Fn() + Sync, mut append: impl FnMut(Event)) -> f64 {
    // A tenth of a second: the machine takes a core away for milliseconds, about as often as that,
    // and a round in which it does measures the machine.
    const APPENDS: u32 = 5_000;
    const EVERY: Duration = Duration::from_micros(20);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                replay();
            }
        });
        let start = Instant::now();
        let mut latencies = Vec::with_capacity(APPENDS as usize);
        for number in 0..APPENDS {
            let event = Event::new(u64::from(number));
            let due = start + EVERY * number;
            while Instant::now() < due {
                spin_loop();
            }
            append(event);
            latencies.push(due.elapsed().as_nanos() as u64);
        }
        stop.store(true, Ordering::Relaxed);
        quantile(latencies, 0.999)
    })
}
