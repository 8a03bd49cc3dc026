//! What a byte costs until it is durable, with the size of the event that it is in.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::Duration,
};

use eventlog::{
    EventLog, Versioned,
    disk::{DiskConfig, DiskWriter},
};
use serde::Serialize;

use crate::{
    directory,
    series::{Cost, Effort, Expected, Group},
    sizes::SIZES,
    support::measure::ns_each,
};

/// Bytes of a burst, about.
const BURST: usize = 8 << 20;
/// What the bare loop writes at once.
const WRITE: usize = 1 << 20;
/// More than a flush takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Serialize)]
struct Text {
    version: u64,
    text: String,
}

impl Versioned for Text {
    fn version(&self) -> u64 {
        self.version
    }
}

pub fn all(effort: &Effort) -> Group {
    let sizes = effort.sizes(&SIZES).iter();
    let bursts: Vec<_> = sizes.map(|size| (*size, burst(*size))).collect();
    let costs = vec![
        Cost::new(
            "disk, per byte",
            "a burst of 8 MiB until it is durable, by the wall's clock",
            Expected::Flat,
        )
        .over(&bursts, |burst| ours(burst.clone())),
        Cost::new(
            "  bare loop",
            "the same lines serialised, written and synced once",
            Expected::Compared,
        )
        .over(&bursts, |burst| bare_loop(burst)),
    ];
    Group::measure("bytes", effort, costs)
}

/// Events whose lines are about so long.
fn burst(size: usize) -> Vec<Text> {
    const FRAME: usize = r#"{"version":1000,"text":""}"#.len() + 1;
    let text = "x".repeat(size.saturating_sub(FRAME));
    let event = |version| Text {
        version,
        text: text.clone(),
    };
    // No more than the backlog has room for.
    (1..).map(event).take((BURST / size).min(1 << 17)).collect()
}

fn ours(burst: Vec<Text>) -> f64 {
    let directory = directory();
    let path = directory.path().join("x.log");
    let log = EventLog::new(None);
    let config = DiskConfig::new(&path).max_bytes(1 << 40);
    let writer = DiskWriter::spawn(&log, config).unwrap();
    // So that the file is there.
    writer
        .blocking_durable(log.append(burst[0].clone()))
        .unwrap();
    let ns = ns_each(1, || {
        for event in burst {
            log.append(event);
        }
        writer.blocking_flush(PATIENCE).unwrap();
    });
    ns / length(&path)
}

fn bare_loop(burst: &[Text]) -> f64 {
    let directory = directory();
    let path = directory.path().join("x.log");
    let mut file = File::create(&path).unwrap();
    file.sync_all().unwrap();
    let mut lines = Vec::new();
    let ns = ns_each(1, || {
        for event in burst {
            serde_json::to_writer(&mut lines, event).unwrap();
            lines.push(b'\n');
            if lines.len() >= WRITE {
                file.write_all(&lines).unwrap();
                lines.clear();
            }
        }
        file.write_all(&lines).unwrap();
        file.sync_data().unwrap();
    });
    ns / length(&path)
}

fn length(path: &Path) -> f64 {
    fs::metadata(path).unwrap().len() as f64
}
