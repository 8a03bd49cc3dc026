//! A log at the other end of a line: it is busy now and then, loses answers, and shows late what it has.
//!
//! What goes wrong is counted and not timed, so that it is the same each time.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use eventlog::Versioned;

use super::bugs::FarBug;
use crate::{
    model::{log::Model, reader::Reader},
    subject::{
        adapter::Subject,
        attempt::{Attempt, append_until_done},
        case::Case,
        in_memory::Tick,
        log::{Log, OpenError, Received, Subscription},
    },
};

/// Each so many attempts find it busy, and each so many are not answered. Of those each second has
/// arrived.
const BUSY: u64 = 5;
const UNANSWERED: u64 = 7;
/// The bound within which an append shows. What counts are looks, each of which shows one event more to
/// the next one.
const BOUND: Duration = Duration::from_micros(1);

/// Opens [`FarLog`]s.
#[derive(Clone, Copy, Debug)]
pub struct FarSubject {
    /// What is wrong with them.
    pub bug: Option<FarBug>,
}

/// A handle onto a log that is far away.
#[derive(Debug)]
pub struct FarLog {
    far: Arc<Mutex<Far>>,
    is_further: bool,
    /// What a handle answers that does not look again.
    stale: Option<Vec<Tick>>,
}

#[derive(Debug)]
struct Far {
    bug: Option<FarBug>,
    capacity: usize,
    shown: Model<Tick>,
    /// What has arrived and does not show yet.
    late: VecDeque<Tick>,
    attempts: u64,
    looks: u64,
    /// What will be taken back, and after which look.
    goes: Option<(u64, Tick)>,
    has_ended: bool,
}

impl Subject for FarSubject {
    type Event = Tick;
    type Log = FarLog;

    fn open(&self, case: &Case) -> Result<FarLog, OpenError> {
        static ONE: OnceLock<Arc<Mutex<Far>>> = OnceLock::new();
        if case.capacity == 0 {
            return Err("a log of capacity 0 can hold nothing".into());
        }
        let new = || {
            Arc::new(Mutex::new(Far {
                bug: self.bug,
                capacity: case.capacity,
                shown: Model::new(case.capacity, case.base_version),
                late: VecDeque::new(),
                attempts: 0,
                looks: 0,
                goes: None,
                has_ended: false,
            }))
        };
        let far = match self.bug {
            Some(FarBug::OneForAll) => ONE.get_or_init(new).clone(),
            _ => new(),
        };
        Ok(FarLog {
            far,
            is_further: false,
            stale: None,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn shows_within(&self) -> Duration {
        BOUND
    }

    fn handle(&self, _: &Case, log: &FarLog) -> Result<Option<FarLog>, OpenError> {
        let is_stale = self.bug == Some(FarBug::StaleHandle);
        Ok(Some(FarLog {
            far: log.far.clone(),
            is_further: true,
            stale: is_stale.then(|| log.far().shown.events_since(0)),
        }))
    }
}

impl FarLog {
    fn far(&self) -> MutexGuard<'_, Far> {
        self.far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log<Tick> for FarLog {
    fn append(&self, event: Tick) -> Option<u64> {
        append_until_done(self, &event, BOUND)
    }

    fn try_append(&self, event: Tick) -> Attempt {
        self.far().attempt(event)
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        if let Some(stale) = &self.stale {
            return stale.clone();
        }
        let mut far = self.far();
        let shown = far.shown.events_since(since);
        far.look();
        shown
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.far().shown.replay_truncated(since)
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<Tick>> {
        let reader = self.far().shown.subscribe(since);
        Box::new(FarReader {
            far: self.far.clone(),
            reader,
        })
    }
}

impl Drop for FarLog {
    fn drop(&mut self) {
        let mut far = self.far();
        let ends = [FarBug::HandleEndsAll, FarBug::HandleEndsReaders];
        far.has_ended |= self.is_further && far.bug.is_some_and(|bug| ends.contains(&bug));
    }
}

impl Far {
    fn attempt(&mut self, event: Tick) -> Attempt {
        self.attempts += 1;
        if self.bug == Some(FarBug::BusyForEver) && self.attempts > 40 {
            return Attempt::Busy;
        }
        // No look would ever show it, so it does not fare like the others.
        if event.version() == 0 {
            self.arrive(event);
            while self.show_one() {}
            return Attempt::Done(None);
        }
        if self.attempts.is_multiple_of(BUSY) {
            if self.bug == Some(FarBug::BusyButStored) {
                self.arrive(event);
            }
            return Attempt::Busy;
        }
        if self.attempts.is_multiple_of(UNANSWERED) {
            if self.attempts.is_multiple_of(2 * UNANSWERED) {
                match self.bug {
                    Some(FarBug::UnknownIsTwice) => self.arrive(event.clone()),
                    Some(FarBug::UnknownComesAndGoes) => {
                        let after = self.looks + 40;
                        self.goes.get_or_insert_with(|| (after, event.clone()));
                    }
                    _ => {}
                }
                self.arrive(event);
            }
            return Attempt::Unknown;
        }
        let is_lost = self.bug == Some(FarBug::DoneButLost) && self.attempts.is_multiple_of(11);
        if !is_lost {
            self.arrive(event);
        }
        Attempt::Done(None)
    }

    fn arrive(&mut self, event: Tick) {
        if !self.has_ended || self.bug == Some(FarBug::HandleEndsReaders) {
            self.late.push_back(event);
        }
    }

    fn look(&mut self) {
        self.looks += 1;
        self.show_one();
        if let Some((_, gone)) = self.goes.take_if(|(after, _)| self.looks > *after) {
            let left = self.shown.history().iter().filter(|event| **event != gone);
            let left = left.cloned().collect();
            self.show_instead(left);
        }
    }

    fn show_instead(&mut self, events: Vec<Tick>) {
        self.shown = Model::new(self.capacity, None);
        for event in events {
            self.shown.append(event);
        }
    }

    /// Shows the next event, and says whether there was one.
    fn show_one(&mut self) -> bool {
        if self.bug == Some(FarBug::LateForEver) && self.shown.history().len() >= 5 {
            return false;
        }
        if self.bug == Some(FarBug::ShowsNewestFirst)
            && let Some(newest) = self.late.pop_back()
        {
            // In its place in the end: the others come before it.
            let mut events = self.shown.history().to_vec();
            events.push(newest);
            events.sort_by_key(Versioned::version);
            self.show_instead(events);
            return true;
        }
        let next = self.late.pop_front();
        next.map(|event| self.shown.append(event)).is_some()
    }
}

struct FarReader {
    far: Arc<Mutex<Far>>,
    reader: Reader,
}

impl Subscription<Tick> for FarReader {
    fn try_recv(&mut self) -> Received<Tick> {
        let far = self.far.lock().unwrap_or_else(PoisonError::into_inner);
        if far.has_ended && far.bug == Some(FarBug::HandleEndsReaders) {
            return Received::Closed;
        }
        far.shown.recv(&mut self.reader)
    }
}
