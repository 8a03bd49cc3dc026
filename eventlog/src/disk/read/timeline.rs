//! When each line was written and which number it has, and whether it is still the same.

use std::{
    collections::VecDeque,
    fmt, io,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    files::open_all,
    forward::{Advance, FileLines, MAX_LINE_BYTES},
    history::matching_files,
    line::Place,
    lines::Lines,
    log_file::LogFile,
    marks::read_marks,
    sums::Sum,
};
use crate::{
    disk::{
        format::{
            damage::{Damage, DamageKind, no_file_name, unreadable},
            marks::{Kind, Mark, Marks, Point},
            paths::Paths,
        },
        storage::{RealStorage, Storage},
    },
    seq::Seq,
    writer::gap::Gap,
};

/// What the [marks](crate::disk#marks) say of a log's files: when, which, and whether intact.
///
/// Taken at one moment. What is written later is not in it.
///
/// ```
/// use eventlog::disk::{self, DiskConfig, DiskWriter, Timeline};
/// # use eventlog::EventLog;
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// let log = EventLog::new(None);
/// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
/// log.append(Tick(7));
/// drop(writer); // stores it, and marks the end
///
/// let timeline = Timeline::of(&path);
/// for placed in disk::read::<Tick>(&path).with_places() {
///     let placed = placed?;
///     let stamp = timeline.stamp(&placed.place).unwrap();
///     assert_eq!(stamp.seq.unwrap().get(), 1);
///     println!("{:?} {}", stamp.time, placed.place);
/// }
/// assert!(timeline.verify().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Timeline<S: Storage = RealStorage> {
    storage: S,
    marked: MarkedFiles<S::File>,
}

/// The files of a log, the oldest first, and what of it cannot be read.
struct MarkedFiles<F> {
    paths: Option<Paths>,
    files: Vec<Marked<F>>,
    damage: Vec<Damage>,
}

/// A file of the log, and the marks that speak of it, in the order of their places.
struct Marked<F> {
    file: LogFile<F>,
    marks: Vec<Mark>,
}

/// What is known of a line.
///
/// ```
/// # use eventlog::{EventLog, disk::{self, DiskConfig, DiskWriter, Timeline}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.log");
/// # let log = EventLog::new(None);
/// # let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
/// # log.append_batch([Tick(7), Tick(8)]);
/// # drop(writer);
/// let newest = disk::read::<Tick>(&path).with_places().last().unwrap()?;
/// let stamp = Timeline::of(&path).stamp(&newest.place).unwrap();
/// assert_eq!(stamp.seq.unwrap().get(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stamp {
    /// Its sequence number; of a gap line, that of the last event that it counts. `None` where
    /// that is not known: the line's own number in the file is needed for it, which readers from the
    /// end do not know, and between two marks with a gap between them it is not told.
    pub seq: Option<Seq>,
    /// When it was written.
    pub time: Time,
}

/// When a line was written, as the clock said.
///
/// ```
/// # use std::time::SystemTime;
/// use eventlog::disk::Time;
///
/// let shown = |time| match time {
///     Time::Exact(_) => "",
///     Time::About { .. } => "~",
///     Time::After(_) => ">",
///     _ => "?",
/// };
/// assert_eq!(shown(Time::After(SystemTime::now())), ">");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Time {
    /// A mark was made right after it, within the second, or so as it was written.
    Exact(SystemTime),
    /// It was written between two marks, at about this time.
    About {
        /// Between the times of the two, in proportion to the bytes.
        time: SystemTime,
        /// The two. Where the clock was set back, the later may be the smaller.
        between: (SystemTime, SystemTime),
    },
    /// It was written after the newest mark, or the newest one of its life, which was made then.
    After(SystemTime),
}

impl Time {
    /// The one time that tells it best.
    ///
    /// ```
    /// # use std::time::SystemTime;
    /// # use eventlog::{EventLog, disk::{self, DiskConfig, DiskWriter, Timeline}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// # let log = EventLog::new(None);
    /// # let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// # log.append(Tick(7));
    /// # drop(writer);
    /// let newest = disk::read::<Tick>(&path).with_places().last().unwrap()?;
    /// let stamp = Timeline::of(&path).stamp(&newest.place).unwrap();
    /// assert!(stamp.time.best() <= SystemTime::now());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn best(&self) -> SystemTime {
        match *self {
            Self::Exact(time) | Self::About { time, .. } | Self::After(time) => time,
        }
    }
}

impl Timeline {
    /// What the marks of the log at `path` say. A log without marks has an empty one.
    ///
    /// ```
    /// # use eventlog::disk::Timeline;
    /// // Any file of JSON lines will do; without marks nothing is known of it.
    /// let timeline = Timeline::of("no-such.log");
    /// assert!(timeline.verify().is_empty());
    /// ```
    #[must_use]
    pub fn of(path: impl AsRef<Path>) -> Self {
        Self::open(RealStorage, path)
    }
}

impl<S: Storage> Timeline<S> {
    /// As [`of`](Timeline::of), from any storage.
    #[doc(hidden)]
    pub fn open(storage: S, path: impl AsRef<Path>) -> Self {
        let marked = match Paths::on(&storage, path.as_ref()) {
            Some(paths) => MarkedFiles::of(&storage, paths),
            None => MarkedFiles {
                paths: None,
                files: Vec::new(),
                damage: vec![no_file_name(path.as_ref())],
            },
        };
        Self { storage, marked }
    }

    /// What is known of the line at a place; `None` where no mark speaks of its file, or of what
    /// stands before it.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::{self, DiskConfig, DiskWriter, Timeline}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// # let log = EventLog::new(None);
    /// # let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// # log.append_batch([Tick(7), Tick(8)]);
    /// # drop(writer);
    /// let timeline = Timeline::of(&path);
    /// for placed in disk::read::<Tick>(&path).with_places() {
    ///     let placed = placed?;
    ///     let stamp = timeline.stamp(&placed.place).unwrap();
    ///     println!("{:?} {:?} {:?}", stamp.seq, stamp.time, placed.record);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stamp(&self, place: &Place) -> Option<Stamp> {
        let marks = self.marks_of(&place.file)?;
        let next = marks.partition_point(|mark| mark.at.offset <= place.offset);
        let before = marks[..next].last();
        let after = marks.get(next);
        Some(Stamp {
            seq: before.and_then(|before| seq_between(before, after, place.line?)),
            time: time_between(before, after, place)?,
        })
    }

    /// Each file, the oldest first, with the marks that speak of it.
    pub(super) fn marked(&self) -> impl Iterator<Item = (&Path, &[Mark])> {
        let files = self.marked.files.iter();
        files.map(|marked| (&*marked.file.path, &*marked.marks))
    }

    fn marks_of(&self, path: &Arc<Path>) -> Option<&[Mark]> {
        // By their bytes: to take paths apart costs more than the rest.
        let is_it = |file: &&Marked<S::File>| file.file.path.as_os_str() == path.as_os_str();
        let file = self.marked.files.iter().find(is_it)?;
        Some(&file.marks)
    }

    /// Everything that was written at `time` or later, and at most a second or so of what was
    /// written before it: the lines after the last mark that is surely before that. Nothing that
    /// lies before is read.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// use eventlog::disk::Timeline;
    /// # let path = "no-such.log";
    /// # #[derive(serde::Deserialize)]
    /// # struct Tick(u64);
    /// let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    /// for record in Timeline::of(path).since(hour_ago).records::<Tick>() {
    ///     println!("{:?}", record?.into_event().map(|tick| tick.0));
    /// }
    /// # Ok::<(), eventlog::disk::Damage>(())
    /// ```
    pub fn since(self, time: SystemTime) -> Lines<S> {
        let (files, at, damage) = self.marked.since(time);
        Lines::of_files(self.storage, files, (at.offset, at.line), damage)
    }

    /// The lines that come after the event of this number. `None` where the marks do not tell, or
    /// there is no such line, or not yet. Reads from the last mark before that, and nothing that
    /// lies before.
    ///
    /// ```
    /// # use eventlog::{EventLog, Seq, disk::{DiskConfig, DiskWriter, Timeline}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// # let log = EventLog::new(None);
    /// # let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// # log.append_batch((1..=3).map(Tick));
    /// # drop(writer);
    /// // A consumer that has kept the number of the last event that it dealt with.
    /// let rest = Timeline::of(&path).after(Seq::new(1)).expect("the marks know it");
    /// assert_eq!(rest.records::<Tick>().count(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn after(self, seq: Seq) -> Option<Lines<S>> {
        let (index, at) = self.place_after(seq.get())?;
        let (files, damage) = self.marked.from(index);
        let place = (at.offset, at.line);
        Some(Lines::of_files(self.storage, files, place, damage))
    }

    fn place_after(&self, seq: u64) -> Option<(usize, Point)> {
        let (first, mut at) = self.marked.last_mark_through(seq)?;
        let mut passed = at.seq?;
        for (index, marked) in self.marked.files.iter().enumerate().skip(first) {
            let open = marked.file.reopened(&self.storage)?;
            let mut lines = FileLines::at(open, MAX_LINE_BYTES, at.line, at.offset);
            while let Advance::Found = lines.advance(&self.storage).ok()? {
                let Ok(line) = lines.found() else { return None };
                if passed == seq {
                    at.line = line.number?.saturating_sub(1);
                    at.offset = line.offset;
                    return Some((index, at));
                }
                passed = passed.checked_add(Gap::parse(line.bytes).map_or(1, |gap| gap.count))?;
                if passed > seq {
                    return None; // a gap line counts it
                }
            }
            at = Point::default();
        }
        None
    }

    /// Reads all that has marks, and says which stretches are not what was written: an item for each
    /// stretch between two marks that has another checksum. None for a log that is intact.
    ///
    /// A byte that was changed is found, also where the line is still JSON; so is a file that was
    /// replaced. What stands after the newest mark has no checksum yet, and where the stretch that ends
    /// at that mark was changed, no mark counts any more: there is nothing to compare with, and
    /// [`stamp`](Self::stamp) is `None` for every line.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, Timeline}};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// # let log = EventLog::new(None);
    /// # let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// # writer.durable(log.append(Tick(1))).await?;
    /// # log.append_batch([Tick(2), Tick(3)]);
    /// # drop(writer);
    /// assert!(Timeline::of(&path).verify().is_empty());
    /// std::fs::write(&path, "9\n2\n3\n")?; // somebody changes what was
    /// assert_eq!(Timeline::of(&path).verify().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn verify(&self) -> Vec<Damage> {
        self.marked.verify(&self.storage)
    }
}

impl<F> MarkedFiles<F> {
    fn of<S: Storage<File = F>>(storage: &S, paths: Paths) -> Self {
        // Before the files: a mark that comes later would speak of what was not looked at.
        let marks = read_marks(storage, &paths.marks);
        let (files, mut damage) = open_all(storage, &paths);
        let unread = damage.iter().filter_map(|found| paths.name_of(&found.file));
        let unread = unread.max();
        let marks = match marks {
            Ok((marks, _)) => marks,
            Err(error) => {
                damage.push(unreadable(paths.marks.clone(), 0, &error));
                Marks::default()
            }
        };
        let numbers = matching_files(storage, &paths, marks.list(), &files);
        let marked = files.into_iter().zip(numbers).map(|(file, number)| {
            // They are counted from the newest: not past one that is not among them.
            let number = number.filter(|_| paths.name_of(&file.path) > unread);
            let of_file = |mark: &&Mark| Some(mark.at.file) == number;
            let before = marks.list().iter().filter_map(Mark::beginning_of_next);
            let before = before.filter(|mark| of_file(&mark));
            let of_file = marks.list().iter().filter(of_file).cloned();
            let mut marks: Vec<_> = before.chain(of_file).collect();
            marks.sort_by_key(|mark| mark.at.offset);
            Marked { file, marks }
        });
        Self {
            files: marked.collect(),
            paths: Some(paths),
            damage,
        }
    }

    /// The files from the last mark before this time on, where in the first of them it is, and what
    /// cannot be read of them.
    fn since(self, time: SystemTime) -> (VecDeque<LogFile<F>>, Point, Vec<Damage>) {
        let Some((index, at)) = self.last_mark_before(time) else {
            let files = self.files.into_iter().map(|marked| marked.file);
            return (files.collect(), Point::default(), self.damage);
        };
        let (files, damage) = self.from(index);
        (files, at, damage)
    }

    /// The files from this one on, and what cannot be read of them.
    fn from(mut self, index: usize) -> (VecDeque<LogFile<F>>, Vec<Damage>) {
        let first = &self.files[index].file.path;
        if let Some(paths) = &self.paths {
            let name = paths.name_of(first);
            self.damage
                .retain(|found| paths.name_of(&found.file) > name);
        }
        let files = self.files.into_iter().skip(index);
        (files.map(|marked| marked.file).collect(), self.damage)
    }

    /// The last mark before this time, in the order of the marks: the clock may have been set back.
    fn last_mark_before(&self, time: SystemTime) -> Option<(usize, Point)> {
        let mut last = None;
        for (index, marked) in self.files.iter().enumerate() {
            for mark in &marked.marks {
                if mark.time().is_none_or(|made| made >= time) {
                    return last;
                }
                last = Some((index, mark.at));
            }
        }
        last
    }

    /// The last mark that has nothing after this number before it.
    fn last_mark_through(&self, seq: u64) -> Option<(usize, Point)> {
        let mut last = None;
        for (index, marked) in self.files.iter().enumerate() {
            for mark in &marked.marks {
                if mark.fresh {
                    last = None; // what stands before it has no numbers
                }
                if mark.at.seq.is_some_and(|known| known <= seq) {
                    last = Some((index, mark.at));
                }
            }
        }
        last
    }

    /// The stretches that are not what was written, and what cannot be read.
    fn verify<S: Storage<File = F>>(&self, storage: &S) -> Vec<Damage> {
        let mut damage = self.damage.clone();
        for marked in &self.files {
            let verified = marked
                .file
                .with(storage, |file| verify_file(storage, file, marked));
            damage.extend(verified.unwrap_or_else(|gone| vec![gone]));
        }
        damage
    }
}

/// The stretches of a log that are not what was written, and what cannot be read of it.
pub(super) fn verify<S: Storage>(storage: &S, paths: &Paths) -> Vec<Damage> {
    MarkedFiles::of(storage, paths.clone()).verify(storage)
}

/// The files of a log with what was written at a time or later; where in the first of them that
/// begins; and what of it cannot be read.
pub(super) fn files_since<S: Storage>(
    storage: &S,
    paths: &Paths,
    time: SystemTime,
) -> (VecDeque<LogFile<S::File>>, Sum, Vec<Damage>) {
    let (files, at, damage) = MarkedFiles::of(storage, paths.clone()).since(time);
    (files, at.into(), damage)
}

/// The number of the line that is the `line`-th of its file, as its neighbours tell.
fn seq_between(before: &Mark, after: Option<&Mark>, line: u64) -> Option<Seq> {
    let seq = before.at.seq?;
    let ahead = line.checked_sub(before.at.line)?;
    if let Some(after) = after {
        let lines = after.at.line.checked_sub(before.at.line)?;
        let events = after.at.seq?.checked_sub(seq)?;
        // Only where no gap line counts several.
        if lines != events {
            return None;
        }
    }
    Some(Seq::new(seq.checked_add(ahead)?))
}

fn time_between(before: Option<&Mark>, after: Option<&Mark>, place: &Place) -> Option<Time> {
    // An opening tells when the next life began, and nothing of the end of the one before.
    let Some(after) = after.filter(|after| after.kind != Kind::Opened) else {
        return Some(Time::After(before?.time()?));
    };
    if place.line == Some(after.at.line) {
        return Some(Time::Exact(after.time()?));
    }
    let before = before?;
    let (from, to) = (before.time()?, after.time()?);
    let span = to.duration_since(from).unwrap_or_default().as_millis();
    let bytes = u128::from(after.at.offset - before.at.offset);
    let passed = u128::from(place.offset - before.at.offset);
    let millis = u64::try_from(span * passed / bytes).ok()?;
    let time = from.checked_add(Duration::from_millis(millis))?;
    Some(Time::About {
        time,
        between: (from, to),
    })
}

fn verify_file<S: Storage>(storage: &S, file: &S::File, marked: &Marked<S::File>) -> Vec<Damage> {
    let mut damage = Vec::new();
    let mut from = Sum::default();
    for mark in &marked.marks {
        let to = Sum::from(mark.at);
        match from.read_to(storage, file, to.offset) {
            Ok(found) if found == to => {}
            Ok(_) => damage.push(altered(&marked.file.path, from, to)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                damage.push(altered(&marked.file.path, from, to));
                break;
            }
            Err(error) => {
                damage.push(unreadable(marked.file.path.clone(), from.offset, &error));
                break;
            }
        }
        // What follows is judged by itself: one stretch tells nothing of the next.
        from = to;
    }
    damage
}

fn altered(path: &Path, from: Sum, to: Sum) -> Damage {
    Damage {
        file: path.to_path_buf(),
        line: Some(from.lines + 1),
        offset: from.offset,
        len: to.offset - from.offset,
        kind: DamageKind::Altered {
            lines: to.lines.saturating_sub(from.lines),
        },
    }
}

impl<S: Storage> fmt::Debug for Timeline<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marks = self
            .marked
            .files
            .iter()
            .map(|file| (&file.file.path, file.marks.len()));
        f.debug_map().entries(marks).finish()
    }
}
