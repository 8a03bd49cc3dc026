//! A log, and how it is made.

use std::{fmt, ops::Deref, path::PathBuf, sync::Arc};

use eventlog::{
    BuildError, Cursor, Epoch, Numbered, Replay, Seq, SeqRange, Start, Versioned,
    disk::{DiskConfig, RecoverError, Recovery},
};
use serde::de::DeserializeOwned;

use super::{
    beside::{Beside, Shared},
    subscription::Subscription,
};
use crate::subject::adapter::Event;

/// The capacity of a log that is given none.
const CAPACITY: usize = 4096;

/// [`eventlog::EventLog`] with the model beside it.
pub struct EventLog<E> {
    pub(super) log: Arc<eventlog::EventLog<E>>,
    pub(super) beside: Shared<E>,
}

impl<E: Event> EventLog<E> {
    /// As [`eventlog::EventLog::new`].
    #[must_use]
    pub fn new(disk_path: Option<PathBuf>) -> Self {
        Self::beside(eventlog::EventLog::new(disk_path), CAPACITY, None)
    }

    /// As [`eventlog::EventLog::builder`].
    pub fn builder() -> Builder<E> {
        Builder {
            theirs: eventlog::EventLog::builder(),
            capacity: CAPACITY,
            base: None,
        }
    }

    /// As [`eventlog::EventLog::recover`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn recover(config: &DiskConfig) -> Result<(Self, Recovery), RecoverError>
    where
        E: DeserializeOwned,
    {
        Self::builder().recover(config)
    }

    fn beside(log: eventlog::EventLog<E>, capacity: usize, base: Option<u64>) -> Self {
        let beside = Beside::of(&log, capacity, base);
        let log = Arc::new(log);
        Self { log, beside }
    }

    /// As [`eventlog::EventLog::append`].
    pub fn append(&self, event: E) -> Seq {
        let mut beside = Beside::lock(&self.beside);
        let seq = self.log.append(event.clone());
        beside.appended("append", event, seq);
        seq
    }

    /// As [`eventlog::EventLog::append_batch`].
    pub fn append_batch(&self, events: impl IntoIterator<Item = E>) -> Option<SeqRange> {
        let events: Vec<E> = events.into_iter().collect();
        let mut beside = Beside::lock(&self.beside);
        let range = self.log.append_batch(events.iter().cloned());
        let numbers = range.map_or(0, |range| range.last().get() - range.first().get() + 1);
        beside.compare("append_batch", &(events.len() as u64), &numbers);
        for (event, seq) in events.into_iter().zip(range.into_iter().flatten()) {
            beside.appended("append_batch", event, seq);
        }
        range
    }

    /// As [`eventlog::EventLog::append_with`].
    pub fn append_with(&self, make: impl FnOnce(Option<u64>) -> E) -> Seq {
        let mut beside = Beside::lock(&self.beside);
        let mut copy = None;
        let seq = self.log.append_with(|newest| {
            beside.compare("append_with", &beside.model.newest(), &newest);
            let event = make(newest);
            copy = Some(event.clone());
            event
        });
        if let Some(event) = copy {
            beside.appended("append_with", event, seq);
        }
        seq
    }

    /// As [`eventlog::EventLog::events_since`].
    #[must_use]
    pub fn events_since(&self, since: u64) -> Vec<E> {
        let beside = Beside::lock(&self.beside);
        let events = self.log.events_since(since);
        let call = format!("events_since({since})");
        beside.compare(&call, &beside.model.events_since(since), &events);
        events
    }

    /// As [`eventlog::EventLog::replay_truncated`].
    #[must_use]
    pub fn replay_truncated(&self, since: u64) -> bool {
        let beside = Beside::lock(&self.beside);
        let truncated = self.log.replay_truncated(since);
        let call = format!("replay_truncated({since})");
        beside.compare(&call, &beside.model.replay_truncated(since), &truncated);
        truncated
    }

    /// As [`eventlog::EventLog::replay`].
    #[must_use]
    pub fn replay(&self, start: impl Into<Start>) -> Replay<E> {
        let start = start.into();
        let beside = Beside::lock(&self.beside);
        let replay = self.log.replay(start);
        beside.compare_replay(start, &replay);
        replay
    }

    /// As [`eventlog::EventLog::subscribe`].
    #[must_use]
    pub fn subscribe(&self, start: impl Into<Start>) -> Subscription<E> {
        let start = start.into();
        let beside = Beside::lock(&self.beside);
        let theirs = self.log.subscribe(start);
        let ours = beside.reader(start, theirs.coverage());
        Subscription::new(theirs, ours, self.beside.clone(), false)
    }

    /// As [`eventlog::EventLog::close`].
    pub fn close(&self) {
        let mut beside = Beside::lock(&self.beside);
        self.log.close();
        beside.model.close();
    }
}

impl<T: Clone, L> EventLog<Numbered<T, L>>
where
    Numbered<T, L>: Event,
{
    /// As [`eventlog::EventLog::push`].
    pub fn push(&self, payload: T) -> u64 {
        self.push_placed(payload).version()
    }

    /// As [`eventlog::EventLog::push_placed`].
    pub fn push_placed(&self, payload: T) -> Cursor {
        let mut beside = Beside::lock(&self.beside);
        let newest = beside.model.newest();
        let place = self.log.push_placed(payload.clone());
        // Of a recovered log it alone knows which numbers its gap lines count.
        let rises = newest.is_none_or(|newest| place.version() > newest || newest == u64::MAX);
        beside.compare("push: the number is above the newest", &true, &rises);
        let event = Numbered::new(place.version(), payload);
        beside.appended("push", event, place.seq());
        place
    }
}

/// What changes nothing.
impl<E> Deref for EventLog<E> {
    type Target = eventlog::EventLog<E>;

    fn deref(&self) -> &Self::Target {
        &self.log
    }
}

impl<E> fmt::Debug for EventLog<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Checked").field(&self.log).finish()
    }
}

/// [`eventlog::Builder`] of a log with the model beside it.
#[must_use]
#[derive(Debug)]
pub struct Builder<E> {
    theirs: eventlog::Builder<E>,
    capacity: usize,
    base: Option<u64>,
}

impl<E: Event> Builder<E> {
    /// As [`eventlog::Builder::capacity`].
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self.map(|builder| builder.capacity(events))
    }

    /// As [`eventlog::Builder::base_version`].
    pub fn base_version(mut self, version: u64) -> Self {
        self.base = Some(version);
        self.map(|builder| builder.base_version(version))
    }

    /// As [`eventlog::Builder::disk_path`].
    pub fn disk_path(self, path: impl Into<PathBuf>) -> Self {
        self.map(|builder| builder.disk_path(path))
    }

    /// As [`eventlog::Builder::epoch`].
    pub fn epoch(self, epoch: Epoch) -> Self {
        self.map(|builder| builder.epoch(epoch))
    }

    /// As [`eventlog::Builder::build`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn build(self) -> Result<EventLog<E>, BuildError> {
        let log = self.theirs.build()?;
        Ok(EventLog::beside(log, self.capacity, self.base))
    }

    /// As [`eventlog::Builder::recover`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn recover(self, config: &DiskConfig) -> Result<(EventLog<E>, Recovery), RecoverError>
    where
        E: DeserializeOwned,
    {
        let (log, recovery) = self.theirs.recover(config)?;
        Ok((EventLog::beside(log, self.capacity, self.base), recovery))
    }

    fn map(self, set: impl FnOnce(eventlog::Builder<E>) -> eventlog::Builder<E>) -> Self
    where
        E: Versioned,
    {
        let theirs = set(self.theirs);
        Self { theirs, ..self }
    }
}
