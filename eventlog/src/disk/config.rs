//! Where the log goes, how large it grows, how safe it is.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::writer::{
    config::{SyncPolicy, Unfaithful, WriterConfig},
    notice::Notice,
};

/// Settings of a log on disk.
///
/// What cannot be meant, such as keeping no file, is an error of
/// [`DiskWriter::spawn`](super::DiskWriter) and [`EventLog::recover`](crate::EventLog::recover).
///
/// ```
/// use eventlog::disk::DiskConfig;
///
/// let config = DiskConfig::new("launcher-events.log").max_bytes(1024 * 1024).keep(3);
/// assert_eq!(config.path(), "launcher-events.log");
/// ```
#[derive(Debug, Clone)]
pub struct DiskConfig {
    pub(crate) path: PathBuf,
    pub(crate) max_bytes: u64,
    pub(crate) keep: u32,
    pub(crate) mode: u32,
    pub(crate) locks: bool,
    pub(crate) marks: bool,
    pub(crate) mark_every: Duration,
    pub(crate) verify: bool,
    writer: WriterConfig,
}

impl DiskConfig {
    /// The defaults, for a log whose current file is at `path`. Full files, the lock and what is
    /// set aside stand beside it, each under this whole name and a suffix.
    ///
    /// ```
    /// # use eventlog::disk::DiskConfig;
    /// let config = DiskConfig::new("/var/lib/launcher/events.log");
    /// assert_eq!(config.path(), "/var/lib/launcher/events.log");
    /// ```
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            writer: WriterConfig::new(name_of(&path)),
            path,
            max_bytes: 8 * 1024 * 1024,
            keep: 1,
            mode: 0o600,
            locks: true,
            marks: true,
            mark_every: Duration::from_secs(1),
            verify: false,
        }
    }

    /// The current file of the log.
    ///
    /// ```
    /// # use eventlog::disk::DiskConfig;
    /// // What readers of the same log are given.
    /// let config = DiskConfig::new("events.log");
    /// assert_eq!(eventlog::disk::read::<u64>(config.path()).count(), 0);
    /// ```
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Size in bytes that no file of the log exceeds (default 8 MiB), unless one record alone is
    /// larger: such a record gets a file of its own. At least 1.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{self, DiskConfig, DiskWriter}};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path).max_bytes(10))?;
    /// log.append_batch((1..=6).map(Tick));
    /// writer.shutdown().await?;
    /// assert_eq!(std::fs::read_to_string(path.with_extension("log.old"))?, "1\n2\n3\n4\n5\n");
    /// assert_eq!(std::fs::read_to_string(&path)?, "6\n");
    /// assert_eq!(disk::read::<u64>(&path).count(), 6); // readers go through all of them
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many full files are kept beside the current one (default 1): the newest is
    /// `<path>.old`; before it gives way to another it gets a name for good, `<path>.old.` and a
    /// number of ten digits, one above the highest there is. At least 1, because a rotation puts
    /// the full file aside before it starts another. A record longer than
    /// [`max_bytes`](Self::max_bytes) fills a file too: with 1, two of those in a row leave nothing
    /// else.
    ///
    /// Other names are left alone, such as those that end in a date.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{self, DiskConfig, DiskWriter}};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path).max_bytes(4).keep(2))?;
    /// log.append_batch((1..=9).map(Tick)); // two per file
    /// writer.shutdown().await?;
    /// let kept = disk::read::<u64>(&path).filter_map(|record| record.ok()?.into_event());
    /// assert!(kept.eq(5..=9)); // two full files, and the current one
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keep(mut self, files: u32) -> Self {
        self.keep = files;
        self
    }

    /// Unix permission bits of the files that are created (default `0o600`); not used elsewhere.
    /// The owner must be able to read and write.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(unix)] {
    /// # use std::os::unix::fs::PermissionsExt;
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path).mode(0o640))?; // the group reads
    /// writer.durable(log.append(Tick(1))).await?;
    /// assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o640);
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn mode(mut self, bits: u32) -> Self {
        self.mode = bits;
        self
    }

    /// Whether the writer takes the lock on `<path>.lock` (default true), which keeps a second
    /// writer away.
    ///
    /// For file systems that have no locks. Without one nothing keeps two writers from the same
    /// path: both then write, each takes what the other wrote for lines of a stranger, and one
    /// that repairs the end of the file may cut a line that the other is just writing. See to it
    /// that there is only one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// # let log = EventLog::new(None);
    /// # let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// # writer.durable(log.append(Tick(1))).await?;
    /// // A look into a log that another process writes, which keeps nothing from it.
    /// let config = DiskConfig::new(&path).lock(false);
    /// let (look, _) = EventLog::<Tick>::recover(&config)?;
    /// assert_eq!(look.newest_version(), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn lock(mut self, lock: bool) -> Self {
        self.locks = lock;
        self
    }

    /// Whether marks are kept in `<path>.marks` (default true): lines that tie places in the log's
    /// files to time, sequence number, life and checksum. They cost one small write per second
    /// while events come, and two syncs per file and per life. Where a file is found that was not
    /// recovered, it is read once.
    ///
    /// With them a cursor outlives a restart that [recovers](crate::EventLog::recover) the log.
    /// Without them, or with wrong ones, no event is lost or misread: every cursor of an earlier life
    /// is then `Foreign`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path).marks(false))?;
    /// writer.durable(log.append(Tick(1))).await?;
    /// assert!(path.exists() && !path.with_extension("log.marks").exists());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn marks(mut self, marks: bool) -> Self {
        self.marks = marks;
        self
    }

    /// Whether [`EventLog::recover`](crate::EventLog::recover) compares all files with the checksums
    /// of their marks (default false), which reads them whole. What differs is in
    /// [`Recovery::damage`](super::Recovery), and subscribers from before it are told that events may
    /// be missing. [`Timeline::verify`](super::Timeline::verify) does it at any other time.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// # let log = EventLog::new(None);
    /// # let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// # for version in 0..3 { log.append(Tick(version)); }
    /// # drop(writer);
    /// let (_, recovery) = EventLog::<Tick>::recover(&DiskConfig::new(&path).verify(true))?;
    /// assert!(recovery.damage.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// How much time passes at least between two marks of how far the file is durable.
    #[cfg(feature = "unstable-storage")]
    #[doc(hidden)]
    #[must_use]
    pub fn mark_every(mut self, pause: Duration) -> Self {
        self.mark_every = pause;
        self
    }

    /// When written records are made durable (default: after every batch).
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, SyncPolicy}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// # let log = EventLog::<Tick>::new(None);
    /// let config = DiskConfig::new(&path).sync(SyncPolicy::Never);
    /// assert!(!DiskWriter::spawn(&log, config)?.level().synced); // nothing is called durable
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sync(mut self, policy: SyncPolicy) -> Self {
        self.writer = self.writer.sync(policy);
        self
    }

    /// As [`WriterConfig::backlog_events`].
    ///
    /// ```
    /// # use eventlog::disk::DiskConfig;
    /// // An hour with a full disk, at 1,000 events per second.
    /// let config = DiskConfig::new("events.log").backlog_events(3_600_000).backlog_bytes(1 << 30);
    /// assert!(format!("{config:?}").contains("backlog_events: 3600000"));
    /// ```
    #[must_use]
    pub fn backlog_events(mut self, events: usize) -> Self {
        self.writer = self.writer.backlog_events(events);
        self
    }

    /// As [`WriterConfig::backlog_bytes`].
    ///
    /// ```
    /// # use eventlog::disk::DiskConfig;
    /// let config = DiskConfig::new("events.log").backlog_bytes(8 << 20);
    /// assert!(format!("{config:?}").contains("backlog_bytes: 8388608"));
    /// ```
    #[must_use]
    pub fn backlog_bytes(mut self, bytes: usize) -> Self {
        self.writer = self.writer.backlog_bytes(bytes);
        self
    }

    /// As [`WriterConfig::retry_min`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::disk::DiskConfig;
    /// let config = DiskConfig::new("events.log").retry_min(Duration::from_millis(10));
    /// assert!(format!("{config:?}").contains("retry_min: 10ms"));
    /// ```
    #[must_use]
    pub fn retry_min(mut self, pause: Duration) -> Self {
        self.writer = self.writer.retry_min(pause);
        self
    }

    /// As [`WriterConfig::retry_max`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::{EventLog, disk::{ConfigError, DiskConfig, DiskWriter, SpawnError}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// # let log = EventLog::<Tick>::new(None);
    /// let (long, short) = (Duration::from_secs(5), Duration::from_secs(1));
    /// let config = DiskConfig::new(&path).retry_min(long).retry_max(short);
    /// let refused = DiskWriter::spawn(&log, config).unwrap_err();
    /// assert!(matches!(refused, SpawnError::Config(ConfigError::Pauses)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn retry_max(mut self, pause: Duration) -> Self {
        self.writer = self.writer.retry_max(pause);
        self
    }

    /// As [`WriterConfig::drop_timeout`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// // A slow disk: rather a slow end than lost events.
    /// let config = DiskConfig::new(&path).drop_timeout(Duration::from_secs(30));
    /// let writer = DiskWriter::spawn(&log, config)?;
    /// log.append(Tick(1));
    /// drop(writer);
    /// assert_eq!(std::fs::read_to_string(&path)?, "1\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn drop_timeout(mut self, timeout: Duration) -> Self {
        self.writer = self.writer.drop_timeout(timeout);
        self
    }

    /// As [`WriterConfig::unfaithful`].
    ///
    /// ```
    /// # use eventlog::disk::{DiskConfig, Unfaithful};
    /// // A reader of other people's wants a line for each event, and takes `null` for a NaN.
    /// let config = DiskConfig::new("events.log").unfaithful(Unfaithful::Write);
    /// assert_eq!(Unfaithful::default(), Unfaithful::Refuse);
    /// ```
    #[must_use]
    pub fn unfaithful(mut self, unfaithful: Unfaithful) -> Self {
        self.writer = self.writer.unfaithful(unfaithful);
        self
    }

    /// As [`WriterConfig::on_notice`].
    ///
    /// ```
    /// use eventlog::disk::DiskConfig;
    ///
    /// let config = DiskConfig::new("events.log").on_notice(|notice| eprintln!("{notice}"));
    /// ```
    #[must_use]
    pub fn on_notice(mut self, listen: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.writer = self.writer.on_notice(listen);
        self
    }

    /// The settings that do not depend on files.
    ///
    /// ```
    /// # use eventlog::disk::DiskConfig;
    /// // To call it in a display as the writer's notices do.
    /// assert!(DiskConfig::new("events.log").writer().name().ends_with("events.log"));
    /// ```
    #[must_use]
    pub fn writer(&self) -> &WriterConfig {
        &self.writer
    }

    /// The settings that do not depend on files, without the others.
    pub(crate) fn into_writer(self) -> WriterConfig {
        self.writer
    }

    /// # Errors
    ///
    /// What cannot be meant.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.max_bytes == 0 {
            return Err(ConfigError::NoRoom);
        }
        if self.keep == 0 {
            return Err(ConfigError::KeepsNothing);
        }
        if self.mode & 0o600 != 0o600 || self.mode > 0o7777 {
            return Err(ConfigError::Mode { mode: self.mode });
        }
        if self.writer.retry_max < self.writer.retry_min {
            return Err(ConfigError::Pauses);
        }
        Ok(())
    }
}

/// One name for all spellings of the path, whatever the working directory becomes. Escaped where
/// it is not text, so that two paths never share a name.
fn name_of(path: &Path) -> String {
    let absolute = std::path::absolute(path);
    let path = absolute.as_deref().unwrap_or(path);
    let escaped = || {
        path.as_os_str()
            .as_encoded_bytes()
            .escape_ascii()
            .to_string()
    };
    path.to_str().map_or_else(escaped, str::to_owned)
}

/// Settings of a [`DiskConfig`] that cannot be meant.
///
/// ```
/// # use eventlog::{EventLog, disk::{ConfigError, DiskConfig, RecoverError}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let refused = EventLog::<Tick>::recover(&DiskConfig::new("events.log").keep(0)).unwrap_err();
/// assert!(matches!(refused, RecoverError::Config(ConfigError::KeepsNothing)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// `max_bytes(0)`.
    NoRoom,
    /// `keep(0)`.
    KeepsNothing,
    /// Permission bits with which the log's owner could not go on.
    Mode {
        /// The bits.
        mode: u32,
    },
    /// `retry_max` is below `retry_min`.
    Pauses,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => f.write_str("`max_bytes` is 0: set it to at least 1 byte"),
            Self::KeepsNothing => f.write_str(
                "`keep` is 0, but a rotation puts the full file aside before it starts another: \
                 set it to at least 1 file",
            ),
            Self::Mode { mode } => write!(
                f,
                "`mode` is 0o{mode:o}: set permission bits with which the owner can read and \
                 write, such as 0o600"
            ),
            Self::Pauses => f.write_str("`retry_max` is below `retry_min`: raise it"),
        }
    }
}

impl Error for ConfigError {}
