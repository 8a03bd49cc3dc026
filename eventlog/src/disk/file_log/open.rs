//! Taking possession of the path: directory, lock, and the end of the file.

use super::block_tail::BLOCK;
use super::site::Site;
use super::state::{Detached, Empty, Extent, Held, Open, State, Step};
use crate::disk::error::DiskError;
use crate::disk::format::paths::Paths;
use crate::disk::format::record::is_whole;
use crate::disk::read::backward::Backward;
use crate::disk::read::forward::MAX_LINE_BYTES;
use crate::disk::storage::Storage;
use crate::writer::{config::Notices, notice::Notice};

/// What opening a log found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// Size in bytes of the current file that was found, after the repair. All of it is durable.
    pub bytes: u64,
    /// How many bytes of an unfinished or unreadable end were set aside. They are in `<path>.torn`
    /// until the next repair.
    pub torn_bytes: u64,
    /// Whether the file was copied, because its last writer died while the disk was failing and
    /// what can be read may not be on the disk.
    pub rewritten: bool,
}

impl Opened {
    fn tell(&self, paths: &Paths, notices: &Notices) {
        if self.torn_bytes > 0 {
            notices.tell(&Notice::TornTail {
                path: paths.log.clone(),
                torn: paths.torn.clone(),
                bytes: self.torn_bytes,
            });
        }
    }
}

/// The current file as it was found and repaired.
struct Found<F> {
    file: F,
    durable: Extent,
    opened: Opened,
}

impl<S: Storage> Detached<S> {
    /// Takes possession of the path, as it stands now.
    pub(super) fn attach(mut self, site: &Site<S>) -> Step<S, Opened> {
        let found = match self.examine(site) {
            Ok(found) => found,
            Err(error) => return (State::Detached(self), Err(error)),
        };
        let Some(lock) = self.lock else {
            unreachable!("the lock was taken");
        };
        let held = Held {
            lock,
            synced: true,
            full: None,
        };
        let Some(found) = found else {
            return (State::Empty(Empty { held }), Ok(Opened::default()));
        };
        found.opened.tell(&site.paths, &site.notices);
        let open = Open::new(held, found.file, found.durable);
        let state = if found.opened.rewritten {
            State::Suspect(open.suspect())
        } else {
            State::Open(open)
        };
        (state, Ok(found.opened))
    }

    /// Takes the lock, and brings in order what the last writer left.
    fn examine(&mut self, site: &Site<S>) -> Result<Option<Found<S::File>>, DiskError> {
        site.make_dirs()?;
        self.take_lock(site)?;
        let Paths {
            log, tmp, suspect, ..
        } = &site.paths;
        if site.exists(tmp)? {
            // A copy whose writer died takes up room.
            site.remove(tmp)?;
        }
        let is_suspect = site.exists(suspect)?;
        let found = if site.exists(log)? {
            Some(site.open_existing(is_suspect)?)
        } else {
            if is_suspect {
                site.remove(suspect)?;
            }
            None
        };
        // Whoever wrote last may have died between changing a name and syncing it.
        site.sync_dir()?;
        Ok(found)
    }
}

impl<S: Storage> Site<S> {
    pub(super) fn has_traces(&self) -> Result<bool, DiskError> {
        let Paths {
            log, lock, suspect, ..
        } = &self.paths;
        Ok(self.exists(log)?
            || self.exists(lock)?
            || self.exists(suspect)?
            || self.exists(&self.paths.old)?)
    }

    pub(super) fn sync_dir(&self) -> Result<(), DiskError> {
        let dir = &self.paths.dir;
        self.storage
            .sync_dir(dir)
            .map_err(DiskError::io("sync directory", dir))
    }

    fn open_existing(&self, suspect: bool) -> Result<Found<S::File>, DiskError> {
        let path = self.paths.log.clone();
        let examine = || DiskError::io("examine", &path);
        if !self.storage.stat_path(&path).map_err(examine())?.is_file {
            return Err(DiskError::NotAFile { path });
        }
        let mut file = self
            .storage
            .open_append(&path)
            .map_err(DiskError::io("open", &path))?;
        let found = self.storage.stat(&file).map_err(examine())?.len;
        let len = self.whole_len(&file, found)?;
        if len < found {
            self.set_aside(&file, len, found)?;
            self.storage
                .truncate(&mut file, len)
                .map_err(DiskError::io("cut", &path))?;
        }
        let mut durable = Extent {
            len: len / BLOCK * BLOCK,
            ..Extent::default()
        };
        durable.extend(&self.read_range(&file, durable.len, len)?);
        if let Err(error) = self.storage.sync(&mut file) {
            self.mark_suspect();
            return Err(DiskError::io("sync", &path)(error));
        }
        Ok(Found {
            file,
            durable,
            opened: Opened {
                bytes: len,
                torn_bytes: found - len,
                rewritten: suspect,
            },
        })
    }

    /// How far the file goes up to the end of its last whole line. One that is too long to be
    /// looked at may have been acknowledged, and counts as whole.
    fn whole_len(&self, file: &S::File, len: u64) -> Result<u64, DiskError> {
        let mut lines = Backward::new(&self.storage, file, len, MAX_LINE_BYTES);
        while let Some(found) = lines
            .next()
            .map_err(DiskError::io("read", &self.paths.log))?
        {
            if found.terminated && found.bytes.is_none_or(is_whole) {
                return Ok(found.end);
            }
        }
        Ok(0)
    }

    /// Saves a range of the file as `X.torn`, whole or not at all.
    fn set_aside(&self, file: &S::File, start: u64, end: u64) -> Result<(), DiskError> {
        let mut torn = self.create_tmp()?;
        self.copy_range(file, start, end, &mut torn)?;
        self.sync_tmp(&mut torn)?;
        let Paths { tmp, torn: to, .. } = &self.paths;
        self.storage
            .rename(tmp, to)
            .map_err(DiskError::io("set aside a torn line in", to))?;
        self.sync_dir()
    }
}
