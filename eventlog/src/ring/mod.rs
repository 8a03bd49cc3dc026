//! The bounded ring: a pure data structure that knows no lock, no I/O and no runtime.
//!
//! Events live in segments of slots behind `Arc`. The ring fills slots of a segment
//! that readers may already share, so obtaining a snapshot clones one `Arc`, whatever the capacity.

mod dead;
mod entries;
mod hold;
mod leases;
mod limits;
mod list;
#[expect(clippy::module_inception, reason = "the ring is this room's one noun")]
mod ring;
mod search;
mod segment;
mod snapshot;
mod taken;
mod versions;

pub(crate) use dead::caught_all;
pub(crate) use entries::Entries;
pub(crate) use hold::{HoldId, Lost};
pub(crate) use leases::{Kept, LeaseId};
pub(crate) use limits::{Most, Tally};
pub(crate) use ring::{DEFAULT_CAPACITY, Ring};
#[cfg(feature = "sse")]
pub(crate) use segment::Beside;
pub(crate) use segment::{Entry, Segment};
pub(crate) use snapshot::Snapshot;
pub(crate) use taken::{LeftOff, Taken};
