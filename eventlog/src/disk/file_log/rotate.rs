//! Putting the full file aside.

use std::io;
use std::path::Path;

use super::FileLog;
use crate::disk::error::DiskError;
use crate::disk::storage::Storage;

impl<S: Storage> FileLog<S> {
    /// Makes the current file the newest of the full ones. The next record starts another.
    ///
    /// Whatever fails, the current file stays as it is, is durable, and rotating is tried again.
    pub(super) fn rotate(&mut self) -> Result<(), DiskError> {
        self.flush()?;
        if self.current.is_none() {
            // Somebody else has put it aside.
            return Ok(());
        }
        self.remove_surplus()?;
        let free = self.first_free()?;
        for k in (1..free).rev() {
            self.put(&self.paths.old(k), &self.paths.old(k + 1))?;
            // Were these renames to reach the disk out of order, a whole file would be lost.
            self.sync_dir()?;
        }
        self.put(&self.paths.log.clone(), &self.paths.old(1))?;
        self.current = None;
        self.sync_dir()
    }

    /// The first name for a full file that is not in use, or the oldest, whose file has to go.
    fn first_free(&self) -> Result<u32, DiskError> {
        for k in 1..self.keep {
            if !self.exists(&self.paths.old(k))? {
                return Ok(k);
            }
        }
        Ok(self.keep)
    }

    /// Removes the full files that a larger `keep` has left, the oldest first.
    fn remove_surplus(&mut self) -> Result<(), DiskError> {
        let mut last = self.keep;
        while self.exists(&self.paths.old(last + 1))? {
            last += 1;
        }
        for k in (self.keep + 1..=last).rev() {
            let path = self.paths.old(k);
            self.storage
                .remove(&path)
                .map_err(DiskError::io("remove", &path))?;
            self.dir_dirty = true;
        }
        Ok(())
    }

    fn put(&mut self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.storage
            .rename(from, to)
            .map_err(DiskError::io("put a full file aside as", to))?;
        self.dir_dirty = true;
        Ok(())
    }

    pub(super) fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        match self.storage.stat_path(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(DiskError::io("examine", path)(error)),
        }
    }
}
