//! Bounded replay ring, gap-free subscriptions, durable JSON-lines log.

mod versioned;

pub use versioned::{AsVersion, Versioned};
