//! What every transition needs: where the log is, and how it is to be kept.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::disk::{
    config::DiskConfig,
    error::DiskError,
    format::paths::Paths,
    storage::{Storage, read_exact},
};
use crate::writer::config::{Notices, SyncPolicy};

/// How many bytes are copied at a time.
pub(super) const COPY_BYTES: u64 = 64 * 1024;

/// More full files than any directory holds, with numbers to spare for the names after them.
const MAX_KEEP: u32 = u32::MAX / 2;

/// Where a log is, and how it is to be kept.
pub(super) struct Site<S> {
    pub(super) storage: S,
    /// The path that was given, made absolute.
    pub(super) path: PathBuf,
    /// The names of the real files.
    pub(super) paths: Paths,
    pub(super) notices: Notices,
    pub(super) max_bytes: u64,
    pub(super) keep: u32,
    pub(super) mode: u32,
    /// Whether a lock keeps other writers away.
    pub(super) locks: bool,
    /// Whether marks are kept beside the log, and how often at most.
    pub(super) marks: bool,
    pub(super) mark_every: Duration,
    /// Whether a record counts as durable once the operating system has it.
    pub(super) trusts_system: bool,
}

impl<S: Storage> Site<S> {
    /// # Errors
    /// [`DiskError::NotAFile`] if the path has no file name.
    pub(super) fn new(storage: S, config: &DiskConfig) -> Result<Self, DiskError> {
        let not_a_file = || DiskError::NotAFile {
            path: config.path.clone(),
        };
        let path = Paths::new(&config.path).ok_or_else(not_a_file)?.log;
        let paths = Paths::on(&storage, &config.path).ok_or_else(not_a_file)?;
        Ok(Self {
            storage,
            path,
            paths,
            notices: config.writer().notices.clone(),
            max_bytes: config.max_bytes,
            keep: config.keep.clamp(1, MAX_KEEP),
            mode: config.mode,
            locks: config.locks,
            marks: config.marks,
            mark_every: config.mark_every,
            trusts_system: config.writer().sync == SyncPolicy::Never,
        })
    }

    pub(super) fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        match self.storage.stat_path(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(DiskError::io("examine", path)(error)),
        }
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

    /// Leaves a mark that a sync has failed. Should this process die before the file is rebuilt,
    /// the next one learns that what it reads may never have reached the disk.
    pub(super) fn mark_suspect(&self) {
        let _ = self.storage.create_new(&self.paths.suspect, self.mode);
    }

    /// Starts a file in the making.
    pub(super) fn create_tmp(&self) -> Result<S::File, DiskError> {
        let tmp = &self.paths.tmp;
        self.remove(tmp)?;
        self.storage
            .create_new(tmp, self.mode)
            .map_err(DiskError::io("create", tmp))
    }

    /// Copies a range of the log's file to the end of the file in the making.
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
            self.write_tmp(to, &piece)?;
            offset += piece.len() as u64;
        }
        Ok(())
    }

    pub(super) fn write_tmp(&self, tmp: &mut S::File, bytes: &[u8]) -> Result<(), DiskError> {
        write_all(&self.storage, tmp, bytes)
            .map_err(|stopped| DiskError::io("write to", &self.paths.tmp)(stopped.source))
    }

    pub(super) fn sync_tmp(&self, tmp: &mut S::File) -> Result<(), DiskError> {
        self.storage
            .sync(tmp)
            .map_err(DiskError::io("sync", &self.paths.tmp))
    }

    /// A range of the log's file.
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
