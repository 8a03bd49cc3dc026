//! A bounded replay ring with gap-free subscriptions, and a durable JSON-lines log on disk.
//!
//! A process owns some state and changes it through events, each with a `version`. Subscribers lose
//! their connection, come back and ask *what happened since version V?*; after a crash people ask
//! *what was it doing?*. This crate is the part that answers.
//!
//! * [`EventLog`] holds the newest events in memory. [`append`](EventLog::append) never waits for
//!   a reader or a disk; [`replay`](EventLog::replay) returns the events after a version together with their
//!   [`Coverage`], as of one instant; [`subscribe`](EventLog::subscribe) goes on from there with
//!   what is appended next.
//! * [`disk`] makes the events durable on a thread of its own, and brings them back; [`writer`] is
//!   the part of it that knows no files.
//! * [`Versioned`] is all that the log asks of an event; the derive of the same name writes it.
//!
//! ```
//! use eventlog::{EventLog, Versioned};
//!
//! #[derive(Versioned, Clone, Debug, PartialEq)]
//! enum Event {
//!     Opened { window: u32, version: u64 },
//!     Closed { window: u32, version: u64 },
//! }
//!
//! let log = EventLog::new(None);
//! log.append(Event::Opened { window: 1, version: 1 });
//! log.append(Event::Closed { window: 1, version: 2 });
//! assert_eq!(log.events_since(1), [Event::Closed { window: 1, version: 2 }]);
//! ```
//!
//! | word | meaning |
//! | --- | --- |
//! | version | the user's `u64` inside an event; it may skip, repeat and fall |
//! | [`Seq`] | the log's own dense counter: 1 for the first append |
//! | [`Epoch`] | an id of one life of the log, random unless it is given |
//! | [`Cursor`] | epoch, sequence number and version: where a subscriber stands |
//! | [`Coverage`] | what a replay can promise |
//! | durable | written, fsynced, and so is every directory entry needed to find it |
//! | acknowledged | a caller was told that the event is durable |
//! | gap | events that never reached the disk; a line in the file says which |
//!
//! # The hard moments
//!
//! | what happens | what you see | what to do |
//! | --- | --- | --- |
//! | a reader is too slow | [`RecvError::Lagged`], with the exact number | [lagging](Subscription#lagging) |
//! | the log ends | [`RecvError::Closed`], after everything before | [closing](Subscription#closing) |
//! | what was asked for is gone | [`Coverage::Truncated`] | [truncated](Coverage#truncated) |
//! | a cursor is from another life | [`Coverage::Foreign`] | [foreign](Coverage#foreign) |
//! | the disk is full, or fails | [`Notice::Failing`](disk::Notice); appends go on | [when the disk is full](disk#when-the-disk-is-full) |
//! | the process ends, or is killed | a torn tail at worst | [when the process ends](disk#when-the-process-ends) |
//!
//! How it works inside, and why it is so, is
//! [`docs/design.md`](https://github.com/eventlog-rs/eventlog/blob/main/eventlog/docs/design.md).

#![cfg_attr(docsrs, feature(doc_cfg))]

// The derives name this crate `::eventlog`, also when they are used inside it.
#[allow(unused_extern_crates)]
extern crate self as eventlog;

mod builder;
mod coverage;
mod cursor;
#[cfg(feature = "disk")]
pub mod disk;
mod filtered;
#[cfg_attr(not(feature = "disk"), allow(dead_code, reason = "writers move it on"))]
mod frontier;
mod lease;
mod lineage;
mod live;
mod log;
#[cfg(feature = "nats")]
pub mod nats;
mod numbered;
mod page;
mod readers;
mod received;
mod replay;
mod retention;
#[cfg_attr(
    not(feature = "disk"),
    allow(dead_code, unused_imports, reason = "only writers hold and take")
)]
mod ring;
mod seldom;
mod seq;
#[cfg(feature = "sse")]
pub mod serve;
mod shared;
mod stats;
mod subscribe;
mod sync;
mod versioned;
mod waiters;
#[cfg(feature = "serde")]
mod wire;
#[cfg(feature = "disk")]
pub mod writer;

pub use builder::{BuildError, Builder};
pub use coverage::Coverage;
pub use cursor::{Cursor, CursorError, Epoch, Start};
#[cfg(feature = "derive")]
pub use eventlog_derive::{AsVersion, Versioned};
pub use filtered::Filtered;
pub use lease::{Lease, LeaseBound};
pub use live::{Told, WithLive};
pub use log::EventLog;
pub use numbered::{Beside, Inside, Numbered};
pub use page::Page;
pub use received::{Batch, BatchIntoIter, BatchIter, EventRef, Lagged, RecvError, TryRecvError};
pub use replay::{Iter, Replay, WithCursors};
pub use seq::{Seq, SeqIter, SeqRange};
pub use stats::Stats;
pub use subscribe::Subscription;
pub use versioned::{AsVersion, Versioned};

/// Compiles and runs the README's example.
#[cfg(all(doctest, feature = "derive", feature = "disk"))]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// Compiles the steps of the page.
#[cfg(all(doctest, feature = "derive", feature = "disk", feature = "tokio"))]
#[doc = include_str!("../docs/migration.md")]
pub struct Migration;
