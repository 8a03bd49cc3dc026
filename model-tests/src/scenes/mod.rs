//! What laws are judged by where a history of single operations is not enough: threads that race,
//! readers that wait, code that comes back into the log, files that are cut.

pub(crate) mod batches;
pub(crate) mod crossing;
pub(crate) mod damage;
pub(crate) mod ends;
pub(crate) mod faithful;
pub(crate) mod files;
pub(crate) mod filters;
pub(crate) mod foreign;
pub(crate) mod full;
pub(crate) mod hands;
mod history;
pub(crate) mod intrusion;
pub(crate) mod leases;
pub(crate) mod limits;
pub(crate) mod lineage;
pub(crate) mod lives;
mod logs;
pub(crate) mod memory;
pub(crate) mod numbers;
pub(crate) mod opening;
pub(crate) mod pages;
mod patience;
mod polling;
pub(crate) mod power;
pub(crate) mod race;
pub(crate) mod retention;
pub(crate) mod rotation;
mod small_disk;
mod stalled;
pub(crate) mod stalls;
pub(crate) mod stored;
pub(crate) mod turns;
pub(crate) mod versions;
pub(crate) mod waiting;
pub(crate) mod waking;
pub(crate) mod writers;
