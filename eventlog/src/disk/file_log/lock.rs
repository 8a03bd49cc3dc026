//! The directory and the lock.

use std::io;
use std::path::Path;

use super::site::Site;
use super::state::{Detached, Held};
use crate::disk::error::DiskError;
use crate::disk::storage::Storage;

impl<S: Storage> Site<S> {
    pub(super) fn make_dirs(&self) -> Result<(), DiskError> {
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

    /// Whether the file that is locked still is the one that others would try to lock.
    fn is_in_place(&self, lock: &S::File) -> bool {
        let held = self.storage.stat(lock).map(|stat| stat.id);
        let named = self.storage.stat_path(&self.paths.lock).map(|stat| stat.id);
        matches!((held, named), (Ok(held), Ok(named)) if held == named)
    }
}

impl<S: Storage> Detached<S> {
    pub(super) fn take_lock(&mut self, site: &Site<S>) -> Result<(), DiskError> {
        let is_held = |lock| site.is_in_place(lock);
        if !site.locks || self.lock.as_ref().is_some_and(is_held) {
            return Ok(());
        }
        let path = &site.paths.lock;
        self.lock = None;
        self.lock =
            site.storage
                .try_lock(path, site.mode)
                .map_err(|source| match source.kind() {
                    io::ErrorKind::Unsupported => DiskError::NoLocks {
                        lock: path.clone(),
                        source,
                    },
                    _ => DiskError::io("lock", path)(source),
                })?;
        if self.lock.is_some() {
            return Ok(());
        }
        Err(DiskError::Locked {
            path: site.paths.log.clone(),
            lock: path.clone(),
        })
    }
}

impl<S: Storage> Held<S> {
    pub(super) fn is_in_place(&self, site: &Site<S>) -> bool {
        match &self.lock {
            Some(lock) => site.is_in_place(lock),
            // Without one, any directory is as good.
            None => site.storage.stat_path(&site.paths.dir).is_ok(),
        }
    }

    /// Makes the names in the directory durable.
    pub(super) fn sync(&mut self, site: &Site<S>) -> Result<(), DiskError> {
        if !self.synced {
            let dir = &site.paths.dir;
            site.storage
                .sync_dir(dir)
                .map_err(DiskError::io("sync directory", dir))?;
            self.synced = true;
        }
        Ok(())
    }

    pub(super) fn rename(
        &mut self,
        site: &Site<S>,
        from: &Path,
        to: &Path,
        action: &'static str,
    ) -> Result<(), DiskError> {
        site.storage
            .rename(from, to)
            .map_err(DiskError::io(action, to))?;
        self.synced = false;
        Ok(())
    }
}
