//! What a follower takes out of the ring.

use std::ops::Range;

use super::{entries::Entries, hold::Lost, list::SegmentList, segment::Entry};

/// Where a follower left off, or has yet to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LeftOff {
    /// The sequence number of the first event that it does not have.
    pub(crate) next: u64,
    /// That event's version; where it is not known, none below it as long as versions rise.
    pub(crate) min_version: u64,
}

/// Events that a follower has taken, and keeps alive by that.
pub(crate) struct Taken<E> {
    /// What was lost right before these.
    pub(crate) lost: Option<Lost>,
    segments: SegmentList<E>,
    range: Range<u64>,
}

impl<E> Taken<E> {
    /// Nothing yet, out of a ring with segments of this length.
    pub(super) fn new(segment_len: usize) -> Self {
        Self {
            lost: None,
            segments: SegmentList::new(segment_len),
            range: 0..0,
        }
    }

    /// Adds the events of `range`, which must be in `segments`.
    pub(super) fn add(&mut self, segments: &SegmentList<E>, range: Range<u64>) {
        let mut seq = range.start;
        while seq < range.end
            && let Some(segment) = segments.segment(seq)
        {
            seq = segment.end();
            self.segments.push(segment.clone());
        }
        self.range = range;
    }

    /// The first sequence number that was not handed out yet.
    pub(crate) fn start(&self) -> u64 {
        self.range.start
    }

    /// The sequence number after the last.
    pub(crate) fn end(&self) -> u64 {
        self.range.end
    }

    /// Hands out the events that are left. What is not asked for stays.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (u64, &Entry<E>)> {
        let rest = self.range.clone();
        let start = &mut self.range.start;
        Entries::new(&self.segments, rest.clone())
            .zip(rest)
            .map(move |(entry, seq)| {
                *start = seq + 1;
                (seq, entry)
            })
    }

    /// Passes over events that are not needed.
    pub(crate) fn skip(&mut self, count: u64) {
        self.range.start = self.range.end.min(self.range.start + count);
    }

    /// Whether there are events left.
    pub(crate) fn has_more(&self) -> bool {
        !self.range.is_empty()
    }
}
