//! A ring whose readers begin at its oldest event and pass over what was not asked for. When that is
//! evicted before they come to it, they tell a loss where there is none.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use model_tests::{
    Budget, Capability, Case, Log, OpenError, Received, Subject, Subscription, Tick,
    Versioned as _, check, laws,
};

#[derive(Clone)]
struct Hasty;

struct Ring {
    events: Arc<Mutex<Events>>,
    capacity: usize,
}

#[derive(Default)]
struct Events {
    evicted: usize,
    retained: VecDeque<Tick>,
}

struct Reader {
    events: Arc<Mutex<Events>>,
    next: usize,
    /// Up to where it is replay, in which only what is above `since` is given.
    end: usize,
    since: u64,
}

impl Subject for Hasty {
    type Event = Tick;
    type Log = Ring;

    fn open(&self, case: &Case) -> Result<Ring, OpenError> {
        if case.capacity == 0 {
            return Err("no room".into());
        }
        Ok(Ring {
            events: Arc::default(),
            capacity: case.capacity,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for Ring {
    fn append(&self, event: Tick) -> Option<u64> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.retained.len() == self.capacity {
            events.retained.pop_front();
            events.evicted += 1;
        }
        events.retained.push_back(event);
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let later = events
            .retained
            .iter()
            .filter(|event| event.version() > since);
        later.cloned().collect()
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<Tick>> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        Box::new(Reader {
            events: self.events.clone(),
            next: events.evicted,
            end: events.evicted + events.retained.len(),
            since,
        })
    }
}

impl Subscription<Tick> for Reader {
    fn try_recv(&mut self) -> Received<Tick> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lost @ 1..) = events.evicted.checked_sub(self.next) {
            self.next = events.evicted;
            return Received::Lagged(lost as u64);
        }
        while let Some(event) = events.retained.get(self.next - events.evicted) {
            self.next += 1;
            if self.next > self.end || event.version() > self.since {
                return Received::Event(event.clone());
            }
        }
        Received::Empty
    }
}

/// It has `Versions` and `Subscribe`.
const LACKS: &[Capability] = {
    use Capability::{
        Age, AppendWith, Base, Batch, CatchesWakers, Close, Cursor, Durable, Filter, LagOnce,
        Lease, Live, Numbers, Pages, Probe, Replay, Skip, Truncation, Wait, Weight, Yields,
    };
    &[
        Age,
        AppendWith,
        Base,
        Batch,
        CatchesWakers,
        Close,
        Cursor,
        Durable,
        Filter,
        LagOnce,
        Lease,
        Live,
        Numbers,
        Pages,
        Probe,
        Replay,
        Skip,
        Truncation,
        Wait,
        Weight,
        Yields,
    ]
};

#[test]
fn a_loss_that_is_none_is_a_lag_told_wrongly() {
    let mut budget = Budget::default();
    budget.lacks = LACKS;
    let broken = check(&Hasty, &laws::S02, &budget).unwrap_err();
    assert_eq!(broken.law.id, "S02", "{broken}");
    assert_eq!(broken.actual, "Lagged(1)", "{broken}");
    assert!(
        broken.script.lines().count() < 12,
        "a short history: {broken}"
    );
}
