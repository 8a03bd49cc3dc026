//! What a feed follows: a log, or what a writer of it has stored.

use std::sync::Arc;

use crate::{cursor::Start, log::EventLog, shared::Shared, subscribe::Subscription};
#[cfg(feature = "disk")]
use crate::{frontier::Frontier, writer::Writer};

pub(super) struct Source<E> {
    shared: Arc<Shared<E>>,
    /// How far the writer is, and whether the next life of the log can tell.
    #[cfg(feature = "disk")]
    stored: Option<(Arc<Frontier>, bool)>,
}

impl<E> Clone for Source<E> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            #[cfg(feature = "disk")]
            stored: self.stored.clone(),
        }
    }
}

impl<E> Source<E> {
    pub(super) fn log(log: &EventLog<E>) -> Self {
        Self {
            shared: log.shared.clone(),
            #[cfg(feature = "disk")]
            stored: None,
        }
    }

    #[cfg(feature = "disk")]
    pub(super) fn stored(writer: &Writer<E>) -> Self {
        let (shared, frontier, is_durable) = writer.parts();
        Self {
            shared: shared.clone(),
            stored: Some((frontier.clone(), is_durable)),
        }
    }

    pub(super) fn subscribe(&self, start: Start) -> Subscription<E> {
        #[cfg(feature = "disk")]
        if let Some((frontier, is_durable)) = &self.stored {
            return Subscription::to_stored(&self.shared, start, frontier, *is_durable);
        }
        Subscription::open(&self.shared, start)
    }

    /// The version of the newest event that may be told of.
    pub(super) fn newest(&self) -> Option<u64> {
        #[cfg(feature = "disk")]
        if let Some((frontier, _)) = &self.stored {
            let newest = frontier.settled();
            let segment = self.shared.with(|inner| inner.ring.segment_of(newest))?;
            return Some(segment.get(newest)?.version);
        }
        self.shared.with(|inner| inner.ring.newest_version())
    }

    /// The highest version among all events before this number.
    pub(super) fn highest_before(&self, seq: u64) -> u64 {
        let snapshot = self.shared.with(|inner| inner.ring.snapshot());
        let seq = seq.clamp(snapshot.retained.start, snapshot.retained.end);
        snapshot.max_below(seq).unwrap_or(0)
    }

    /// The number of the event that is appended next.
    pub(super) fn next(&self) -> u64 {
        self.shared.with(|inner| inner.ring.next())
    }

    /// Whether the log is closed, and has nothing at this number or after it.
    pub(super) fn is_past_end(&self, seq: u64) -> bool {
        self.shared.is_past_end(seq)
    }

    pub(super) fn capacity(&self) -> u64 {
        self.shared.with(|inner| inner.ring.capacity())
    }

    /// Has all that wait for an event look again.
    pub(super) fn wake(&self) {
        self.shared.append(|_| ());
        #[cfg(feature = "disk")]
        if let Some((frontier, _)) = &self.stored {
            frontier.wake();
        }
    }

    /// Frees what is kept under this id beside the retained events.
    pub(super) fn forget_beside(&self, id: u64) {
        let snapshot = self.shared.with(|inner| inner.ring.snapshot());
        for segment in snapshot.segments() {
            segment.forget_beside(id);
        }
        crate::ring::caught_all([snapshot]);
    }
}
