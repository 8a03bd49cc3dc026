//! Appending, and making durable what was appended.

use std::io;

use super::{BlockTail, Current, FileLog};
use crate::disk::error::DiskError;
use crate::disk::storage::Storage;
use crate::writer::{notice::Notice, records::Records};

/// Why and where writing stopped.
pub(super) struct Stopped {
    pub(super) written: u64,
    pub(super) source: io::Error,
}

/// Writes all of `bytes`, however many calls it takes.
pub(super) fn write_all<S: Storage>(
    storage: &S,
    file: &mut S::File,
    bytes: &[u8],
) -> Result<(), Stopped> {
    let mut written = 0;
    while written < bytes.len() {
        let source = match storage.write(file, &bytes[written..]) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(count) => {
                written += count;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        return Err(Stopped {
            written: written as u64,
            source,
        });
    }
    Ok(())
}

/// What somebody else did to the current file.
enum Place {
    /// Nothing.
    Ours,
    /// It was renamed or appended to: what was written is still there.
    Moved,
    /// It was removed or cut: what was written may be gone.
    Lost,
}

impl<S: Storage> FileLog<S> {
    /// Starts the file that the next record goes to.
    pub(super) fn create(&mut self) -> Result<(), DiskError> {
        // Without its lock file the directory is not the one that was opened.
        if self.attached && self.lock_in_place() {
            match self.create_new() {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => return result,
            }
        }
        // Takes what is at the path now.
        self.attached = false;
        self.prepare()?;
        if self.current.is_none() {
            // Once only: a link that leads nowhere can neither be opened nor created, ever.
            self.create_new()?;
        }
        Ok(())
    }

    fn create_new(&mut self) -> Result<(), DiskError> {
        // A new file under a name whose old file is not safely aside could cost the old one.
        self.sync_dir()?;
        let path = &self.paths.log;
        let file = self
            .storage
            .create_new(path, self.mode)
            .map_err(DiskError::io("create", path))?;
        self.dir_dirty = true;
        self.current = Some(Current::new(file, 0, BlockTail::default()));
        Ok(())
    }

    /// Writes records that fit the current file.
    pub(super) fn append(&mut self, records: Records<'_>) -> Result<(), DiskError> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        match write_all(&self.storage, &mut current.file, records.bytes()) {
            Ok(()) => {
                current.extend(records.bytes());
                self.handed += records.len() as u64;
                if self.trusts_system {
                    self.call_durable();
                }
                Ok(())
            }
            Err(stopped) => {
                self.keep_whole(records, stopped.written);
                Err(DiskError::io("write to", &self.paths.log)(stopped.source))
            }
        }
    }

    /// After a partial write: keeps the records that were written whole, cuts off the rest, and
    /// makes durable what it can, so that a full disk is filled to its last whole record.
    fn keep_whole(&mut self, records: Records<'_>, written: u64) {
        let Some(current) = &mut self.current else {
            return;
        };
        let (whole, _) = records.split_at(records.within(written));
        let len = current.len + whole.bytes().len() as u64;
        if let Err(error) = self.storage.truncate(&mut current.file, len) {
            tracing::debug!(%error, path = %self.paths.log.display(), "cannot cut a partial line");
            current.suspect = true;
            return;
        }
        current.extend(whole.bytes());
        self.handed += whole.len() as u64;
        if let Err(error) = self.flush() {
            tracing::debug!(%error, "cannot keep the records written before an error");
        }
    }

    /// Makes everything that was handed over durable.
    pub(super) fn flush(&mut self) -> Result<(), DiskError> {
        self.sync_file()?;
        self.sync_dir()?;
        self.check_place()?;
        self.call_durable();
        Ok(())
    }

    fn call_durable(&mut self) {
        if let Some(current) = &mut self.current {
            current.durable_len = current.len;
            current.durable_tail.copy_from(&current.tail);
        }
        self.durable = self.handed;
    }

    fn sync_file(&mut self) -> Result<(), DiskError> {
        let Some(current) = self.current.as_mut().filter(|file| !file.synced) else {
            return Ok(());
        };
        if let Err(error) = self.storage.sync(&mut current.file) {
            self.mark_suspect();
            return Err(DiskError::io("sync", &self.paths.log)(error));
        }
        current.synced = true;
        Ok(())
    }

    pub(super) fn sync_dir(&mut self) -> Result<(), DiskError> {
        if self.dir_dirty {
            let dir = &self.paths.dir;
            self.storage
                .sync_dir(dir)
                .map_err(DiskError::io("sync directory", dir))?;
            self.dir_dirty = false;
        }
        Ok(())
    }

    /// Notices what others did to the file. Afterwards the current file, if there still is one,
    /// is the one that the path names, with the length that was written.
    pub(super) fn check_place(&mut self) -> Result<(), DiskError> {
        match self.place()? {
            Place::Ours => return Ok(()),
            Place::Moved if self.handed != self.durable => {
                self.sync_file()?;
                self.durable = self.handed;
            }
            Place::Moved | Place::Lost => {}
        }
        self.notices.tell(&Notice::Moved {
            path: self.paths.log.clone(),
        });
        self.current = None;
        self.attached = false;
        if self.handed == self.durable {
            return Ok(());
        }
        Err(DiskError::Lost {
            path: self.paths.log.clone(),
        })
    }

    fn place(&self) -> Result<Place, DiskError> {
        let Some(current) = &self.current else {
            return Ok(Place::Ours);
        };
        let path = &self.paths.log;
        let held = self
            .storage
            .stat(&current.file)
            .map_err(DiskError::io("examine", path))?;
        let named = match self.storage.stat_path(path) {
            Ok(stat) => Some(stat),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(DiskError::io("examine", path)(error)),
        };
        let grown = held.len.cmp(&current.len);
        Ok(match named {
            None if held.id.is_none() || held.links == 0 => Place::Lost,
            Some(_) if held.links == 0 => Place::Lost,
            None => Place::Moved,
            Some(named) if named.id != held.id => Place::Moved,
            Some(_) if grown.is_eq() => Place::Ours,
            // What lies past the durable bytes is about to be cut off anyway.
            Some(_) if current.suspect && held.len >= current.durable_len => Place::Ours,
            Some(_) if grown.is_gt() => Place::Moved,
            Some(_) => Place::Lost,
        })
    }
}

impl<F> Current<F> {
    /// A file whose `len` bytes are durable.
    pub(super) fn new(file: F, len: u64, tail: BlockTail) -> Self {
        let durable_tail = tail.clone();
        Self {
            file,
            len,
            synced: true,
            durable_len: len,
            tail,
            durable_tail,
            suspect: false,
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.synced = false;
        self.tail.push(bytes, self.len);
    }
}
