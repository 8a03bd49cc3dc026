//! A log at a NATS server.

mod backfill;
mod config;
mod destination;
mod driver;
mod error;
mod follow;
mod frame;
mod level;
mod link;
mod mirror;
mod session;

pub use backfill::{Backfill, Fetch};
pub use config::JetStreamConfig;
pub use destination::{blocking_spawn, spawn};
pub use error::{NatsError, SpawnError};
pub use mirror::{Mirror, MirrorConfig, MirrorStats};
