//! The channel of the crate `async-broadcast`, which lets the oldest go when it is full. What it
//! holds is what it retains, and a receiver that nobody reads, kept from the beginning, knows it.
//!
//! Its verdicts: nothing is broken. A receiver's loss is told exactly, what is in the channel when it
//! is closed is still delivered, and every waiting receiver is woken.

use std::{collections::VecDeque, sync::Mutex};

use async_broadcast::{InactiveReceiver, Receiver, RecvError, Sender, broadcast};
use model_tests::{
    Case, Log, OpenError, PollFuture, Received, Subject, Subscription, Tick, Versioned,
};

// ---- the log -------------------------------------------------------------------------------

pub struct Channel {
    sender: Sender<Tick>,
    /// Without a receiver a channel is closed.
    open: InactiveReceiver<Tick>,
    retained: Mutex<VecDeque<Tick>>,
    capacity: usize,
}

struct Reader {
    replay: VecDeque<Tick>,
    live: Receiver<Tick>,
}

impl Channel {
    fn new(capacity: usize) -> Option<Self> {
        (capacity > 0).then(|| {
            let (mut sender, receiver) = broadcast(capacity);
            sender.set_overflow(true);
            sender.set_await_active(false);
            Self {
                sender,
                open: receiver.deactivate(),
                retained: Mutex::default(),
                capacity,
            }
        })
    }

    fn push(&self, event: Tick) {
        let mut retained = self.retained.lock().unwrap();
        if retained.len() == self.capacity {
            retained.pop_front();
        }
        retained.push_back(event.clone());
        // It is refused where nobody receives, and after the close.
        let _ = self.sender.try_broadcast(event);
    }

    fn retained(&self) -> VecDeque<Tick> {
        self.retained.lock().unwrap().clone()
    }

    fn follow(&self, since: u64) -> Reader {
        let retained = self.retained.lock().unwrap();
        let events = retained.iter();
        let replay = events.skip_while(|event| event.version() <= since);
        Reader {
            replay: replay.cloned().collect(),
            live: self.open.activate_cloned(),
        }
    }
}

impl Reader {
    async fn next(&mut self) -> Result<Tick, RecvError> {
        match self.replay.pop_front() {
            Some(event) => Ok(event),
            None => self.live.recv().await,
        }
    }
}

// ---- the adapter ---------------------------------------------------------------------------

#[derive(Clone)]
pub struct Overflowing;

impl Subject for Overflowing {
    type Event = Tick;
    type Log = Channel;

    fn open(&self, case: &Case) -> Result<Channel, OpenError> {
        Channel::new(case.capacity).ok_or("a channel for nothing".into())
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
        self.sender.close();
    }
}

async fn recv(mut reader: Reader) -> (Reader, Received<Tick>) {
    let received = match reader.next().await {
        Ok(event) => Received::Event(event),
        Err(RecvError::Overflowed(lost)) => Received::Lagged(lost),
        Err(RecvError::Closed) => Received::Closed,
    };
    (reader, received)
}
