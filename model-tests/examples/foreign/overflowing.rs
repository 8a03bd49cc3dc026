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

#[derive(Clone)]
pub struct Overflowing;

pub struct Channel {
    sender: Sender<Tick>,
    /// Without a receiver a channel is closed.
    open: InactiveReceiver<Tick>,
    retained: Mutex<VecDeque<Tick>>,
    capacity: usize,
}

// ---- the adapter ---------------------------------------------------------------------------

impl Subject for Overflowing {
    type Event = Tick;
    type Log = Channel;

    fn open(&self, case: &Case) -> Result<Channel, OpenError> {
        if case.capacity == 0 {
            return Err("a channel for nothing".into());
        }
        let (mut sender, receiver) = broadcast(case.capacity);
        sender.set_overflow(true);
        sender.set_await_active(false);
        Ok(Channel {
            sender,
            open: receiver.deactivate(),
            retained: Mutex::default(),
            capacity: case.capacity,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for Channel {
    fn append(&self, event: Tick) -> Option<u64> {
        let mut retained = self.retained.lock().unwrap();
        if retained.len() == self.capacity {
            retained.pop_front();
        }
        retained.push_back(event.clone());
        // It is refused where nobody receives, and after the close.
        let _ = self.sender.try_broadcast(event);
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let retained = self.retained.lock().unwrap();
        retained
            .iter()
            .filter(|event| event.version() > since)
            .cloned()
            .collect()
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<Tick>> {
        let retained = self.retained.lock().unwrap();
        let old = retained
            .iter()
            .take_while(|event| event.version() <= since)
            .count();
        let replay: Vec<_> = retained.iter().skip(old).cloned().collect();
        let live = self.open.activate_cloned();
        Box::new(PollFuture::new((replay.into_iter(), live), recv))
    }

    fn close(&self) {
        self.sender.close();
    }
}

type Reader = (std::vec::IntoIter<Tick>, Receiver<Tick>);

async fn recv((mut replay, mut live): Reader) -> (Reader, Received<Tick>) {
    let received = match replay.next() {
        Some(event) => Received::Event(event),
        None => match live.recv().await {
            Ok(event) => Received::Event(event),
            Err(RecvError::Overflowed(lost)) => Received::Lagged(lost),
            Err(RecvError::Closed) => Received::Closed,
        },
    };
    ((replay, live), received)
}
