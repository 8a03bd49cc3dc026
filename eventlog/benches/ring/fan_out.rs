//! The whole cost of an event: append, wake, deliver to each subscriber.

use std::{hint::black_box, sync::Barrier, thread};

use eventlog::{RecvError, Versioned};
use tokio::sync::broadcast;

use crate::support::{
    event::Event,
    measure::{Pair, compare, cpu_each, ns_each},
    sides::{BATCH, CAPACITY, Sides, batch},
};

/// Events that are published before the subscribers read them.
const BURST: usize = 64;

pub fn one_by_one(subscribers: usize, rounds: usize) -> Pair {
    publish(subscribers, rounds, |subscription| {
        while let Ok(event) = subscription.try_recv() {
            black_box(event.version());
        }
    })
}

pub fn in_batches(subscribers: usize, rounds: usize) -> Pair {
    publish(subscribers, rounds, |subscription| {
        while let Ok(batch) = subscription.try_recv_batch() {
            for event in &batch {
                black_box(event.version());
            }
        }
    })
}

fn publish(
    subscribers: usize,
    rounds: usize,
    read: impl Fn(&mut eventlog::Subscription<Event>),
) -> Pair {
    let sides = Sides::<Event>::full(CAPACITY);
    let (sender, receiver) = broadcast::channel(CAPACITY);
    let mut receivers: Vec<_> = (0..subscribers).map(|_| sender.subscribe()).collect();
    drop(receiver);
    let mut subscriptions: Vec<_> = (0..subscribers)
        .map(|_| sides.ours.subscribe(sides.newest))
        .collect();
    let baseline = || {
        let mut events = batch::<Event>(sides.newest, BATCH).into_iter();
        cpu_each(BATCH, || {
            while events.len() > 0 {
                for event in events.by_ref().take(BURST) {
                    sides.baseline.append(event.clone());
                    sender.send(event).unwrap();
                }
                for receiver in &mut receivers {
                    while let Ok(event) = receiver.try_recv() {
                        black_box(event.version());
                    }
                }
            }
        })
    };
    let ours = || {
        let mut events = batch(sides.newest, BATCH).into_iter();
        cpu_each(BATCH, || {
            while events.len() > 0 {
                for event in events.by_ref().take(BURST) {
                    sides.ours.append(event);
                }
                for subscription in &mut subscriptions {
                    read(subscription);
                }
            }
        })
    };
    compare(rounds, baseline, ours)
}

/// One thread per subscriber, by the clock on the wall: until the last of them has the last event.
/// None lags, since both sides have room for the batch.
pub fn to_threads(subscribers: usize, in_batches: bool, rounds: usize) -> Pair {
    let sides = Sides::<Event>::full(CAPACITY);
    compare(
        rounds,
        || {
            let (sender, _) = broadcast::channel::<Event>(CAPACITY);
            let readers: Vec<_> = (0..subscribers)
                .map(|_| {
                    let mut receiver = sender.subscribe();
                    move || {
                        for _ in 0..BATCH {
                            black_box(receiver.blocking_recv().unwrap().version());
                        }
                    }
                })
                .collect();
            with_readers(readers, sides.newest, |event| {
                sides.baseline.append(event.clone());
                sender.send(event).unwrap();
            })
        },
        || {
            let at_the_tip = sides.ours.cursor();
            let readers: Vec<_> = (0..subscribers)
                .map(|_| {
                    let mut subscription = sides.ours.subscribe(at_the_tip);
                    move || {
                        let mut read = 0;
                        while read < BATCH {
                            read += receive(&mut subscription, in_batches).unwrap();
                        }
                    }
                })
                .collect();
            with_readers(readers, sides.newest, |event| {
                sides.ours.append(event);
            })
        },
    )
}

fn receive(
    subscription: &mut eventlog::Subscription<Event>,
    in_batches: bool,
) -> Result<usize, RecvError> {
    if !in_batches {
        black_box(subscription.blocking_recv()?.version());
        return Ok(1);
    }
    let batch = subscription.blocking_recv_batch()?;
    for event in &batch {
        black_box(event.version());
    }
    Ok(batch.len())
}

/// Publishes a batch while the readers run, each on its thread.
fn with_readers<R: FnOnce() + Send>(
    readers: Vec<R>,
    newest: u64,
    mut publish: impl FnMut(Event),
) -> f64 {
    let events = batch(newest, BATCH);
    let start = Barrier::new(readers.len() + 1);
    thread::scope(|scope| {
        let threads: Vec<_> = readers
            .into_iter()
            .map(|read| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    read();
                })
            })
            .collect();
        start.wait();
        ns_each(BATCH, || {
            for event in events {
                publish(event);
            }
            for thread in threads {
                thread.join().unwrap();
            }
        })
    })
}

/// An append alone as the baseline of one beside which `stats` is asked for, on the same thread.
pub fn stats(subscribers: usize, rounds: usize) -> Pair {
    let sides = Sides::<Event>::full(CAPACITY);
    let _idle: Vec<_> = (0..subscribers)
        .map(|_| sides.ours.subscribe(sides.newest))
        .collect();
    let none = Sides::<Event>::full(CAPACITY);
    let ask = |log: &eventlog::EventLog<Event>| {
        cpu_each(100, || {
            for _ in 0..100 {
                black_box(log.stats());
            }
        })
    };
    compare(rounds, || ask(&none.ours), || ask(&sides.ours))
}
