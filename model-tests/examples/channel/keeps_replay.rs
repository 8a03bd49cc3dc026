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

#[derive(Clone)]
pub struct KeepsReplay;

#[derive(Default)]
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

// ---- the adapter ---------------------------------------------------------------------------

impl Subject for KeepsReplay {
    type Event = Tick;
    type Log = Deque;

    fn open(&self, case: &Case) -> Result<Deque, OpenError> {
        if case.capacity == 0 {
            return Err("a log of capacity 0 can hold nothing".into());
        }
        Ok(Deque {
            inner: Mutex::default(),
            capacity: case.capacity,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for Deque {
    fn append(&self, event: Tick) -> Option<u64> {
        let mut inner = self.inner.lock().unwrap();
        if inner.events.len() == self.capacity {
            inner.events.pop_front();
        }
        inner.events.push_back(event.clone());
        inner
            .readers
            .retain(|reader| reader.send(event.clone()).is_ok());
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let inner = self.inner.lock().unwrap();
        let above = inner.events.iter().filter(|event| event.version() > since);
        above.cloned().collect()
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<Tick>> {
        let mut inner = self.inner.lock().unwrap();
        let (sender, live) = mpsc::channel();
        if !inner.closed {
            inner.readers.push(sender);
        }
        let above = inner.events.iter().filter(|event| event.version() > since);
        let replay = above.cloned().collect();
        Box::new(Reader { replay, live })
    }

    fn close(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.closed = true;
        inner.readers.clear();
    }
}

struct Reader {
    replay: VecDeque<Tick>,
    live: Receiver<Tick>,
}

impl Subscription<Tick> for Reader {
    fn try_recv(&mut self) -> Received<Tick> {
        match self
            .replay
            .pop_front()
            .map_or_else(|| self.live.try_recv(), Ok)
        {
            Ok(event) => Received::Event(event),
            Err(TryRecvError::Empty) => Received::Empty,
            Err(TryRecvError::Disconnected) => Received::Closed,
        }
    }
}
