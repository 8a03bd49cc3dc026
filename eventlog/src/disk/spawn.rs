//! A writer to a file: the two rooms put together.

use serde::Serialize;

use super::{
    config::DiskConfig,
    error::SpawnError,
    file_log::FileLog,
    storage::{RealStorage, Storage},
};
use crate::{
    log::EventLog,
    writer::handle::{StartError, Writer},
};

/// Makes the events of a log durable on disk, on a thread of its own: a [`Writer`] to a file.
pub type DiskWriter<E> = Writer<E>;

impl<E: Serialize + Send + Sync + 'static> Writer<E> {
    /// Takes the path (making its directory and lock, and repairing what a crash left) and starts
    /// the thread. The file itself is made with the first event.
    ///
    /// Events that the log already retains are written first, except those that were read back
    /// from the disk by [`EventLog::recover`].
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// log.append(Tick(1)); // what is there is written too
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let second = DiskWriter::spawn(&log, DiskConfig::new(&path)).unwrap_err();
    /// assert!(second.is_locked()); // one writer per path, of all processes
    /// drop(writer);
    /// assert_eq!(std::fs::read_to_string(&path)?, "1\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SpawnError`] if nothing can be written there: the path is a directory or a file that is no
    /// log, or not writable, or another writer has it. The log is not affected.
    pub fn spawn(log: &EventLog<E>, config: DiskConfig) -> Result<Self, SpawnError> {
        Self::spawn_on(log, RealStorage, config)
    }

    /// As [`spawn`](Self::spawn), on any storage.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    #[doc(hidden)]
    pub fn spawn_on<S: Storage>(
        log: &EventLog<E>,
        storage: S,
        config: DiskConfig,
    ) -> Result<Self, SpawnError> {
        config.check().map_err(SpawnError::Config)?;
        let (file, _) = FileLog::open_for(log, storage, &config)?;
        log.note_written_to(file.path());
        match Self::spawn_to(log, config.into_writer(), file) {
            Ok(writer) => Ok(writer),
            Err(StartError::Thread(error)) => Err(SpawnError::Thread(error)),
            Err(StartError::Destination(error)) => unreachable!("a file that is open: {error}"),
        }
    }
}
