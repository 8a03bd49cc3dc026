//! Subscribers that are tasks and wait, on one thread, whose CPU time is measured, so that nothing
//! but the work itself is.

use std::{cell::Cell, hint::black_box, rc::Rc};

use eventlog::{EventLog, Versioned};
use tokio::{
    runtime::Builder,
    sync::broadcast::{self, Sender},
    task::{LocalSet, spawn_local, yield_now},
};

use super::{
    event::Event,
    measure::{cpu_each, sized, thread_time},
    sides::{CAPACITY, full},
};

/// What subscribers have received in total.
type Received = Rc<Cell<usize>>;

/// A runtime with subscribers that wait, and a way to publish to them.
pub struct Side {
    runtime: tokio::runtime::Runtime,
    tasks: LocalSet,
    publish: Box<dyn Fn(Event)>,
    received: Received,
    subscribers: usize,
}

impl Side {
    fn new(subscribers: usize, publish: Box<dyn Fn(Event)>) -> Self {
        Self {
            runtime: Builder::new_current_thread().build().unwrap(),
            tasks: LocalSet::new(),
            publish,
            received: Received::default(),
            subscribers,
        }
    }

    /// Subscribers of our log.
    pub fn ours(subscribers: usize) -> Self {
        let log: Rc<EventLog<Event>> = Rc::new(full(CAPACITY));
        let publish = log.clone();
        let side = Self::new(
            subscribers,
            Box::new(move |event| {
                publish.append(event);
            }),
        );
        for _ in 0..subscribers {
            let (mut subscription, received) = (log.subscribe(log.cursor()), side.received.clone());
            side.spawn(async move {
                while let Ok(event) = subscription.recv().await {
                    black_box(event.version());
                    received.set(received.get() + 1);
                }
            });
        }
        side.settle();
        side
    }

    /// Receivers of a `tokio::sync::broadcast` channel.
    pub fn theirs(subscribers: usize) -> Self {
        let (sender, _): (Sender<Event>, _) = broadcast::channel(CAPACITY);
        let publish = sender.clone();
        let side = Self::new(
            subscribers,
            Box::new(move |event| {
                let _ = publish.send(event);
            }),
        );
        for _ in 0..subscribers {
            let (mut channel, received) = (sender.subscribe(), side.received.clone());
            side.spawn(async move {
                while let Ok(event) = channel.recv().await {
                    black_box(event.version());
                    received.set(received.get() + 1);
                }
            });
        }
        side.settle();
        // The ring is full on both sides.
        for version in 0..sized(2 * CAPACITY as u64, 128) {
            (side.publish)(Event::new(version));
            if version % 64 == 0 {
                side.settle();
            }
        }
        side.settle();
        side
    }

    pub fn subscribers(&self) -> usize {
        self.subscribers
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.tasks.block_on(&self.runtime, async {
            spawn_local(task);
        });
    }

    /// Lets all tasks run until none has anything to do.
    fn settle(&self) {
        self.tasks.block_on(&self.runtime, async {
            loop {
                let before = self.received.get();
                for _ in 0..2 * self.subscribers / 61 + 4 {
                    yield_now().await;
                }
                if self.received.get() == before {
                    return;
                }
            }
        });
    }

    /// Nanoseconds per event and subscriber.
    pub fn publish(&self, times: usize, burst: usize) -> f64 {
        let events: Vec<_> = (0..(times * burst) as u64).map(Event::new).collect();
        let mut events = events.into_iter();
        self.tasks.block_on(&self.runtime, async {
            cpu_each_async(times * burst * self.subscribers, async {
                for _ in 0..times {
                    let until = self.received.get() + burst * self.subscribers;
                    for event in events.by_ref().take(burst) {
                        (self.publish)(event);
                    }
                    while self.received.get() < until {
                        yield_now().await;
                    }
                }
            })
            .await
        })
    }

    /// Nanoseconds of one append that wakes everyone.
    pub fn wake_all(&self) -> f64 {
        self.settle();
        let event = Event::new(1);
        self.tasks.block_on(&self.runtime, async {
            cpu_each(1, || (self.publish)(event))
        })
    }
}

/// As `cpu_each`, over what the tasks of this thread do until `work` is done.
async fn cpu_each_async(operations: usize, work: impl Future<Output = ()>) -> f64 {
    let start = thread_time();
    work.await;
    let spent = thread_time().saturating_sub(start);
    spent.as_secs_f64() * 1e9 / operations as f64
}
