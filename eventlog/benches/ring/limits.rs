//! What people write by hand around a ring: a counter, a sum of bytes, times, pages and a filter.

use std::{
    collections::VecDeque,
    hint::black_box,
    sync::Mutex,
    time::{Duration, Instant},
};

use eventlog::{EventLog, Numbered, Versioned};

use crate::support::{
    event::Event,
    measure::{Pair, compare, cpu_each},
    sides::{BATCH, CAPACITY, Sides, batch, touch},
};

/// What one request asks for.
const PAGE: usize = 100;
/// What an event is taken to weigh.
const WEIGHT: u64 = 100;

/// A deque behind a lock, with the counter, the sum and the times that each needs.
struct ByHand<E> {
    events: VecDeque<(u64, Instant, E)>,
    next: u64,
    bytes: u64,
}

impl<E> ByHand<E> {
    fn empty() -> Mutex<Self> {
        Mutex::new(Self {
            events: VecDeque::with_capacity(CAPACITY),
            next: 1,
            bytes: 0,
        })
    }

    fn push(&mut self, event: E, now: Instant) {
        self.events.push_back((self.next, now, event));
        self.next += 1;
        self.bytes += WEIGHT;
        if self.events.len() > CAPACITY {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if self.events.pop_front().is_some() {
            self.bytes -= WEIGHT;
        }
    }
}

/// The log gives the number, beside a counter under the same lock.
pub fn push(rounds: usize) -> Pair {
    let (theirs, now) = (ByHand::empty(), Instant::now());
    let ours = EventLog::<Numbered<Event>>::builder();
    let ours = ours.capacity(CAPACITY).build().unwrap();
    compare(
        rounds,
        || each(|event| theirs.lock().unwrap().push(event, now)),
        || each(|event| _ = black_box(ours.push(event))),
    )
}

/// A limit in bytes that holds half of the capacity.
pub fn weighed(rounds: usize) -> Pair {
    let most = CAPACITY as u64 / 2 * WEIGHT;
    let (theirs, now) = (ByHand::empty(), Instant::now());
    let ours = EventLog::builder().capacity(CAPACITY);
    let ours = ours.max_bytes(most, |_: &Event| WEIGHT).build().unwrap();
    compare(
        rounds,
        || {
            each(|event| {
                let mut log = theirs.lock().unwrap();
                log.push(event, now);
                while log.bytes > most {
                    log.pop();
                }
            })
        },
        || each(|event| _ = black_box(ours.append(event))),
    )
}

/// A limit in age that is never reached: what it costs to look.
pub fn aged(rounds: usize) -> Pair {
    const AGE: Duration = Duration::from_secs(3_600);
    let theirs = ByHand::empty();
    let ours = EventLog::builder().capacity(CAPACITY);
    let ours = ours.max_age(AGE).build().unwrap();
    compare(
        rounds,
        || {
            each(|event| {
                let mut log = theirs.lock().unwrap();
                let now = Instant::now();
                log.push(event, now);
                while log.events.front().is_some_and(|(_, at, _)| now - *at > AGE) {
                    log.pop();
                }
            })
        },
        || each(|event| _ = black_box(ours.append(event))),
    )
}

/// A page from the middle: theirs clones under the lock what it sends.
pub fn page(rounds: usize) -> Pair {
    let theirs = ByHand::<Event>::empty();
    let sides = Sides::<Event>::full(CAPACITY);
    for event in batch(0, 2 * CAPACITY) {
        theirs.lock().unwrap().push(event, Instant::now());
    }
    let since = sides.newest - CAPACITY as u64 / 2;
    compare(
        rounds,
        || {
            cpu_each(1, || {
                let log = theirs.lock().unwrap();
                let page = log.events.iter().filter(|(number, ..)| *number > since);
                let page: Vec<_> = page.take(PAGE).map(|(_, _, event)| event.clone()).collect();
                drop(log);
                touch(&page);
            })
        },
        || cpu_each(1, || touch(&sides.ours.replay(since).take_page(PAGE))),
    )
}

/// One event in eight is wanted: theirs takes each from the subscription and looks.
pub fn filtered(rounds: usize) -> Pair {
    let sides = Sides::<Event>::full(CAPACITY);
    let is_wanted = |event: &Event| event.version().is_multiple_of(8);
    compare(
        rounds,
        || {
            let mut reader = sides.ours.subscribe(0);
            cpu_each(CAPACITY, || {
                while let Ok(event) = reader.try_recv() {
                    if is_wanted(&event) {
                        black_box(event);
                    }
                }
            })
        },
        || {
            let mut reader = sides.ours.subscribe(0).filter(is_wanted);
            cpu_each(CAPACITY, || {
                while let Ok(event) = reader.try_recv() {
                    black_box(event);
                }
            })
        },
    )
}

/// Events that are made before the clock starts.
fn each(mut append: impl FnMut(Event)) -> f64 {
    let events: Vec<Event> = (1..).take(BATCH).map(Event::new).collect();
    cpu_each(BATCH, || {
        for event in events {
            append(event);
        }
    })
}
