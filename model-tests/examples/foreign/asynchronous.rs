//! A log of a service: every call is asynchronous, its lock is tokio's, and its readers wait for a
//! `Notify`. Sound, with nothing of its own but the events that it retains.

use std::{collections::VecDeque, sync::Arc};

use model_tests::{
    AsyncLog, AsyncSubject, AsyncSubscription, BoxFuture, Case, OpenError, Received, Tick,
    Versioned,
};
use tokio::sync::{Notify, RwLock};

#[derive(Clone)]
pub struct Service {
    /// A bug: `append` lets nobody know.
    pub is_silent: bool,
}

pub struct ServiceLog {
    shared: Arc<Shared>,
    capacity: usize,
    is_silent: bool,
}

#[derive(Default)]
struct Shared {
    events: RwLock<Events>,
    changed: Notify,
}

#[derive(Default)]
struct Events {
    retained: VecDeque<Tick>,
    appended: u64,
    /// The number of the last event that readers get.
    closed_at: Option<u64>,
}

impl Events {
    /// The event with this many before it.
    fn get(&self, number: u64) -> Option<&Tick> {
        let oldest = self.appended - self.retained.len() as u64;
        let at = usize::try_from(number.checked_sub(oldest)?).ok()?;
        self.retained.get(at)
    }
}

// ---- the adapter ---------------------------------------------------------------------------

impl AsyncSubject for Service {
    type Event = Tick;
    type Log = ServiceLog;

    async fn open(&self, case: &Case) -> Result<ServiceLog, OpenError> {
        if case.capacity == 0 {
            return Err("a log of capacity 0 can hold nothing".into());
        }
        Ok(ServiceLog {
            shared: Arc::default(),
            capacity: case.capacity,
            is_silent: self.is_silent,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl AsyncLog<Tick> for ServiceLog {
    async fn append(&self, event: Tick) -> Option<u64> {
        let mut events = self.shared.events.write().await;
        if events.retained.len() == self.capacity {
            events.retained.pop_front();
        }
        events.retained.push_back(event);
        events.appended += 1;
        let number = events.appended;
        drop(events);
        if !self.is_silent {
            self.shared.changed.notify_waiters();
        }
        Some(number)
    }

    async fn events_since(&self, since: u64) -> Vec<Tick> {
        let events = self.shared.events.read().await;
        let above = events
            .retained
            .iter()
            .filter(|event| event.version() > since);
        above.cloned().collect()
    }

    async fn subscribe(&self, since: u64) -> Box<dyn AsyncSubscription<Tick>> {
        let events = self.shared.events.read().await;
        let above = events
            .retained
            .iter()
            .position(|event| event.version() > since);
        let behind = above.map_or(0, |at| events.retained.len() - at) as u64;
        Box::new(Reader {
            shared: self.shared.clone(),
            next: events.appended - behind,
        })
    }

    async fn close(&self) {
        let mut events = self.shared.events.write().await;
        let last = events.appended;
        events.closed_at.get_or_insert(last);
        drop(events);
        self.shared.changed.notify_waiters();
    }
}

struct Reader {
    shared: Arc<Shared>,
    next: u64,
}

impl AsyncSubscription<Tick> for Reader {
    fn recv(&mut self) -> BoxFuture<'_, Received<Tick>> {
        Box::pin(async {
            loop {
                // Before it looks, so that nothing comes between.
                let changed = self.shared.changed.notified();
                let events = self.shared.events.read().await;
                if events.closed_at.is_some_and(|last| self.next >= last) {
                    return Received::Closed;
                }
                let oldest = events.appended - events.retained.len() as u64;
                let gone = oldest.min(events.closed_at.unwrap_or(oldest));
                if self.next < gone {
                    let lost = gone - self.next;
                    self.next = gone;
                    return Received::Lagged(lost);
                }
                if let Some(event) = events.get(self.next) {
                    self.next += 1;
                    return Received::Event(event.clone());
                }
                drop(events);
                changed.await;
            }
        })
    }
}
