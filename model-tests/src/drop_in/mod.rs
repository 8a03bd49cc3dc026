//! `eventlog` with the model beside it, under the names of `eventlog`: one alias in a program, and
//! its debug builds check the laws at every call.
//!
//! ```
//! #[cfg(debug_assertions)]
//! use model_tests::drop_in as eventlog;
//! // In release builds `eventlog` is the crate of that name.
//!
//! # #[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
//! # struct Tick(u64);
//! # impl model_tests::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
//!
//! let config = DiskConfig::new(directory.path().join("events.log"));
//! let (log, _) = EventLog::recover(&config)?;
//! let writer = DiskWriter::spawn(&log, config)?;
//! let mut events = log.subscribe(0);
//! let seq = log.append(Tick(1));
//! writer.durable(seq).await?;
//! assert_eq!(*events.recv().await?, Tick(1));
//! # Ok(())
//! # }
//! ```
//!
//! A call that answers otherwise than the model panics, and says both answers. What changes a log
//! or asks for its events is compared; what else a log, a writer or a subscription can do is that of
//! the real one, to which these dereference.
//!
//! Limits of weight and age, leases, pages and filters are among what is compared. What a weigher says
//! is taken from it and not asked for twice; the clock is asked once by each call of this module, so
//! that for what reads the log otherwise, as a feed does, no time passes between two of them.
//!
//! It keeps every event that it was ever given, and makes one call at a time, so it is not for
//! production. A waker that calls the log itself, and does not leave that to its task, waits for ever;
//! so does code of events that does, a weigher, a clock or a filter.

mod beside;
mod builder;
mod disk_writer;
mod filtered;
mod following;
mod lease;
mod log;
mod replay;
mod subscription;
#[cfg(test)]
mod tests;
mod told;
mod with_live;

pub use eventlog::*;

pub use self::{
    builder::Builder,
    filtered::Filtered,
    lease::{Lease, LeaseBound},
    log::EventLog,
    replay::Replay,
    subscription::Subscription,
    with_live::WithLive,
};

/// Writers and files: those of `eventlog`, with the log of this module.
pub mod disk {
    pub use eventlog::disk::*;

    pub use super::disk_writer::{DiskWriter, run_disk_writer, run_disk_writer_with};
}
