//! Settings of a log with the model beside it.

use std::{fmt, path::PathBuf, time::Duration};

use eventlog::{
    BuildError, Epoch, Versioned,
    disk::{DiskConfig, RecoverError, Recovery},
};
use serde::de::DeserializeOwned;

use super::{
    beside::Settings,
    log::EventLog,
    told::{locked, since_now},
};
use crate::subject::adapter::Event;

/// [`eventlog::Builder`] of a log with the model beside it.
#[must_use]
pub struct Builder<E> {
    theirs: eventlog::Builder<E>,
    ours: Settings,
}

impl<E: Event> Builder<E> {
    pub(super) fn new() -> Self {
        Self {
            theirs: eventlog::EventLog::builder(),
            ours: Settings::default(),
        }
    }

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
        self.ours.capacity = events;
        self.map(|builder| builder.capacity(events))
    }

    /// As [`eventlog::Builder::max_bytes`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::builder().max_bytes(10, |_: &Tick| 4).build()?;
    /// log.append_batch([1, 2, 3].map(|version| Tick::new(version, 0)));
    /// assert_eq!(log.events_since(0).len(), 2); // of 8 bytes, and not of 12
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn max_bytes(
        mut self,
        limit: u64,
        weigh: impl Fn(&E) -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.ours.max_bytes = Some(limit);
        let weighed = self.ours.told.weighed.clone();
        self.map(|builder| {
            builder.max_bytes(limit, move |event| {
                let weight = weigh(event);
                locked(&weighed).push_back(weight);
                weight
            })
        })
    }

    /// As [`eventlog::Builder::max_age`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::builder().max_age(Duration::from_secs(3600)).build()?;
    /// log.append(Tick::new(1, 0));
    /// assert_eq!(log.events_since(0).len(), 1); // for an hour
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn max_age(mut self, limit: Duration) -> Self {
        self.ours.max_age = Some(limit);
        self.map(|builder| builder.max_age(limit))
    }

    /// As [`eventlog::Builder::clock`]. It is asked by the calls of this module, once by each: for
    /// what else reads the log, a feed for instance, no time passes between those.
    ///
    /// ```
    /// # use std::{sync::{Arc, atomic::{AtomicU64, Ordering}}, time::Duration};
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let seconds = Arc::new(AtomicU64::new(0));
    /// let hand = seconds.clone();
    /// let log = EventLog::builder()
    ///     .max_age(Duration::from_secs(5))
    ///     .clock(move || Duration::from_secs(hand.load(Ordering::Relaxed)))
    ///     .build()?;
    /// log.append(Tick::new(1, 0));
    /// seconds.store(9, Ordering::Relaxed);
    /// assert!(log.events_since(0).is_empty());
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn clock(mut self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.ours.told.clock = Some(Box::new(clock));
        self
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
        self.ours.base = Some(version);
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
        let Self { theirs, ours } = self.with_clock();
        Ok(EventLog::beside(theirs.build()?, ours))
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
        let Self { theirs, ours } = self.with_clock();
        let (log, recovery) = theirs.recover(config)?;
        Ok((EventLog::beside(log, ours), recovery))
    }

    /// Has the log read the time that the calls ask for, if it wants to know it.
    fn with_clock(mut self) -> Self {
        if self.ours.max_age.is_none() {
            self.ours.told.clock = None;
            return self;
        }
        self.ours.told.clock.get_or_insert_with(since_now);
        self.ours.told.ask();
        let now = self.ours.told.now.clone();
        self.map(|builder| builder.clock(move || *locked(&now)))
    }

    fn map(self, set: impl FnOnce(eventlog::Builder<E>) -> eventlog::Builder<E>) -> Self
    where
        E: Versioned,
    {
        let theirs = set(self.theirs);
        Self { theirs, ..self }
    }
}

impl<E> fmt::Debug for Builder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.theirs.fmt(f)
    }
}
