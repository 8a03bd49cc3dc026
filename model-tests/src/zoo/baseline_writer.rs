//! The baseline's disk writer as it stands: one write and one sync per event, fed by a
//! broadcast channel.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::sync::broadcast::{self, error::RecvError};

use super::file_reader::read_lines;
use crate::sim_disk::RealStorage;
use crate::subject::{
    adapter::{Line, Subject},
    case::Case,
    in_memory::Tick,
    log::{Log, OpenError},
};

/// Opens [`BaselineWriter`]s.
#[derive(Clone, Copy, Debug)]
pub struct BaselineWriterSubject;

/// A broadcast channel, and the thread that writes what comes out of it.
#[derive(Debug)]
pub struct BaselineWriter {
    live: Mutex<Option<broadcast::Sender<Tick>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Subject for BaselineWriterSubject {
    type Event = Tick;
    type Log = BaselineWriter;

    fn open(&self, case: &Case) -> Result<BaselineWriter, OpenError> {
        let (live, events) = broadcast::channel(case.capacity);
        let (path, max_bytes) = (path(case)?, case.max_file_bytes);
        let thread = thread::spawn(move || run(&path, max_bytes, events));
        Ok(BaselineWriter {
            live: Mutex::new(Some(live)),
            thread: Mutex::new(Some(thread)),
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Tick>>, OpenError> {
        Ok(read_lines(&RealStorage, &self.files(case)?, None)?)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        Ok(vec![path(case)?.with_extension("log.old"), path(case)?])
    }

    fn line(&self, event: &Tick) -> String {
        line(event)
    }
}

impl Log<Tick> for BaselineWriter {
    fn append(&self, event: Tick) -> Option<u64> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        // An error says only that the writer has stopped: the baseline goes on.
        live.as_ref()
            .and_then(|live| live.send(event).ok())
            .map(|_| ())
            .unwrap_or_default();
        None
    }

    fn events_since(&self, _: u64) -> Vec<Tick> {
        Vec::new()
    }

    fn replay_truncated(&self, _: u64) -> bool {
        false
    }

    /// It has no acknowledgement: the only way to know is to end the channel and the writer.
    fn flush(&self) -> Result<(), OpenError> {
        drop(
            self.live
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        match self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            Some(thread) => thread.join().map_err(|_| "the writer has panicked".into()),
            None => Ok(()),
        }
    }

    fn shutdown(self) -> Result<(), OpenError> {
        self.flush()
    }
}

fn line(event: &Tick) -> String {
    format!("{}\n", serde_json::json!(event))
}

fn path(case: &Case) -> Result<PathBuf, OpenError> {
    Ok(case.dir()?.join("events.log"))
}

/// Step by step what the baseline does. Where it logs a warning, this does nothing.
fn run(path: &Path, max_bytes: u64, mut events: broadcast::Receiver<Tick>) {
    let Ok(mut file) = open_for_append(path) else {
        return;
    };
    let mut bytes_written = file.metadata().map_or(0, |found| found.len());
    loop {
        match events.blocking_recv() {
            Ok(event) => {
                let line = line(&event);
                if bytes_written + line.len() as u64 > max_bytes {
                    let _ = std::fs::rename(path, path.with_extension("log.old"));
                    file = match open_for_append(path) {
                        Ok(file) => file,
                        Err(_) => return,
                    };
                    bytes_written = 0;
                }
                if file.write_all(line.as_bytes()).is_err() {
                    continue;
                }
                let _ = file.sync_data();
                bytes_written += line.len() as u64;
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn open_for_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}
