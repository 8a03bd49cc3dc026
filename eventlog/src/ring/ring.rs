//! The ring itself: append, evict, look up.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    dead::caught_all,
    hold::{Hold, HoldId, Holds, Lost},
    leases::{Kept, LeaseId, Leases},
    limits::{Counts, Limits, Most, Tally},
    list::SegmentList,
    segment::{Entry, Segment},
    snapshot::{Snapshot, missed_through},
    taken::{LeftOff, Taken},
};
use crate::{cursor::Epoch, seldom::Seldom};

/// Events that a log retains unless told otherwise.
pub(crate) const DEFAULT_CAPACITY: usize = 4096;

/// Slots per segment, unless the capacity is smaller. A power of two.
const SEGMENT_LEN: usize = 256;

/// The same in a ring that limits what its events weigh, where a few may weigh as much as all.
const LIGHT_SEGMENT_LEN: usize = 16;

/// The newest `capacity` events of a history, and of older ones what followers still need.
pub(crate) struct Ring<E> {
    epoch: Epoch,
    segments: Arc<SegmentList<E>>,
    /// The last of the segments, which is being filled.
    tip: Option<Arc<Segment<E>>>,
    /// The number after its last slot.
    tip_end: u64,
    /// Segments that are no longer needed, kept until they can be dropped where user code may run.
    dead: Seldom<Vec<Arc<Segment<E>>>>,
    /// At most one of them, which waits for a thread that has time to drop it.
    waiting: Option<Arc<Segment<E>>>,
    capacity: u64,
    /// The number of the first event that was ever here.
    first: u64,
    oldest: u64,
    /// The number after the last slot of the segment that the oldest is in, or would be.
    oldest_end: u64,
    next: u64,
    newest_version: Option<u64>,
    last_fall: u64,
    /// The highest version before the last fall, and among what was never here.
    peak: Option<u64>,
    /// The highest version in segments that were evicted whole, and among what was never here.
    /// Events that were evicted of the segment after those are looked at when someone asks.
    evicted_max: Option<u64>,
    is_partial: bool,
    base: Option<u64>,
    holds: Holds,
    /// Only where more counts than how many events there are.
    limits: Option<Box<Limits>>,
    /// Only while there are any.
    leases: Option<Box<Leases>>,
    alive: Arc<AtomicUsize>,
}

impl<E> Ring<E> {
    /// An empty ring for `capacity` events, of which there must be at least one.
    pub(crate) fn new(capacity: usize, epoch: Epoch) -> Self {
        debug_assert!(capacity > 0, "the builder refuses a capacity of 0");
        let segments = SegmentList::new(capacity.min(SEGMENT_LEN).next_power_of_two());
        Self {
            epoch,
            oldest_end: segments.end_of(1),
            segments: Arc::new(segments),
            tip: None,
            tip_end: 0,
            dead: Seldom::default(),
            waiting: None,
            capacity: capacity as u64,
            first: 1,
            oldest: 1,
            next: 1,
            newest_version: None,
            last_fall: 0,
            peak: None,
            evicted_max: None,
            is_partial: false,
            base: None,
            holds: Holds::default(),
            limits: None,
            leases: None,
            alive: Arc::default(),
        }
    }

    /// Goes on with the numbers of a history: `first` is that of the first event that comes here.
    #[cfg(feature = "disk")]
    pub(crate) fn begin_at(&mut self, first: u64) {
        debug_assert_eq!(self.next, self.first, "before there is an event");
        (self.first, self.oldest, self.next) = (first, first, first);
        self.oldest_end = self.segments.end_of(first);
    }

    /// Limits what the events weigh, and how old they may be. From now on each comes with its
    /// [`Tally`].
    pub(crate) fn limit(&mut self, most: Most) {
        debug_assert_eq!(self.next, self.first, "before there is an event");
        if most.bytes.is_some() {
            // What is evicted stays in memory for as long as its segment.
            let len = self.segments.segment_len().min(LIGHT_SEGMENT_LEN);
            self.segments = Arc::new(SegmentList::new(len));
            self.oldest_end = self.segments.end_of(self.oldest);
        }
        self.limits = Some(Box::new(Limits::new(most)));
    }

    /// Says what a subscriber must have seen before the first event. Unset, it is that event's
    /// version − 1.
    pub(crate) fn set_base(&mut self, base: Option<u64>) {
        self.base = base;
    }

    /// Notes that events up to this version are part of the history and not in this ring.
    pub(crate) fn note_evicted(&mut self, version: u64) {
        self.peak = self.highest_version().max(Some(version));
        self.note_missing(version);
    }

    /// As [`note_evicted`](Self::note_evicted), where nobody knows which versions they had: none
    /// above this one, and at most so many.
    #[cfg(feature = "disk")]
    pub(crate) fn note_unknown(&mut self, version: u64, events: u64) {
        let highest = self.highest_version().unwrap_or(0);
        self.peak = Some(highest.saturating_add(events));
        self.note_missing(version);
    }

    fn note_missing(&mut self, version: u64) {
        self.evicted_max = self.evicted_max.max(Some(version));
        self.is_partial = true;
        self.base.get_or_insert(version);
    }

    /// The version after the highest that was ever here, or that a subscriber must have seen before;
    /// 1 where there is none.
    pub(crate) fn next_version(&self) -> u64 {
        self.highest_version()
            .map_or(1, |version| version.saturating_add(1))
    }

    fn highest_version(&self) -> Option<u64> {
        // What is missing has its versions in the peak; the base may be higher, to be safe.
        self.newest_version.max(self.peak.or(self.base))
    }

    /// Appends, and evicts what is over the capacity.
    #[inline]
    pub(crate) fn push(&mut self, entry: Entry<E>) -> u64 {
        let seq = self.next;
        let version = entry.version;
        match self.newest_version {
            Some(newest) if version < newest => self.note_fall(seq),
            Some(_) => {}
            None => {
                self.base.get_or_insert(version.saturating_sub(1));
            }
        }
        self.newest_version = Some(version);
        if seq >= self.tip_end {
            self.begin_segment(seq);
        }
        if let Some(tip) = &self.tip {
            tip.fill(seq, entry);
        }
        self.next = seq + 1;
        if self.next == self.tip_end {
            self.end_segment();
        }
        if self.next - self.oldest > self.capacity {
            self.evict_oldest();
        }
        seq
    }

    /// Appends an event of which more is known, and evicts what exceeds a limit.
    pub(crate) fn push_counted(&mut self, entry: Entry<E>, tally: Tally) -> u64 {
        let oldest = self.oldest;
        let seq = self.push(entry);
        let made_room = self.oldest - oldest;
        self.with_limits(made_room, |limits| limits.add(tally));
        seq
    }

    /// Notes the weight of an event that was appended without one, unless it is gone.
    pub(crate) fn weigh(&mut self, seq: u64, weight: u64) {
        if let Some(from_oldest) = seq.checked_sub(self.unleased_oldest()) {
            self.with_limits(0, |limits| limits.weigh(from_oldest, weight));
        }
    }

    /// Evicts what is too old by now.
    pub(crate) fn pass(&mut self, now: Duration) {
        self.with_limits(0, |limits| limits.pass(now));
    }

    /// What the limits have led to.
    pub(crate) fn counts(&self) -> Counts {
        let gone = |limits: &Limits| match &self.leases {
            Some(leases) => leases.weighed_before().min(limits.gone()),
            None => limits.gone(),
        };
        let limits = self.limits.as_ref();
        limits.map_or_else(Counts::default, |limits| limits.counts(gone(limits)))
    }

    /// Evicts what exceeds a limit once something is noted, beside what was evicted already.
    fn with_limits(&mut self, evicted: u64, note: impl FnOnce(&mut Limits)) {
        if let Some(limits) = &mut self.limits {
            note(limits);
            let gone = limits.evict(self.capacity);
            self.evict(gone - evicted);
        }
    }

    /// Keeps what comes from now on, as long as the ring would let no more of it go than so much.
    pub(crate) fn lease(&mut self, most: Kept) -> LeaseId {
        let weighed = self.limits.as_ref().map_or(0, |limits| limits.added());
        let oldest = self.oldest;
        let leases = self
            .leases
            .get_or_insert_with(|| Box::new(Leases::new(oldest)));
        leases.add(self.next, weighed, most)
    }

    /// Gives a lease up, if it was not revoked.
    pub(crate) fn end_lease(&mut self, id: &LeaseId) {
        if let Some(leases) = &mut self.leases {
            leases.remove(id);
            self.evict(0);
        }
    }

    /// Whether a lease still keeps what it is for.
    pub(crate) fn has_lease(&self, id: &LeaseId) -> bool {
        self.leases.as_ref().is_some_and(|leases| leases.has(id))
    }

    /// The oldest event that would be retained if nobody had a lease.
    fn unleased_oldest(&self) -> u64 {
        let leases = self.leases.as_ref();
        leases.map_or(self.oldest, |leases| leases.oldest())
    }

    /// The id of this life of the log.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The segments that died since the last call, if any did, without one that is left for
    /// another thread, where none is yet. The caller drops them after giving the log's lock up.
    #[inline]
    pub(crate) fn take_dead(&mut self) -> Option<Vec<Arc<Segment<E>>>> {
        self.dead.get().filter(|dead| !dead.is_empty())?;
        Some(self.leave_one())
    }

    #[cold]
    fn leave_one(&mut self) -> Vec<Arc<Segment<E>>> {
        let mut dead = mem::take(self.dead.made());
        // One that readers hold costs nothing to let go of.
        if self.waiting.is_none()
            && let Some(at) = dead.iter().position(|dead| Arc::strong_count(dead) == 1)
        {
            self.waiting = Some(dead.swap_remove(at));
        }
        dead
    }

    /// The one that waits for a thread with time, which drops it after giving the log's lock up.
    pub(crate) fn take_waiting(&mut self) -> Option<Arc<Segment<E>>> {
        self.waiting.take()
    }

    /// The ring as it is now.
    pub(crate) fn snapshot(&self) -> Snapshot<E> {
        Snapshot {
            segments: self.segments.clone(),
            retained: self.oldest..self.next,
            first: self.first,
            oldest: self.oldest,
            last_fall: self.last_fall,
            newest_version: self.newest_version,
            evicted_max: self.evicted_max,
            is_partial: self.is_partial,
            base: self.base,
        }
    }

    /// The highest version that a subscriber at `since` can no longer get, if there is one.
    pub(crate) fn missed_through(&self, since: u64) -> Option<u64> {
        missed_through(self.evicted_max(), self.base, since)
    }

    fn evicted_max(&self) -> Option<u64> {
        let in_part = self
            .segments
            .max_below(self.first, self.oldest, self.last_fall);
        self.evicted_max.max(in_part)
    }

    /// The newest version, or on a log that never had an event the version it starts from.
    pub(crate) fn newest_or_base(&self) -> u64 {
        self.newest_version.or(self.base).unwrap_or(0)
    }

    pub(crate) fn newest_version(&self) -> Option<u64> {
        self.newest_version
    }

    /// The number of the first event that was ever here.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Events that it retains at most.
    #[cfg(feature = "sse")]
    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    pub(crate) fn oldest(&self) -> u64 {
        self.oldest
    }

    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The segment with a slot for `seq`, if the ring has it.
    pub(crate) fn segment_of(&self, seq: u64) -> Option<Arc<Segment<E>>> {
        self.segments.segment(seq).cloned()
    }

    /// How many segments readers keep alive beyond those of the ring.
    pub(crate) fn pinned_segments(&self) -> usize {
        self.alive
            .load(Ordering::Relaxed)
            .saturating_sub(self.segments.len() + usize::from(self.waiting.is_some()))
    }

    /// Holds on to every event after `left_off`, at most `limit` of them after they were evicted.
    /// What was evicted before that is lost.
    pub(crate) fn hold(&mut self, left_off: LeftOff, limit: u64) -> HoldId {
        let from = left_off.next.max(self.oldest);
        let max_version = self.evicted_max().unwrap_or_default();
        let lost = Lost {
            count: from - left_off.next,
            min_version: left_off.min_version.min(max_version),
            max_version,
        };
        self.holds
            .add(from, limit, Some(lost).filter(|lost| lost.count > 0))
    }

    /// The place of a follower that has everything below `next`.
    pub(crate) fn left_off(&self, next: u64) -> LeftOff {
        let is_first = next <= self.first;
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
    pub(crate) fn release(&mut self, id: HoldId) {
        self.holds.remove(id);
        self.free_segments();
    }

    /// Changes how many evicted events a hold may keep, and gives up what exceeds that.
    pub(crate) fn limit_hold(&mut self, id: HoldId, limit: u64) {
        if let Some(hold) = self.hold_mut(id) {
            hold.limit_to(limit);
            if self.enforce_limits() {
                self.free_segments();
            }
        }
    }

    /// Lends up to `max` held events from `seq` on, which stay held.
    pub(crate) fn peek(&self, id: HoldId, seq: u64, max: u64) -> Taken<E> {
        let mut taken = Taken::new(self.segments.segment_len());
        if let Some(from) = self.holds.from(id) {
            let from = from.max(seq).min(self.next);
            let to = self.next.min(from.saturating_add(max));
            taken.add(&self.segments, from..to);
        }
        taken
    }

    fn hold_mut(&mut self, id: HoldId) -> Option<&mut Hold> {
        self.holds.get_mut(id)
    }

    /// Takes up to `max` held events: what was lost before them, and the segments they are in.
    pub(crate) fn take(&mut self, id: HoldId, max: u64) -> Taken<E> {
        let mut taken = Taken::new(self.segments.segment_len());
        let next = self.next;
        let Some(hold) = self.hold_mut(id) else {
            return taken;
        };
        let from = hold.from();
        let to = next.min(from.saturating_add(max));
        hold.advance(to);
        taken.lost = hold.take_lost();
        taken.add(&self.segments, from..to);
        self.free_segments();
        taken
    }

    #[cold]
    fn note_fall(&mut self, seq: u64) {
        self.peak = self.highest_version();
        self.last_fall = seq;
    }

    #[inline]
    fn evict_oldest(&mut self) {
        if self.leases.is_some() {
            return self.evict_beside_leases();
        }
        self.oldest += 1;
        let has_left = self.oldest == self.oldest_end;
        let has_lost = self.enforce_limits();
        if has_left {
            self.leave_segment();
        }
        if has_left || has_lost {
            self.free_segments();
        }
    }

    /// Lets one more go, unless there is room without what leases keep.
    #[cold]
    fn evict_beside_leases(&mut self) {
        if self.limits.is_none() && self.next - self.unleased_oldest() > self.capacity {
            self.evict(1);
        }
    }

    /// As [`evict_oldest`](Self::evict_oldest), for so many, of which the ring may be empty then.
    fn evict(&mut self, events: u64) {
        let mut end = self.oldest + events;
        if let Some(leases) = &mut self.leases {
            let gone = self.limits.as_ref().map_or(0, |limits| limits.gone());
            leases.let_go(events, gone);
            end = leases.needed();
            if leases.is_empty() {
                self.leases = None;
            }
        }
        let has_any = self.oldest < end;
        while self.oldest < end {
            self.oldest = self.oldest_end.min(end);
            if self.oldest == self.oldest_end {
                self.leave_segment();
            }
        }
        if has_any {
            self.enforce_limits();
            self.free_segments();
        }
    }

    /// Gives up what exceeds the limit of a hold. Says whether anything did.
    fn enforce_limits(&mut self) -> bool {
        let segments = &self.segments;
        self.holds
            .enforce(self.oldest, |seq| segments.entry(seq).version)
    }

    /// Counts a segment of which every event is evicted by now.
    #[cold]
    fn leave_segment(&mut self) {
        let left = self.segments.segment(self.oldest - 1);
        let versions = left.and_then(|segment| segment.versions());
        self.evicted_max = self.evicted_max.max(versions.map(|known| known.max));
        self.oldest_end = self.segments.end_of(self.oldest);
    }

    fn free_segments(&mut self) {
        let needed = self
            .holds
            .floor()
            .map_or(self.oldest, |floor| floor.min(self.oldest));
        while self.segments.has_below(needed) {
            let dead = Arc::make_mut(&mut self.segments).pop();
            self.dead.made().extend(dead);
        }
        // Full, and all of it evicted: what takes its place must not drop it under the lock.
        if self.tip.as_ref().is_some_and(|tip| tip.end() <= needed) {
            self.dead.made().extend(self.tip.take());
        }
    }

    /// Makes the segment for `seq`. A list that snapshots share is copied first, once per segment.
    #[cold]
    fn begin_segment(&mut self, seq: u64) {
        let slots = self.segments.start_of(seq)..self.segments.end_of(seq);
        self.tip_end = slots.end;
        let segment = Arc::new(Segment::new(self.epoch, slots, &self.alive));
        Arc::make_mut(&mut self.segments).push(segment.clone());
        self.tip = Some(segment);
    }

    #[cold]
    fn end_segment(&mut self) {
        if let Some(tip) = &self.tip {
            tip.note_full(self.last_fall <= tip.first());
            self.segments.note_full();
        }
    }
}

impl<E> Drop for Ring<E> {
    /// The events that are retained are dropped after this, and one of them may panic in its `Drop`.
    /// A second panic meanwhile would abort the process, so nothing else may be left then.
    fn drop(&mut self) {
        self.tip = None; // the list has it too
        let dead = mem::take(self.dead.made());
        caught_all(dead.into_iter().chain(self.waiting.take()));
    }
}
