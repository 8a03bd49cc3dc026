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
mod marks;
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
    marks::Keeper,
    site::Site,
    state::{Detached, Open, State, Step},
};
use super::config::DiskConfig;
use super::error::DiskError;
use super::format::paths::Paths;
use super::read::history::Handover;
use super::storage::{RealStorage, Storage};
use crate::log::EventLog;
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
    /// What was handed over since opening and not forgotten since.
    handed: Reached,
    durable: Reached,
    marks: Keeper<S>,
    /// Whether the full file could not be put aside when that was last tried.
    rotation_fails: bool,
}

/// How far records go.
#[derive(Clone, Copy, Default, Debug)]
struct Reached {
    /// How many they are.
    records: u64,
    /// The number of the last event, where events are numbered.
    seq: Option<u64>,
}

impl Reached {
    fn add(&mut self, records: Records<'_>) {
        self.records += records.len() as u64;
        let last = records.metas().last();
        self.seq = last.map(|meta| meta.seq.get()).or(self.seq);
    }
}

impl<S: Storage> FileLog<S> {
    /// A log that changes nothing before its first record, not even to see whether it can.
    ///
    /// # Errors
    /// [`DiskError::NotAFile`] if the path has no file name.
    #[cfg(any(feature = "tokio", feature = "unstable-storage"))]
    pub fn detached(storage: S, config: &DiskConfig) -> Result<Self, DiskError> {
        Self::after(storage, config, Handover::default())
    }

    /// A detached log that goes on with what a recovery found.
    fn after(
        storage: S,
        config: &DiskConfig,
        handover: Handover<S::File>,
    ) -> Result<Self, DiskError> {
        let site = Site::new(storage, config)?;
        let marks = Keeper::new(site.marks, handover.inherited);
        let detached = Detached {
            lock: handover.lock,
            left: marks.left(),
            is_first: true,
        };
        Ok(Self {
            site,
            state: State::Detached(detached),
            handed: Reached::default(),
            durable: Reached::default(),
            marks,
            rotation_fails: false,
        })
    }

    /// Opens the log at the path of `config`, taking its lock and repairing its end.
    ///
    /// The directory and `X.lock` are made where they are missing, so that there is one writer from
    /// here on, and a place that cannot be written is an error here. `X` itself comes with the first
    /// record. Only the end of the file is read, or all of it for the checksum of its marks. Damage
    /// further up is left alone, for the readers to report.
    ///
    /// # Errors
    /// [`DiskError::Locked`] if another writer has it, [`DiskError::NotAFile`] or
    /// [`DiskError::NotALog`] if something else stands at the path, [`DiskError::NoLocks`] if there
    /// are no locks, [`DiskError::Io`] if the file system refuses.
    #[cfg(any(feature = "tokio", feature = "unstable-storage"))]
    pub fn open(storage: S, config: &DiskConfig) -> Result<(Self, Opened), DiskError> {
        let mut log = Self::detached(storage, config)?;
        let opened = log.attach()?;
        Ok((log, opened))
    }

    /// As [`open`](Self::open), going on with what a recovery of `log` found there.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_for<E>(
        log: &EventLog<E>,
        storage: S,
        config: &DiskConfig,
    ) -> Result<(Self, Opened), DiskError> {
        let left = Paths::on(&storage, &config.path).and_then(|paths| log.take_over(&paths.log));
        let left = left.and_then(|left| left.downcast().ok());
        let mut log = Self::after(
            storage,
            config,
            left.map_or_else(Handover::default, |left| *left),
        )?;
        let opened = log.attach()?;
        Ok((log, opened))
    }

    fn attach(&mut self) -> Result<Opened, DiskError> {
        let opened = match self.take() {
            State::Detached(detached) => self.attach_from(detached)?,
            state => self.enter((state, Ok(Opened::default())))?,
        };
        match self.take() {
            State::Suspect(suspect) => self.enter(suspect.rebuild(&self.site))?,
            state => self.state = state,
        }
        Ok(opened)
    }

    fn attach_from(&mut self, detached: Detached<S>) -> Result<Opened, DiskError> {
        let opened = self.enter(detached.attach(&self.site))?;
        if let Some(sum) = self.state.durable_sum() {
            self.marks.found(sum);
        }
        Ok(opened)
    }

    /// Events are numbered from here on, and `first` is the next one. Where the log has been
    /// written before, says at once that a new life begins. Says whether the next life can tell
    /// what becomes durable in this one.
    fn begin(&mut self, first: u64) -> bool {
        self.handed.seq = Some(first.saturating_sub(1));
        self.durable.seq = self.handed.seq;
        let paths = &self.site.paths;
        let has = |path| self.site.exists(path).unwrap_or(false);
        if self.marks.inherits() || has(&paths.log) || has(&paths.old) || has(&paths.marks) {
            self.open_marks();
        }
        self.marks.is_on() && !self.site.trusts_system
    }

    /// Sees to it that no byte of this life precedes the mark of its opening.
    fn open_marks(&mut self) {
        if let Some(sum) = self.state.durable_sum() {
            self.marks.open(&self.site, sum, self.durable.seq);
        }
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
            State::Open(open) if self.handed.records != self.durable.records => self.flush(open),
            state => self.enter((state, Ok(()))),
        };
        flushed.inspect_err(|_| self.forget())
    }

    /// How many of the records handed over since opening are durable.
    #[must_use]
    #[cfg(feature = "unstable-storage")]
    pub fn durable(&self) -> u64 {
        self.durable.records
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
            self.open_marks();
            match self.take() {
                State::Detached(detached) => {
                    self.attach_from(detached)?;
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
                self.handed.add(records);
                if self.site.trusts_system {
                    self.note_durable();
                }
                Ok(())
            }
            Err(partial) => {
                self.handed.add(records.split_at(partial.whole).0);
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
        self.note_durable();
        Ok(())
    }

    /// Everything that was handed over is durable. The mark of it comes first.
    fn note_durable(&mut self) {
        if let State::Open(open) = &self.state {
            self.marks
                .durable(&self.site, open.durable.sum, self.handed.seq);
        }
        self.durable = self.handed;
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
        if let Some(sum) = self.state.durable_sum()
            && self.handed.records == self.durable.records
        {
            self.marks.close(&self.site, sum, self.durable.seq);
        }
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
            .field("handed", &self.handed.records)
            .field("durable", &self.durable.records)
            .finish_non_exhaustive()
    }
}
