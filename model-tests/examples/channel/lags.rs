//! A deque beside tokio's `broadcast`. A reader takes a copy of what is retained, under the lock, and
//! then what comes through the channel, which rounds its capacity up, tells one loss after the other,
//! and lets a waker's panic out of `send`. (One thread appends: for more, the order in the channel
//! needs a lock of its own.)

use std::{collections::VecDeque, sync::Mutex};

use model_tests::{
    Case, Log, OpenError, PollFuture, Received, Subject, Subscription, Tick, Versioned,
};
use tokio::sync::broadcast::{self, Receiver, error::RecvError};

// ---- the log -------------------------------------------------------------------------------

pub struct Channel {
    inner: Mutex<Inner>,
    capacity: usize,
}

struct Inner {
    events: VecDeque<Tick>,
    appended: u64,
    live: Option<broadcast::Sender<(u64, Tick)>>,
}

struct Reader {
    replay: VecDeque<Tick>,
    /// The number of the last event that was there when it subscribed.
    replayed: u64,
    live: Receiver<(u64, Tick)>,
}

impl Channel {
    fn new(capacity: usize) -> Option<Self> {
        (capacity > 0).then(|| {
            let inner = Inner {
                events: VecDeque::new(),
                appended: 0,
                live: Some(broadcast::Sender::new(capacity)),
            };
            Self {
                inner: Mutex::new(inner),
                capacity,
            }
        })
    }

    fn push(&self, event: Tick) {
        let mut inner = self.inner.lock().unwrap();
        if inner.events.len() == self.capacity {
            inner.events.pop_front();
        }
        inner.events.push_back(event.clone());
        inner.appended += 1;
        let (number, live) = (inner.appended, inner.live.clone());
        // Wakers are no code of ours, so they run outside of the lock.
        drop(inner);
        live.map(|live| live.send((number, event)));
    }

    fn retained(&self) -> VecDeque<Tick> {
        self.inner.lock().unwrap().events.clone()
    }

    fn follow(&self, since: u64) -> Reader {
        let inner = self.inner.lock().unwrap();
        let live = match &inner.live {
            Some(live) => live.subscribe(),
            None => broadcast::Sender::new(1).subscribe(),
        };
        let events = inner.events.iter();
        let replay = events.skip_while(|event| event.version() <= since);
        Reader {
            replay: replay.cloned().collect(),
            replayed: inner.appended,
            live,
        }
    }

    fn end(&self) {
        self.inner.lock().unwrap().live = None;
    }
}

impl Reader {
    async fn next(&mut self) -> Result<Tick, RecvError> {
        if let Some(event) = self.replay.pop_front() {
            return Ok(event);
        }
        loop {
            let (number, event) = self.live.recv().await?;
            // Otherwise it was on its way into the channel, and is in the replay.
            if number > self.replayed {
                return Ok(event);
            }
        }
    }
}

// ---- the adapter ---------------------------------------------------------------------------

#[derive(Clone)]
pub struct Lags;

impl Subject for Lags {
    type Event = Tick;
    type Log = Channel;

    fn open(&self, case: &Case) -> Result<Channel, OpenError> {
        Channel::new(case.capacity).ok_or("a log of capacity 0 can hold nothing".into())
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for Channel {
    fn append(&self, event: Tick) -> Option<u64> {
        self.push(event);
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let mut events = self.retained();
        events.retain(|event| event.version() > since);
        events.into()
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<Tick>> {
        Box::new(PollFuture::new(self.follow(since), recv))
    }

    fn close(&self) {
        self.end();
    }
}

async fn recv(mut reader: Reader) -> (Reader, Received<Tick>) {
    let received = match reader.next().await {
        Ok(event) => Received::Event(event),
        Err(RecvError::Lagged(lost)) => Received::Lagged(lost),
        Err(RecvError::Closed) => Received::Closed,
    };
    (reader, received)
}
