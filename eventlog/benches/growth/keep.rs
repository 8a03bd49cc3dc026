//! What costs with the full files that are kept, from 1 to 500.

use std::{fs, hint::black_box};

use eventlog::{
    EventLog,
    disk::{self, DiskConfig, DiskWriter},
};
use tempfile::TempDir;

use crate::{
    directory,
    series::{Cost, Effort, Expected, Group},
    support::{
        event::Event,
        measure::{cpu_each, ns_each},
    },
};

const KEPT: [usize; 5] = [1, 2, 10, 100, 500];
/// Rotations of a round.
const ROTATIONS: u64 = 10;

pub fn all(effort: &Effort) -> Group {
    let kept = effort.sizes(&KEPT);
    let logs: Vec<_> = kept
        .iter()
        .map(|keep| (*keep, log_of(*keep, 100)))
        .collect();
    let mut rotation = Cost::new(
        "a rotation",
        "a durable event in a file of its own, by the wall's clock",
        Expected::FlatFrom(2),
    );
    for keep in kept {
        rotation = rotation.at(*keep, || rotations(*keep));
    }
    let read_last = Cost::new("read_last(10)", "of files of 100 lines", Expected::Linear)
        .over(&logs, read_last);
    Group::measure("files", effort, vec![rotation, read_last])
}

/// A log with all the full files that it keeps, of so many lines each.
fn log_of(keep: usize, lines: u64) -> TempDir {
    let directory = directory();
    let line = |version| serde_json::to_string(&Event::new(version)).unwrap() + "\n";
    let text: String = (1..=lines).map(line).collect();
    let write = |name: &str| fs::write(directory.path().join(name), &text).unwrap();
    for number in 1..keep {
        write(&format!("x.log.old.{number:010}"));
    }
    write("x.log.old");
    write("x.log");
    directory
}

fn rotations(keep: usize) -> f64 {
    let directory = log_of(keep, 1);
    let log = EventLog::new(None);
    let config = DiskConfig::new(directory.path().join("x.log"));
    let config = config.max_bytes(1).keep(keep as u32);
    let writer = DiskWriter::spawn(&log, config).unwrap();
    ns_each(ROTATIONS as usize, || {
        for version in 1..=ROTATIONS {
            let seq = log.append(Event::new(version));
            writer.blocking_durable(seq).unwrap();
        }
    })
}

fn read_last(directory: &TempDir) -> f64 {
    let path = directory.path().join("x.log");
    cpu_each(1, || {
        black_box(disk::read_last::<Event>(&path, 10));
    })
}
