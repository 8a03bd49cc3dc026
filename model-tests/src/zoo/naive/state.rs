//! What a naive log holds, behind its one lock.

use std::{
    collections::{BTreeMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::Waker,
    thread,
    time::{Duration, Instant},
};

use super::extras::Held;
use crate::{subject::case::TestClock, zoo::bugs::Bug};

/// A log that keeps its events in a deque.
#[derive(Debug)]
pub struct Naive<E>(pub(super) Arc<Shared<E>>);

/// An event and its version, which was asked for once.
pub(super) type Entry<E> = (u64, Arc<E>);

#[derive(Debug)]
pub(super) struct Shared<E> {
    pub(super) bug: Option<Bug>,
    pub(super) capacity: usize,
    pub(super) epoch: u64,
    pub(super) max_bytes: Option<u64>,
    pub(super) max_age: Option<Duration>,
    pub(super) clock: TestClock,
    pub(super) read: Condvar,
    pub(super) state: Mutex<State<E>>,
    /// Only a broken log needs a second lock.
    pub(super) second: Mutex<()>,
}

#[derive(Debug)]
pub(super) struct State<E> {
    pub(super) retained: VecDeque<Entry<E>>,
    pub(super) evicted: u64,
    pub(super) closed_at: Option<u64>,
    /// The readers that wait, by their numbers.
    pub(super) waiters: Vec<(u64, Waker)>,
    /// Where the readers stand: only a log that waits for them looks.
    pub(super) readers: BTreeMap<u64, u64>,
    pub(super) next_reader: u64,
    pub(super) evicted_max: Option<u64>,
    pub(super) base: Option<u64>,
    pub(super) newest: Option<u64>,
    pub(super) kept_for_nothing: Vec<Entry<E>>,
    /// When each retained event came, and the latest that the clock has said.
    pub(super) times: VecDeque<Duration>,
    pub(super) now: Duration,
    pub(super) leases: Vec<Held>,
    pub(super) next_lease: u64,
}

impl<E> Clone for State<E> {
    fn clone(&self) -> Self {
        Self {
            retained: self.retained.clone(),
            waiters: Vec::new(),
            readers: BTreeMap::new(),
            kept_for_nothing: Vec::new(),
            times: self.times.clone(),
            leases: Vec::new(),
            ..*self
        }
    }
}

impl<E> State<E> {
    pub(super) fn appended(&self) -> u64 {
        self.evicted + self.retained.len() as u64
    }

    /// How many events subscribers get.
    pub(super) fn end(&self) -> u64 {
        self.closed_at.unwrap_or(self.appended())
    }

    /// Notes that a reader waits.
    pub(super) fn wait(&mut self, reader: u64, waker: Waker, keeps_first: bool) {
        match self.waiters.iter_mut().find(|(id, _)| *id == reader) {
            Some(_) if keeps_first => {}
            Some(waiting) => waiting.1 = waker,
            None => self.waiters.push((reader, waker)),
        }
    }

    /// The waker of a reader that does not wait any more.
    pub(super) fn forget(&mut self, reader: u64) -> Option<Waker> {
        let at = self.waiters.iter().position(|(id, _)| *id == reader)?;
        Some(self.waiters.remove(at).1)
    }

    pub(super) fn newest_or_base(&self) -> u64 {
        self.newest.or(self.base).unwrap_or(0)
    }
}

impl<E> Shared<E> {
    pub(super) fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The second lock, in a log with one of these bugs.
    pub(super) fn second(&self, bugs: &[Bug]) -> Option<MutexGuard<'_, ()>> {
        let has = self.bug.is_some_and(|bug| bugs.contains(&bug));
        has.then(|| self.second.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn cursor(&self, seen: u64, version: u64) -> String {
        let seen = if self.has(Bug::CursorIsVersion) {
            version
        } else {
            seen
        };
        format!("{}.{seen}", self.epoch)
    }

    /// Lets the window of a race stay open until something has come through it, or nobody comes.
    pub(super) fn until_changed(&self, since: &State<E>) {
        let began = Instant::now();
        for _ in 0..100 {
            // On a busy machine it is long already.
            if began.elapsed() > Duration::from_millis(10) {
                return;
            }
            thread::yield_now();
            let now = self.lock();
            if now.appended() != since.appended() || now.closed_at != since.closed_at {
                return;
            }
        }
    }

    pub(super) fn wake(&self, waiters: Vec<(u64, Waker)>) {
        for (_, waker) in waiters {
            let woken = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            if let (Err(panic), true) = (woken, self.has(Bug::WakerPanicEscapes)) {
                std::panic::resume_unwind(panic);
            }
        }
    }
}
