//! Settings of a log.

use std::{error::Error, fmt, marker::PhantomData, path::PathBuf};

use crate::{
    cursor::Epoch,
    log::EventLog,
    ring::{DEFAULT_CAPACITY, Ring},
    versioned::Versioned,
};

/// Settings of an [`EventLog`].
///
/// ```
/// # use eventlog::{BuildError, Coverage, EventLog};
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// // The state was loaded at version 100; its history begins after that.
/// let log = EventLog::<Tick>::builder().capacity(1024).base_version(100).build()?;
/// assert_eq!(log.replay(100).coverage(), Coverage::Complete);
/// assert!(log.replay_truncated(99));
///
/// assert_eq!(EventLog::<Tick>::builder().capacity(0).build().err(), Some(BuildError::ZeroCapacity));
/// # Ok::<(), BuildError>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<E> {
    capacity: usize,
    base_version: Option<u64>,
    disk_path: Option<PathBuf>,
    epoch: Option<Epoch>,
    events: PhantomData<fn(E)>,
}

impl<E: Versioned> EventLog<E> {
    /// A log with other settings.
    pub fn builder() -> Builder<E> {
        Builder::new()
    }
}

impl<E: Versioned> Builder<E> {
    /// Events that a log retains unless told otherwise.
    pub const DEFAULT_CAPACITY: usize = DEFAULT_CAPACITY;

    fn new() -> Self {
        Self {
            capacity: Self::DEFAULT_CAPACITY,
            base_version: None,
            disk_path: None,
            epoch: None,
            events: PhantomData,
        }
    }

    /// How many events are retained, exactly. At least 1; memory is taken as events come.
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// The version that a subscriber must have seen before the first event, for a log that starts
    /// in the middle of a history. Unset, it is the first event's version − 1.
    pub fn base_version(mut self, version: u64) -> Self {
        self.base_version = Some(version);
        self
    }

    /// Where a disk writer is to keep its file. Nothing is opened here.
    pub fn disk_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.disk_path = Some(path.into());
        self
    }

    /// The id of this life of the log. Unset, it is random.
    ///
    /// It has to be set where the system has no randomness, as on `wasm32-unknown-unknown`, if
    /// cursors are used there: without an epoch every one of them is `Foreign`, also the log's own.
    /// What it has to be like is said at [`Epoch::new`].
    ///
    /// ```
    /// # use eventlog::{Epoch, EventLog};
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # fn number_from_the_browser() -> u64 { 0x9f86_d081_884c_7d65 }
    /// let epoch = Epoch::new(number_from_the_browser());
    /// let log = EventLog::<Tick>::builder().epoch(epoch).build()?;
    /// assert_eq!(log.epoch(), epoch);
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    pub fn epoch(mut self, epoch: Epoch) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// The log.
    ///
    /// # Errors
    ///
    /// [`BuildError::ZeroCapacity`] if it could hold no event.
    pub fn build(self) -> Result<EventLog<E>, BuildError> {
        let mut ring = self.ring()?;
        ring.set_base(self.base_version);
        Ok(EventLog::with(ring, self.disk_path))
    }

    /// An empty ring of the capacity that was set.
    pub(crate) fn ring(&self) -> Result<Ring<E>, BuildError> {
        if self.capacity == 0 {
            return Err(BuildError::ZeroCapacity);
        }
        Ok(Ring::new(self.capacity, Epoch::of_log(self.epoch)))
    }

    #[cfg(feature = "disk")]
    pub(crate) fn capacity_set(&self) -> usize {
        self.capacity
    }

    #[cfg(feature = "disk")]
    pub(crate) fn base_version_set(&self) -> Option<u64> {
        self.base_version
    }
}

impl<E> fmt::Debug for Builder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("capacity", &self.capacity)
            .field("base_version", &self.base_version)
            .field("disk_path", &self.disk_path)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// Settings that make no log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A log that retains nothing can replay nothing.
    ZeroCapacity,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroCapacity => f.write_str(
                "cannot build an event log of capacity 0: set `capacity` to at least 1 event",
            ),
        }
    }
}

impl Error for BuildError {}
