//! Writers: follow a source of events, batch, commit, acknowledge, try again.
//!
//! A writer knows neither files nor brokers. What it writes to is a [`Destination`]:
//! [`disk::FileLog`](crate::disk) on a local disk, or one of your own. What it reads from is a
//! log's ring, or a channel.
//!
//! What it does where the destination fails is told at [when the disk is
//! full](crate::disk#when-the-disk-is-full), and what it does where the program ends at [the end of a
//! process](Writer#the-end-of-a-process).
//!
//! ```text
//! ring ──▶ Follower ─┐                            ┌─▶ FileLog
//!                    ├─▶ Pending ──▶ Worker ──────┤
//! channel ─▶ Channel ┘      │           │         └─▶ any Destination
//!                           ▼           ▼
//!                         losses    Frontier ──▶ stored, flush, subscriptions
//! ```

pub(crate) mod ack;
mod ahead;
pub(crate) mod bridge;
pub(crate) mod config;
pub(crate) mod control;
pub(crate) mod destination;
pub(crate) mod faithful;
pub(crate) mod follower;
pub(crate) mod gap;
pub(crate) mod handle;
mod line;
mod lines;
pub(crate) mod notice;
pub(crate) mod pending;
pub(crate) mod records;
mod retry;
mod sizes;
pub(crate) mod source;
pub(crate) mod stats;
pub(crate) mod worker;

pub use ack::{Flush, NotStored, Stored};
pub use config::{SyncPolicy, Unfaithful, WriterConfig};
pub use destination::{Destination, DestinationError, Level, Standing};
pub use gap::{Gap, GapReason};
pub use handle::{StartError, Writer};
pub use notice::Notice;
pub use records::{Meta, Records};
pub use stats::WriterStats;
