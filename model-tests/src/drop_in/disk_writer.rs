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
#[expect(clippy::needless_pass_by_value, reason = "it is called as that one is")]
pub fn run_disk_writer<E: Event + Serialize>(
    log: Arc<EventLog<E>>,
    events: broadcast::Receiver<E>,
) -> impl Future<Output = ()> + Send + use<E> {
    disk::run_disk_writer(log.log.clone(), events)
}

/// As [`eventlog::disk::run_disk_writer_with`].
#[expect(clippy::needless_pass_by_value, reason = "it is called as that one is")]
pub fn run_disk_writer_with<E: Event + Serialize>(
    log: Arc<EventLog<E>>,
    events: broadcast::Receiver<E>,
    config: DiskConfig,
) -> impl Future<Output = ()> + Send + use<E> {
    disk::run_disk_writer_with(log.log.clone(), events, config)
}
