//! A file that rotates: append, sync, rotate, repair.

mod append;
mod block_tail;
mod open;
mod rebuild;
mod rotate;

use std::fmt;
use std::path::Path;

use self::block_tail::BlockTail;
pub use self::open::Opened;
use super::config::DiskConfig;
use super::error::DiskError;
use super::format::paths::Paths;
use super::storage::{RealStorage, Storage};
use crate::writer::{
    config::{Notices, SyncPolicy},
    destination::{Destination, DestinationError, Level, Standing},
    records::Records,
};

/// A log of whole lines in a file that rotates: the [`Destination`] on a local disk.
///
/// It knows neither threads nor events. What it promises:
///
/// - A record counts as [`durable`](Self::durable) only when its bytes and every name
///   needed to find them have been synced; then it is read back after any crash, until later
///   records rotate its file away.
///   Under [`SyncPolicy::Never`] it counts as soon as the operating system has it.
/// - Every error leaves it usable: hand over again what is not durable, and it repairs itself
///   first. After a failed sync it never trusts that file again, but copies the durable bytes to a
///   new one; where there is no room, it cuts the file to its durable length instead.
/// - One writer per path. The lock is on a file of its own that rotation leaves alone.
/// - Nothing is created before the first record.
/// - A file that is renamed (as `logrotate` does) or removed, also with its directory, is
///   noticed at the next batch, and a new file is started. What was durable before is then
///   theirs to keep; a file that is removed takes its records along.
///
/// A directory above the log's own that this user may not read cannot be synced; whether the name
/// of the log's directory is durable is then up to the system.
///
/// It assumes that writing behind the durable bytes does not damage them. The last 4 KiB of them
/// are kept in memory for the repair, because they share a block with what comes behind.
pub struct FileLog<S: Storage = RealStorage> {
    storage: S,
    paths: Paths,
    notices: Notices,
    max_bytes: u64,
    keep: u32,
    mode: u32,
    /// Whether a record counts as durable once the operating system has it.
    trusts_system: bool,
    lock: Option<S::File>,
    /// Whether the directory, the lock and the end of the file are known to be in order.
    attached: bool,
    current: Option<Current<S::File>>,
    /// Whether names in the directory have changed since it was last synced.
    dir_dirty: bool,
    /// Records handed over since opening and not forgotten since.
    handed: u64,
    durable: u64,
}

/// The file that records are appended to.
struct Current<F> {
    file: F,
    /// Bytes written, all of them in whole lines.
    len: u64,
    /// Whether all bytes written are known to be on the disk.
    synced: bool,
    /// Bytes that were called durable.
    durable_len: u64,
    /// The last bytes written.
    tail: BlockTail,
    /// The last bytes that were called durable.
    durable_tail: BlockTail,
    /// Whether what lies behind the durable bytes is unknown, and syncing it would prove nothing.
    suspect: bool,
}

/// More full files than any directory holds, with numbers to spare for the names behind them.
const MAX_KEEP: u32 = u32::MAX / 2;

impl<S: Storage> FileLog<S> {
    /// A log that touches nothing before its first record, not even to see whether it can.
    ///
    /// # Errors
    /// [`DiskError::NotAFile`] if the path has no file name.
    pub fn detached(storage: S, config: &DiskConfig) -> Result<Self, DiskError> {
        let paths = Paths::new(&config.path).ok_or_else(|| DiskError::NotAFile {
            path: config.path.clone(),
        })?;
        Ok(Self {
            storage,
            paths,
            notices: config.writer().notices.clone(),
            max_bytes: config.max_bytes,
            keep: config.keep.clamp(1, MAX_KEEP),
            mode: config.mode,
            trusts_system: config.writer().sync == SyncPolicy::Never,
            lock: None,
            attached: false,
            current: None,
            dir_dirty: false,
            handed: 0,
            durable: 0,
        })
    }

    /// The current file's absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.paths.log
    }

    /// What the log is kept on.
    #[must_use]
    #[cfg(feature = "unstable-storage")]
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Brings directory, lock and file in order before anything is written.
    fn prepare(&mut self) -> Result<Opened, DiskError> {
        self.check_place()?;
        let opened = if self.attached {
            Opened::default()
        } else {
            self.attach()?
        };
        if self.current.as_ref().is_some_and(|current| current.suspect) {
            self.rebuild()?;
        }
        Ok(opened)
    }

    fn write_all(&mut self, mut records: Records<'_>) -> Result<(), DiskError> {
        self.prepare()?;
        while !records.is_empty() {
            let Some(current) = &self.current else {
                self.create()?;
                continue;
            };
            let room = self.max_bytes.saturating_sub(current.len);
            match records.within(room) {
                0 if current.len > 0 => self.rotate()?,
                fit => {
                    let (now, later) = records.split_at(fit.max(1));
                    self.append(now)?;
                    records = later;
                }
            }
        }
        Ok(())
    }

    /// After an error only what is durable counts; what lies behind it has to go.
    /// Hands over records, in order: writes, rotates and syncs as needed.
    ///
    /// # Errors
    /// After an error the log has forgotten every record past [`durable`](Self::durable): all of
    /// them must be handed over again, in the same order.
    pub fn append_records(&mut self, records: Records<'_>) -> Result<(), DiskError> {
        if records.is_empty() {
            return Ok(());
        }
        self.write_all(records).inspect_err(|_| self.forget())
    }

    /// Makes all records that were handed over durable.
    ///
    /// # Errors
    /// As for [`append_records`](Self::append_records).
    pub fn make_durable(&mut self) -> Result<(), DiskError> {
        if self.handed == self.durable {
            return Ok(());
        }
        self.flush().inspect_err(|_| self.forget())
    }

    /// How many of the records handed over since opening are durable.
    #[must_use]
    #[cfg(feature = "unstable-storage")]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    fn forget(&mut self) {
        self.handed = self.durable;
        if let Some(current) = &mut self.current {
            current.suspect |= current.len != current.durable_len;
        }
    }
}

impl<S: Storage> Destination for FileLog<S> {
    fn level(&self) -> Level {
        Level::new(1, !self.trusts_system)
    }

    fn open(&mut self) -> Result<Standing, DestinationError> {
        Ok(Standing::Unknown)
    }

    fn write(
        &mut self,
        records: Records<'_>,
        _progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        Ok(self.append_records(records)?)
    }

    fn sync(&mut self) -> Result<(), DestinationError> {
        Ok(self.make_durable()?)
    }

    fn stored(&self) -> u64 {
        self.durable
    }
}

impl<S: Storage> Drop for FileLog<S> {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            self.storage.unlock(lock);
        }
    }
}

impl<S: Storage> fmt::Debug for FileLog<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLog")
            .field("path", &self.paths.log)
            .field("len", &self.current.as_ref().map(|current| current.len))
            .field(
                "suspect",
                &self.current.as_ref().map(|current| current.suspect),
            )
            .field("handed", &self.handed)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}
