//! A log at a NATS server.

mod config;
mod destination;
mod driver;
mod error;
mod frame;
mod level;
mod link;
mod session;

pub use config::JetStreamConfig;
pub use destination::{blocking_spawn, spawn};
pub use error::{NatsError, SpawnError};
