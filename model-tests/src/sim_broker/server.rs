//! The broker's side: what it has, who may write, and what goes wrong next.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use eventlog::{
    Cursor, Epoch,
    writer::{Level, Meta},
};

/// A broker in memory. Clones are handles onto the same one.
///
/// It keeps records in the order in which they came, and knows the newest client that claimed it.
#[derive(Clone, Debug, Default)]
pub struct SimBroker {
    state: Arc<(Mutex<Server>, Condvar)>,
}

/// One record as the broker has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRecord {
    /// The event that it stands for, or the last one that it counts.
    pub cursor: Cursor,
    /// Whether it is a gap line.
    pub is_gap: bool,
    /// The line.
    pub line: String,
}

/// What goes wrong with the next request that stores a record, or asks what is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// The request does not arrive.
    LoseRequest,
    /// It arrives, and the answer does not.
    LoseAnswer,
}

#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) records: Vec<StoredRecord>,
    /// How many of the records a restart leaves.
    synced: usize,
    /// Whether each is synced before it is acknowledged.
    syncs: bool,
    pub(super) claim: u64,
    faults: VecDeque<Fault>,
    /// The longest line that is taken.
    pub(super) limit: Option<usize>,
    /// After how many records every request waits.
    stall_at: Option<usize>,
    waiting: bool,
}

impl SimBroker {
    /// A broker without records.
    ///
    /// ```
    /// # use model_tests::sim_broker::SimBroker;
    /// assert!(SimBroker::new().records().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What comes next: one for each request, in order.
    ///
    /// ```
    /// # use eventlog::{EventLog, writer::{Level, Writer, WriterConfig}};
    /// # use model_tests::{Tick, sim_broker::{Fault, SimBroker}};
    /// # use std::time::Duration;
    /// # let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// broker.then([Fault::LoseRequest, Fault::LoseAnswer]); // of the next two
    /// # let config = WriterConfig::new("broker").retry_min(Duration::from_millis(1));
    /// # let writer = Writer::spawn_to(&log, config, broker.destination(Level::new(1, true))).unwrap();
    /// writer.blocking_stored(log.append(Tick::new(7, 0))).unwrap();
    /// assert_eq!(broker.records().len(), 1); // once, whatever happened
    /// ```
    pub fn then(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().faults.extend(faults);
    }

    /// Refuses lines longer than this from now on.
    ///
    /// ```
    /// # use eventlog::{EventLog, disk::NotStored, writer::{Level, Writer, WriterConfig}};
    /// # use model_tests::{sim_broker::SimBroker, disk_model::Numbered};
    /// # let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// broker.limit(200);
    /// # let destination = broker.destination(Level::new(1, true));
    /// # let writer = Writer::spawn_to(&log, WriterConfig::new("broker"), destination).unwrap();
    /// let seq = log.append(Numbered::new(1, 300));
    /// assert_eq!(writer.blocking_stored(seq), Err(NotStored::Lost { seq }));
    /// assert!(broker.records()[0].is_gap); // in place of the event that was too long
    /// ```
    pub fn limit(&self, bytes: usize) {
        self.lock().limit = Some(bytes);
    }

    /// Has every request wait once there are this many records, until [`release`](Self::release).
    ///
    /// ```
    /// # use eventlog::{EventLog, writer::{Level, Writer, WriterConfig}};
    /// # use model_tests::{Tick, sim_broker::SimBroker};
    /// # let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// broker.stall_at(0);
    /// # let destination = broker.destination(Level::new(1, true));
    /// # let writer = Writer::spawn_to(&log, WriterConfig::new("broker"), destination).unwrap();
    /// let seq = log.append(Tick::new(7, 0)); // goes on as ever
    /// broker.wait_stalled();
    /// assert!(broker.records().is_empty());
    /// broker.release();
    /// assert!(writer.blocking_stored(seq).is_ok());
    /// ```
    pub fn stall_at(&self, records: usize) {
        self.lock().stall_at = Some(records);
    }

    /// Blocks until a request waits.
    ///
    /// ```
    /// # use eventlog::{EventLog, writer::{Level, Writer, WriterConfig}};
    /// # use model_tests::{Tick, sim_broker::SimBroker};
    /// # let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// # broker.stall_at(1);
    /// # let destination = broker.destination(Level::new(1, true));
    /// # let writer = Writer::spawn_to(&log, WriterConfig::new("broker"), destination).unwrap();
    /// log.append_batch([Tick::new(7, 0), Tick::new(8, 0)]);
    /// broker.wait_stalled(); // instead of a sleep: the second one is on its way
    /// assert_eq!(broker.records().len(), 1);
    /// broker.release();
    /// ```
    pub fn wait_stalled(&self) {
        let waited = self
            .state
            .1
            .wait_while(self.lock(), |server| !server.waiting);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets the request go on that waits.
    ///
    /// ```
    /// # use eventlog::{EventLog, writer::{Level, Writer, WriterConfig}};
    /// # use model_tests::{Tick, sim_broker::SimBroker};
    /// # let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// # broker.stall_at(0);
    /// # let destination = broker.destination(Level::new(1, true));
    /// # let writer = Writer::spawn_to(&log, WriterConfig::new("broker"), destination).unwrap();
    /// # let seq = log.append(Tick::new(7, 0));
    /// # broker.wait_stalled();
    /// broker.release();
    /// assert!(writer.blocking_stored(seq).is_ok());
    /// ```
    pub fn release(&self) {
        self.lock().stall_at = None;
        self.state.1.notify_all();
    }

    /// Makes all records durable.
    ///
    /// ```
    /// # use eventlog::{EventLog, writer::{Level, Writer, WriterConfig}};
    /// # use model_tests::{Tick, sim_broker::SimBroker};
    /// # let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// # let destination = broker.destination(Level::new(1, false));
    /// # let writer = Writer::spawn_to(&log, WriterConfig::new("broker"), destination).unwrap();
    /// # writer.blocking_stored(log.append(Tick::new(7, 0))).unwrap();
    /// # drop(writer);
    /// broker.sync();
    /// broker.restart();
    /// assert_eq!(broker.records().len(), 1);
    /// ```
    pub fn sync(&self) {
        let mut server = self.lock();
        server.synced = server.records.len();
    }

    /// Whether it syncs each record from now on before it acknowledges it. It does not unless told to.
    ///
    /// ```
    /// # use eventlog::writer::Level;
    /// # use model_tests::sim_broker::SimBroker;
    /// let broker = SimBroker::new();
    /// broker.sync_always(true);
    /// assert_eq!(broker.level(), Level::new(1, true));
    /// ```
    pub fn sync_always(&self, always: bool) {
        self.lock().syncs = always;
    }

    /// What its acknowledgements are worth.
    ///
    /// ```
    /// # use eventlog::writer::Level;
    /// # use model_tests::sim_broker::SimBroker;
    /// let broker = SimBroker::new();
    /// assert_eq!(broker.level(), Level::new(1, false)); // one machine, and no sync
    /// ```
    #[must_use]
    pub fn level(&self) -> Level {
        Level::new(1, self.lock().syncs)
    }

    /// Loses its power: what was not synced is gone.
    ///
    /// ```
    /// # use eventlog::{EventLog, writer::{Level, Writer, WriterConfig}};
    /// # use model_tests::{Tick, sim_broker::SimBroker};
    /// # let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// # let destination = broker.destination(Level::new(1, false));
    /// # let writer = Writer::spawn_to(&log, WriterConfig::new("broker"), destination).unwrap();
    /// # writer.blocking_stored(log.append(Tick::new(7, 0))).unwrap();
    /// # drop(writer);
    /// broker.restart();
    /// assert!(broker.records().is_empty()); // it was acknowledged, and not synced
    /// ```
    pub fn restart(&self) {
        let mut server = self.lock();
        let synced = server.synced;
        server.records.truncate(synced);
    }

    /// Another client claims it: whoever wrote before is refused from now on.
    ///
    /// ```
    /// # use model_tests::sim_broker::SimBroker;
    /// let broker = SimBroker::new();
    /// assert_ne!(broker.claim(), broker.claim()); // the first of the two may not write any more
    /// ```
    #[must_use = "a client has to know its claim"]
    pub fn claim(&self) -> u64 {
        let mut server = self.lock();
        server.claim += 1;
        server.claim
    }

    /// All records, in order.
    ///
    /// ```
    /// # use eventlog::{EventLog, writer::{Level, Writer, WriterConfig}};
    /// # use model_tests::{Tick, sim_broker::SimBroker};
    /// # let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// # let destination = broker.destination(Level::new(1, false));
    /// # let writer = Writer::spawn_to(&log, WriterConfig::new("broker"), destination).unwrap();
    /// # writer.blocking_stored(log.append(Tick::new(7, 0))).unwrap();
    /// let record = &broker.records()[0];
    /// assert_eq!((record.cursor.version(), record.is_gap), (7, false));
    /// ```
    #[must_use]
    pub fn records(&self) -> Vec<StoredRecord> {
        self.lock().records.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Server> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request, which may be lost on its way, and its answer on the way back.
    pub(super) fn request<T>(&self, act: impl FnOnce(&mut Server) -> T) -> Option<T> {
        let mut server = self.lock();
        while server.stall_at.is_some_and(|at| server.records.len() >= at) {
            server.waiting = true;
            self.state.1.notify_all();
            let woken = self.state.1.wait(server);
            server = woken.unwrap_or_else(PoisonError::into_inner);
            server.waiting = false;
        }
        match server.faults.pop_front().unwrap_or(Fault::None) {
            Fault::None => Some(act(&mut server)),
            Fault::LoseRequest => None,
            Fault::LoseAnswer => {
                act(&mut server);
                None
            }
        }
    }
}

impl Server {
    pub(super) fn store(&mut self, epoch: Epoch, meta: Meta, line: &[u8]) {
        self.records.push(StoredRecord {
            cursor: Cursor::from_parts(epoch, meta.seq, meta.version),
            is_gap: meta.is_gap,
            line: String::from_utf8_lossy(line).into_owned(),
        });
        if self.syncs {
            self.synced = self.records.len();
        }
    }
}
