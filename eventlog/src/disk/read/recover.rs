//! A log's memory, back from its disk.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::{
    history::{self, Handover, History},
    last::{LineAt, Tail},
    marks::read_marks,
    timeline,
};
use crate::{
    builder::{BuildError, Builder},
    disk::{
        config::{ConfigError, DiskConfig},
        format::{
            damage::{Damage, DamageKind},
            marks::Marks,
            paths::Paths,
            record::Record,
        },
        storage::{RealStorage, Storage},
    },
    lineage::Lineage,
    log::EventLog,
    ring::Entry,
    versioned::Versioned,
};

/// What [`EventLog::recover`] found.
///
/// ```
/// # use eventlog::{EventLog, disk::DiskConfig};
/// # #[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Debug)]
/// # struct Tick(u64);
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// # std::fs::write(&path, "7\n8\n9")?;
/// let (log, recovery) = EventLog::<Tick>::recover(&DiskConfig::new(&path))?;
/// for damage in &recovery.damage {
///     eprintln!("{damage}"); // with file, line and byte
/// }
/// assert_eq!((recovery.events, recovery.lost, recovery.torn_bytes), (2, 0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Recovery {
    /// How many events are in the ring again.
    pub events: u64,
    /// How many events gap lines among them declare lost.
    pub lost: u64,
    /// Bytes of a last line of the current file that was never finished. No event in it was
    /// acknowledged; the disk writer sets them aside when it opens the file.
    pub torn_bytes: u64,
    /// Everything in the files that is no record, the unfinished line included.
    pub damage: Vec<Damage>,
    /// How many bytes of the files were read.
    pub bytes_read: u64,
}

/// Why [`EventLog::recover`] gives no log.
///
/// ```
/// # use eventlog::{EventLog, disk::{DiskConfig, RecoverError}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path();
/// let log = match EventLog::<Tick>::recover(&DiskConfig::new(path)) {
///     Ok((log, _)) => log,
///     Err(error @ RecoverError::Config(_)) => return Err(error.into()), // a mistake in here
///     Err(error) => {
///         eprintln!("{error}"); // says what to do; the history is still on disk
///         EventLog::new(None)
///     }
/// };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// A setting of the disk cannot be meant.
    #[error("cannot recover the event log: {0}")]
    Config(ConfigError),
    /// A setting of the log cannot be meant.
    #[error("cannot recover the event log: {0}")]
    Build(BuildError),
    /// A file or directory of the log is there and cannot be read.
    #[error(
        "cannot recover the event log: {} cannot be read ({reason}); check what it is and who may \
         read it",
        .path.display()
    )]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// The kind of error.
        kind: io::ErrorKind,
        /// What the system said.
        reason: String,
    },
}

impl<E: Versioned + DeserializeOwned> EventLog<E> {
    /// A log with the default settings that goes on where the file left off: its ring has the
    /// newest events that are on disk. No more of the files is read than their ends.
    ///
    /// Versions, truncation and the newest version are those of the whole history, as long as its
    /// versions never fell, so a subscriber that comes back with a version is told the truth across
    /// the restart; where the files do not tell, that events may be missing.
    ///
    /// Its epoch is new, and it also knows the cursors of the lives before, as far as what they saw
    /// is left; sequence numbers go on. A cursor whose holder may have seen an event that was lost is
    /// `Foreign`. How that is known, and what else makes a cursor `Foreign`, is told at
    /// [marks](crate::disk#marks).
    ///
    /// Where there are marks, the writer's lock is taken before the files are read and held until
    /// the log is dropped or its writer ends, so that nobody writes between this and the first new
    /// event. If somebody else has it, the events are read all the same, and no cursor of an earlier
    /// life is known. To only look into a log that others write, turn
    /// [`lock`](DiskConfig::lock) off, or use [`read_last`](crate::disk::read_last).
    ///
    /// A file that does not exist is an empty history. Pass the same settings to
    /// [`DiskWriter::spawn`](crate::disk::DiskWriter), which goes on after the recovered events.
    ///
    /// # Errors
    ///
    /// If a file or the directory exists and cannot be read. Damaged lines are no error: they are
    /// skipped, reported, and subscribers from before them are told that events are missing.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::DiskConfig};
    /// # #[derive(Clone, serde::Deserialize, PartialEq, Debug)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// std::fs::write(&path, "7\n8\n9\n1")?; // the last line was never finished
    /// let (log, recovery) = EventLog::<Tick>::recover(&DiskConfig::new(&path))?;
    /// assert_eq!((recovery.events, recovery.torn_bytes), (3, 1));
    /// assert_eq!(log.events_since(7), [Tick(8), Tick(9)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recover(config: &DiskConfig) -> Result<(Self, Recovery), RecoverError> {
        Self::builder().recover(config)
    }
}

impl<E: Versioned + DeserializeOwned> Builder<E> {
    /// As [`EventLog::recover`], with these settings. A base version counts only if there is no
    /// event on disk.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::DiskConfig};
    /// # #[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Debug)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// std::fs::write(&path, "7\n8\n9\n")?;
    /// let builder = EventLog::<Tick>::builder().capacity(2);
    /// let (log, recovery) = builder.recover(&DiskConfig::new(&path))?;
    /// assert_eq!((recovery.events, log.newest_version()), (2, Some(9)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`EventLog::recover`], and for a capacity of 0.
    pub fn recover(self, config: &DiskConfig) -> Result<(EventLog<E>, Recovery), RecoverError> {
        self.recover_on(&RealStorage, config)
    }

    /// As [`recover`](Self::recover), from any storage.
    ///
    /// # Errors
    ///
    /// As [`recover`](Self::recover).
    #[doc(hidden)]
    pub fn recover_on<S: Storage>(
        mut self,
        storage: &S,
        config: &DiskConfig,
    ) -> Result<(EventLog<E>, Recovery), RecoverError> {
        config.check().map_err(RecoverError::Config)?;
        let (mut ring, retention) = self.ring().map_err(RecoverError::Build)?;
        let paths = Paths::on(storage, &config.path);
        // Before the files are read, so that nobody writes between that and the first new event.
        let left = paths
            .as_ref()
            .and_then(|paths| Left::claim(storage, paths, config));
        let tail = Tail::<E>::read(storage, &config.path, self.capacity_set());
        let current = paths.as_ref().map_or(&*config.path, |paths| &*paths.log);
        let events = (tail.records.len() - tail.gaps().count()) as u64;
        let mut damage = tail.damage;
        if config.verify
            && let Some(paths) = &paths
        {
            let mut found = timeline::verify(storage, paths);
            found.retain(|found| !damage.contains(found));
            damage.extend(found);
        }
        let (damage, torn_bytes) = assess(damage, current)?;

        let found = left
            .as_ref()
            .zip(paths.as_ref())
            .and_then(|(left, paths)| left.history(storage, paths, &tail.lines))
            .filter(|history| history.end >= events);
        if let Some(history) = &found {
            ring.begin_at(history.end + 1 - events);
        }
        if tail.records.is_empty() {
            ring.set_base(self.base_version_set());
        }
        let (before, first) = (tail.before.as_ref(), tail.records.first());
        if let Some(version) = missed_before(storage, before, first, config) {
            ring.note_evicted(version);
        }
        let mut lost = 0;
        for record in tail.records {
            match record {
                Record::Event(event) => {
                    // No more events are read than the ring holds; they may weigh too much.
                    let entry = Entry {
                        version: event.version(),
                        event,
                    };
                    match &retention {
                        None => ring.push(entry),
                        Some(retention) => {
                            let tally = retention.tally(&entry.event);
                            ring.push_counted(entry, tally)
                        }
                    };
                }
                Record::Gap(gap) => {
                    lost += gap.count;
                    ring.note_evicted(gap.max_version);
                }
            }
        }
        // Where a damaged line stood among the events is not known, nor what it held: it may have
        // been the newest. No event is shorter than its newline and one byte.
        let mut damaged = damage
            .iter()
            .filter(|damage| !is_torn_tail(damage, current));
        if damaged.clone().next().is_some() {
            let newest = ring.newest_version().unwrap_or(u64::MAX);
            let bytes = damaged.try_fold(0_u64, |sum, damage| sum.checked_add(damage.len));
            ring.note_unknown(newest.saturating_add(1), bytes.unwrap_or(u64::MAX));
        }
        let epoch = ring.epoch();
        let (lineage, inherited) = match found {
            Some(found) => (
                Lineage::following(epoch, found.earlier, found.trusted),
                Some(found.inherited),
            ),
            None => (Lineage::new(epoch), None),
        };
        let log = EventLog::going_on(ring, lineage, retention, Some(config.path.clone()));
        if let Some((left, paths)) = left.zip(paths) {
            let lock = left.lock;
            log.hand_over(paths.log, Box::new(Handover { lock, inherited }));
        }
        // A writer of this file has all of it.
        log.shared.with(|inner| {
            let end = inner.ring.left_off(inner.ring.next());
            let left_off = &mut inner.writers.made().left_off;
            left_off.insert(config.writer().name.clone(), end);
        });
        let bytes_read = tail.bytes_read;
        tracing::debug!(
            path = %config.path.display(), events, lost, torn_bytes, bytes_read,
            "an event log was recovered"
        );
        Ok((
            log,
            Recovery {
                events,
                lost,
                torn_bytes,
                damage,
                bytes_read,
            },
        ))
    }
}

/// What the lives before left beside the log.
struct Left<F> {
    lock: Option<F>,
    marks: Marks,
}

impl<F> Left<F> {
    /// Takes the lock, where there is something to go on with. `None` if there is not, or if
    /// somebody else has it.
    fn claim<S: Storage<File = F>>(
        storage: &S,
        paths: &Paths,
        config: &DiskConfig,
    ) -> Option<Self> {
        if !config.marks || storage.stat_path(&paths.marks).is_err() {
            return None;
        }
        let lock = if config.locks {
            Some(storage.try_lock(&paths.lock, config.mode).ok()??)
        } else {
            None
        };
        let (marks, _) = read_marks(storage, &paths.marks).ok()?;
        Some(Self { lock, marks })
    }

    /// Marks are never needed: where they cannot be judged, the log begins a new history.
    fn history<S: Storage<File = F>>(
        &self,
        storage: &S,
        paths: &Paths,
        lines: &[LineAt],
    ) -> Option<History> {
        let found = history::find(storage, paths, self.marks.clone(), lines);
        found.unwrap_or_else(|error| {
            let path = paths.log.display();
            tracing::debug!(%path, %error, "the marks of an event log cannot be compared");
            None
        })
    }
}

/// Counts the bytes of an unfinished line; a file that cannot be read is an error.
fn assess(damage: Vec<Damage>, current: &Path) -> Result<(Vec<Damage>, u64), RecoverError> {
    let mut torn_bytes = 0;
    for found in &damage {
        if let DamageKind::Unreadable { kind, reason } = &found.kind {
            return Err(RecoverError::Unreadable {
                path: found.file.clone(),
                kind: *kind,
                reason: reason.clone(),
            });
        }
        if is_torn_tail(found, current) {
            torn_bytes += found.len;
        }
    }
    Ok((damage, torn_bytes))
}

/// Whether this is the unfinished line that a crash can leave after the acknowledged events. Full files end in a whole
/// line before they get their names, so there it is damage.
fn is_torn_tail(damage: &Damage, current: &Path) -> bool {
    matches!(damage.kind, DamageKind::TornTail) && damage.file == current
}

/// Up to which version there were events before the first that was read, if there were any.
///
/// Where as many full files are kept as there may be, one may have been removed that ended with
/// the very version that the first event left has.
fn missed_before<E: Versioned, S: Storage>(
    storage: &S,
    before: Option<&Record<E>>,
    first: Option<&Record<E>>,
    config: &DiskConfig,
) -> Option<u64> {
    let may_be_removed = || {
        let Some(paths) = Paths::on(storage, &config.path) else {
            return false;
        };
        let names = storage.list(&paths.dir).unwrap_or_default();
        let full = names.iter().filter_map(|name| paths.full_file(name));
        full.count() >= config.keep as usize
    };
    before
        .or_else(|| first.filter(|_| may_be_removed()))
        .map(highest_version)
}

fn highest_version<E: Versioned>(record: &Record<E>) -> u64 {
    match record {
        Record::Event(event) => event.version(),
        Record::Gap(gap) => gap.max_version,
    }
}
