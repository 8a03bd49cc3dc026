//! `eventlog` with its disk writer as a subject.

use std::{path::PathBuf, sync::Arc, time::Duration};

use eventlog::{
    EventLog,
    disk::{self, Damage, DiskConfig, DiskWriter, Record},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::subject::{
    adapter::{Event, Following, Line, Subject},
    case::Case,
    log::{Log, OpenError, Subscription},
};

/// How long a flush may take, also where the machine is busy.
const TIMEOUT: Duration = Duration::from_secs(30);

/// `eventlog::EventLog` with a `DiskWriter`, on events that `make` makes of a version and a pick.
#[derive(Clone, Copy, Debug)]
pub struct OnDisk<F>(pub F);

/// The log and its writer.
pub struct DiskLog<E> {
    log: Arc<EventLog<E>>,
    writer: DiskWriter<E>,
}

impl<E, F> Subject for OnDisk<F>
where
    E: Event + Serialize + DeserializeOwned,
    F: Fn(u64, u32) -> E + Send + Sync + 'static,
{
    type Event = E;
    type Log = DiskLog<E>;

    fn open(&self, case: &Case) -> Result<Self::Log, OpenError> {
        let log = Arc::new(EventLog::builder().capacity(case.capacity).build()?);
        let config = DiskConfig::new(path(case)?).max_bytes(case.max_file_bytes);
        let writer = DiskWriter::spawn(&log, config)?;
        Ok(DiskLog { log, writer })
    }

    fn event(&self, version: u64, pick: u32) -> E {
        (self.0)(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<E>>, OpenError> {
        Ok(disk::read(path(case)?).map(line).collect())
    }

    fn follow(&self, case: &Case) -> Result<Following<E>, OpenError> {
        let mut follow = disk::follow(path(case)?);
        Ok(Box::new(move || follow.next().map(line)))
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        let dir = case.dir()?;
        Ok(vec![dir.join("events.log.old"), dir.join("events.log")])
    }

    fn line(&self, event: &E) -> String {
        let json = serde_json::to_string(event);
        json.unwrap_or_else(|error| panic!("cannot write {event:?}: {error}")) + "\n"
    }
}

fn line<E: Event>(record: Result<Record<E>, Damage>) -> Line<E> {
    match record {
        Ok(Record::Event(event)) => Line::Event(event),
        Ok(Record::Gap(gap)) => Line::Gap(gap.count),
        Ok(other) => Line::Damage(format!("{other:?}")),
        Err(damage) => Line::Damage(format!("{damage}")),
    }
}

fn path(case: &Case) -> Result<PathBuf, OpenError> {
    Ok(case.dir()?.join("events.log"))
}

impl<E: Event> Log<E> for DiskLog<E> {
    fn append(&self, event: E) -> Option<u64> {
        Some(self.log.append(event).get())
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        self.log.events_since(since)
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.log.replay_truncated(since)
    }

    fn subscribe_stored(&self, since: u64) -> Box<dyn Subscription<E>> {
        Box::new(self.writer.subscribe(since))
    }

    fn flush(&self) -> Result<(), OpenError> {
        self.writer.blocking_flush(TIMEOUT)?;
        Ok(())
    }

    fn shutdown(self) -> Result<(), OpenError> {
        self.writer.blocking_shutdown(TIMEOUT)?;
        Ok(())
    }
}
