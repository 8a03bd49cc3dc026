//! A sound log whose records are not lines is accused of nothing by the laws about lines.

#![allow(clippy::unwrap_used)]

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::PathBuf,
    sync::Mutex,
};

use model_tests::{
    Budget, Capability, Case, Line, Log, OpenError, Subject, Tick, check,
    laws::{W03, W04, W05},
};

/// Each record is the length of its JSON in four bytes, and the JSON.
#[derive(Clone)]
struct Records;

struct RecordLog {
    file: Mutex<File>,
}

impl Subject for Records {
    type Event = Tick;
    type Log = RecordLog;

    fn open(&self, case: &Case) -> Result<RecordLog, OpenError> {
        let path = path(case)?;
        let bytes = fs::read(&path).unwrap_or_default();
        let (_, torn) = records(&bytes);
        if !torn.is_empty() {
            let mut aside = (1..).map(|number| path.with_extension(format!("torn.{number}")));
            fs::write(aside.find(|name| !name.exists()).unwrap(), torn)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.set_len((bytes.len() - torn.len()) as u64)?;
        let file = Mutex::new(file);
        Ok(RecordLog { file })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Tick>>, OpenError> {
        let bytes = fs::read(path(case)?).unwrap_or_default();
        let (records, torn) = records(&bytes);
        let torn = (!torn.is_empty()).then(|| Line::Damage("torn".into()));
        Ok(records.into_iter().map(Line::Event).chain(torn).collect())
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        Ok(vec![path(case)?])
    }
}

fn path(case: &Case) -> Result<PathBuf, OpenError> {
    Ok(case.dir()?.join("records"))
}

/// The whole records, and the bytes after them.
fn records(mut bytes: &[u8]) -> (Vec<Tick>, &[u8]) {
    let mut events = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk() {
        let len = u32::from_le_bytes(*len) as usize;
        let json = rest.get(..len).unwrap_or_default();
        let Ok(event) = serde_json::from_slice(json) else {
            break;
        };
        events.push(event);
        bytes = &rest[len..];
    }
    (events, bytes)
}

impl Log<Tick> for RecordLog {
    fn append(&self, event: Tick) -> Option<u64> {
        let json = serde_json::to_vec(&event).unwrap();
        let len = u32::try_from(json.len()).unwrap().to_le_bytes();
        let record = [&len[..], &json].concat();
        self.file.lock().unwrap().write_all(&record).unwrap();
        None
    }

    fn events_since(&self, _: u64) -> Vec<Tick> {
        Vec::new()
    }

    fn flush(&self) -> Result<(), OpenError> {
        Ok(self.file.lock().unwrap().sync_all()?)
    }

    fn shutdown(self) -> Result<(), OpenError> {
        self.flush()
    }
}

#[test]
fn records_that_are_no_lines_are_whole_as_well() {
    let mut budget = Budget::default();
    budget.lacks = &[Capability::JsonLines, Capability::Storage];
    for law in [&W03, &W04, &W05] {
        let report = check(&Records, law, &budget).unwrap_or_else(|broken| panic!("{broken}"));
        println!("{} {}\n{report}", law.id, law.name);
    }
}
