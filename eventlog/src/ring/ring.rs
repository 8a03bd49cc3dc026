//! The ring itself: append, evict, look up.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    Entries, Entry, HoldId, Lost, Segment, SegmentList, Snapshot, hold::Holds,
    snapshot::missed_through,
};

/// Slots in a segment, unless the capacity is smaller. A power of two, so that a slot is found
/// with a shift and a mask.
const SEGMENT_LEN: usize = 256;

/// The newest `capacity` events of a history, and of older ones what followers still need.
pub(crate) struct Ring<E> {
    segments: Arc<SegmentList<E>>,
    segment_len: usize,
    capacity: u64,
    oldest: u64,
    next: u64,
    newest_version: Option<u64>,
    last_fall: u64,
    evicted_max: Option<u64>,
    base: Option<u64>,
    holds: Holds,
    alive: Arc<AtomicUsize>,
}

impl<E> Ring<E> {
    /// An empty ring for `capacity` events, of which there must be at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        debug_assert!(capacity > 0, "the builder refuses a capacity of 0");
        Self {
            segments: Arc::new(VecDeque::new()),
            segment_len: capacity.min(SEGMENT_LEN).next_power_of_two(),
            capacity: capacity as u64,
            oldest: 1,
            next: 1,
            newest_version: None,
            last_fall: 0,
            evicted_max: None,
            base: None,
            holds: Holds::default(),
            alive: Arc::default(),
        }
    }

    /// Says what a subscriber must have seen before the first event. Unset, it is that event's
    /// version − 1.
    pub(crate) fn set_base(&mut self, base: Option<u64>) {
        self.base = base;
    }

    /// Notes that events up to this version are part of the history and not in this ring.
    pub(crate) fn note_evicted(&mut self, version: u64) {
        self.evicted_max = self.evicted_max.max(Some(version));
        self.base.get_or_insert(version);
    }

    /// Appends, evicts what is over the capacity, and puts segments that nobody needs into
    /// `freed`, for the caller to drop where the user's `Drop` may run.
    pub(crate) fn push(&mut self, entry: Entry<E>, freed: &mut Vec<Arc<Segment<E>>>) -> u64 {
        let seq = self.next;
        let version = entry.version;
        self.tail_segment(seq).fill(seq, entry);
        if self.newest_version.is_some_and(|newest| version < newest) {
            self.last_fall = seq;
        }
        self.base.get_or_insert(version.saturating_sub(1));
        self.newest_version = Some(version);
        self.next = seq + 1;
        if self.next - self.oldest > self.capacity {
            self.evict_oldest(freed);
        }
        seq
    }

    /// The ring as it is now.
    pub(crate) fn snapshot(&self) -> Snapshot<E> {
        Snapshot {
            segments: self.segments.clone(),
            retained: self.oldest..self.next,
            last_fall: self.last_fall,
            newest_version: self.newest_version,
            evicted_max: self.evicted_max,
            base: self.base,
        }
    }

    /// The highest version that a subscriber at `since` can no longer get, if there is one.
    pub(crate) fn missed_through(&self, since: u64) -> Option<u64> {
        missed_through(self.evicted_max, self.base, since)
    }

    pub(crate) fn newest_version(&self) -> Option<u64> {
        self.newest_version
    }

    pub(crate) fn oldest(&self) -> u64 {
        self.oldest
    }

    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The segment with a slot for `seq`, if the ring has it.
    pub(crate) fn segment_of(&self, seq: u64) -> Option<Arc<Segment<E>>> {
        let distance = seq.checked_sub(self.segments.front()?.first())?;
        self.segments
            .get(segments_in(distance, self.segment_len))
            .cloned()
    }

    /// How many segments readers keep alive beyond those of the ring.
    pub(crate) fn pinned_segments(&self) -> usize {
        self.alive
            .load(Ordering::Relaxed)
            .saturating_sub(self.segments.len())
    }

    /// Holds on to every event behind `left_off`, at most `limit` of them after they were evicted.
    /// What was evicted before that is lost.
    pub(crate) fn hold(&mut self, left_off: LeftOff, limit: u64) -> HoldId {
        let from = left_off.next.max(self.oldest);
        let max_version = self.evicted_max.unwrap_or_default();
        let lost = Lost {
            count: from - left_off.next,
            min_version: left_off.min_version.min(max_version),
            max_version,
        };
        self.holds
            .add(from, limit, Some(lost).filter(|lost| lost.count > 0))
    }

    /// Where somebody stands who has everything below `next`.
    pub(crate) fn left_off(&self, next: u64) -> LeftOff {
        let is_first = next <= 1;
        let version = self
            .segment_of(next)
            .and_then(|segment| Some(segment.get(next)?.version));
        let min_version = match version {
            Some(version) => version,
            None if is_first => self.base.map_or(0, |base| base.saturating_add(1)),
            None if next < self.next => 0,
            None => self
                .newest_version
                .map_or(0, |newest| newest.saturating_add(1)),
        };
        LeftOff { next, min_version }
    }

    /// Gives a hold up.
    pub(crate) fn release(&mut self, id: HoldId, freed: &mut Vec<Arc<Segment<E>>>) {
        self.holds.remove(id);
        self.free_segments(freed);
    }

    /// Changes how many evicted events a hold may keep.
    pub(crate) fn limit_hold(&mut self, id: HoldId, limit: u64) {
        if let Some(hold) = self.holds.get_mut(id) {
            hold.limit_to(limit);
        }
    }

    /// Takes up to `max` held events: what was lost before them, and the segments they are in.
    pub(crate) fn take(
        &mut self,
        id: HoldId,
        max: u64,
        freed: &mut Vec<Arc<Segment<E>>>,
    ) -> Taken<E> {
        let mut taken = Taken {
            lost: None,
            segments: VecDeque::new(),
            range: 0..0,
        };
        let Some(hold) = self.holds.get_mut(id) else {
            return taken;
        };
        let from = hold.from();
        let to = self.next.min(from.saturating_add(max));
        hold.advance(to);
        taken.lost = hold.take_lost();
        taken.range = from..to;
        let mut seq = from;
        while seq < to
            && let Some(segment) = self.segment_of(seq)
        {
            seq = segment.end();
            taken.segments.push_back(segment);
        }
        self.free_segments(freed);
        taken
    }

    fn evict_oldest(&mut self, freed: &mut Vec<Arc<Segment<E>>>) {
        let version = entry_at(&self.segments, self.oldest).version;
        self.evicted_max = self.evicted_max.max(Some(version));
        self.oldest += 1;
        let segments = &self.segments;
        self.holds
            .enforce(self.oldest, |seq| entry_at(segments, seq).version);
        self.free_segments(freed);
    }

    fn free_segments(&mut self, freed: &mut Vec<Arc<Segment<E>>>) {
        let needed = self
            .holds
            .floor()
            .map_or(self.oldest, |floor| floor.min(self.oldest));
        while self
            .segments
            .front()
            .is_some_and(|front| front.end() <= needed)
        {
            freed.extend(Arc::make_mut(&mut self.segments).pop_front());
        }
    }

    /// The segment for the next event. A list that snapshots share is copied first, once a segment.
    fn tail_segment(&mut self, seq: u64) -> &Segment<E> {
        if self.segments.back().is_none_or(|back| back.end() <= seq) {
            let first = seq - seq % self.segment_len as u64;
            let segment = Segment::new(first, self.segment_len, &self.alive);
            Arc::make_mut(&mut self.segments).push_back(Arc::new(segment));
        }
        &self.segments[self.segments.len() - 1]
    }
}

/// Where a follower left off, or has yet to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LeftOff {
    /// The sequence number of the first event that it does not have.
    pub(crate) next: u64,
    /// That event's version; where it is not known, none below it as long as versions rise.
    pub(crate) min_version: u64,
}

/// Events that a follower has taken, and kept alive by that.
pub(crate) struct Taken<E> {
    /// What was lost right before these.
    pub(crate) lost: Option<Lost>,
    segments: SegmentList<E>,
    range: Range<u64>,
}

impl<E> Taken<E> {
    /// The first sequence number that was not handed out yet.
    pub(crate) fn start(&self) -> u64 {
        self.range.start
    }

    /// The sequence number behind the last.
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

    /// Whether there are events left.
    pub(crate) fn has_more(&self) -> bool {
        !self.range.is_empty()
    }
}

/// The entry at `seq`, which must be in one of the segments.
pub(super) fn entry_at<E>(segments: &SegmentList<E>, seq: u64) -> &Entry<E> {
    let front = &segments[0];
    let segment = &segments[segments_in(seq - front.first(), front.slots().len())];
    #[expect(
        clippy::expect_used,
        reason = "callers ask only for what was appended and is held"
    )]
    segment
        .get(seq)
        .expect("the slot of a retained sequence number is filled")
}

/// How many whole segments a distance between sequence numbers spans.
pub(super) fn segments_in(distance: u64, segment_len: usize) -> usize {
    // A shift, because the length is a power of two and a division is felt in each append. The
    // segments of a distance beyond the address space are not in any list.
    usize::try_from(distance >> segment_len.trailing_zeros()).unwrap_or(usize::MAX)
}
