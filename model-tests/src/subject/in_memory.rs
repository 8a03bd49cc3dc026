//! `eventlog` itself as a subject, with any event type.

use std::task::{Context, Poll};

use eventlog::{Cursor, EventLog, Numbered, RecvError, TryRecvError, Versioned};
use serde::{Deserialize, Serialize};

use crate::subject::{
    adapter::{Event, Subject},
    case::{Case, weight},
    log::{Lease, Log, Numbering, OpenError, Page, Received, Replay, Subscription},
    probe::{Probe, Probed},
};

/// The smallest event: a version, and a number that tells equal versions apart.
#[derive(Versioned, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tick {
    version: u64,
    pick: u32,
}

impl Tick {
    /// An event of this version.
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned};
    /// assert_eq!(Tick::new(7, 0).version(), 7);
    /// assert_ne!(Tick::new(7, 0), Tick::new(7, 1));
    /// ```
    #[must_use]
    pub fn new(version: u64, pick: u32) -> Self {
        Self { version, pick }
    }
}

/// `eventlog::EventLog` on events that `make` makes of a version and a pick.
///
/// ```
/// # use model_tests::{Case, Log, Ours, Subject, Tick};
/// let subject = Ours(Tick::new);
/// let log = subject.open(&Case::new(2))?;
/// assert_eq!(Log::append(&log, subject.event(7, 0)), Some(1));
/// # Ok::<(), model_tests::OpenError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Ours<F>(pub F);

impl<E, F> Subject for Ours<F>
where
    E: Event,
    F: Fn(u64, u32) -> E + Send + Sync + 'static,
{
    type Event = Probed<E>;
    type Log = EventLog<Probed<E>>;

    fn open(&self, case: &Case) -> Result<Self::Log, OpenError> {
        let mut builder = EventLog::builder().capacity(case.capacity);
        if let Some(base) = case.base_version {
            builder = builder.base_version(base);
        }
        if let Some(bytes) = case.max_bytes {
            builder = builder.max_bytes(bytes, weight);
        }
        if let Some(age) = case.max_age {
            let clock = case.clock.clone();
            builder = builder.max_age(age).clock(move || clock.now());
        }
        Ok(builder.build()?)
    }

    fn numbering(&self, case: &Case) -> Result<Box<dyn Numbering>, OpenError> {
        let builder = EventLog::<Numbered<u32>>::builder();
        Ok(Box::new(builder.capacity(case.capacity).build()?))
    }

    fn event(&self, version: u64, pick: u32) -> Self::Event {
        Probed::new((self.0)(version, pick), None)
    }

    fn probed_event(&self, version: u64, probe: &Probe) -> Self::Event {
        Probed::new((self.0)(version, 0), Some(probe))
    }
}

impl<E: Event> Log<E> for EventLog<E> {
    fn append(&self, event: E) -> Option<u64> {
        Some(EventLog::append(self, event).get())
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        EventLog::events_since(self, since)
    }

    fn replay_truncated(&self, since: u64) -> bool {
        EventLog::replay_truncated(self, since)
    }

    fn replay(&self, since: u64) -> Replay<E> {
        owned(&EventLog::replay(self, since))
    }

    fn append_batch(&self, events: Vec<E>) {
        EventLog::append_batch(self, events);
    }

    fn append_with(&self, make: &mut dyn FnMut(Option<u64>) -> E) {
        EventLog::append_with(self, make);
    }

    fn cursor(&self) -> String {
        EventLog::cursor(self).to_string()
    }

    fn replay_after(&self, cursor: &str) -> Replay<E> {
        owned(&EventLog::replay(self, parse(cursor)))
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<E>> {
        Box::new(EventLog::subscribe(self, since))
    }

    fn resume(&self, cursor: &str) -> Box<dyn Subscription<E>> {
        Box::new(EventLog::subscribe(self, parse(cursor)))
    }

    fn lease(&self, events: u64) -> Box<dyn Lease> {
        Box::new(EventLog::lease(self, events))
    }

    fn page(&self, since: u64, events: usize) -> Page<E> {
        page(&EventLog::replay(self, since).take_page(events))
    }

    fn page_after(&self, cursor: &str, events: usize) -> Page<E> {
        page(&EventLog::replay(self, parse(cursor)).take_page(events))
    }

    fn subscribe_if(&self, since: u64, keeps: fn(&E) -> bool) -> Box<dyn Subscription<E>> {
        Box::new(EventLog::subscribe(self, since).filter(keeps))
    }

    fn close(&self) {
        EventLog::close(self);
    }
}

impl<E: Event> Lease for eventlog::Lease<E> {
    fn is_revoked(&self) -> bool {
        eventlog::Lease::is_revoked(self)
    }
}

impl Numbering for EventLog<Numbered<u32>> {
    fn push(&self, payload: u32) -> u64 {
        EventLog::push(self, payload)
    }

    fn retained(&self) -> Vec<(u64, u32)> {
        let replay = EventLog::replay(self, 0);
        let events = replay.iter();
        events
            .map(|event| (event.version(), *event.payload()))
            .collect()
    }
}

impl<E: Event> Subscription<E> for eventlog::Filtered<E, fn(&E) -> bool> {
    fn try_recv(&mut self) -> Received<E> {
        tried(eventlog::Filtered::try_recv(self))
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        eventlog::Filtered::poll_recv(self, context).map(received)
    }

    fn blocking_recv(&mut self) -> Received<E> {
        received(eventlog::Filtered::blocking_recv(self))
    }

    fn is_live(&self) -> bool {
        eventlog::Filtered::is_live(self)
    }

    fn cursor(&self) -> String {
        eventlog::Filtered::cursor(self).to_string()
    }

    fn skip_to_newest(&mut self) -> u64 {
        eventlog::Filtered::skip_to_newest(self)
    }
}

impl<E: Event> Subscription<E> for eventlog::Subscription<E> {
    fn try_recv(&mut self) -> Received<E> {
        tried(eventlog::Subscription::try_recv(self))
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        eventlog::Subscription::poll_recv(self, context).map(received)
    }

    fn blocking_recv(&mut self) -> Received<E> {
        received(eventlog::Subscription::blocking_recv(self))
    }

    fn is_live(&self) -> bool {
        eventlog::Subscription::is_live(self)
    }

    fn cursor(&self) -> String {
        eventlog::Subscription::cursor(self).to_string()
    }

    fn skip_to_newest(&mut self) -> u64 {
        eventlog::Subscription::skip_to_newest(self)
    }
}

fn owned<E: Clone>(replay: &eventlog::Replay<E>) -> Replay<E> {
    Replay {
        events: replay.iter().cloned().collect(),
        coverage: replay.coverage(),
        newest: replay.newest(),
    }
}

fn page<E: Clone>(page: &eventlog::Page<E>) -> Page<E> {
    Page {
        events: page.iter().cloned().collect(),
        coverage: page.coverage(),
        has_more: page.has_more(),
        cursor: page.cursor().to_string(),
    }
}

fn tried<E: Clone>(result: Result<eventlog::EventRef<E>, TryRecvError>) -> Received<E> {
    match result {
        Ok(event) => Received::Event((*event).clone()),
        Err(TryRecvError::Empty) => Received::Empty,
        Err(TryRecvError::Lagged(events)) => Received::Lagged(events),
        Err(TryRecvError::Closed) => Received::Closed,
    }
}

fn received<E: Clone>(result: Result<eventlog::EventRef<E>, RecvError>) -> Received<E> {
    match result {
        Ok(event) => Received::Event((*event).clone()),
        Err(RecvError::Lagged(events)) => Received::Lagged(events),
        Err(RecvError::Closed) => Received::Closed,
    }
}

fn parse(cursor: &str) -> Cursor {
    cursor
        .parse()
        .unwrap_or_else(|error| panic!("the log printed the cursor {cursor:?}: {error}"))
}
