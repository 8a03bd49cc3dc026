//! Bounded replay ring, gap-free subscriptions, durable JSON-lines log.

// The derives name this crate `::eventlog`, also when they are used inside it.
#[allow(unused_extern_crates)]
extern crate self as eventlog;

mod versioned;

pub use eventlog_derive::{AsVersion, Versioned};
pub use versioned::{AsVersion, Versioned};
