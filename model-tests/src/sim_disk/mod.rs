//! A disk in memory that tells the truth about crashes.
//!
//! Files, names and open handles are three things. Beside what programs see, each file and each
//! directory knows what of it is on the platter and which changes are not there yet, as a list.
//! [`SimDisk::crash`] decides for each of those changes whether it made it.
//!
//! What it assumes of a real disk, and nothing more: a synced byte stays unless it is overwritten
//! or cut off; of an unsynced write any sector may arrive, be missing or hold garbage, in any
//! order, and the file may have grown without the bytes; of unsynced changes to a directory any
//! may be missing, but each is whole. Syncing a file says nothing of its name.

pub(crate) mod crash;
pub(crate) mod disk;
pub(crate) mod fault;
mod node;
pub(crate) mod random;
pub(crate) mod state;
pub(crate) mod storage;
#[cfg(test)]
mod tests;

pub use self::crash::{Crash, DataLoss};
pub use self::disk::{SECTOR, SimDisk};
pub use self::fault::{Fault, Op};
pub use self::random::Random;
pub use self::state::{Note, Picture};
pub use self::storage::SimFile;
pub use eventlog::disk::{FileId, RealStorage, Stat, Storage};
