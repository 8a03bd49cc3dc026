//! What laws are judged by where a history of single operations is not enough: threads that race,
//! readers that wait, code that comes back into the log, files that are cut.

pub(crate) mod damage;
pub(crate) mod ends;
pub(crate) mod faithful;
pub(crate) mod files;
pub(crate) mod foreign;
pub(crate) mod full;
pub(crate) mod hands;
mod history;
pub(crate) mod intrusion;
pub(crate) mod lives;
pub(crate) mod memory;
pub(crate) mod opening;
mod patience;
pub(crate) mod power;
pub(crate) mod race;
pub(crate) mod rotation;
mod stalled;
pub(crate) mod stalls;
pub(crate) mod versions;
pub(crate) mod waiting;
pub(crate) mod writers;
