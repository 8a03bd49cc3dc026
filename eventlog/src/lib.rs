//! Bounded replay ring, gap-free subscriptions, durable JSON-lines log.

// The derives name this crate `::eventlog`, also when they are used inside it.
#[allow(unused_extern_crates)]
extern crate self as eventlog;

mod builder;
mod coverage;
mod cursor;
pub mod disk;
mod follow;
mod log;
mod replay;
mod ring;
mod seq;
mod shared;
mod stats;
mod subscribe;
mod sync;
mod versioned;
mod waiters;

pub use builder::{BuildError, Builder};
pub use coverage::Coverage;
pub use cursor::{Cursor, CursorError, Epoch};
pub use eventlog_derive::{AsVersion, Versioned};
pub use log::EventLog;
pub use replay::{Iter, Replay, WithCursors};
pub use seq::Seq;
pub use stats::Stats;
pub use subscribe::{EventRef, Lagged, RecvError, Subscription, TryRecvError};
pub use versioned::{AsVersion, Versioned};
