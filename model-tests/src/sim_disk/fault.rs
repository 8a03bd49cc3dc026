//! What goes wrong.

use std::io;

/// An operation that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Creating a file that did not exist.
    CreateNew,
    /// Taking a lock, and creating its file if there is none.
    Lock,
    /// Appending bytes.
    Write,
    /// Cutting a file.
    Truncate,
    /// Syncing a file.
    Sync,
    /// Syncing a directory.
    SyncDir,
    /// Renaming.
    Rename,
    /// Removing a name.
    Remove,
    /// Creating a directory.
    CreateDir,
}

/// How an operation goes wrong. A fault that makes no sense for an operation leaves it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused and changes nothing. A refused sync leaves the changes to be synced later.
    Refuse(io::ErrorKind),
    /// A write takes only so many bytes, at least one.
    Short(usize),
    /// A sync fails; sectors chosen by the seed arrive, the others are dropped. Reading still
    /// shows them, the next sync succeeds, and writing the same range again does not bring them
    /// to the disk: only cutting the file before them and writing again does. This is what ext4
    /// was seen to do.
    SyncDrops(u64),
    /// As `SyncDrops`, but reading shows what is on the disk.
    SyncReverts(u64),
}
