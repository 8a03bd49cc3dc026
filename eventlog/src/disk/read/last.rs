//! The newest records, read from the end.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::backward::{BackLine, Backward};
use super::decode::Found;
use super::files::open_all;
use super::forward::MAX_LINE_BYTES;
use super::log_file::LogFile;
use crate::disk::format::damage::{Damage, DamageKind, may_miss, no_file_name, unreadable};
use crate::disk::format::paths::Paths;
use crate::disk::format::record::Record;
use crate::disk::storage::{RealStorage, Storage};
use crate::writer::gap::Gap;

/// The end of a log.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tail<E> {
    /// The newest records, the oldest first: at most the number of events that was asked for, and
    /// the gaps between and after them.
    pub records: Vec<Record<E>>,
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
    pub(crate) fn events(self) -> u64 {
        match self {
            Self::Event | Self::Damaged => 1,
            Self::Lost(count) => count,
        }
    }
}

impl<E> Tail<E> {
    /// The gaps among the records.
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
    before: Option<Record<E>>,
    damage: VecDeque<Damage>,
    wanted: usize,
}

impl<E: DeserializeOwned> Collected<E> {
    fn new(wanted: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            records: VecDeque::new(),
            before: None,
            damage: VecDeque::new(),
            wanted,
        }
    }

    /// Reads one file from its end, and says how many bytes that took.
    fn read_file<S: Storage>(&mut self, storage: &S, file: &LogFile<S::File>) -> u64 {
        let read = file.with(storage, |open| match storage.stat(open) {
            Ok(stat) => self.read_lines(storage, open, stat.len, &file.path),
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

    fn read_lines<S: Storage>(
        &mut self,
        storage: &S,
        file: &S::File,
        len: u64,
        path: &Path,
    ) -> u64 {
        let mut lines = Backward::new(storage, file, len, MAX_LINE_BYTES);
        let path: Arc<Path> = path.into();
        while self.before.is_none() {
            match lines.next() {
                Ok(Some(line)) => self.push_line(&path, &line),
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

    fn push_line(&mut self, file: &Arc<Path>, line: &BackLine<'_>) {
        let len = line.end - line.start;
        if !line.terminated {
            return self.damage.push_front(Damage {
                file: file.to_path_buf(),
                line: None,
                offset: line.start,
                len,
                kind: DamageKind::TornTail,
            });
        }
        let found = Found {
            file,
            number: None,
            offset: line.start,
            len: len - 1,
            bytes: line.bytes,
            limit: MAX_LINE_BYTES,
        };
        let decoded = found.decode();
        let counts = match &decoded {
            Ok(Record::Event(_)) => Counts::Event,
            Ok(Record::Gap(gap)) => Counts::Lost(gap.count),
            Err(_) => Counts::Damaged,
        };
        let is_before = self.wanted == 0 && counts != Counts::Damaged;
        if !is_before {
            self.lines.push_front(LineAt {
                file: file.clone(),
                start: line.start,
                end: line.end,
                counts,
            });
        }
        match decoded {
            Ok(record) => self.push(record),
            Err(damaged) => {
                let (damage, record) = *damaged;
                if let Some(record) = record {
                    self.push(record);
                }
                self.damage.push_front(damage);
            }
        }
    }

    fn push(&mut self, record: Record<E>) {
        if self.wanted == 0 {
            self.before = Some(record);
            return;
        }
        self.wanted -= usize::from(matches!(record, Record::Event(_)));
        self.records.push_front(record);
    }
}
