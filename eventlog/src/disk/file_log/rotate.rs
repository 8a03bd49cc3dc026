//! Putting the full file aside.

use std::path::Path;

use super::site::Site;
use super::state::{Empty, Held, Open, State, Step};
use crate::disk::error::DiskError;
use crate::disk::storage::Storage;

impl<S: Storage> Open<S> {
    /// Makes the current file, which is durable, the newest of the full ones. The next record
    /// starts another.
    ///
    /// Whatever fails, the current file stays as it is, and rotating is tried again.
    pub(super) fn put_aside(mut self, site: &Site<S>) -> Step<S> {
        if let Err(error) = self.held.put_aside(site) {
            return (State::Open(self), Err(error));
        }
        let mut held = self.held;
        let synced = held.sync(site);
        (State::Empty(Empty { held }), synced)
    }
}

impl<S: Storage> Held<S> {
    fn put_aside(&mut self, site: &Site<S>) -> Result<(), DiskError> {
        let paths = &site.paths;
        self.remove_surplus(site)?;
        let free = site.first_free()?;
        for k in (1..free).rev() {
            self.put(site, &paths.old(k), &paths.old(k + 1))?;
            // Were these renames to reach the disk out of order, a whole file would be lost.
            self.sync(site)?;
        }
        self.put(site, &paths.log, &paths.old(1))
    }

    /// Removes the full files that a larger `keep` has left, the oldest first.
    fn remove_surplus(&mut self, site: &Site<S>) -> Result<(), DiskError> {
        let mut last = site.keep;
        while site.exists(&site.paths.old(last + 1))? {
            last += 1;
        }
        for k in (site.keep + 1..=last).rev() {
            let path = site.paths.old(k);
            site.storage
                .remove(&path)
                .map_err(DiskError::io("remove", &path))?;
            self.synced = false;
        }
        Ok(())
    }

    fn put(&mut self, site: &Site<S>, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.rename(site, from, to, "put a full file aside as")
    }
}

impl<S: Storage> Site<S> {
    /// The first name for a full file that is not in use, or the oldest, whose file has to go.
    fn first_free(&self) -> Result<u32, DiskError> {
        for k in 1..self.keep {
            if !self.exists(&self.paths.old(k))? {
                return Ok(k);
            }
        }
        Ok(self.keep)
    }
}
