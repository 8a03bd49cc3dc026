//! A deque beside a channel without a bound. A reader takes a copy of what it asked for, under the
//! lock, and then what comes through its channel: it never lags, and delivers what was evicted.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
};

use model_tests::{Case, Log, OpenError, Received, Subject, Subscription, Tick, Versioned};

// ---- the log -------------------------------------------------------------------------------

pub struct Deque {
    inner: Mutex<Inner>,
    capacity: usize,
}

#[derive(Default)]
struct Inner {
    events: VecDeque<Tick>,
    readers: Vec<Sender<Tick>>,
    closed: bool,
}

struct Reader {
    replay: VecDeque<Tick>,
    live: Receiver<Tick>,
}

impl Deque {
    fn new(capacity: usize) -> Option<Self> {
        (capacity > 0).then(|| Self {
            inner: Mutex::default(),
            capacity,
        })
    }

    fn push(&self, event: &Tick) {
        let mut inner = self.inner.lock().unwrap();
        if inner.events.len() == self.capacity {
            inner.events.pop_front();
        }
        inner.events.push_back(event.clone());
        inner
            .readers
            .retain(|reader| reader.send(event.clone()).is_ok());
    }

    fn since(&self, version: u64) -> VecDeque<Tick> {
        self.inner.lock().unwrap().since(version)
    }

    fn follow(&self, since: u64) -> Reader {
        let mut inner = self.inner.lock().unwrap();
        let (sender, live) = mpsc::channel();
        if !inner.closed {
            inner.readers.push(sender);
        }
        let replay = inner.since(since);
        Reader { replay, live }
    }

    fn end(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.closed = true;
        inner.readers.clear();
    }
}

impl Inner {
    fn since(&self, version: u64) -> VecDeque<Tick> {
        let above = self.events.iter().filter(|event| event.version() > version);
        above.cloned().collect()
    }
}

// ---- the adapter ---------------------------------------------------------------------------

#[derive(Clone)]
pub struct KeepsReplay;

impl Subject for KeepsReplay {
    type Event = Tick;
    type Log = Deque;

    fn open(&self, case: &Case) -> Result<Deque, OpenError> {
        Deque::new(case.capacity).ok_or("a log of capacity 0 can hold nothing".into())
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for Deque {
    fn append(&self, event: Tick) -> Option<u64> {
        self.push(&event);
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        self.since(since).into()
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<Tick>> {
        Box::new(self.follow(since))
    }

    fn close(&self) {
        self.end();
    }
}

impl Subscription<Tick> for Reader {
    fn try_recv(&mut self) -> Received<Tick> {
        let next = self.replay.pop_front();
        match next.map_or_else(|| self.live.try_recv(), Ok) {
            Ok(event) => Received::Event(event),
            Err(TryRecvError::Empty) => Received::Empty,
            Err(TryRecvError::Disconnected) => Received::Closed,
        }
    }
}
