//! What the ring has evicted, from the disk.

use std::fmt;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::{all::Reader, timeline::Timeline};
use crate::{
    cursor::{Cursor, Epoch},
    disk::format::{
        damage::{Damage, DamageKind},
        record::Record,
    },
    log::EventLog,
    seq::Seq,
    versioned::Versioned,
};

/// Reads what comes after a cursor from the log's file on disk, for a subscriber that has missed more
/// than the ring retains: until it can go on from the ring, without a gap and without a duplicate.
///
/// `None` where the disk does not have it, or cannot tell: the cursor is `Foreign`, what comes after
/// it was rotated away, or is not on disk yet (flush the writer first), or there are no
/// [marks](crate::disk#marks). Then the subscriber needs a snapshot.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use eventlog::{Coverage, EventLog, disk::{self, DiskConfig, DiskWriter}};
/// # use std::time::Duration;
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = EventLog::builder().capacity(2).build()?;
/// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
/// let mut cursor = log.cursor();
/// log.append_batch((1..=9).map(Tick));
/// writer.flush().await?;
///
/// let mut seen = Vec::new();
/// let mut subscription = log.subscribe(cursor);
/// while subscription.coverage() != Coverage::Complete {
///     let mut missed = disk::replay_after(&log, &cursor).expect("it is all on disk");
///     for record in &mut missed {
///         seen.extend(record?.into_event().map(|tick| tick.version()));
///     }
///     cursor = missed.cursor().expect("there was no damage");
///     subscription = log.subscribe(cursor);
/// }
/// assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
/// log.append(Tick(10));
/// assert_eq!(subscription.recv().await?.version(), 10);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn replay_after<E>(log: &EventLog<E>, cursor: &Cursor) -> Option<DiskReplay<E>>
where
    E: Versioned + DeserializeOwned,
{
    let path = log.disk_path()?;
    let seq = log.shared.lineage.known_from(*cursor)?;
    if is_another::<E>(path, seq, cursor.version()) {
        return None;
    }
    let lines = Timeline::of(path).after(Seq::new(seq))?;
    Some(DiskReplay {
        records: lines.records(),
        epoch: log.epoch(),
        seq,
        version: cursor.version(),
        is_damaged: false,
    })
}

/// Whether the event of this number is not the one that a cursor with this version stands at.
fn is_another<E: Versioned + DeserializeOwned>(path: &Path, seq: u64, version: u64) -> bool {
    let before = seq.checked_sub(1).map(Seq::new);
    let lines = before.and_then(|before| Timeline::of(path).after(before));
    let found = lines.and_then(|lines| lines.records::<E>().next());
    matches!(found, Some(Ok(Record::Event(event))) if event.version() > version)
}

/// Records from the disk, in order, each of them an event or a gap line that counts lost ones. The
/// first [`Damage`] ends it: what comes after that cannot be told apart from what is missing.
pub struct DiskReplay<E> {
    records: Reader<E>,
    epoch: Epoch,
    seq: u64,
    version: u64,
    is_damaged: bool,
}

impl<E> DiskReplay<E> {
    /// Where a subscriber stands that has everything that was read so far; `None` once there was
    /// damage.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{self, DiskConfig, DiskWriter}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::builder().capacity(1).build()?;
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// let cursor = log.cursor();
    /// log.append_batch((1..=3).map(Tick));
    /// writer.flush().await?;
    /// let mut missed = disk::replay_after(&log, &cursor).expect("it is all on disk");
    /// missed.next();
    /// assert_eq!(missed.cursor().map(|cursor| cursor.version()), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        let cursor = Cursor::new(self.epoch, self.seq, self.version);
        (!self.is_damaged).then_some(cursor)
    }
}

impl<E: Versioned + DeserializeOwned> Iterator for DiskReplay<E> {
    type Item = Result<Record<E>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_damaged {
            return None;
        }
        let item = self.records.next()?;
        match &item {
            Ok(Record::Event(event)) => {
                self.seq += 1;
                self.version = event.version();
            }
            Ok(Record::Gap(gap)) => {
                self.seq = self.seq.saturating_add(gap.count);
                self.version = gap.max_version;
            }
            // The writer is in the middle of a line.
            Err(damage) if matches!(damage.kind, DamageKind::TornTail) => return None,
            Err(_) => self.is_damaged = true,
        }
        Some(item)
    }
}

impl<E> fmt::Debug for DiskReplay<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskReplay")
            .field("cursor", &self.cursor())
            .finish_non_exhaustive()
    }
}
