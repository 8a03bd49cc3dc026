//! A log of a service: every call is asynchronous, its lock is tokio's, and its readers wait for a
//! `Notify`. Sound, with nothing of its own but the events that it retains.

use std::{collections::VecDeque, sync::Arc};

use model_tests::{
    AsyncLog, AsyncSubject, AsyncSubscription, BoxFuture, Case, OpenError, Received, Tick,
    Versioned,
};
use tokio::sync::{Notify, RwLock};

// ---- the log -------------------------------------------------------------------------------

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
    fn oldest(&self) -> u64 {
        self.appended - self.retained.len() as u64
    }

    /// The event with this many before it.
    fn get(&self, number: u64) -> Option<&Tick> {
        let at = usize::try_from(number.checked_sub(self.oldest())?).ok()?;
        self.retained.get(at)
    }
}

impl ServiceLog {
    fn new(capacity: usize, is_silent: bool) -> Option<Self> {
        (capacity > 0).then(|| Self {
            shared: Arc::default(),
            capacity,
            is_silent,
        })
    }

    async fn push(&self, event: Tick) -> u64 {
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
        number
    }

    async fn retained(&self) -> VecDeque<Tick> {
        self.shared.events.read().await.retained.clone()
    }

    async fn follow(&self, since: u64) -> Reader {
        let events = self.shared.events.read().await;
        let mut retained = events.retained.iter();
        let above = retained.position(|event| event.version() > since);
        let next = above.map_or(events.appended, |at| events.oldest() + at as u64);
        Reader {
            shared: self.shared.clone(),
            next,
        }
    }

    async fn end(&self) {
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

impl Reader {
    /// The next event, or how many were lost before it; `None` once the log is closed.
    async fn next(&mut self) -> Option<Result<Tick, u64>> {
        loop {
            // Before it looks, so that nothing comes between.
            let changed = self.shared.changed.notified();
            let events = self.shared.events.read().await;
            if events.closed_at.is_some_and(|last| self.next >= last) {
                return None;
            }
            let oldest = events.oldest();
            let gone = oldest.min(events.closed_at.unwrap_or(oldest));
            if self.next < gone {
                let lost = gone - self.next;
                self.next = gone;
                return Some(Err(lost));
            }
            if let Some(event) = events.get(self.next) {
                self.next += 1;
                return Some(Ok(event.clone()));
            }
            drop(events);
            changed.await;
        }
    }
}

#[derive(Clone)]
pub struct Service {
    /// A bug: `append` lets nobody know.
    pub is_silent: bool,
}

// ---- the adapter ---------------------------------------------------------------------------

impl AsyncSubject for Service {
    type Event = Tick;
    type Log = ServiceLog;

    async fn open(&self, case: &Case) -> Result<ServiceLog, OpenError> {
        ServiceLog::new(case.capacity, self.is_silent).ok_or("a log of capacity 0".into())
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl AsyncLog<Tick> for ServiceLog {
    async fn append(&self, event: Tick) -> Option<u64> {
        Some(self.push(event).await)
    }

    async fn events_since(&self, since: u64) -> Vec<Tick> {
        let mut events = self.retained().await;
        events.retain(|event| event.version() > since);
        events.into()
    }

    async fn subscribe(&self, since: u64) -> Box<dyn AsyncSubscription<Tick>> {
        Box::new(self.follow(since).await)
    }

    async fn close(&self) {
        self.end().await;
    }
}

impl AsyncSubscription<Tick> for Reader {
    fn recv(&mut self) -> BoxFuture<'_, Received<Tick>> {
        Box::pin(async {
            match self.next().await {
                Some(Ok(event)) => Received::Event(event),
                Some(Err(lost)) => Received::Lagged(lost),
                None => Received::Closed,
            }
        })
    }
}
