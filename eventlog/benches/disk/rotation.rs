//! What an event costs that has its file rotated, by how many full files are kept.

use std::fs;

use eventlog::{
    EventLog,
    disk::{DiskConfig, DiskWriter},
};

use crate::{
    directory,
    support::{
        event::Event,
        measure::{Pair, compare, ns_each},
    },
};

/// Rotations of a round.
const ROTATIONS: u64 = 30;

/// A rotation of a log that keeps `keep` full files and has them, beside one that keeps two.
pub fn keeping(keep: u32, rounds: usize) -> Pair {
    compare(rounds, || rotations(2), || rotations(keep))
}

/// Nanoseconds of an event that is made durable in a file of its own.
fn rotations(keep: u32) -> f64 {
    let directory = directory();
    let path = directory.path().join("x.log");
    let line = serde_json::to_string(&Event::new(1)).unwrap() + "\n";
    for number in 1..keep {
        let name = format!("x.log.old.{number:010}");
        fs::write(directory.path().join(name), &line).unwrap();
    }
    fs::write(directory.path().join("x.log.old"), &line).unwrap();
    fs::write(&path, &line).unwrap();
    let log = EventLog::new(None);
    let config = DiskConfig::new(path).max_bytes(1).keep(keep);
    let writer = DiskWriter::spawn(&log, config).unwrap();
    let count = usize::try_from(ROTATIONS).unwrap();
    ns_each(count, || {
        for version in 1..=ROTATIONS {
            let seq = log.append(Event::new(version));
            writer.blocking_durable(seq).unwrap();
        }
    })
}
