//! JSON lines in the rotating file of the crate `file-rotate`, which programs write their logs with.
//!
//! Its verdicts: W04 is broken, for after a crash in the middle of a line the next event is written
//! behind the torn one, and both are lost. W10 is broken, for nothing keeps a second program from the
//! same file, and each rotates what the other writes. Lines have the bytes that they should (W13).

use std::{io::Write as _, path::PathBuf, sync::Mutex};

use file_rotate::{ContentLimit, FileRotate, compression::Compression, suffix::AppendCount};
use model_tests::{
    Case, Line, Log, OpenError, Subject, Tick, Versioned, json_line, read_json_lines,
};

// ---- the adapter ---------------------------------------------------------------------------

#[derive(Clone)]
pub struct Rotating;

pub struct Lines {
    file: Mutex<FileRotate<AppendCount>>,
    events: Mutex<Vec<Tick>>,
}

impl Subject for Rotating {
    type Event = Tick;
    type Log = Lines;

    fn open(&self, case: &Case) -> Result<Lines, OpenError> {
        let limit = ContentLimit::BytesSurpassed(usize::try_from(case.max_file_bytes)?);
        let path = case.dir()?.join("x.log");
        let file = FileRotate::new(path, AppendCount::new(1), limit, Compression::None, None);
        Ok(Lines {
            file: Mutex::new(file),
            events: Mutex::default(),
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        let dir = case.dir()?;
        Ok(vec![dir.join("x.log.1"), dir.join("x.log")])
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Tick>>, OpenError> {
        read_json_lines(self.files(case)?)
    }

    fn line(&self, event: &Tick) -> String {
        json_line(event)
    }
}

impl Log<Tick> for Lines {
    fn append(&self, event: Tick) -> Option<u64> {
        let mut file = self.file.lock().unwrap();
        file.write_all(json_line(&event).as_bytes()).unwrap();
        self.events.lock().unwrap().push(event);
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let mut events = self.events.lock().unwrap().clone();
        events.retain(|event| event.version() > since);
        events
    }

    fn flush(&self) -> Result<(), OpenError> {
        Ok(self.file.lock().unwrap().flush()?)
    }

    fn shutdown(self) -> Result<(), OpenError> {
        Log::<Tick>::flush(&self)
    }
}
