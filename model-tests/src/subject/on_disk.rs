//! `eventlog` with its writer as a subject: on a disk, or at a broker.

use std::{ops::RangeInclusive, path::PathBuf, sync::Arc, time::Duration};

use eventlog::{
    EventLog, SeqRange,
    disk::{
        self, Damage, DiskConfig, DiskWriter, Gap, NotStored, Reader, Record, RecoverError,
        Recovery,
    },
    writer::{Destination, Writer, WriterConfig},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    sim_broker::SimBroker,
    subject::{
        adapter::{Event, Following, Line, Subject},
        case::Case,
        log::{Log, OpenError, Replay, Subscription},
        sample::Sample,
    },
};

/// How long a flush may take, also where the machine is busy.
const TIMEOUT: Duration = Duration::from_secs(30);

/// `eventlog::EventLog` with a `DiskWriter`, or with a writer to a case's broker, on events that `make` makes of a version and a pick.
#[derive(Clone, Copy, Debug)]
pub struct OnDisk<F>(pub F);

/// The log and its writer.
pub struct DiskLog<E> {
    /// The number of the last event of the lives before.
    before: u64,
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
        if let Some(broker) = case.broker() {
            return DiskLog::at_broker(case, broker.destination(broker.level()));
        }
        // The pauses are short, so that a disk that is well again is soon found out.
        let config = DiskConfig::new(path(case)?)
            .max_bytes(case.max_file_bytes)
            .backlog_bytes(case.max_waiting_bytes)
            .retry_min(Duration::from_millis(1))
            .retry_max(Duration::from_millis(20))
            .drop_timeout(TIMEOUT);
        let builder = EventLog::builder().capacity(case.capacity);
        let (log, writer) = match case.disk() {
            None => {
                let log = recovered(builder.recover(&config), case)?;
                let writer = DiskWriter::spawn(&log, config)?;
                (log, writer)
            }
            Some(disk) => {
                let log = recovered(builder.recover_on(disk, &config), case)?;
                let writer = DiskWriter::spawn_on(&log, disk.clone(), config)?;
                (log, writer)
            }
        };
        Ok(DiskLog {
            before: log.cursor().seq().get(),
            log: Arc::new(log),
            writer,
        })
    }

    fn event(&self, version: u64, pick: u32) -> E {
        (self.0)(version, pick)
    }

    fn extreme_event(&self, _: u64, _: u32) -> Option<E> {
        None
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<E>>, OpenError> {
        if let Some(broker) = case.broker() {
            return Ok(read_broker(broker));
        }
        let path = path(case)?;
        Ok(match case.disk() {
            None => disk::read(path).map(line).collect(),
            Some(disk) => Reader::open(disk.clone(), path).map(line).collect(),
        })
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

/// [`OnDisk`] with [`Sample`]s: events of every kind, also of those that JSON cannot carry.
#[derive(Clone, Copy, Debug)]
pub struct SamplesOnDisk;

const SAMPLES: OnDisk<fn(u64, u32) -> Sample> = OnDisk(Sample::new);

impl Subject for SamplesOnDisk {
    type Event = Sample;
    type Log = DiskLog<Sample>;

    fn open(&self, case: &Case) -> Result<Self::Log, OpenError> {
        SAMPLES.open(case)
    }

    fn event(&self, version: u64, pick: u32) -> Sample {
        SAMPLES.event(version, pick)
    }

    fn extreme_event(&self, version: u64, pick: u32) -> Option<Sample> {
        Sample::extreme(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Sample>>, OpenError> {
        SAMPLES.read_back(case)
    }

    fn follow(&self, case: &Case) -> Result<Following<Sample>, OpenError> {
        SAMPLES.follow(case)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        SAMPLES.files(case)
    }

    fn line(&self, event: &Sample) -> String {
        SAMPLES.line(event)
    }
}

/// The log, or another one where its files cannot be read back: they can be written all the same.
fn recovered<E: Event>(
    recovered: Result<(EventLog<E>, Recovery), RecoverError>,
    case: &Case,
) -> Result<EventLog<E>, OpenError> {
    match recovered {
        Ok((log, _)) => Ok(log),
        Err(RecoverError::Unreadable { .. }) => {
            Ok(EventLog::builder().capacity(case.capacity).build()?)
        }
        Err(error) => Err(error.into()),
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

/// What a broker has.
pub(crate) fn read_broker<E: DeserializeOwned>(broker: &SimBroker) -> Vec<Line<E>> {
    let records = broker.records();
    let lines = records.iter().map(|record| {
        let bytes = record.line.as_bytes();
        if record.is_gap {
            return Line::Gap(Gap::parse(bytes).map_or(0, |gap| gap.count));
        }
        let event = serde_json::from_slice(bytes);
        event.map_or_else(|error| Line::Damage(error.to_string()), Line::Event)
    });
    lines.collect()
}

impl<E: Event + Serialize> DiskLog<E> {
    /// A log without files, whose writer has this destination.
    pub(crate) fn at_broker(
        case: &Case,
        destination: impl Destination + 'static,
    ) -> Result<Self, OpenError> {
        let config = WriterConfig::new("broker")
            .retry_min(Duration::ZERO)
            .retry_max(Duration::from_millis(1))
            .drop_timeout(TIMEOUT);
        let log = EventLog::builder().capacity(case.capacity).build()?;
        let writer = Writer::spawn_to(&log, config, destination)?;
        Ok(Self {
            before: 0,
            log: Arc::new(log),
            writer,
        })
    }
}

fn path(case: &Case) -> Result<PathBuf, OpenError> {
    Ok(case.dir()?.join("events.log"))
}

impl<E: Event> Log<E> for DiskLog<E> {
    fn append(&self, event: E) -> Option<u64> {
        Some(self.log.append(event).get() - self.before)
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        self.log.events_since(since)
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.log.replay_truncated(since)
    }

    fn cursor(&self) -> String {
        Log::cursor(&*self.log)
    }

    fn replay_after(&self, cursor: &str) -> Replay<E> {
        Log::replay_after(&*self.log, cursor)
    }

    fn subscribe_stored(&self, since: u64) -> Box<dyn Subscription<E>> {
        Box::new(self.writer.subscribe(since))
    }

    fn flush(&self) -> Result<(), OpenError> {
        self.writer.blocking_flush(TIMEOUT)?;
        let level = self.writer.level();
        if level.synced {
            return Ok(());
        }
        Err(format!("what is stored is on {level}: that is not durable").into())
    }

    fn shutdown(self) -> Result<(), OpenError> {
        self.writer.blocking_shutdown(TIMEOUT)?;
        Ok(())
    }

    fn shutdown_within(self, timeout: Duration) -> Result<(), Vec<u64>> {
        match self.writer.blocking_shutdown(timeout) {
            Ok(_) => Ok(()),
            Err(NotStored::Incomplete { missing, .. }) => {
                let numbers = missing.iter().copied().flat_map(numbers);
                Err(numbers.map(|number| number - self.before).collect())
            }
            Err(other) => panic!("a shutdown says what is missing: {other}"),
        }
    }
}

fn numbers(range: SeqRange) -> RangeInclusive<u64> {
    range.first().get()..=range.last().get()
}
