//! A log with the model beside it.

use std::{
    fmt,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::PathBuf,
    sync::Arc,
};

use eventlog::{
    Cursor, Numbered, Seq, SeqRange, Start, Stats,
    disk::{DiskConfig, RecoverError, Recovery},
};
use serde::de::DeserializeOwned;

use super::{
    beside::{Beside, Settings, Shared},
    builder::Builder,
    lease::{Lease, LeaseBound},
    replay::Replay,
    subscription::Subscription,
};
use crate::subject::adapter::Event;

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
        Self::beside(eventlog::EventLog::new(disk_path), Settings::default())
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
        Builder::new()
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

    pub(super) fn beside(log: eventlog::EventLog<E>, settings: Settings) -> Self {
        let beside = Beside::of(&log, settings);
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
        let mut beside = Beside::lock_now(&self.beside);
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
        let mut beside = Beside::lock_now(&self.beside);
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
        let mut beside = Beside::lock_now(&self.beside);
        let mut copy = None;
        let append = || {
            self.log.append_with(|newest| {
                beside.compare("append_with", &beside.model.newest(), &newest);
                let event = make(newest);
                copy = Some(event.clone());
                event
            })
        };
        let appended = catch_unwind(AssertUnwindSafe(append));
        if let Some(event) = copy {
            match appended {
                Ok(seq) => beside.appended("append_with", event, seq),
                // It was weighed too late for nothing to have happened, and is too heavy.
                Err(_) if self.log.cursor().seq().get() > beside.newest_seq() => {
                    beside.model.append_weighing(event, u64::MAX);
                }
                Err(_) => {}
            }
        }
        appended.unwrap_or_else(|panic| resume_unwind(panic))
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
        let beside = Beside::lock_now(&self.beside);
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
        let beside = Beside::lock_now(&self.beside);
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
        let beside = Beside::lock_now(&self.beside);
        let replay = self.log.replay(start);
        let ours = beside.compare_replay(start, &replay);
        Replay::new(replay, ours, self.beside.clone())
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
        let beside = Beside::lock_now(&self.beside);
        let theirs = self.log.subscribe(start);
        let ours = beside.reader(start, theirs.coverage());
        Subscription::new(theirs, ours, self.beside.clone(), false)
    }

    /// As [`eventlog::EventLog::lease`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// # let event = |version| Tick::new(version, 0);
    /// let log = EventLog::builder().capacity(1).build()?;
    /// let lease = log.lease(2);
    /// log.append_batch([1, 2, 3].map(event));
    /// assert!(!log.replay_truncated(0));
    /// drop(lease);
    /// assert!(log.replay_truncated(0));
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn lease(&self, max: impl Into<LeaseBound>) -> Lease<E> {
        let max = max.into();
        let mut beside = Beside::lock(&self.beside);
        let theirs = self.log.lease(max);
        let seen = beside.model.history().len();
        beside.compare_place("lease", seen, theirs.cursor());
        let ours = beside
            .model
            .lease(max.events, max.bytes.unwrap_or(u64::MAX));
        Lease::new(theirs, ours, self.beside.clone())
    }

    /// As [`eventlog::EventLog::stats`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::new(None);
    /// log.append(Tick::new(7, 0));
    /// assert_eq!(log.stats().appended, 1);
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let beside = Beside::lock_now(&self.beside);
        let stats = self.log.stats();
        beside.compare_stats(&stats);
        stats
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
        let mut beside = Beside::lock_now(&self.beside);
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
