//! What can go wrong between a record and the disk.

use std::io;
use std::path::{Path, PathBuf};

use super::config::ConfigError;
use crate::writer::destination::DestinationError;

/// Why a log on disk could not take or keep records.
///
/// Each message says what was being done, on which path, and what to do now.
///
/// ```
/// # use eventlog::{EventLog, disk::{DiskConfig, DiskError, DiskWriter, SpawnError}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # let directory = tempfile::tempdir()?;
/// let log = EventLog::<Tick>::new(None);
/// let spawned = DiskWriter::spawn(&log, DiskConfig::new(directory.path()));
/// match spawned.unwrap_err() {
///     SpawnError::Disk(error @ DiskError::NotAFile { .. }) => eprintln!("{error}"),
///     other => panic!("{other}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// Another writer holds the log.
    #[error(
        "{} belongs to another writer, which holds the lock on {}: \
         stop that writer or give this one a path of its own",
        .path.display(), .lock.display()
    )]
    Locked {
        /// The log.
        path: PathBuf,
        /// The file whose lock is held; it may stay when nobody holds it.
        lock: PathBuf,
    },
    /// Something that is no regular file stands at the log's path, or that is no path of a file.
    #[error("{}", not_a_file(path))]
    NotAFile {
        /// The path given for the log.
        path: PathBuf,
    },
    /// The file at the log's path is not one that a log was written to. It is not touched.
    #[error(
        "{} does not begin as an event log, and would have to be cut to go on in it: move it away \
         or choose another path for the log",
        .path.display()
    )]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// The file system has no locks.
    #[error(
        "cannot lock {}, because its file system has no locks: put the log on another one, or, if \
         no other writer can have the same path, use `DiskConfig::lock(false)`",
        .lock.display()
    )]
    NoLocks {
        /// The file that was to be locked.
        lock: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log was removed or cut short from outside before its newest records were durable.
    /// They are still in memory, and handing them over again writes them to a new file.
    #[error(
        "{} was removed or cut short by somebody else: its newest records will be written again \
         to a new file; to rotate from outside, rename the file instead",
        .path.display()
    )]
    Lost {
        /// The log.
        path: PathBuf,
    },
    /// The file system refused an operation.
    #[error("cannot {action} {}; {}", .path.display(), remedy(source))]
    Io {
        /// What was being done, as it reads after "cannot".
        action: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DiskError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// True if another writer holds the log.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskError, DiskWriter, SpawnError}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::<Tick>::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let Err(SpawnError::Disk(error)) = DiskWriter::spawn(&log, DiskConfig::new(&path)) else {
    ///     panic!("two writers");
    /// };
    /// assert!(error.is_locked());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// True if there is no room: disk full, quota used up, or a file size limit reached.
    ///
    /// ```
    /// # use std::io;
    /// # use eventlog::disk::DiskError;
    /// # fn error(kind: io::ErrorKind) -> DiskError {
    /// #     DiskError::Io { action: "write", path: "events.log".into(), source: kind.into() }
    /// # }
    /// let error = error(io::ErrorKind::StorageFull); // what a write said
    /// assert!(error.is_full()); // somebody has to free some room; writing then goes on by itself
    /// ```
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_full(source))
    }

    /// The kind of an equivalent [`io::Error`].
    ///
    /// ```
    /// # use std::io;
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, SpawnError}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let log = EventLog::<Tick>::new(None);
    /// let spawned = DiskWriter::spawn(&log, DiskConfig::new(directory.path()));
    /// let Err(SpawnError::Disk(error)) = spawned else { panic!("a directory") };
    /// assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Locked { .. } => io::ErrorKind::WouldBlock,
            Self::NotAFile { .. } => io::ErrorKind::InvalidInput,
            Self::NotALog { .. } => io::ErrorKind::InvalidData,
            Self::Lost { .. } => io::ErrorKind::NotFound,
            Self::Io { source, .. } | Self::NoLocks { source, .. } => source.kind(),
        }
    }
}

impl From<DiskError> for DestinationError {
    fn from(error: DiskError) -> Self {
        // Room is made, permissions are given, other writers end.
        Self::Retry(Box::new(error))
    }
}

/// Why [`DiskWriter::spawn`](super::DiskWriter) did not start a writer. The log is not affected.
///
/// ```
/// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, SpawnError}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path();
/// let log = EventLog::<Tick>::new(None);
/// match DiskWriter::spawn(&log, DiskConfig::new(path)) {
///     Ok(_writer) => unreachable!("the path is a directory"),
///     Err(error) if error.is_locked() => unreachable!("it is written already"),
///     Err(error) => eprintln!("{error}; going on without a file"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// A setting cannot be meant.
    #[error("cannot start the event log's writer: {0}")]
    Config(ConfigError),
    /// The log's file cannot be opened.
    #[error(transparent)]
    Disk(DiskError),
    /// The operating system refused a thread.
    #[error("cannot start a thread for the event log's writer: raise the limit of threads")]
    Thread(#[source] io::Error),
}

impl SpawnError {
    /// True if another writer holds the log.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let (log, other) = (EventLog::<Tick>::new(None), EventLog::<Tick>::new(None));
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// // A program that was started twice.
    /// assert!(DiskWriter::spawn(&other, DiskConfig::new(&path)).unwrap_err().is_locked());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Disk(error) if error.is_locked())
    }
}

impl From<DiskError> for SpawnError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<DiskError> for io::Error {
    fn from(error: DiskError) -> Self {
        Self::new(error.kind(), error)
    }
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn remedy(error: &io::Error) -> &'static str {
    use io::ErrorKind::{
        AlreadyExists, InvalidFilename, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        ReadOnlyFilesystem,
    };
    match error.kind() {
        _ if is_full(error) => "free some space or raise the limit",
        PermissionDenied | ReadOnlyFilesystem => {
            "let this user write to the directory and its files"
        }
        AlreadyExists => {
            "if it stays, it is a symbolic link that leads nowhere: remove it or make its target"
        }
        IsADirectory => "a directory has the name of a file of the log: move it away",
        InvalidFilename => "the log's path and the suffixes of its files need a shorter name",
        NotADirectory => "a file stands where a directory of the log's path should be",
        NotFound => "the directory went away; it is created again with the next record",
        _ => "if it happens again, check the disk and its cables, and the system's log",
    }
}

fn not_a_file(path: &Path) -> String {
    if path.as_os_str().is_empty() {
        return "the path of the log is empty: give it the name of a file".to_owned();
    }
    let path = path.display();
    format!("{path} is not a regular file: move it away or choose another path for the log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_path_and_the_remedy() {
        let full = DiskError::io("write", Path::new("/var/x.log"))(io::Error::from(
            io::ErrorKind::StorageFull,
        ));
        assert!(full.is_full());
        let text = full.to_string();
        assert!(text.starts_with("cannot write /var/x.log; "), "{text}");
        assert!(
            !text.contains("no storage space"),
            "that is its source: {text}"
        );
        assert!(text.contains("free some space"), "{text}");

        let locked = DiskError::Locked {
            path: "/x.log".into(),
            lock: "/x.log.lock".into(),
        };
        assert!(locked.is_locked() && !locked.is_full());
        assert_eq!(io::Error::from(locked).kind(), io::ErrorKind::WouldBlock);
    }
}
