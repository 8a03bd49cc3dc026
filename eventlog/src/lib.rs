//! Bounded replay ring, gap-free subscriptions, durable JSON-lines log.

pub mod disk;
mod versioned;

pub use versioned::{AsVersion, Versioned};
