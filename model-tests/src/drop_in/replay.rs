//! A replay with what its pages must have.

use std::{fmt, ops::Deref, ops::Range};

use eventlog::{Iter, Page};
use serde::{Serialize, Serializer};

use super::beside::{Beside, Shared};
use crate::subject::adapter::Event;

/// [`eventlog::Replay`] with the model beside it.
pub struct Replay<E> {
    theirs: eventlog::Replay<E>,
    /// What all pages have together: the indices of the model's events.
    ours: Range<usize>,
    beside: Shared<E>,
}

impl<E: Event> Replay<E> {
    pub(super) fn new(theirs: eventlog::Replay<E>, ours: Range<usize>, beside: Shared<E>) -> Self {
        Self {
            theirs,
            ours,
            beside,
        }
    }

    /// As [`eventlog::Replay::take_page`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// let page = log.replay(0).take_page(2);
    /// assert!(page.len() == 2 && page.has_more());
    /// assert_eq!(log.replay(page.cursor()).take_page(2).len(), 1);
    /// ```
    #[must_use]
    pub fn take_page(self, events: usize) -> Page<E> {
        let Self {
            theirs,
            ours,
            beside,
        } = self;
        let beside = Beside::lock(&beside);
        let (coverage, newest) = (theirs.coverage(), theirs.newest());
        let page = theirs.take_page(events);
        let call = format!("take_page({events})");
        let end = ours.end.min(ours.start.saturating_add(events.max(1)));
        let expected: Vec<_> = beside.model.history()[ours.start..end].iter().collect();
        beside.compare(&call, &expected, &page.iter().collect());
        let has_more = end < ours.end;
        beside.compare(&call, &has_more, &page.has_more());
        beside.compare(
            &call,
            &(coverage, newest),
            &(page.coverage(), page.newest()),
        );
        beside.compare_place(&call, end, page.cursor());
        let places = ours.start + 1..=end;
        let cursors: Vec<_> = page.with_cursors().map(|(cursor, _)| cursor).collect();
        beside.compare(&call, &places.clone().count(), &cursors.len());
        for (place, cursor) in places.zip(cursors) {
            beside.compare_place(&call, place, cursor);
        }
        page
    }
}

/// What changes nothing.
impl<E> Deref for Replay<E> {
    type Target = eventlog::Replay<E>;

    fn deref(&self) -> &Self::Target {
        &self.theirs
    }
}

impl<E> Clone for Replay<E> {
    fn clone(&self) -> Self {
        Self {
            theirs: self.theirs.clone(),
            ours: self.ours.clone(),
            beside: self.beside.clone(),
        }
    }
}

impl<'a, E> IntoIterator for &'a Replay<E> {
    type Item = &'a E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.theirs.iter()
    }
}

impl<E: Serialize> Serialize for Replay<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.theirs.serialize(serializer)
    }
}

impl<E: fmt::Debug> fmt::Debug for Replay<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.theirs.fmt(f)
    }
}
