//! A small log with a file: lines wait in memory until somebody flushes.

use std::{
    collections::VecDeque,
    fmt,
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    file_reader::{follow_by_place, follow_lines, gap_line, read_lines},
    file_writer::{Writer, suffixed},
};
use crate::{
    sim_disk::{RealStorage, Storage},
    subject::{
        adapter::{Following, Line, Subject},
        case::Case,
        log::{Log, OpenError},
        sample::Sample,
    },
    zoo::bugs::FileBug,
};

/// A log that only writes: what it retains in memory is no matter here.
pub struct FileLog {
    bug: Option<FileBug>,
    queue: Mutex<Queue>,
    /// A write has failed, and none has worked since.
    failed: AtomicBool,
    /// Held while the disk is asked, which may take long.
    writer: Mutex<Box<dyn Store>>,
}

/// The lines that are not written yet.
#[derive(Debug)]
struct Queue {
    bug: Option<FileBug>,
    lines: VecDeque<String>,
    bytes: usize,
    /// How many events were lost since the last line.
    lost: u64,
    most_lines: usize,
    most_bytes: usize,
    appended: u64,
    /// The numbers of the events in the queue, of a log that can say what it left.
    numbers: VecDeque<u64>,
}

/// A writer, wherever it writes to.
trait Store: Send {
    fn store(&mut self, lines: &mut VecDeque<String>) -> std::io::Result<()>;
}

impl<S: Storage> Store for Writer<S>
where
    S::File: Send,
{
    fn store(&mut self, lines: &mut VecDeque<String>) -> std::io::Result<()> {
        Writer::store(self, lines)
    }
}

impl fmt::Debug for FileLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLog")
            .field("bug", &self.bug)
            .finish_non_exhaustive()
    }
}

/// Opens [`FileLog`]s of events of every kind.
#[derive(Clone, Copy, Debug)]
pub struct FileSubject {
    /// What is wrong with them.
    pub bug: Option<FileBug>,
}

impl Subject for FileSubject {
    type Event = Sample;
    type Log = FileLog;

    fn open(&self, case: &Case) -> Result<FileLog, OpenError> {
        FileLog::open(case, self.bug, usize::MAX)
    }

    fn event(&self, version: u64, pick: u32) -> Sample {
        Sample::new(version, pick)
    }

    fn extreme_event(&self, version: u64, pick: u32) -> Option<Sample> {
        Sample::extreme(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Sample>>, OpenError> {
        let mut files = self.files(case)?;
        if self.bug == Some(FileBug::ReaderSkipsOld) {
            files.remove(0);
        }
        Ok(match case.disk() {
            Some(disk) => read_lines(disk, &files, self.bug)?,
            None => read_lines(&RealStorage, &files, self.bug)?,
        })
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        let path = case.dir()?.join("naive.log");
        Ok(vec![suffixed(&path, ".old"), path])
    }

    fn follow(&self, case: &Case) -> Result<Following<Sample>, OpenError> {
        let mut files = self.files(case)?;
        if self.bug == Some(FileBug::FollowsAPlace) {
            return Ok(follow_by_place(files.remove(1)));
        }
        if self.bug == Some(FileBug::FollowsOneName) {
            files.remove(0);
        }
        Ok(follow_lines(files, self.bug))
    }

    fn line(&self, event: &Sample) -> String {
        line(event)
    }
}

/// Opens sound logs that lose what does not fit into a short queue, and say so in the file.
#[derive(Clone, Copy, Debug)]
pub struct LossyFileSubject;

const SOUND: FileSubject = FileSubject { bug: None };

impl Subject for LossyFileSubject {
    type Event = Sample;
    type Log = FileLog;

    fn open(&self, case: &Case) -> Result<FileLog, OpenError> {
        FileLog::open(case, None, case.capacity)
    }

    fn event(&self, version: u64, pick: u32) -> Sample {
        SOUND.event(version, pick)
    }

    fn extreme_event(&self, version: u64, pick: u32) -> Option<Sample> {
        SOUND.extreme_event(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Sample>>, OpenError> {
        SOUND.read_back(case)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        SOUND.files(case)
    }

    fn follow(&self, case: &Case) -> Result<Following<Sample>, OpenError> {
        SOUND.follow(case)
    }

    fn line(&self, event: &Sample) -> String {
        SOUND.line(event)
    }
}

fn line(event: &Sample) -> String {
    let json = serde_json::to_string(event);
    json.unwrap_or_else(|error| panic!("cannot write an event: {error}")) + "\n"
}

impl FileLog {
    fn open(case: &Case, bug: Option<FileBug>, most_lines: usize) -> Result<Self, OpenError> {
        let path = case.dir()?.join("naive.log");
        let writer: Box<dyn Store> = match case.disk() {
            Some(disk) => Box::new(Writer::open(disk.clone(), path, case, bug)?),
            None => Box::new(Writer::open(RealStorage, path, case, bug)?),
        };
        let most_lines = match bug {
            Some(FileBug::DropsWhenBehind) => case.capacity,
            _ => most_lines,
        };
        let queue = Queue {
            bug,
            lines: VecDeque::new(),
            bytes: 0,
            lost: 0,
            most_lines,
            most_bytes: case.max_waiting_bytes,
            appended: 0,
            numbers: VecDeque::new(),
        };
        Ok(Self {
            bug,
            queue: Mutex::new(queue),
            failed: AtomicBool::new(false),
            writer: Mutex::new(writer),
        })
    }

    /// The event's line; `None` if it would not be read back as it is.
    fn faithful(&self, event: &Sample) -> Option<String> {
        let line = line(event);
        match self.bug {
            Some(FileBug::WritesUnchecked) => Some(line),
            Some(FileBug::RoundsFloats) => Some(rounded(&line)),
            _ => {
                let read = serde_json::from_str::<Sample>(&line);
                read.is_ok_and(|read| read == *event).then_some(line)
            }
        }
    }
}

/// The line with the floats in it made shorter.
fn rounded(line: &str) -> String {
    fn round(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Array(values) => values.iter_mut().for_each(round),
            serde_json::Value::Object(fields) => fields.values_mut().for_each(round),
            serde_json::Value::Number(number) if number.is_f64() => {
                let near = number.as_f64().unwrap_or_default() as f32;
                *value = f64::from(near).into();
            }
            _ => {}
        }
    }
    let Ok(mut value) = serde_json::from_str(line) else {
        return line.to_owned();
    };
    round(&mut value);
    format!("{value}\n")
}

impl FileLog {
    fn has(&self, bug: FileBug) -> bool {
        self.bug == Some(bug)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits, and makes it durable.
    fn store(&self) -> Result<(), OpenError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut queue = self.queue();
        let mut lines = queue.take();
        if self.has(FileBug::WritesBackwards) {
            lines.make_contiguous().reverse();
        }
        if self.has(FileBug::SyncsUnderItsLock) {
            let result = writer.store(&mut lines);
            queue.put_back(lines);
            return Ok(result?);
        }
        drop(queue);
        let result = writer.store(&mut lines);
        self.failed.store(result.is_err(), Ordering::SeqCst);
        self.queue().put_back(lines);
        Ok(result?)
    }
}

impl Queue {
    fn push(&mut self, line: Option<String>, tells: bool, bounded: bool) {
        self.appended += 1;
        let fits = |line: &String| {
            !bounded
                || self.lines.len() < self.most_lines && self.bytes + line.len() <= self.most_bytes
        };
        match line {
            Some(line) if fits(&line) => {
                self.declare(tells);
                self.bytes += line.len();
                self.lines.push_back(line);
                self.numbers.push_back(self.appended);
            }
            Some(_) if self.bug == Some(FileBug::BacklogUncounted) => {}
            _ => self.lost += 1,
        }
    }

    fn declare(&mut self, tells: bool) {
        let mut lost = std::mem::take(&mut self.lost);
        if self.bug == Some(FileBug::CountsOneShort) && lost > 1 {
            lost -= 1;
        }
        if lost > 0 && tells {
            self.lines.push_back(gap_line(lost));
        }
    }

    fn take(&mut self) -> VecDeque<String> {
        self.bytes = 0;
        std::mem::take(&mut self.lines)
    }

    fn put_back(&mut self, mut lines: VecDeque<String>) {
        let gaps = |lines: &VecDeque<String>| {
            lines
                .iter()
                .filter(|line| line.starts_with("{\"gap\""))
                .count()
        };
        lines.append(&mut self.lines);
        self.bytes = lines.iter().map(String::len).sum();
        let events = lines.len() - gaps(&lines);
        self.lines = lines;
        let stored = self.numbers.len().saturating_sub(events);
        self.numbers.drain(..stored);
    }
}

impl Log<Sample> for FileLog {
    fn append(&self, event: Sample) -> Option<u64> {
        let line = self.faithful(&event);
        let failed = self.failed.load(Ordering::SeqCst);
        assert!(
            !(failed && self.has(FileBug::PanicsAfterAnError)),
            "the log could not be written"
        );
        let tells = !self.has(FileBug::DropsWhenBehind);
        let bounded = !self.has(FileBug::QueueWithoutBound);
        self.queue().push(line, tells, bounded);
        match self.bug {
            Some(FileBug::FailsInAppend) => self
                .store()
                .unwrap_or_else(|error| panic!("cannot write to the log: {error}")),
            Some(FileBug::WritesInAppend) => drop(self.store()),
            _ => {}
        }
        None
    }

    fn events_since(&self, _: u64) -> Vec<Sample> {
        Vec::new()
    }

    fn replay_truncated(&self, _: u64) -> bool {
        false
    }

    fn flush(&self) -> Result<(), OpenError> {
        if self.has(FileBug::AcknowledgesBeforeWriting) {
            return Ok(());
        }
        self.queue().declare(!self.has(FileBug::DropsWhenBehind));
        self.store()
    }

    fn shutdown(self) -> Result<(), OpenError> {
        match self.bug {
            Some(FileBug::ShutdownDropsBuffer) => {
                self.queue().take();
                Ok(())
            }
            Some(FileBug::AcknowledgesBeforeWriting) => {
                self.queue().declare(true);
                self.store()
            }
            _ => self.flush(),
        }
    }

    fn shutdown_within(self, _: Duration) -> Result<(), Vec<u64>> {
        let result = self.flush();
        let queue = self.queue();
        match result {
            Err(_) if self.has(FileBug::ShutdownHidesTheRest) => Ok(()),
            Err(_) if self.has(FileBug::ShutdownNamesAll) => Err((1..=queue.appended).collect()),
            Err(_) => Err(queue.numbers.iter().copied().collect()),
            Ok(()) => Ok(()),
        }
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        if !self.has(FileBug::DropForgets) {
            // Nobody is left who could be told.
            let _ = self.store();
        }
    }
}
