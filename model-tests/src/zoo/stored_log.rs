//! A log with a file that is written only when it is flushed, and a reader of what was written.

use std::{
    fs::OpenOptions,
    hash::{BuildHasher as _, RandomState},
    io::Write,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use eventlog::{Coverage, Versioned};

use super::{bugs::StoredBug, file_reader::read_lines};
use crate::{
    sim_disk::RealStorage,
    subject::{
        adapter::{Line, Subject},
        case::Case,
        in_memory::Tick,
        log::{Log, OpenError, Received, Replay, Subscription},
    },
};

/// Opens [`StoredLog`]s.
#[derive(Clone, Copy, Debug)]
pub struct StoredSubject {
    /// What is wrong with them.
    pub bug: Option<StoredBug>,
}

/// A log that writes what it has when it is flushed.
#[derive(Debug)]
pub struct StoredLog(Arc<Mutex<Writer>>);

#[derive(Debug)]
struct Writer {
    bug: Option<StoredBug>,
    /// What tells its cursors from those of other lives.
    life: u64,
    path: PathBuf,
    /// Every event there ever was: what is retained is no matter here.
    events: Vec<Tick>,
    stored: usize,
}

impl Subject for StoredSubject {
    type Event = Tick;
    type Log = StoredLog;

    fn open(&self, case: &Case) -> Result<StoredLog, OpenError> {
        Ok(StoredLog(Arc::new(Mutex::new(Writer {
            bug: self.bug,
            life: match self.bug {
                Some(StoredBug::SameLife) => 1,
                _ => RandomState::new().hash_one(case.capacity),
            },
            path: path(case)?,
            events: Vec::new(),
            stored: 0,
        }))))
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Tick>>, OpenError> {
        Ok(read_lines(&RealStorage, &self.files(case)?, None)?)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        Ok(vec![path(case)?])
    }
}

impl Log<Tick> for StoredLog {
    fn append(&self, event: Tick) -> Option<u64> {
        let mut writer = lock(&self.0);
        writer.events.push(event);
        Some(writer.events.len() as u64)
    }

    fn events_since(&self, _: u64) -> Vec<Tick> {
        lock(&self.0).events.clone()
    }

    fn cursor(&self) -> String {
        let writer = lock(&self.0);
        format!("{}.{}", writer.life, writer.events.len())
    }

    fn replay_after(&self, cursor: &str) -> Replay<Tick> {
        let writer = lock(&self.0);
        let (life, seen) = cursor.split_once('.').unwrap_or_default();
        let seen = seen.parse().unwrap_or(usize::MAX);
        let newest = writer.events.last().map(Versioned::version);
        let (coverage, from) = if life != writer.life.to_string() {
            (Coverage::Foreign, 0)
        } else if seen > writer.events.len() {
            let newest = newest.unwrap_or(0);
            (Coverage::Ahead { newest }, writer.events.len())
        } else {
            (Coverage::Complete, seen)
        };
        Replay {
            events: writer.events[from..].to_vec(),
            coverage,
            newest,
        }
    }

    fn subscribe_stored(&self, _: u64) -> Box<dyn Subscription<Tick>> {
        Box::new(Reader {
            log: self.0.clone(),
            next: 0,
        })
    }

    fn flush(&self) -> Result<(), OpenError> {
        lock(&self.0).write()
    }

    fn shutdown(self) -> Result<(), OpenError> {
        self.flush()
    }
}

impl Writer {
    fn write(&mut self) -> Result<(), OpenError> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        for event in &self.events[self.stored..] {
            writeln!(file, "{}", serde_json::to_string(event)?)?;
        }
        file.sync_data()?;
        self.stored = self.events.len();
        Ok(())
    }

    /// How many events its readers are given.
    fn readable(&self) -> usize {
        match self.bug {
            Some(StoredBug::DeliversAtOnce) => self.events.len(),
            // One batch too far: that of the flush that is yet to come.
            Some(StoredBug::DeliversOneAhead) if self.stored > 0 => {
                self.events.len().min(self.stored + 1)
            }
            _ => self.stored,
        }
    }
}

struct Reader {
    log: Arc<Mutex<Writer>>,
    next: usize,
}

impl Subscription<Tick> for Reader {
    fn try_recv(&mut self) -> Received<Tick> {
        let writer = lock(&self.log);
        match writer.events[..writer.readable()].get(self.next) {
            Some(event) => {
                self.next += 1;
                Received::Event(event.clone())
            }
            None => Received::Empty,
        }
    }
}

fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

fn path(case: &Case) -> Result<PathBuf, OpenError> {
    Ok(case.dir()?.join("stored.log"))
}
