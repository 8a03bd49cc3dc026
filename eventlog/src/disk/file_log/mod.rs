//! A file that rotates: append, sync, rotate, repair.
//!
//! What is known of the file is a state, and each transition is a method of the state it starts
//! from. Whatever a transition says, it gives back a state to go on from; an error of the log as a
//! whole also forgets what is not durable (`forget`).
//!
//! | from | transition | to, where all is well | after an error |
//! | --- | --- | --- | --- |
//! | `Detached` | `attach`: directory, lock, repair of the end | `Open`; `Empty` where there is no file; `Suspect` where the last writer left a mark of a failed sync | `Detached` |
//! | `Empty` | `create` | `Open`; `Detached` where another file or directory is in the place | `Empty` |
//! | `Open` | `look`: what others did to the file | `Open`; `Detached` where it is no longer ours and all of it is durable | `Open` where nobody can tell; `Detached` where undurable records are lost |
//! | `Open` | `append` | `Open` | `Open` with the records that were written whole; `Suspect` where the rest cannot be cut off |
//! | `Open` | `flush`: sync the file, then names, then `look` | `Open`, all of it durable; as `look` | `Open`; as `look` |
//! | `Open` | `put_aside`, after `flush` | `Empty` | `Open` where the file kept its name, and goes on in it; `Empty` where its new name is not durable yet |
//! | `Open` | `forget`, after any error | `Open` where all is durable, `Suspect` elsewhere | |
//! | `Suspect` | `look` | `Suspect`; `Detached` where it is no longer ours | `Suspect` |
//! | `Suspect` | `rebuild`: a copy of the durable bytes, or a cut | `Open` | `Suspect` |
//!
//! Nothing but `rebuild` leads from `Suspect` to `Open`, so nothing is ever appended to a file
//! after a failed sync, nor is such a file synced again and believed.

mod append;
mod block_tail;
mod destination;
mod lock;
mod open;
mod place;
mod rebuild;
mod rotate;
mod site;
mod state;
mod torn;

use std::{fmt, mem, path::Path};

pub use self::open::Opened;
use self::{
    site::Site,
    state::{Open, State, Step},
};
use super::config::DiskConfig;
use super::error::DiskError;
use super::storage::{RealStorage, Storage};
use crate::writer::records::Records;

/// A log of whole lines in a file that rotates: the [`Destination`](crate::writer::destination::Destination) on a local disk.
///
/// It knows neither threads nor events. What it promises:
///
/// - A record counts as [`durable`](Self::durable) only when its bytes and every name
///   needed to find them have been synced; then it is read back after any crash, until later
///   records rotate its file away.
///   Under [`SyncPolicy::Never`](crate::writer::SyncPolicy::Never) it counts as soon as the operating system has it.
/// - Every error leaves it usable: hand over again what is not durable, and it repairs itself
///   first. After a failed sync it never trusts that file again, but copies the durable bytes to a
///   new one; where there is no room, it cuts the file to its durable length instead.
/// - Where the full file cannot be put aside, writing goes on in it, with one notice, and putting it
///   aside is tried again each time that it has grown by an eighth of `max_bytes`.
/// - One writer per path. The lock is on a file of its own that rotation leaves alone.
/// - Once it is open, the directory and the lock are there; the file comes with the first record.
/// - A file that is renamed (as `logrotate` does) or removed, also with its directory, is
///   noticed at the next batch, and a new file is started. What was durable before is then
///   theirs to keep; a file that is removed takes its records along.
///
/// A directory above the log's own that this user may not read cannot be synced; whether the name
/// of the log's directory is durable is then up to the system.
///
/// It assumes that writing after the durable bytes does not damage them. The last 4 KiB of them
/// are kept in memory for the repair, because they share a block with what comes after them.
pub struct FileLog<S: Storage = RealStorage> {
    site: Site<S>,
    state: State<S>,
    /// Records handed over since opening and not forgotten since.
    handed: u64,
    durable: u64,
    /// Whether the full file could not be put aside when that was last tried.
    rotation_fails: bool,
}

impl<S: Storage> FileLog<S> {
    /// A log that changes nothing before its first record, not even to see whether it can.
    ///
    /// # Errors
    /// [`DiskError::NotAFile`] if the path has no file name.
    pub fn detached(storage: S, config: &DiskConfig) -> Result<Self, DiskError> {
        Ok(Self {
            site: Site::new(storage, config)?,
            state: State::default(),
            handed: 0,
            durable: 0,
            rotation_fails: false,
        })
    }

    /// Opens the log at the path of `config`, taking its lock and repairing its end.
    ///
    /// The directory and `X.lock` are made where they are missing, so that there is one writer from
    /// here on, and a place that cannot be written is an error here. `X` itself comes with the first
    /// record. Only the end of the file is read. Damage further up is left alone, for the readers to
    /// report.
    ///
    /// # Errors
    /// [`DiskError::Locked`] if another writer has it, [`DiskError::NotAFile`] or
    /// [`DiskError::NotALog`] if something else stands at the path, [`DiskError::NoLocks`] if there
    /// are no locks, [`DiskError::Io`] if the file system refuses.
    pub fn open(storage: S, config: &DiskConfig) -> Result<(Self, Opened), DiskError> {
        let mut log = Self::detached(storage, config)?;
        let opened = log.attach()?;
        Ok((log, opened))
    }

    fn attach(&mut self) -> Result<Opened, DiskError> {
        let opened = match self.take() {
            State::Detached(detached) => self.enter(detached.attach(&self.site))?,
            state => self.enter((state, Ok(Opened::default())))?,
        };
        match self.take() {
            State::Suspect(suspect) => self.enter(suspect.rebuild(&self.site))?,
            state => self.state = state,
        }
        Ok(opened)
    }

    /// The current file's absolute path, as it was given: where that is a link, the log is where it
    /// leads to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.site.path
    }

    /// What the log is kept on.
    #[must_use]
    #[cfg(feature = "unstable-storage")]
    pub fn storage(&self) -> &S {
        &self.site.storage
    }

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
        let flushed = match self.take() {
            State::Open(open) if self.handed != self.durable => self.flush(open),
            state => self.enter((state, Ok(()))),
        };
        flushed.inspect_err(|_| self.forget())
    }

    /// How many of the records handed over since opening are durable.
    #[must_use]
    #[cfg(feature = "unstable-storage")]
    pub fn durable(&self) -> u64 {
        self.durable
    }

    fn take(&mut self) -> State<S> {
        mem::take(&mut self.state)
    }

    fn enter<T>(&mut self, (state, result): Step<S, T>) -> Result<T, DiskError> {
        self.state = state;
        result
    }

    fn write_all(&mut self, mut records: Records<'_>) -> Result<(), DiskError> {
        self.look()?;
        let mut created_in_vain = false;
        while !records.is_empty() {
            match self.take() {
                State::Detached(detached) => {
                    self.enter(detached.attach(&self.site))?;
                }
                State::Suspect(suspect) => self.enter(suspect.rebuild(&self.site))?,
                State::Empty(empty) => {
                    let last = mem::replace(&mut created_in_vain, true);
                    self.enter(empty.create(&self.site, last))?;
                }
                State::Open(open) => {
                    created_in_vain = false;
                    match open.fit(&self.site, records) {
                        0 => self.rotate(open)?,
                        fit => {
                            let (now, later) = records.split_at(fit);
                            self.append(open, now)?;
                            records = later;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Notices what others did to the file since the last records.
    fn look(&mut self) -> Result<(), DiskError> {
        let step = match self.take() {
            State::Open(open) => open.look(&self.site),
            State::Suspect(suspect) => suspect.look(&self.site),
            state => (state, Ok(())),
        };
        self.enter(step)?;
        if matches!(self.state, State::Detached(_)) {
            self.durable = self.handed;
        }
        Ok(())
    }

    fn append(&mut self, open: Open<S>, records: Records<'_>) -> Result<(), DiskError> {
        let (state, result) = open.append(&self.site, records);
        self.state = state;
        match result {
            Ok(()) => {
                self.handed += records.len() as u64;
                if self.site.trusts_system {
                    self.durable = self.handed;
                }
                Ok(())
            }
            Err(partial) => {
                self.handed += partial.whole as u64;
                // So that a full disk is filled to its last whole record.
                if let Err(error) = self.make_durable() {
                    tracing::debug!(%error, "cannot keep the records written before an error");
                }
                Err(partial.error)
            }
        }
    }

    fn flush(&mut self, open: Open<S>) -> Result<(), DiskError> {
        self.enter(open.flush(&self.site))?;
        self.durable = self.handed;
        Ok(())
    }

    fn forget(&mut self) {
        self.handed = self.durable;
        self.state = match self.take() {
            State::Open(open) => open.forget(),
            state => state,
        };
    }
}

impl<S: Storage> Drop for FileLog<S> {
    fn drop(&mut self) {
        if let Some(lock) = self.take().into_lock() {
            self.site.storage.unlock(lock);
        }
    }
}

impl<S: Storage> fmt::Debug for FileLog<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLog")
            .field("path", &self.site.paths.log)
            .field("state", &self.state)
            .field("handed", &self.handed)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}
