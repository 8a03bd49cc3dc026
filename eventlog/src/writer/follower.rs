//! A place in the log's ring that the log does not run away from, within a limit.

use std::{
    io,
    sync::Arc,
    task::Waker,
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    ahead::Ahead,
    bridge::{Bridge, Bridged, Detour},
    config::WriterConfig,
    destination::Standing,
    gap::{Gap, GapReason},
    lines::Lines,
    pending::{MAX_BATCH_BYTES, Pending},
    source::Source,
};
use crate::{
    cursor::{Cursor, Start},
    lineage::Place,
    replay::Replay,
    ring::{HoldId, LeftOff, Lost, Taken, caught_all},
    seq::Seq,
    shared::Shared,
    waiters::{Ticket, thread_waker},
};

/// Events taken from the ring under one lock.
const MAX_TAKE: u64 = 4096;

/// Events between two looks whether something waits to be dropped.
const HELP_EVERY: u64 = 64;

/// Takes every event of a log once, and keeps those that it has not taken alive after the ring
/// evicted them, up to a limit. It has a name, under which a later follower goes on where this one
/// left off.
pub(super) struct Follower<E> {
    shared: Arc<Shared<E>>,
    name: Arc<str>,
    hold: HoldId,
    ticket: Ticket,
    begin: u64,
    /// The sequence number of the event to be taken next.
    position: u64,
    /// Losses below this number happened before the writer started.
    missed_before: u64,
    taken: Option<Taken<E>>,
    ahead: Ahead<E>,
    /// Lines that were written ahead.
    lines: Lines,
    backlog_events: u64,
    backlog_bytes: u64,
    waker: Option<Waker>,
    bridge: Option<Box<dyn Bridge>>,
    /// Lost events that are brought over the bridge before anything else is taken.
    detour: Option<Detour>,
}

impl<E: Serialize + Send + Sync + 'static> Follower<E> {
    /// Follows from where the destination stands, or where a follower of this name left off, or
    /// from the first event on. What was evicted before this comes as lost.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub(super) fn new(
        shared: &Arc<Shared<E>>,
        config: &WriterConfig,
        standing: Standing,
    ) -> io::Result<Self> {
        let backlog_events = config.backlog_events as u64;
        let place = match standing {
            Standing::At(cursor) => Some(place_of(shared, cursor)),
            Standing::Unknown => None,
        };
        let (hold, begin, position) = shared.with(|inner| {
            // What a writer of this name left says more of what was evicted since.
            let writers = inner.writers.get();
            let left_off = writers.and_then(|writers| writers.left_off.get(&config.name).copied());
            let left_off = left_off.filter(|at| place.is_none_or(|place| at.next == place));
            let left_off = left_off
                .unwrap_or_else(|| inner.ring.left_off(place.unwrap_or(inner.ring.first())));
            let hold = inner.ring.hold(left_off, backlog_events);
            let position = left_off.next.max(inner.ring.oldest());
            (hold, left_off.next, position)
        });
        let ahead = Ahead::start(shared, hold, position, config);
        let ahead = ahead.inspect_err(|_| shared.with(|inner| inner.ring.release(hold)))?;
        Ok(Self {
            shared: shared.clone(),
            name: config.name.clone(),
            hold,
            ticket: Ticket::default(),
            begin,
            position,
            missed_before: position,
            taken: None,
            ahead,
            lines: Lines::default(),
            backlog_events,
            backlog_bytes: config.backlog_bytes as u64,
            waker: None,
            bridge: config.bridges.make(),
            detour: None,
        })
    }
}

impl<E> Follower<E> {
    /// The first sequence number that this follower has to account for.
    pub(super) fn begin(&self) -> u64 {
        self.begin
    }

    /// The thread that serialises ahead.
    pub(super) fn thread(&self) -> ThreadId {
        self.ahead.thread_id()
    }

    fn take(&mut self, max: u64) -> Taken<E> {
        let taken = self
            .shared
            .with_time(|inner| inner.ring.take(self.hold, max));
        self.position = taken.end();
        taken
    }

    /// Notes the events that the ring could not keep for this follower.
    fn note_lost(&mut self, taken: &mut Taken<E>, pending: &mut Pending) -> bool {
        let Some(lost) = taken.lost.take() else {
            return false;
        };
        let Lost {
            count,
            min_version,
            max_version,
        } = lost;
        let reason = if taken.start() - count < self.missed_before {
            GapReason::Missed
        } else {
            GapReason::Backlog
        };
        let gap = Gap::new(count, min_version, max_version, reason);
        if self.bridge.is_some() {
            self.detour = Some(Detour::new(taken.start() - 1, gap));
        } else {
            pending.push_lost(taken.start() - 1, gap);
        }
        true
    }

    /// Brings lost events over the bridge, as many as one commit should have, and tells of those
    /// that are not there. Says whether it brought any.
    fn cross(&mut self, pending: &mut Pending) -> bool {
        let (Some(bridge), Some(detour)) = (&mut self.bridge, &mut self.detour) else {
            return false;
        };
        if !detour.is_open {
            detour.is_open = bridge.seek(Seq::new(detour.next - 1));
        }
        while detour.next <= detour.through && !pending.is_full() {
            let record = detour.is_open.then(|| bridge.next()).flatten();
            match record {
                Some(Bridged::Event { version, line }) if version <= detour.gap.max_version => {
                    pending.push_kept(detour.next, version, line);
                    detour.next += 1;
                }
                Some(Bridged::Gap(gap)) if gap.count <= detour.rest().count && gap.count > 0 => {
                    pending.push_lost(detour.next + gap.count - 1, gap);
                    detour.next += gap.count;
                }
                _ => {
                    pending.push_lost(detour.through, detour.rest());
                    detour.next = detour.through + 1;
                }
            }
        }
        if detour.next > detour.through {
            self.detour = None;
        }
        true
    }

    /// Takes the events whose lines were written ahead.
    fn take_lines(&mut self, pending: &mut Pending) {
        while self.taken.is_none() && !pending.is_full() {
            if self.lines.place(self.position) == self.lines.len() {
                self.lines.clear(2 * MAX_BATCH_BYTES);
                self.ahead.take(&mut self.lines);
            }
            let Some(last) = self.lines.last() else {
                break;
            };
            let left = (last.seq.get() + 1).saturating_sub(self.position);
            let mut taken = self.take(left.min(MAX_TAKE));
            self.note_lost(&mut taken, pending);
            if self.detour.is_some() {
                self.taken = Some(taken);
                break;
            }
            let lines = self.lines.place(taken.start())..self.lines.place(taken.end());
            if !lines.is_empty() {
                taken.skip(lines.len() as u64);
                pending.push_lines(&self.lines, lines);
            }
            self.put_back(taken);
        }
    }

    /// Keeps what was taken and is left.
    fn put_back(&mut self, taken: Taken<E>) {
        if taken.has_more() {
            self.taken = Some(taken);
        } else {
            // The writer often holds events last, so their `Drop` runs here.
            caught_all([taken]);
        }
    }

    /// Sets how many evicted events are kept: the bound in events, or in bytes at the size that
    /// events have had so far.
    fn limit(&self, event_bytes: u64) {
        let limit = self.backlog_events.min(self.backlog_bytes / event_bytes);
        self.shared
            .with_time(|inner| inner.ring.limit_hold(self.hold, limit));
    }
}

/// The first sequence number after the event of this cursor.
fn place_of<E>(shared: &Arc<Shared<E>>, cursor: Cursor) -> u64 {
    if let Place::Own { seq } | Place::Earlier { seq, .. } = shared.lineage.find(cursor) {
        return seq.saturating_add(1);
    }
    let snapshot = shared.with(|inner| inner.ring.snapshot());
    let after = Replay::open(
        snapshot.clone(),
        &shared.lineage,
        Start::After(cursor.version()),
    );
    let all = Replay::open(snapshot, &shared.lineage, Start::Oldest);
    let mut events = all.with_cursors().rev();
    match events.find(|(at, _)| at.version() == cursor.version()) {
        Some((at, _)) => at.seq().get() + 1,
        None => after.start(),
    }
}

impl<E: Serialize + Send + Sync + 'static> Source for Follower<E> {
    const NUMBERED: bool = true;

    fn fill(&mut self, pending: &mut Pending) -> bool {
        let before = self.position;
        self.take_lines(pending);
        let mut took = self.position > before;
        // A take that is not full had all there was. What comes later is written while the
        // destination is busy with this.
        let mut came = MAX_TAKE;
        while came == MAX_TAKE && !pending.is_full() {
            if self.cross(pending) {
                took = true;
                continue;
            }
            let mut taken = if let Some(taken) = self.taken.take() {
                taken
            } else {
                let taken = self.take(MAX_TAKE);
                came = taken.end() - taken.start();
                taken
            };
            let had = self.note_lost(&mut taken, pending) | taken.has_more();
            if self.detour.is_some() {
                self.taken = Some(taken);
                (took, came) = (true, MAX_TAKE);
                continue;
            }
            for (seq, entry) in taken.drain() {
                pending.push_event(seq, entry.version, &entry.event);
                if pending.is_full() {
                    break;
                }
                if seq.is_multiple_of(HELP_EVERY) {
                    self.shared.with_time(|_| ());
                }
            }
            self.put_back(taken);
            took |= had;
        }
        pending.close_gap();
        self.ahead.pass(self.position);
        self.limit(pending.event_bytes());
        took
    }

    fn destination_is_busy(&mut self) {
        self.ahead.begin();
    }

    fn destination_is_free(&mut self) {
        self.ahead.end();
    }

    fn wait(&mut self, until: Option<Instant>) {
        let waker = self.waker.get_or_insert_with(thread_waker).clone();
        let is_idle = self
            .shared
            .wait(&mut self.ticket, waker, |ring| ring.next() > self.position);
        if is_idle {
            park_until(until);
        }
    }

    fn has_ended(&self) -> bool {
        false
    }

    fn is_closed(&self) -> bool {
        false
    }

    fn leave_off(&mut self, settled: u64) {
        self.shared.with_time(|inner| {
            let left_off: LeftOff = inner.ring.left_off(settled + 1);
            let writers = inner.writers.made();
            writers.left_off.insert(self.name.clone(), left_off);
        });
    }
}

/// Parks the thread, until the instant at most.
pub(crate) fn park_until(until: Option<Instant>) {
    match until {
        None => thread::park(),
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now());
            if left > Duration::ZERO {
                thread::park_timeout(left);
            }
        }
    }
}

impl<E> Drop for Follower<E> {
    fn drop(&mut self) {
        self.shared.with_time(|inner| inner.ring.release(self.hold));
        caught_all(self.taken.take());
        self.shared.leave(&mut self.ticket);
    }
}
