//! The ring at one instant.

use std::{ops::Range, sync::Arc};

#[cfg(feature = "sse")]
use super::segment::Segment;
use super::{entries::Entries, list::SegmentList};

/// Everything that a question about one instant needs. Copied under the log's lock, read outside.
pub(crate) struct Snapshot<E> {
    pub(super) segments: Arc<SegmentList<E>>,
    /// The retained sequence numbers.
    pub(crate) retained: Range<u64>,
    /// The number of the first event that was ever in the ring.
    pub(super) first: u64,
    /// The first of them in the ring, also where a reader wants fewer or more.
    pub(super) oldest: u64,
    /// Sequence number of the last event whose version is lower than its predecessor's; 0 if
    /// versions never fell.
    pub(super) last_fall: u64,
    /// Version of the newest event; `None` if there never was one.
    pub(crate) newest_version: Option<u64>,
    /// The highest version in segments that were evicted whole; `None` if there are none.
    pub(super) evicted_max: Option<u64>,
    /// Whether some of the history was never in this ring.
    pub(super) is_partial: bool,
    /// The version that a subscriber must have seen before the first event.
    pub(super) base: Option<u64>,
}

impl<E> Snapshot<E> {
    /// The newest version, or on a log that never had an event the version it starts from.
    pub(crate) fn newest_or_base(&self) -> u64 {
        self.newest_version.or(self.base).unwrap_or(0)
    }

    /// The highest version that a subscriber at `since` can no longer get, if there is one.
    pub(crate) fn missed_through(&self, since: u64) -> Option<u64> {
        missed_through(self.evicted_max(), self.base, since)
    }

    /// The version that a subscriber stands at before the first event; 0 where it is not told.
    pub(crate) fn version_before_first(&self) -> u64 {
        let is_whole = self.evicted_max().is_none();
        self.base.filter(|_| is_whole).unwrap_or(0)
    }

    /// The version at the end of the retained range.
    pub(crate) fn version_at_end(&self) -> u64 {
        let last = self.retained.end - 1;
        let entry = self
            .segments
            .segment(last)
            .and_then(|segment| segment.get(last));
        entry.map_or_else(|| self.newest_or_base(), |entry| entry.version)
    }

    /// Whether the event of this number is retained, and has a version above this.
    pub(crate) fn is_above(&self, seq: u64, version: u64) -> bool {
        self.retained.contains(&seq) && self.version_at(seq) > version
    }

    /// How many of the ring's events are gone.
    pub(crate) fn evicted(&self) -> u64 {
        self.retained.start - self.first
    }

    /// The highest version among all that is gone and what is retained below `seq`.
    pub(crate) fn max_below(&self, seq: u64) -> Option<u64> {
        let retained = self.entries(self.retained.start..seq);
        self.evicted_max()
            .max(retained.map(|entry| entry.version).max())
    }

    /// How many events are missing, if `evicted` of this ring are. That is not known where the
    /// reader wants the whole history and a part of it was never in this ring.
    pub(crate) fn missed_before(&self, evicted: u64, wants_all: bool) -> Option<u64> {
        (!(wants_all && self.is_partial)).then_some(evicted)
    }

    /// The highest version among all events that are gone; `None` if there are none.
    pub(crate) fn evicted_max(&self) -> Option<u64> {
        let in_part = self
            .segments
            .max_below(self.first, self.oldest, self.last_fall);
        self.evicted_max.max(in_part)
    }

    /// The first retained event with a version above `since`, or the end.
    ///
    /// Where versions fall it passes blocks and segments by that have none, and looks at the events
    /// of one segment one by one.
    pub(crate) fn first_above(&self, since: u64) -> u64 {
        if self.last_fall <= self.retained.start {
            return self.search_sorted(self.retained.start, since);
        }
        let unsorted = self.retained.start..self.last_fall;
        self.segments
            .first_above(unsorted, since)
            .unwrap_or_else(|| self.search_sorted(self.last_fall, since))
    }

    /// Whether a version falls after `from`, so that what follows may be at or below any `since`.
    pub(crate) fn falls_after(&self, from: u64) -> bool {
        self.last_fall > from
    }

    /// The entries of `range`, which must be retained.
    pub(crate) fn entries(&self, range: Range<u64>) -> Entries<'_, E> {
        Entries::new(&self.segments, range)
    }

    /// How many of `range`, which must be retained, have a version above `above`.
    pub(crate) fn count_above(&self, range: Range<u64>, above: u64) -> usize {
        self.segments.count_above(range, above)
    }

    /// A subscriber that wants everything gets its place at once. Otherwise gallops back from the
    /// newest event, where subscribers usually are, then bisects.
    fn search_sorted(&self, from: u64, since: u64) -> u64 {
        if from < self.retained.end && self.version_at(from) > since {
            return from;
        }
        let mut high = self.retained.end;
        let mut step = 1;
        while high - from >= step && self.version_at(high - step) > since {
            high -= step;
            step *= 2;
        }
        let mut low = high.saturating_sub(step).max(from);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.version_at(middle) > since {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The segments with retained events.
    #[cfg(feature = "sse")]
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Arc<Segment<E>>> {
        let mut seq = self.retained.start;
        std::iter::from_fn(move || {
            let segment = self.segments.segment(seq)?;
            seq = segment.end();
            Some(segment)
        })
    }

    fn version_at(&self, seq: u64) -> u64 {
        self.segments.entry(seq).version
    }
}

impl<E> Clone for Snapshot<E> {
    fn clone(&self) -> Self {
        Self {
            segments: self.segments.clone(),
            retained: self.retained.clone(),
            ..*self
        }
    }
}

/// Law R04 in one line: what was evicted, or was before the first event, and is above `since`.
pub(super) fn missed_through(
    evicted_max: Option<u64>,
    base: Option<u64>,
    since: u64,
) -> Option<u64> {
    evicted_max.max(base).filter(|missed| *missed > since)
}
