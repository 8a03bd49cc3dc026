//! The producer: its events are on its own disk and in the stream. Killed and started anew, it goes
//! on where it was.

use std::{path::Path, thread, time::Duration};

use eventlog::{
    EventLog,
    disk::{DiskConfig, DiskWriter},
    nats::{self, JetStreamConfig},
    writer::WriterConfig,
};

use crate::{EVENTS, Event, end_with_parent, server::PATIENCE, until_it_works};

pub fn run(servers: &str, directory: &Path) {
    end_with_parent();
    let disk = DiskConfig::new(directory.join("events.log"));
    let (log, _) = EventLog::<Event>::recover(&disk).unwrap();
    let _local = DiskWriter::spawn(&log, disk.clone()).unwrap();
    let settings = WriterConfig::new("orders")
        .retry_max(Duration::from_secs(1))
        .forward_from::<Event>(disk.path());
    let config = JetStreamConfig::new(servers, "orders")
        .replicas(3)
        .ack_timeout(Duration::from_secs(2))
        .writer(settings);
    let writer = until_it_works(|| nats::blocking_spawn(&log, config.clone()));
    let next = log.newest_version().unwrap_or(0) + 1;
    for version in next..=EVENTS {
        log.append(Event { version });
        if version % 20 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    writer.blocking_flush(PATIENCE).unwrap();
    thread::park(); // until it is killed
}
