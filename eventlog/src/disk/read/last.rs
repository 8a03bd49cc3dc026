//! The newest records, read from the end.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::backward::Backward;
use super::decode;
use super::files::open_all;
use super::forward::MAX_LINE_BYTES;
use super::line::{Place, RawLine};
use super::log_file::LogFile;
use super::placed::Placed;
use crate::disk::format::damage::{Damage, may_miss, no_file_name, unreadable};
use crate::disk::format::paths::Paths;
use crate::disk::format::record::Record;
use crate::disk::storage::{RealStorage, Storage};
use crate::writer::gap::Gap;

/// The end of a log.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// std::fs::write(&path, "1\n2\n3\n4")?; // the last line is unfinished
/// let tail = eventlog::disk::read_last::<u64>(&path, 2);
/// assert_eq!((tail.records.len(), tail.damage.len()), (2, 1));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Tail<E> {
    /// The newest records, the oldest first: at most the number of events that was asked for, and
    /// the gaps between and after them.
    pub records: Vec<Record<E>>,
    /// Where each of `records` stands, in the same order.
    pub places: Vec<Place>,
    /// The record before the first of `records`; `None` if the log has none.
    pub before: Option<Record<E>>,
    /// What was met on the way that is no record, in the order of the log.
    pub damage: Vec<Damage>,
    /// How many bytes were read.
    pub bytes_read: u64,
    /// Where the lines of these stand, the oldest first.
    pub(crate) lines: Vec<LineAt>,
}

/// Where a whole line stands, and how many events it speaks of.
#[derive(Clone, Debug)]
pub(crate) struct LineAt {
    pub(crate) file: Arc<Path>,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) counts: Counts,
}

/// What a line says of the numbers of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Counts {
    Event,
    Lost(u64),
    /// Nobody knows. It is counted as one.
    Damaged,
}

impl Counts {
    fn of<E>(record: &Record<E>) -> Self {
        match record {
            Record::Event(_) => Self::Event,
            Record::Gap(gap) => Self::Lost(gap.count),
        }
    }

    pub(crate) fn events(self) -> u64 {
        match self {
            Self::Event | Self::Damaged => 1,
            Self::Lost(count) => count,
        }
    }
}

impl<E> Tail<E> {
    /// The records, each with the place where it stands.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n2\n3\n")?;
    /// let tail = eventlog::disk::read_last::<u64>(&path, 2);
    /// let offsets = tail.with_places().map(|placed| placed.place.offset);
    /// assert!(offsets.eq([2, 4]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn with_places(self) -> impl Iterator<Item = Placed<E>> {
        let records = self.records.into_iter().zip(self.places);
        records.map(|(record, place)| Placed { record, place })
    }

    /// The gaps among the records.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// # let gap = r#"{"eventlog":{"gap":{"count":3,"min_version":2,"max_version":4,"reason":"backlog"}}}"#;
    /// # std::fs::write(&path, format!("1\n{gap}\n5\n"))?;
    /// // Is what a person is shown of the last 20 events all that there was?
    /// let tail = eventlog::disk::read_last::<u64>(&path, 20);
    /// assert_eq!(tail.gaps().map(|gap| gap.count).sum::<u64>(), 3);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.records.iter().filter_map(|record| match record {
            Record::Gap(gap) => Some(gap),
            Record::Event(_) => None,
        })
    }
}

/// Reads the newest `events` events of the log at `path`, and no more of its files than their
/// ends. A log that does not exist has none.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// std::fs::write(&path, "1\n2\n3\n4\n")?;
/// let tail = eventlog::disk::read_last::<u64>(&path, 2);
/// assert_eq!(tail.records.iter().filter_map(|record| record.event()).sum::<u64>(), 3 + 4);
/// assert_eq!(tail.before.unwrap().into_event(), Some(2));
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn read_last<E: DeserializeOwned>(path: impl AsRef<Path>, events: usize) -> Tail<E> {
    Tail::read(&RealStorage, path, events)
}

impl<E: DeserializeOwned> Tail<E> {
    /// As [`read_last`], from any storage.
    #[doc(hidden)]
    pub fn read<S: Storage>(storage: &S, path: impl AsRef<Path>, events: usize) -> Self {
        let mut collected = Collected::new(events);
        let mut bytes_read = 0;
        match Paths::on(storage, path.as_ref()) {
            None => collected.damage.push_front(no_file_name(path.as_ref())),
            Some(paths) => {
                let (files, damage) = open_all(storage, &paths);
                collected.damage.extend(damage);
                for file in files.iter().rev() {
                    bytes_read += collected.read_file(storage, file);
                    if collected.before.is_some() {
                        break;
                    }
                    if file.may_miss {
                        collected.damage.push_front(may_miss(file.path.clone()));
                    }
                }
            }
        }
        Self {
            records: collected.records.into(),
            places: collected.places.into(),
            before: collected.before,
            damage: collected.damage.into(),
            bytes_read,
            lines: collected.lines.into(),
        }
    }
}

struct Collected<E> {
    lines: VecDeque<LineAt>,
    records: VecDeque<Record<E>>,
    places: VecDeque<Place>,
    before: Option<Record<E>>,
    damage: VecDeque<Damage>,
    wanted: usize,
}

impl<E: DeserializeOwned> Collected<E> {
    fn new(wanted: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            records: VecDeque::new(),
            places: VecDeque::new(),
            before: None,
            damage: VecDeque::new(),
            wanted,
        }
    }

    /// Reads one file from its end, and says how many bytes that took.
    fn read_file<S: Storage>(&mut self, storage: &S, file: &LogFile<S::File>) -> u64 {
        let read = file.with(storage, |open| match storage.stat(open) {
            Ok(stat) => {
                let path = Arc::from(&*file.path);
                self.read_lines(
                    Backward::new(storage, open, stat.len, MAX_LINE_BYTES),
                    &path,
                )
            }
            Err(error) => {
                let damage = unreadable(file.path.clone(), 0, &error);
                self.damage.push_front(damage);
                0
            }
        });
        read.unwrap_or_else(|damage| {
            self.damage.push_front(damage);
            0
        })
    }

    fn read_lines<S: Storage>(&mut self, mut lines: Backward<'_, S>, path: &Arc<Path>) -> u64 {
        while self.before.is_none() {
            match lines.next() {
                Ok(Some(found)) => {
                    let mut counts = None;
                    for item in found.found(path, MAX_LINE_BYTES) {
                        counts = self.push_item(item);
                    }
                    if let Some(counts) = counts.filter(|_| found.terminated) {
                        self.lines.push_front(LineAt {
                            file: path.clone(),
                            start: found.start,
                            end: found.end,
                            counts,
                        });
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let damage = unreadable(path.to_path_buf(), 0, &error);
                    self.damage.push_front(damage);
                    break;
                }
            }
        }
        lines.bytes_read()
    }

    /// Says what the line counts for, if it is one of those that were asked for. Zeros before a
    /// record come after it, so a line that has both is damaged.
    fn push_item(&mut self, item: Result<RawLine<'_>, Damage>) -> Option<Counts> {
        let decoded = item.and_then(|line| decode::record(&line).map(|record| (record, line)));
        match decoded {
            Ok((record, line)) => self.push(record, &line),
            Err(damage) => {
                self.damage.push_front(damage);
                Some(Counts::Damaged)
            }
        }
    }

    fn push(&mut self, record: Record<E>, line: &RawLine<'_>) -> Option<Counts> {
        if self.wanted == 0 {
            self.before = Some(record);
            return None;
        }
        let counts = Counts::of(&record);
        self.wanted -= usize::from(counts == Counts::Event);
        self.records.push_front(record);
        self.places.push_front(line.place());
        Some(counts)
    }
}
