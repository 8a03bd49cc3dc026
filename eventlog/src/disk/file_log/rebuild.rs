//! After a failed sync: the durable bytes in a file that can be trusted.

use std::io;

use super::site::Site;
use super::state::{Open, State, Step, Suspect};
use crate::disk::error::DiskError;
use crate::disk::storage::Storage;

impl<S: Storage> Suspect<S> {
    /// Leaves the current file with exactly its durable bytes, in blocks that a sync speaks true
    /// of: in a new file, or, if there is no room for one, by cutting this one.
    ///
    /// Syncing again proves nothing after a failed sync, and neither does writing the same range
    /// again and syncing that: the system may have dropped the bytes and call the range clean.
    pub(super) fn rebuild(mut self, site: &Site<S>) -> Step<S> {
        if let Err(error) = self.copy_durable(site) {
            let no_copy = error.is_full() || error.kind() == io::ErrorKind::PermissionDenied;
            // It takes up room.
            let _ = site.remove(&site.paths.tmp);
            if !no_copy || self.cut_to_durable(site).is_err() {
                return (State::Suspect(self), Err(error));
            }
        }
        // If it stays, the next opening copies the file once for nothing.
        let _ = site.remove(&site.paths.suspect);
        let open = Open::new(self.held, self.file, self.durable);
        (State::Open(open), Ok(()))
    }

    fn copy_durable(&mut self, site: &Site<S>) -> Result<(), DiskError> {
        let (path, tmp) = (&site.paths.log, &site.paths.tmp);
        let source = site
            .storage
            .open_read(path)
            .map_err(DiskError::io("open", path))?;
        let mut copy = site.create_tmp()?;
        let tail = &self.durable.tail;
        site.copy_range(&source, 0, self.durable.len - tail.len(), &mut copy)?;
        site.write_tmp(&mut copy, tail.bytes())?;
        site.sync_tmp(&mut copy)?;
        self.held
            .rename(site, tmp, path, "put a copy in place of")?;
        // Its name is not durable yet: until then it is as suspect as the other.
        self.file = copy;
        self.held.sync(site)
    }

    fn cut_to_durable(&mut self, site: &Site<S>) -> Result<(), DiskError> {
        let path = &site.paths.log;
        let mut file = site
            .storage
            .open_append(path)
            .map_err(DiskError::io("open", path))?;
        site.storage
            .truncate(path, &mut file, self.durable.len)
            .map_err(DiskError::io("cut", path))?;
        site.storage
            .sync(&mut file)
            .map_err(DiskError::io("sync", path))?;
        self.file = file;
        Ok(())
    }
}
