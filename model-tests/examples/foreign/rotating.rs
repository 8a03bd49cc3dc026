//! JSON lines in the rotating file of the crate `file-rotate`, which programs write their logs with.
//!
//! Its verdicts: W04 is broken, for after a crash in the middle of a line the next event is written
//! behind the torn one, and both are lost. W10 is broken, for nothing keeps a second program from the
//! same file, and each rotates what the other writes. Lines have the bytes that they should (W13).

use std::{fs, io::Write as _, path::PathBuf, sync::Mutex};

use file_rotate::{ContentLimit, FileRotate, compression::Compression, suffix::AppendCount};
use model_tests::{Case, Line, Log, OpenError, Subject, Tick, Versioned};

#[derive(Clone)]
pub struct Rotating;

pub struct Lines {
    file: Mutex<FileRotate<AppendCount>>,
    events: Mutex<Vec<Tick>>,
}

// ---- the adapter ---------------------------------------------------------------------------

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
        let mut lines = Vec::new();
        for path in self.files(case)?.iter().filter(|path| path.exists()) {
            let bytes = fs::read(path)?;
            for line in bytes
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                lines.push(match serde_json::from_slice(line) {
                    Ok(event) => Line::Event(event),
                    Err(error) => Line::Damage(error.to_string()),
                });
            }
        }
        Ok(lines)
    }

    fn line(&self, event: &Tick) -> String {
        serde_json::to_string(event).unwrap() + "\n"
    }
}

impl Log<Tick> for Lines {
    fn append(&self, event: Tick) -> Option<u64> {
        let line = serde_json::to_string(&event).unwrap() + "\n";
        self.file
            .lock()
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
        self.events.lock().unwrap().push(event);
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter(|event| event.version() > since)
            .cloned()
            .collect()
    }

    fn flush(&self) -> Result<(), OpenError> {
        Ok(self.file.lock().unwrap().flush()?)
    }

    fn shutdown(self) -> Result<(), OpenError> {
        Log::<Tick>::flush(&self)
    }
}
