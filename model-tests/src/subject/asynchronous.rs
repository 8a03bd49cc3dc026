//! The adapter of a log whose calls are asynchronous.
//!
//! It is the adapter of [`adapter`](super::adapter) with `async` before its calls: a capability is
//! lacking here by the same default, and the same laws judge, through [`Awaited`](super::awaited).

use std::{future::Future, path::PathBuf, pin::Pin, time::Duration};

use super::{
    adapter::{Event, Line},
    attempt::Attempt,
    capability::{Capability, lacking},
    case::Case,
    log::{Lease, OpenError, Page, Received, Replay},
    probe::Probe,
};

/// A log under judgement whose calls are asynchronous: [`Subject`](crate::Subject), on any runtime.
///
/// [`Awaited`](crate::Awaited) makes a [`Subject`](crate::Subject) of it, and has an example.
/// `Capability::AppendWith` is always lacking, for a closure does not travel.
pub trait AsyncSubject: Send + Sync + 'static {
    /// The log's event.
    type Event: Event;
    /// The log itself, or a thin wrapper around it. It is dropped in its runtime.
    type Log: AsyncLog<Self::Event>;

    /// As [`Subject::open`](crate::Subject::open).
    ///
    /// # Errors
    ///
    /// Whatever keeps the log from opening. A capacity of 0 must be refused (law R10).
    fn open(&self, case: &Case) -> impl Future<Output = Result<Self::Log, OpenError>> + Send;

    /// As [`Subject::event`](crate::Subject::event).
    fn event(&self, version: u64, pick: u32) -> Self::Event;

    /// As [`Subject::probed_event`](crate::Subject::probed_event). [`Capability::Probe`].
    fn probed_event(&self, version: u64, probe: &Probe) -> Self::Event {
        let _ = (version, probe);
        lacking(Capability::Probe)
    }

    /// As [`Subject::extreme_event`](crate::Subject::extreme_event). [`Capability::Extremes`].
    fn extreme_event(&self, version: u64, pick: u32) -> Option<Self::Event> {
        let _ = (version, pick);
        lacking(Capability::Extremes)
    }

    /// As [`Subject::retains`](crate::Subject::retains).
    fn retains(&self, case: &Case, appended: u64) -> u64 {
        appended.min(case.capacity as u64)
    }

    /// As [`Subject::segment`](crate::Subject::segment).
    fn segment(&self, case: &Case) -> usize {
        case.capacity.next_power_of_two().min(256)
    }

    /// As [`Subject::reader_pins`](crate::Subject::reader_pins).
    fn reader_pins(&self, case: &Case) -> usize {
        self.segment(case)
    }

    /// As [`Subject::shows_within`](crate::Subject::shows_within).
    fn shows_within(&self) -> Duration {
        Duration::ZERO
    }

    /// As [`Subject::handle`](crate::Subject::handle).
    ///
    /// # Errors
    ///
    /// Whatever keeps it from opening.
    fn handle(
        &self,
        case: &Case,
        log: &Self::Log,
    ) -> impl Future<Output = Result<Option<Self::Log>, OpenError>> + Send {
        let _ = (case, log);
        async { Ok(None) }
    }

    /// As [`Subject::read_back`](crate::Subject::read_back). [`Capability::Durable`].
    ///
    /// # Errors
    ///
    /// If they cannot be read. No files are no error: nothing was written yet.
    fn read_back(
        &self,
        case: &Case,
    ) -> impl Future<Output = Result<Vec<Line<Self::Event>>, OpenError>> + Send {
        let _ = case;
        async { lacking(Capability::Durable) }
    }

    /// As [`Subject::files`](crate::Subject::files). [`Capability::Durable`].
    ///
    /// # Errors
    ///
    /// If the case has no directory.
    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        let _ = case;
        lacking(Capability::Durable)
    }

    /// As [`Subject::line`](crate::Subject::line). [`Capability::JsonLines`].
    fn line(&self, event: &Self::Event) -> String {
        let _ = event;
        lacking(Capability::JsonLines)
    }
}

/// A future in a box, as subscriptions give it: `Box::pin(async move { .. })`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The operations of a log, as [`Log`](crate::Log) has them. Two are required; each other one
/// belongs to a [`Capability`] that a log may lack.
pub trait AsyncLog<E>: Send + Sync + 'static {
    /// Appends an event, and says its number if the log has numbers.
    fn append(&self, event: E) -> impl Future<Output = Option<u64>> + Send;

    /// As [`Log::try_append`](crate::Log::try_append). A log that needs it loops over it in its
    /// `append`.
    fn try_append(&self, event: E) -> impl Future<Output = Attempt> + Send {
        let append = self.append(event);
        async { Attempt::Done(append.await) }
    }

    /// The retained events with a version above `since`, oldest first.
    fn events_since(&self, since: u64) -> impl Future<Output = Vec<E>> + Send;

    /// Whether events above `since` are missing from that. [`Capability::Truncation`].
    fn replay_truncated(&self, since: u64) -> impl Future<Output = bool> + Send {
        let _ = since;
        async { lacking(Capability::Truncation) }
    }

    /// Events, coverage and newest version of one instant. [`Capability::Replay`].
    fn replay(&self, since: u64) -> impl Future<Output = Replay<E>> + Send {
        let _ = since;
        async { lacking(Capability::Replay) }
    }

    /// Appends all at once, or nothing if there are none. [`Capability::Batch`].
    fn append_batch(&self, events: Vec<E>) -> impl Future<Output = ()> + Send {
        drop(events);
        async { lacking(Capability::Batch) }
    }

    /// A cursor just after the newest event, as text. [`Capability::Cursor`].
    fn cursor(&self) -> impl Future<Output = String> + Send {
        async { lacking(Capability::Cursor) }
    }

    /// A replay of what comes after a cursor. [`Capability::Cursor`].
    fn replay_after(&self, cursor: &str) -> impl Future<Output = Replay<E>> + Send {
        let _ = cursor;
        async { lacking(Capability::Cursor) }
    }

    /// Follows the log: what is retained above `since`, then what is appended.
    /// [`Capability::Subscribe`].
    fn subscribe(&self, since: u64) -> impl Future<Output = Box<dyn AsyncSubscription<E>>> + Send {
        let _ = since;
        async { lacking(Capability::Subscribe) }
    }

    /// Follows what the log's writer has made durable, and nothing else. [`Capability::Stored`].
    fn subscribe_stored(
        &self,
        since: u64,
    ) -> impl Future<Output = Box<dyn AsyncSubscription<E>>> + Send {
        let _ = since;
        async { lacking(Capability::Stored) }
    }

    /// Follows the log from a cursor on. [`Capability::Cursor`] and [`Capability::Subscribe`].
    fn resume(&self, cursor: &str) -> impl Future<Output = Box<dyn AsyncSubscription<E>>> + Send {
        let _ = cursor;
        async { lacking(Capability::Cursor) }
    }

    /// Keeps what is appended from now on, up to `events` of them. [`Capability::Lease`].
    fn lease(&self, events: u64) -> impl Future<Output = Box<dyn Lease>> + Send {
        let _ = events;
        async { lacking(Capability::Lease) }
    }

    /// The first `events` (at least 1) that a reader since a version would be given.
    /// [`Capability::Pages`].
    fn page(&self, since: u64, events: usize) -> impl Future<Output = Page<E>> + Send {
        let _ = (since, events);
        async { lacking(Capability::Pages) }
    }

    /// The first `events` (at least 1) after a page's cursor. [`Capability::Pages`].
    fn page_after(&self, cursor: &str, events: usize) -> impl Future<Output = Page<E>> + Send {
        let _ = (cursor, events);
        async { lacking(Capability::Pages) }
    }

    /// As [`subscribe`](Self::subscribe), where only the events are delivered that `keeps` says yes
    /// to. [`Capability::Filter`].
    fn subscribe_if(
        &self,
        since: u64,
        keeps: fn(&E) -> bool,
    ) -> impl Future<Output = Box<dyn AsyncSubscription<E>>> + Send {
        let _ = (since, keeps);
        async { lacking(Capability::Filter) }
    }

    /// Ends the live stream. [`Capability::Close`].
    fn close(&self) -> impl Future<Output = ()> + Send {
        async { lacking(Capability::Close) }
    }

    /// Waits until everything that was appended so far is durable. [`Capability::Durable`].
    ///
    /// # Errors
    ///
    /// If it is not, for whatever reason.
    fn flush(&self) -> impl Future<Output = Result<(), OpenError>> + Send {
        async { lacking(Capability::Durable) }
    }

    /// Makes everything durable and ends the writer. [`Capability::Durable`].
    ///
    /// # Errors
    ///
    /// If not everything is durable.
    fn shutdown(self) -> impl Future<Output = Result<(), OpenError>> + Send
    where
        Self: Sized,
    {
        async { lacking(Capability::Durable) }
    }
}

/// A reader of an [`AsyncLog`].
pub trait AsyncSubscription<E>: Send + 'static {
    /// The next event; never [`Received::Empty`]. The future is kept while it is pending. It is
    /// dropped before it is ready where another call of this trait comes first, and loses nothing
    /// then, as in a `select!`.
    fn recv(&mut self) -> BoxFuture<'_, Received<E>>;

    /// As [`Subscription::is_live`](crate::Subscription::is_live), of the last event that was
    /// received. [`Capability::Live`].
    fn is_live(&self) -> bool {
        lacking(Capability::Live)
    }

    /// As [`Subscription::cursor`](crate::Subscription::cursor). [`Capability::Cursor`].
    fn cursor(&self) -> String {
        lacking(Capability::Cursor)
    }

    /// As [`Subscription::skip_to_newest`](crate::Subscription::skip_to_newest).
    /// [`Capability::Skip`].
    fn skip_to_newest(&mut self) -> BoxFuture<'_, u64> {
        Box::pin(async { lacking(Capability::Skip) })
    }
}
