//! Writers of a log with the model beside it.

use std::{fmt, future::Future, ops::Deref, sync::Arc};

use eventlog::{
    Start,
    disk::{self, DiskConfig, SpawnError},
};
use serde::Serialize;
use tokio::sync::broadcast;

use super::{
    beside::{Beside, Shared},
    log::EventLog,
    subscription::Subscription,
};
use crate::subject::adapter::Event;

/// [`eventlog::disk::DiskWriter`] of a log with the model beside it.
#[must_use]
pub struct DiskWriter<E> {
    writer: disk::DiskWriter<E>,
    beside: Shared<E>,
}

impl<E: Event> DiskWriter<E> {
    /// As [`eventlog::disk::DiskWriter`]'s `spawn`.
    ///
    /// ```
    /// use model_tests::{Tick, drop_in::{EventLog, disk::{DiskConfig, DiskWriter}}};
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// writer.blocking_durable(log.append(Tick::new(7, 0)))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub fn spawn(log: &EventLog<E>, config: DiskConfig) -> Result<Self, SpawnError>
    where
        E: Serialize,
    {
        Ok(Self {
            writer: disk::DiskWriter::spawn(&log.log, config)?,
            beside: log.beside.clone(),
        })
    }

    /// As [`eventlog::disk::DiskWriter`]'s `subscribe`.
    ///
    /// ```
    /// # use model_tests::{Tick, Versioned, drop_in::{EventLog, disk::{DiskConfig, DiskWriter}}};
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let mut subscription = writer.subscribe(0);
    /// log.append(Tick::new(7, 0));
    /// assert_eq!(subscription.blocking_recv()?.version(), 7); // the model says so too
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn subscribe(&self, start: impl Into<Start>) -> Subscription<E> {
        let start = start.into();
        let beside = Beside::lock_now(&self.beside);
        let theirs = self.writer.subscribe(start);
        // `Now` is the newest stored event, and where that is the cursor says.
        let from = match start {
            Start::Now => Start::Cursor(theirs.cursor()),
            start => start,
        };
        let ours = beside.reader(from, theirs.coverage());
        Subscription::new(theirs, ours, self.beside.clone(), true)
    }
}

/// What changes no log.
impl<E> Deref for DiskWriter<E> {
    type Target = disk::DiskWriter<E>;

    fn deref(&self) -> &Self::Target {
        &self.writer
    }
}

impl<E> fmt::Debug for DiskWriter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.writer.fmt(f)
    }
}

/// As [`eventlog::disk::run_disk_writer`].
///
/// ```
/// # use std::sync::Arc;
/// # use model_tests::{Tick, drop_in::{EventLog, disk::run_disk_writer}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = Arc::new(EventLog::new(Some(path.clone())));
/// let (sender, receiver) = tokio::sync::broadcast::channel(64);
/// let writer = tokio::spawn(run_disk_writer(log.clone(), receiver));
/// log.append(Tick::new(7, 0));
/// sender.send(Tick::new(7, 0))?;
/// drop(sender);
/// writer.await?;
/// assert!(path.exists());
/// # Ok(())
/// # }
/// ```
#[expect(clippy::needless_pass_by_value, reason = "it is called as that one is")]
pub fn run_disk_writer<E: Event + Serialize>(
    log: Arc<EventLog<E>>,
    events: broadcast::Receiver<E>,
) -> impl Future<Output = ()> + Send + use<E> {
    disk::run_disk_writer(log.log.clone(), events)
}

/// As [`eventlog::disk::run_disk_writer_with`].
///
/// ```
/// # use std::sync::Arc;
/// # use model_tests::{Tick, drop_in::{EventLog, disk::{DiskConfig, run_disk_writer_with}}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = Arc::new(EventLog::<Tick>::new(None));
/// let (sender, receiver) = tokio::sync::broadcast::channel(64);
/// drop(sender);
/// run_disk_writer_with(log, receiver, DiskConfig::new(&path).keep(3)).await;
/// # Ok(())
/// # }
/// ```
#[expect(clippy::needless_pass_by_value, reason = "it is called as that one is")]
pub fn run_disk_writer_with<E: Event + Serialize>(
    log: Arc<EventLog<E>>,
    events: broadcast::Receiver<E>,
    config: DiskConfig,
) -> impl Future<Output = ()> + Send + use<E> {
    disk::run_disk_writer_with(log.log.clone(), events, config)
}
