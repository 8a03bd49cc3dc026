//! A message broker that fails as it is told: beside the simulated disk, for what is written beyond
//! one machine.

mod client;
mod server;

pub use client::{BrokerDestination, NaiveDestination};
pub use server::{Fault, SimBroker, StoredRecord};
