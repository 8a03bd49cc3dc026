//! A topic as brokers have it: events at dense offsets, of which the oldest are let go. It knows no
//! versions, and its events are bytes to it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use model_tests::{
    ByOffset, Case, OffsetLog, OpenError, ReadFrom, Received, Subject, Subscription, Tick,
};

// ---- the log -------------------------------------------------------------------------------

#[derive(Clone)]
pub struct Topic(Arc<Inner>);

struct Inner {
    events: Mutex<Events>,
    capacity: usize,
    resets_silently: bool,
}

#[derive(Default)]
struct Events {
    retained: VecDeque<Tick>,
    next: u64,
}

impl Topic {
    fn new(capacity: usize, resets_silently: bool) -> Result<Self, OpenError> {
        if capacity == 0 {
            return Err("a topic that keeps nothing".into());
        }
        Ok(Self(Arc::new(Inner {
            events: Mutex::default(),
            capacity,
            resets_silently,
        })))
    }

    fn publish(&self, event: Tick) -> u64 {
        let Inner {
            events, capacity, ..
        } = &*self.0;
        let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.retained.len() == *capacity {
            events.retained.pop_front();
        }
        events.retained.push_back(event);
        events.next += 1;
        events.next - 1
    }

    fn fetch(&self, from: u64) -> ReadFrom<Tick> {
        let events = self.0.events.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = events.next - events.retained.len() as u64;
        let gone = usize::try_from(from.saturating_sub(oldest)).unwrap_or(usize::MAX);
        ReadFrom {
            oldest,
            next: events.next,
            events: events.retained.iter().skip(gone).cloned().collect(),
        }
    }
}

#[derive(Clone)]
pub struct Topics {
    /// A bug: a reader whose offset is gone goes on at the oldest, and says nothing.
    pub resets_silently: bool,
}

// ---- the adapter ---------------------------------------------------------------------------

impl Subject for Topics {
    type Event = Tick;
    type Log = ByOffset<Topic>;

    fn open(&self, case: &Case) -> Result<ByOffset<Topic>, OpenError> {
        Ok(ByOffset(Topic::new(case.capacity, self.resets_silently)?))
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl OffsetLog<Tick> for Topic {
    fn append(&self, event: Tick) -> u64 {
        self.publish(event)
    }

    fn read(&self, from: u64) -> ReadFrom<Tick> {
        self.fetch(from)
    }

    fn subscribe(&self, from: u64) -> Box<dyn Subscription<Tick>> {
        Box::new(Consumer(self.clone(), from))
    }
}

/// A consumer, and the offset where it stands.
struct Consumer(Topic, u64);

impl Subscription<Tick> for Consumer {
    fn try_recv(&mut self) -> Received<Tick> {
        let Self(topic, at) = self;
        let fetched = topic.fetch(*at);
        if fetched.oldest > *at && !topic.0.resets_silently {
            let lost = fetched.oldest - *at;
            *at = fetched.oldest;
            return Received::Lagged(lost);
        }
        *at = fetched.next - fetched.events.len() as u64;
        let next = fetched.events.into_iter().next();
        *at += u64::from(next.is_some());
        next.map_or(Received::Empty, Received::Event)
    }
}
