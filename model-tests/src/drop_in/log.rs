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
    ///
    /// ```
    /// use model_tests::{Tick, drop_in::EventLog}; // in place of `eventlog::EventLog`
    ///
    /// let log = EventLog::new(None);
    /// log.append(Tick::new(7, 0));
    /// assert_eq!(log.newest_version(), Some(7)); // what is not compared is there too
    /// ```
    #[must_use]
    pub fn new(disk_path: Option<PathBuf>) -> Self {
        Self::beside(eventlog::EventLog::new(disk_path), CAPACITY, None)
    }

    /// As [`eventlog::EventLog::builder`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::<Tick>::builder().capacity(16).build()?;
    /// assert!(log.events_since(0).is_empty());
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn builder() -> Builder<E> {
        Builder {
            theirs: eventlog::EventLog::builder(),
            capacity: CAPACITY,
            base: None,
        }
    }

    /// As [`eventlog::EventLog::recover`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::{EventLog, disk::DiskConfig}};
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// std::fs::write(&path, "{\"version\":7,\"pick\":0}\n")?;
    /// let (log, recovery) = EventLog::<Tick>::recover(&DiskConfig::new(&path))?;
    /// assert_eq!((log.newest_version(), recovery.events), (Some(7), 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// assert_eq!(log.append(Tick::new(7, 0)).get(), 1);
    /// ```
    pub fn append(&self, event: E) -> Seq {
        let mut beside = Beside::lock(&self.beside);
        let seq = self.log.append(event.clone());
        beside.appended("append", event, seq);
        seq
    }

    /// As [`eventlog::EventLog::append_batch`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// let batch = log.append_batch([Tick::new(7, 0), Tick::new(8, 0)]).unwrap();
    /// assert_eq!(batch.len(), 2);
    /// ```
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
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// log.append_with(|newest| Tick::new(newest.map_or(1, |version| version + 1), 0));
    /// assert_eq!(log.newest_version(), Some(1));
    /// ```
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
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick::new(7, 0), Tick::new(8, 0)]);
    /// assert_eq!(log.events_since(7), [Tick::new(8, 0)]);
    /// ```
    #[must_use]
    pub fn events_since(&self, since: u64) -> Vec<E> {
        let beside = Beside::lock(&self.beside);
        let events = self.log.events_since(since);
        let call = format!("events_since({since})");
        beside.compare(&call, &beside.model.events_since(since), &events);
        events
    }

    /// As [`eventlog::EventLog::replay_truncated`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::builder().capacity(1).build()?;
    /// log.append_batch([Tick::new(7, 0), Tick::new(8, 0)]);
    /// assert!(log.replay_truncated(6) && !log.replay_truncated(7));
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub fn replay_truncated(&self, since: u64) -> bool {
        let beside = Beside::lock(&self.beside);
        let truncated = self.log.replay_truncated(since);
        let call = format!("replay_truncated({since})");
        beside.compare(&call, &beside.model.replay_truncated(since), &truncated);
        truncated
    }

    /// As [`eventlog::EventLog::replay`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::{EventLog, Start}};
    /// let log = EventLog::new(None);
    /// log.append(Tick::new(7, 0));
    /// assert!(log.replay(Start::Oldest).coverage().is_complete());
    /// ```
    #[must_use]
    pub fn replay(&self, start: impl Into<Start>) -> Replay<E> {
        let start = start.into();
        let beside = Beside::lock(&self.beside);
        let replay = self.log.replay(start);
        beside.compare_replay(start, &replay);
        replay
    }

    /// As [`eventlog::EventLog::subscribe`].
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// log.append(Tick::new(7, 0));
    /// assert_eq!(log.subscribe(0).blocking_recv()?.version(), 7);
    /// # Ok::<(), eventlog::RecvError>(())
    /// ```
    #[must_use]
    pub fn subscribe(&self, start: impl Into<Start>) -> Subscription<E> {
        let start = start.into();
        let beside = Beside::lock(&self.beside);
        let theirs = self.log.subscribe(start);
        let ours = beside.reader(start, theirs.coverage());
        Subscription::new(theirs, ours, self.beside.clone(), false)
    }

    /// As [`eventlog::EventLog::close`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::{EventLog, RecvError}};
    /// let log = EventLog::<Tick>::new(None);
    /// let mut subscription = log.subscribe(0);
    /// log.close();
    /// assert_eq!(subscription.blocking_recv().err(), Some(RecvError::Closed));
    /// ```
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
    ///
    /// ```
    /// # use model_tests::drop_in::{EventLog, Numbered};
    /// let log = EventLog::<Numbered<&str>>::new(None);
    /// assert_eq!([log.push("opened"), log.push("closed")], [1, 2]);
    /// ```
    pub fn push(&self, payload: T) -> u64 {
        self.push_placed(payload).version()
    }

    /// As [`eventlog::EventLog::push_placed`].
    ///
    /// ```
    /// # use model_tests::drop_in::{EventLog, Numbered};
    /// let log = EventLog::<Numbered<&str>>::new(None);
    /// let place = log.push_placed("opened");
    /// assert!(log.replay(place).is_empty());
    /// ```
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
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::builder().capacity(1).build()?;
    /// log.append_batch([Tick::new(7, 0), Tick::new(8, 0)]);
    /// assert_eq!(log.events_since(0).len(), 1);
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self.map(|builder| builder.capacity(events))
    }

    /// As [`eventlog::Builder::base_version`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::<Tick>::builder().base_version(100).build()?;
    /// assert!(log.replay_truncated(99));
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn base_version(mut self, version: u64) -> Self {
        self.base = Some(version);
        self.map(|builder| builder.base_version(version))
    }

    /// As [`eventlog::Builder::disk_path`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::<Tick>::builder().disk_path("events.log").build()?;
    /// assert!(log.disk_path().is_some());
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn disk_path(self, path: impl Into<PathBuf>) -> Self {
        self.map(|builder| builder.disk_path(path))
    }

    /// As [`eventlog::Builder::epoch`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::{Epoch, EventLog}};
    /// // The same in each run, where a test compares what is printed.
    /// let log = EventLog::<Tick>::builder().epoch(Epoch::new(2)).build()?;
    /// assert_eq!(log.cursor().to_string(), "0000000000000002.0.0");
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn epoch(self, epoch: Epoch) -> Self {
        self.map(|builder| builder.epoch(epoch))
    }

    /// As [`eventlog::Builder::build`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::{BuildError, EventLog}};
    /// let refused = EventLog::<Tick>::builder().capacity(0).build();
    /// assert_eq!(refused.err(), Some(BuildError::ZeroCapacity));
    /// ```
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
    /// ```
    /// # use model_tests::{Tick, drop_in::{EventLog, disk::DiskConfig}};
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let builder = EventLog::<Tick>::builder().capacity(16);
    /// let (log, recovery) = builder.recover(&DiskConfig::new(&path))?; // nothing is there yet
    /// assert_eq!((log.newest_version(), recovery.events), (None, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
