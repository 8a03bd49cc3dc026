//! Acknowledgements: what of the history is settled, and who waits for it.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Instant,
};

use crate::{Seq, waiters::wake_all};

/// Why events are not durable.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDurable {
    /// The event never reached the disk, and never will: a gap line in the file counts it.
    #[error(
        "event {seq} was lost before it reached the disk (a gap line in the file counts it): \
         raise `backlog_events` and `backlog_bytes`, or find out why it could not be serialised"
    )]
    Lost {
        /// The event.
        seq: Seq,
    },
    /// The writer stopped before the event was durable.
    #[error(
        "the disk writer stopped when events up to {settled} were settled, and event {seq} was \
         not: it may or may not be in the file"
    )]
    Stopped {
        /// The event.
        seq: Seq,
        /// Everything up to here is durable, or was lost and is counted by a gap line.
        settled: Seq,
    },
    /// The time was up, or events were lost.
    #[error(
        "these events were lost, or not durable when the time was up: {}; look for the writer's \
         warning, and free the disk or wait longer",
        show_ranges(missing)
    )]
    Deadline {
        /// Exactly the events that are not durable, in order: lost ones and those still to come.
        missing: Vec<RangeInclusive<Seq>>,
    },
}

fn show_ranges(ranges: &[RangeInclusive<Seq>]) -> String {
    let show = |range: &RangeInclusive<Seq>| format!("{}..={}", range.start(), range.end());
    ranges.iter().map(show).collect::<Vec<_>>().join(", ")
}

/// Shared by the writer's thread, which settles events, and everyone who waits for that.
#[derive(Default)]
pub(super) struct Acks {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Everything up to here is durable or lost.
    settled: u64,
    /// Adjacent ranges are merged, so there is at most one for each gap line.
    lost: Vec<RangeInclusive<u64>>,
    stopped: bool,
    waiters: BTreeMap<(u64, u64), Waker>,
    next_id: u64,
}

impl State {
    fn lost_at(&self, seq: u64) -> bool {
        let next = self.lost.partition_point(|range| *range.end() < seq);
        self.lost
            .get(next)
            .is_some_and(|range| range.contains(&seq))
    }

    fn outcome(&self, seq: u64) -> Option<Result<(), NotDurable>> {
        let (event, settled) = (Seq::new(seq), Seq::new(self.settled));
        if self.lost_at(seq) {
            Some(Err(NotDurable::Lost { seq: event }))
        } else if self.settled >= seq {
            Some(Ok(()))
        } else if self.stopped {
            Some(Err(NotDurable::Stopped {
                seq: event,
                settled,
            }))
        } else {
            None
        }
    }

    /// What of `from..=to` is not durable.
    fn missing(&self, from: u64, to: u64) -> Vec<RangeInclusive<Seq>> {
        let unsettled = self.settled.max(from - 1) + 1..=to;
        self.lost
            .iter()
            .filter(|range| *range.start() <= self.settled)
            .map(|range| (*range.start()).max(from)..=(*range.end()).min(to).min(self.settled))
            .chain([unsettled])
            .filter(|range| !range.is_empty())
            .map(|range| Seq::new(*range.start())..=Seq::new(*range.end()))
            .collect()
    }
}

impl Acks {
    /// Nothing is settled yet but what was there before the writer: everything below `from`.
    pub(super) fn new(from: u64) -> Self {
        let acks = Self::default();
        acks.lock().settled = from - 1;
        acks
    }

    /// Everything up to `seq` is durable, except what is lost.
    pub(super) fn settle(&self, seq: u64) {
        let mut state = self.lock();
        if seq <= state.settled {
            return;
        }
        state.settled = seq;
        let still_waiting = state.waiters.split_off(&(seq + 1, 0));
        let woken = std::mem::replace(&mut state.waiters, still_waiting);
        drop(state);
        self.changed.notify_all();
        wake_all(woken.into_values());
    }

    /// These events will never be durable.
    pub(super) fn lose(&self, range: RangeInclusive<u64>) {
        let mut state = self.lock();
        match state.lost.last_mut() {
            Some(last) if *last.end() + 1 == *range.start() => {
                *last = *last.start()..=*range.end();
            }
            _ => state.lost.push(range),
        }
    }

    /// The writer has ended: nothing more will be settled.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let woken = std::mem::take(&mut state.waiters);
        drop(state);
        self.changed.notify_all();
        wake_all(woken.into_values());
    }

    pub(super) fn settled(&self) -> Seq {
        Seq::new(self.lock().settled)
    }

    /// Resolves once it is known whether `seq` is durable.
    pub(super) fn durable(self: &Arc<Self>, seq: Seq) -> Durable {
        Durable {
            acks: self.clone(),
            seq: seq.get(),
            id: None,
        }
    }

    /// Blocks until everything in `from..=to` is settled, or the deadline.
    pub(super) fn wait_settled(
        &self,
        from: u64,
        to: u64,
        deadline: Instant,
    ) -> Result<Seq, NotDurable> {
        let mut state = self.lock();
        while state.settled < to && !state.stopped {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let missing = state.missing(from, to);
        if missing.is_empty() {
            Ok(Seq::new(to))
        } else {
            Err(NotDurable::Deadline { missing })
        }
    }

    /// Blocks until the writer has ended, or the deadline; says whether it has.
    pub(super) fn wait_stopped(&self, deadline: Instant) -> bool {
        let mut state = self.lock();
        while !state.stopped {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The future of [`DiskWriter::durable`](super::DiskWriter::durable).
#[must_use = "a future does nothing until it is awaited"]
pub struct Durable {
    acks: Arc<Acks>,
    seq: u64,
    /// Its key among the waiters, once it has waited.
    id: Option<u64>,
}

impl Future for Durable {
    type Output = Result<(), NotDurable>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), NotDurable>> {
        let waker = context.waker().clone();
        let acks = self.acks.clone();
        let mut state = acks.lock();
        if let Some(outcome) = state.outcome(self.seq) {
            drop(state);
            return Poll::Ready(outcome);
        }
        let id = *self.id.get_or_insert_with(|| {
            state.next_id += 1;
            state.next_id
        });
        let replaced = state.waiters.insert((self.seq, id), waker);
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let waker = self.acks.lock().waiters.remove(&(self.seq, id));
            drop(waker);
        }
    }
}

impl std::fmt::Debug for Durable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Durable")
            .field("seq", &self.seq)
            .finish_non_exhaustive()
    }
}
