//! Opening: directory, lock, and the end of the file.

use std::io;
use std::path::Path;

use super::block_tail::BLOCK;
use super::{BlockTail, Current, FileLog};
use crate::disk::config::DiskConfig;
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

impl<S: Storage> FileLog<S> {
    /// Opens the log at the path of `config`, taking its lock and repairing its end.
    ///
    /// Where nothing of the log exists yet, nothing is created or locked before the first record.
    /// Only the end of the file is read. Damage further up is left alone, for the readers to
    /// report.
    ///
    /// # Errors
    /// [`DiskError::Locked`] if another writer has it, [`DiskError::NotAFile`] if something else
    /// stands at the path, [`DiskError::Io`] if the file system refuses.
    pub fn open(storage: S, config: &DiskConfig) -> Result<(Self, Opened), DiskError> {
        let mut log = Self::detached(storage, config)?;
        let mut opened = Opened::default();
        if log.has_traces()? {
            opened = log.prepare()?;
        }
        Ok((log, opened))
    }

    fn has_traces(&self) -> Result<bool, DiskError> {
        let Paths {
            log, lock, suspect, ..
        } = &self.paths;
        Ok(self.exists(log)?
            || self.exists(lock)?
            || self.exists(suspect)?
            || self.exists(&self.paths.old(1))?)
    }

    /// Takes possession of the path, as it stands now.
    pub(super) fn attach(&mut self) -> Result<Opened, DiskError> {
        self.current = None;
        self.attached = false;
        self.make_dirs()?;
        self.take_lock()?;
        let Paths {
            log, tmp, suspect, ..
        } = &self.paths;
        if self.exists(tmp)? {
            // A copy whose writer died takes up room.
            self.remove(tmp)?;
        }
        let is_suspect = self.exists(suspect)?;
        let mut opened = Opened::default();
        if self.exists(log)? {
            opened = self.open_existing(is_suspect)?;
        } else if is_suspect {
            self.remove(suspect)?;
        }
        // Whoever wrote last may have died between changing a name and syncing it.
        self.dir_dirty = true;
        self.sync_dir()?;
        self.attached = true;
        opened.tell(&self.paths, &self.notices);
        Ok(opened)
    }

    fn open_existing(&mut self, suspect: bool) -> Result<Opened, DiskError> {
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
        let mut last = BlockTail::default();
        last.push(&self.read_range(&file, len / BLOCK * BLOCK, len)?, len);
        if let Err(error) = self.storage.sync(&mut file) {
            self.mark_suspect();
            return Err(DiskError::io("sync", &path)(error));
        }
        let mut current = Current::new(file, len, last);
        current.suspect = suspect;
        self.current = Some(current);
        Ok(Opened {
            bytes: len,
            torn_bytes: found - len,
            rewritten: suspect,
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
    fn set_aside(&mut self, file: &S::File, start: u64, end: u64) -> Result<(), DiskError> {
        let mut torn = self.create_tmp()?;
        self.copy_range(file, start, end, &mut torn)?;
        let Paths { tmp, torn: to, .. } = &self.paths;
        self.storage
            .sync(&mut torn)
            .map_err(DiskError::io("sync", tmp))?;
        self.storage
            .rename(tmp, to)
            .map_err(DiskError::io("set aside a torn line in", to))?;
        self.dir_dirty = true;
        self.sync_dir()
    }

    fn make_dirs(&mut self) -> Result<(), DiskError> {
        let mut missing = Vec::new();
        let mut dir: &Path = &self.paths.dir;
        while !self.exists(dir)? {
            missing.push(dir);
            let Some(parent) = dir.parent() else { break };
            dir = parent;
        }
        // Whoever made it may have died before its name was synced.
        self.sync_parent(dir)?;
        for new in missing.into_iter().rev() {
            match self.storage.create_dir(new) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(DiskError::io("create directory", new)(error));
                }
                _ => self.sync_parent(new)?,
            }
        }
        Ok(())
    }

    fn sync_parent(&self, dir: &Path) -> Result<(), DiskError> {
        let Some(parent) = dir.parent() else {
            return Ok(());
        };
        match self.storage.sync_dir(parent) {
            // A directory above that is not this user's to read was not made by this user.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            result => result.map_err(DiskError::io("sync directory", parent)),
        }
    }

    fn take_lock(&mut self) -> Result<(), DiskError> {
        if self.lock_in_place() {
            return Ok(());
        }
        let path = &self.paths.lock;
        self.lock = None;
        self.lock = self
            .storage
            .try_lock(path, self.mode)
            .map_err(DiskError::io("lock", path))?;
        if self.lock.is_some() {
            return Ok(());
        }
        Err(DiskError::Locked {
            path: self.paths.log.clone(),
            lock: path.clone(),
        })
    }

    /// Whether the file that is locked still is the one that others would try to lock.
    pub(super) fn lock_in_place(&self) -> bool {
        self.lock.as_ref().is_some_and(|lock| {
            let held = self.storage.stat(lock).map(|stat| stat.id);
            let named = self.storage.stat_path(&self.paths.lock).map(|stat| stat.id);
            matches!((held, named), (Ok(held), Ok(named)) if held == named)
        })
    }
}
