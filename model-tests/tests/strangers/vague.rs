//! A log that says less of what is missing than it could, or more than it must.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use model_tests::{Case, Coverage, Log, Model, OpenError, Replay, Subject, Tick, Versioned};

#[derive(Clone)]
pub struct Vague {
    /// Whether it counts what is missing since a version, and not what is missing after a cursor.
    pub counts: bool,
}

pub struct VagueLog {
    model: Mutex<Model<Tick>>,
    counts: bool,
    life: u64,
}

impl Subject for Vague {
    type Event = Tick;
    type Log = VagueLog;

    fn open(&self, case: &Case) -> Result<VagueLog, OpenError> {
        static LIVES: AtomicU64 = AtomicU64::new(0);
        if case.capacity == 0 {
            return Err("a log of capacity 0 can hold nothing".into());
        }
        Ok(VagueLog {
            model: Mutex::new(Model::new(case.capacity, case.base_version)),
            counts: self.counts,
            life: LIVES.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl VagueLog {
    fn model(&self) -> MutexGuard<'_, Model<Tick>> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log<Tick> for VagueLog {
    fn append(&self, event: Tick) -> Option<u64> {
        Some(self.model().append(event))
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        self.model().events_since(since)
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.model().replay_truncated(since)
    }

    fn replay(&self, since: u64) -> Replay<Tick> {
        let model = self.model();
        let mut replay = model.replay(since);
        let known = model.base().is_none_or(|base| base <= since);
        if let Coverage::Truncated { missed, .. } = &mut replay.coverage
            && self.counts
            && known
        {
            let gone = model.evicted().iter();
            *missed = Some(gone.filter(|event| event.version() > since).count() as u64);
        }
        replay
    }

    fn cursor(&self) -> String {
        format!("{}.{}", self.life, self.model().history().len())
    }

    fn replay_after(&self, cursor: &str) -> Replay<Tick> {
        let model = self.model();
        let seen = cursor.strip_prefix(&format!("{}.", self.life));
        let seen = seen.and_then(|seen| seen.parse().ok());
        let mut replay = model.replay_after(seen);
        if let Coverage::Truncated {
            missed,
            missed_through,
        } = &mut replay.coverage
            && !self.counts
        {
            *missed = None;
            // Of those that are missing, where the model says it of all that were evicted.
            let seen = usize::try_from(seen.unwrap_or(0)).unwrap_or(usize::MAX);
            let gone = model.evicted().iter().skip(seen);
            *missed_through = gone.map(Versioned::version).max().unwrap_or(0);
        }
        replay
    }
}
