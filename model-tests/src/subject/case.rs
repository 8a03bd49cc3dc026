//! The settings of one log under judgement, and a directory for its files.

use std::{fs, io, path::Path, sync::OnceLock};

use tempfile::TempDir;

/// The settings of one case, and its directory.
///
/// The directory is made when it is first asked for, is empty then, and is removed with the case,
/// after the log.
#[derive(Debug)]
pub struct Case {
    /// How many events the log retains.
    pub capacity: usize,
    /// The version that a subscriber must have seen before the first event; `None` leaves it to the
    /// log.
    pub base_version: Option<u64>,
    /// The bytes that no file exceeds, unless one event alone is longer.
    pub max_file_bytes: u64,
    dir: OnceLock<TempDir>,
}

impl Case {
    /// A log of `capacity` events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            base_version: None,
            max_file_bytes: 8 * 1024 * 1024,
            dir: OnceLock::new(),
        }
    }

    /// The same, for a log whose first event comes after version `base`.
    #[must_use]
    pub fn with_base(mut self, base: u64) -> Self {
        self.base_version = Some(base);
        self
    }

    /// The same, with files of at most so many bytes.
    #[must_use]
    pub fn with_files_of(mut self, max_bytes: u64) -> Self {
        self.max_file_bytes = max_bytes;
        self
    }

    /// Another case with the files of this one as they are now: what a killed process leaves.
    ///
    /// # Errors
    ///
    /// If they cannot be copied.
    pub fn killed(&self) -> io::Result<Self> {
        let left = Self {
            base_version: self.base_version,
            max_file_bytes: self.max_file_bytes,
            ..Self::new(self.capacity)
        };
        for entry in fs::read_dir(self.dir()?)? {
            let entry = entry?;
            fs::copy(entry.path(), left.dir()?.join(entry.file_name()))?;
        }
        Ok(left)
    }

    /// The case's own directory.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn dir(&self) -> io::Result<&Path> {
        if self.dir.get().is_none() {
            // The second of two threads drops its own directory, which is still empty.
            let _ = self.dir.set(tempfile::tempdir()?);
        }
        self.dir
            .get()
            .map(TempDir::path)
            .ok_or_else(|| io::Error::other("the case has no directory"))
    }
}
