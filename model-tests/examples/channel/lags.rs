//! A deque beside tokio's `broadcast`. A reader takes a copy of what is retained, under the lock, and
//! then what comes through the channel, which rounds its capacity up, tells one loss after the other,
//! and lets a waker's panic out of `send`. (One thread appends: for more, the order in the channel
//! needs a lock of its own.)

use std::{collections::VecDeque, sync::Mutex};

use model_tests::{
    Case, Log, OpenError, PollFuture, Received, Subject, Subscription, Tick, Versioned,
};
use tokio::sync::broadcast::{self, Receiver, error::RecvError};

#[derive(Clone)]
pub struct Lags;

pub struct Channel {
    inner: Mutex<Inner>,
    capacity: usize,
}

struct Inner {
    events: VecDeque<Tick>,
    appended: u64,
    live: Option<broadcast::Sender<(u64, Tick)>>,
}

// ---- the adapter ---------------------------------------------------------------------------

impl Subject for Lags {
    type Event = Tick;
    type Log = Channel;

    fn open(&self, case: &Case) -> Result<Channel, OpenError> {
        if case.capacity == 0 {
            return Err("a log of capacity 0 can hold nothing".into());
        }
        let inner = Inner {
            events: VecDeque::new(),
            appended: 0,
            live: Some(broadcast::Sender::new(case.capacity)),
        };
        Ok(Channel {
            inner: Mutex::new(inner),
            capacity: case.capacity,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for Channel {
    fn append(&self, event: Tick) -> Option<u64> {
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
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let inner = self.inner.lock().unwrap();
        let above = inner.events.iter().filter(|event| event.version() > since);
        above.cloned().collect()
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<Tick>> {
        let inner = self.inner.lock().unwrap();
        let live = match &inner.live {
            Some(live) => live.subscribe(),
            None => broadcast::Sender::new(1).subscribe(),
        };
        let old = inner
            .events
            .iter()
            .take_while(|event| event.version() <= since);
        let reader = Reader {
            replay: inner.events.iter().skip(old.count()).cloned().collect(),
            replayed: inner.appended,
            live,
        };
        Box::new(PollFuture::new(reader, recv))
    }

    fn close(&self) {
        self.inner.lock().unwrap().live = None;
    }
}

struct Reader {
    replay: VecDeque<Tick>,
    /// The number of the last event that was there when it subscribed.
    replayed: u64,
    live: Receiver<(u64, Tick)>,
}

async fn recv(mut reader: Reader) -> (Reader, Received<Tick>) {
    if let Some(event) = reader.replay.pop_front() {
        return (reader, Received::Event(event));
    }
    let received = loop {
        match reader.live.recv().await {
            // It was on its way into the channel, and is in the replay.
            Ok((number, _)) if number <= reader.replayed => {}
            Ok((_, event)) => break Received::Event(event),
            Err(RecvError::Lagged(lost)) => break Received::Lagged(lost),
            Err(RecvError::Closed) => break Received::Closed,
        }
    };
    (reader, received)
}
