//! After a failed sync: the durable bytes in a file that can be trusted.

use std::io;
use std::path::Path;

use super::append::write_all;
use super::{Current, FileLog};
use crate::disk::error::DiskError;
use crate::disk::storage::{Storage, read_exact};

/// How many bytes are copied at a time.
const COPY_BYTES: u64 = 64 * 1024;

impl<S: Storage> FileLog<S> {
    /// Leaves the current file with exactly its durable bytes, in blocks that a sync speaks true
    /// of: in a new file, or, if there is no room for one, by cutting this one.
    ///
    /// Syncing again proves nothing after a failed sync, and neither does writing the same range
    /// again and syncing that: the system may have dropped the bytes and call the range clean.
    pub(super) fn rebuild(&mut self) -> Result<(), DiskError> {
        self.copy_durable().or_else(|error| {
            let no_copy = error.is_full() || error.kind() == io::ErrorKind::PermissionDenied;
            // It takes up room.
            let _ = self.remove(&self.paths.tmp);
            if no_copy && self.cut_to_durable().is_ok() {
                return Ok(());
            }
            Err(error)
        })?;
        if let Some(current) = &mut self.current {
            current.suspect = false;
        }
        // If it stays, the next opening copies the file once for nothing.
        let _ = self.remove(&self.paths.suspect);
        Ok(())
    }

    fn copy_durable(&mut self) -> Result<(), DiskError> {
        let Some(current) = &self.current else {
            return Ok(());
        };
        let (len, tail) = (current.durable_len, current.durable_tail.clone());
        let path = self.paths.log.clone();
        let source = self
            .storage
            .open_read(&path)
            .map_err(DiskError::io("open", &path))?;
        let mut copy = self.create_tmp()?;
        self.copy_range(&source, 0, len - tail.len(), &mut copy)?;
        let tmp = self.paths.tmp.clone();
        write_all(&self.storage, &mut copy, tail.bytes())
            .map_err(|stopped| DiskError::io("write to", &tmp)(stopped.source))?;
        self.storage
            .sync(&mut copy)
            .map_err(DiskError::io("sync", &tmp))?;
        self.storage
            .rename(&tmp, &path)
            .map_err(DiskError::io("put a copy in place of", &path))?;
        self.dir_dirty = true;
        self.current = Some(Current {
            suspect: true,
            ..Current::new(copy, len, tail)
        });
        self.sync_dir()
    }

    fn cut_to_durable(&mut self) -> Result<(), DiskError> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let path = &self.paths.log;
        let mut file = self
            .storage
            .open_append(path)
            .map_err(DiskError::io("open", path))?;
        self.storage
            .truncate(&mut file, current.durable_len)
            .map_err(DiskError::io("cut", path))?;
        self.storage
            .sync(&mut file)
            .map_err(DiskError::io("sync", path))?;
        *current = Current::new(file, current.durable_len, current.durable_tail.clone());
        Ok(())
    }

    /// Leaves a mark that a sync has failed. Should this process die before the file is rebuilt,
    /// the next one learns that what it reads may never have reached the disk.
    pub(super) fn mark_suspect(&self) {
        let _ = self.storage.create_new(&self.paths.suspect, self.mode);
    }

    pub(super) fn create_tmp(&self) -> Result<S::File, DiskError> {
        let tmp = &self.paths.tmp;
        self.remove(tmp)?;
        self.storage
            .create_new(tmp, self.mode)
            .map_err(DiskError::io("create", tmp))
    }

    /// Removes a file that need not be there.
    pub(super) fn remove(&self, path: &Path) -> Result<(), DiskError> {
        match self.storage.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DiskError::io("remove", path)(error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn copy_range(
        &self,
        from: &S::File,
        start: u64,
        end: u64,
        to: &mut S::File,
    ) -> Result<(), DiskError> {
        let mut offset = start;
        while offset < end {
            let piece = self.read_range(from, offset, end.min(offset + COPY_BYTES))?;
            write_all(&self.storage, to, &piece)
                .map_err(|stopped| DiskError::io("write to", &self.paths.tmp)(stopped.source))?;
            offset += piece.len() as u64;
        }
        Ok(())
    }

    pub(super) fn read_range(
        &self,
        file: &S::File,
        start: u64,
        end: u64,
    ) -> Result<Vec<u8>, DiskError> {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or_default()];
        let path = &self.paths.log;
        match read_exact(&self.storage, file, start, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(DiskError::Lost { path: path.clone() })
            }
            Err(error) => Err(DiskError::io("read", path)(error)),
        }
    }
}
