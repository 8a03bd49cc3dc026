//! What a log's handle, its subscriptions and its followers share: the lock and the wake-ups.

#[cfg(feature = "disk")]
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};
use std::{mem, task::Waker};

#[cfg(feature = "disk")]
use crate::{frontier::Frontier, ring::LeftOff};
use crate::{
    lineage::Lineage,
    readers::Readers,
    retention::Retention,
    ring::{Entry, Ring, caught_all},
    seldom::Seldom,
    sync::{AtomicU64, Mutex, Ordering},
    waiters::{Ticket, Waiters, wake_all},
};

/// Entries for which room is kept between batches.
const MOST_ROOM: usize = 256;

/// The end of a log that is not closed.
const OPEN: u64 = u64::MAX;

pub(crate) struct Shared<E> {
    inner: Mutex<Inner<E>>,
    /// Behind a lock of its own, so that no appender waits while `stats` looks at each of them.
    pub(crate) readers: Readers,
    pub(crate) lineage: Lineage,
    /// Only where the log limits what its events weigh, or how old they may be.
    pub(crate) retention: Option<Box<Retention<E>>>,
    /// The oldest retained sequence number, for readers that are not at the tip to look at
    /// without the lock. It changes only under the lock.
    oldest: AtomicU64,
    /// The sequence number after the last event that subscribers get; `OPEN` until `close`.
    end: AtomicU64,
    lagged: AtomicU64,
}

pub(crate) struct Inner<E> {
    pub(crate) ring: Ring<E>,
    pub(crate) waiters: Waiters,
    /// The room in which the last batch was gathered, empty.
    room: Seldom<Vec<Entry<E>>>,
    #[cfg(feature = "disk")]
    pub(crate) writers: Seldom<Writers>,
}

/// What is known of the log's writers.
#[cfg(feature = "disk")]
#[derive(Default)]
pub(crate) struct Writers {
    /// Where those that have ended left off, by their names.
    pub(crate) left_off: BTreeMap<Arc<str>, LeftOff>,
    /// Their frontiers, whose subscriptions have to learn of a close.
    pub(crate) frontiers: Vec<Weak<Frontier>>,
}

impl<E> Shared<E> {
    pub(crate) fn new(
        ring: Ring<E>,
        lineage: Lineage,
        retention: Option<Box<Retention<E>>>,
    ) -> Self {
        Self {
            oldest: AtomicU64::new(ring.oldest()),
            end: AtomicU64::new(OPEN),
            lagged: AtomicU64::new(0),
            lineage,
            retention,
            readers: Readers::default(),
            inner: Mutex::new(Inner {
                ring,
                waiters: Waiters::default(),
                room: Seldom::default(),
                #[cfg(feature = "disk")]
                writers: Seldom::default(),
            }),
        }
    }

    /// Runs `f` under the lock. What died in the ring meanwhile is dropped after unlocking, so no
    /// `Drop` of an event runs under the lock; one that panics ends nobody.
    ///
    /// The one panic that can happen in here is that of `append_with`'s closure, before anything
    /// was changed, so the lock then guards a sound ring.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Inner<E>) -> R) -> R {
        let mut inner = self.inner.lock();
        let result = f(&mut inner);
        let dead = inner.ring.take_dead();
        drop(inner);
        if let Some(dead) = dead {
            caught_all(dead);
        }
        result
    }

    /// As [`with`](Self::with), for a thread that has time: it also drops what waits for one.
    pub(crate) fn with_time<R>(&self, f: impl FnOnce(&mut Inner<E>) -> R) -> R {
        let (result, waiting) = self.with(|inner| {
            let result = f(inner);
            (result, inner.ring.take_waiting())
        });
        caught_all(waiting);
        result
    }

    /// As [`with`](Self::with), once what is too old by now is evicted: for answers about this
    /// instant.
    #[inline]
    pub(crate) fn with_now<R>(&self, f: impl FnOnce(&mut Inner<E>) -> R) -> R {
        if let Some(retention) = &self.retention
            && let Some(now) = retention.now()
        {
            return self.with(|inner| {
                inner.ring.pass(now);
                self.oldest.store(inner.ring.oldest(), Ordering::Release);
                f(inner)
            });
        }
        self.with(f)
    }

    /// Evicts under the lock, and drops what that was outside it.
    pub(crate) fn evict(&self, evict: impl FnOnce(&mut Ring<E>)) {
        self.with(|inner| {
            evict(&mut inner.ring);
            self.oldest.store(inner.ring.oldest(), Ordering::Release);
        });
    }

    /// Appends under the lock, then, outside it, wakes the readers and drops what was evicted.
    pub(crate) fn append<R>(&self, append: impl FnOnce(&mut Ring<E>) -> R) -> R {
        self.with_and_wake(|inner| {
            let result = append(&mut inner.ring);
            self.oldest.store(inner.ring.oldest(), Ordering::Release);
            result
        })
    }

    /// Appends all of them under one lock: the first and the last number, if there is any. What
    /// makes them is user code, so they are gathered before.
    pub(crate) fn append_all(&self, entries: impl Iterator<Item = Entry<E>>) -> Option<(u64, u64)> {
        let room = self.with(|inner| inner.room.get_mut().map(mem::take));
        let mut room = room.unwrap_or_default();
        room.extend(entries);
        if room.is_empty() {
            return None;
        }
        // Only where the log has limits: one for each.
        let tallies = self.retention.as_deref().map(|retention| {
            let tally = |entry: &Entry<E>| retention.tally(&entry.event);
            room.iter().map(tally).collect::<Vec<_>>()
        });
        self.with_and_wake(|inner| {
            let first = inner.ring.next();
            match tallies {
                None => {
                    for entry in room.drain(..) {
                        inner.ring.push(entry);
                    }
                }
                Some(tallies) => {
                    for (entry, tally) in room.drain(..).zip(tallies) {
                        inner.ring.push_counted(entry, tally);
                    }
                }
            }
            self.oldest.store(inner.ring.oldest(), Ordering::Release);
            // Made anew for each batch, it would cost more than the appends.
            if room.capacity() <= MOST_ROOM {
                *inner.room.made() = room;
            }
            Some((first, inner.ring.next() - 1))
        })
    }

    /// Runs `f` under the lock, then wakes everything that waits. The dead are dropped after that,
    /// because a `Drop` may take long.
    fn with_and_wake<R>(&self, f: impl FnOnce(&mut Inner<E>) -> R) -> R {
        let mut inner = self.inner.lock();
        let result = f(&mut inner);
        let (dead, waiters) = (inner.ring.take_dead(), inner.waiters.take_all());
        drop(inner);
        if let Some(waiters) = waiters {
            wake_all(waiters.into_iter().flatten());
        }
        if let Some(dead) = dead {
            caught_all(dead);
        }
        result
    }

    /// Ends the live stream after the newest event. Only the first call counts.
    pub(crate) fn close(&self) {
        self.with_and_wake(|inner| {
            if self.end.load(Ordering::Acquire) == OPEN {
                self.end.store(inner.ring.next(), Ordering::Release);
            }
        });
        #[cfg(feature = "disk")]
        {
            let frontiers = self.with(|inner| Some(inner.writers.get()?.frontiers.clone()));
            for frontier in frontiers.iter().flatten().filter_map(Weak::upgrade) {
                frontier.wake();
            }
        }
    }

    pub(crate) fn oldest(&self) -> u64 {
        self.oldest.load(Ordering::Acquire)
    }

    /// Whether subscribers get nothing at `seq` or after it.
    pub(crate) fn is_past_end(&self, seq: u64) -> bool {
        seq >= self.end.load(Ordering::Acquire)
    }

    /// `seq`, or the end of the stream if that comes first.
    pub(crate) fn not_past_end(&self, seq: u64) -> u64 {
        seq.min(self.end.load(Ordering::Acquire))
    }

    pub(crate) fn lagged(&self) -> u64 {
        self.lagged.load(Ordering::Relaxed)
    }

    pub(crate) fn count_lagged(&self, events: u64) {
        self.lagged.fetch_add(events, Ordering::Relaxed);
    }

    /// Has `waker` woken by the next append or close, unless the reader is `ready` by now: then it
    /// says `false`, and the reader looks again.
    pub(crate) fn wait(
        &self,
        ticket: &mut Ticket,
        waker: Waker,
        ready: impl FnOnce(&Ring<E>) -> bool,
    ) -> bool {
        // What is replaced, or not needed, is handed out: a waker's drop is user code too.
        let (waits, _dropped_unlocked) = self.with_time(|inner| {
            if ready(&inner.ring) {
                (false, Some(waker))
            } else {
                (true, inner.waiters.insert(ticket, waker))
            }
        });
        waits
    }

    /// Forgets one that waits.
    pub(crate) fn leave(&self, ticket: &mut Ticket) {
        let _dropped_unlocked = self.with(|inner| inner.waiters.remove(ticket));
    }
}
