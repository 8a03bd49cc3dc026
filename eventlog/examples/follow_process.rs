//! Another process follows the file: `cargo run --example follow_process`.
//!
//! It needs nothing of the one that writes, not even that it runs. Where it stands is a text, with
//! which its next life goes on; here it has two lives.

use std::{env, error::Error, path::Path, process::Command, time::Duration};

use eventlog::{
    EventLog, Versioned,
    disk::{DiskConfig, DiskWriter, follow},
};

#[derive(Versioned, serde::Serialize, serde::Deserialize)]
struct Tick {
    version: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(path) = env::args_os().nth(1) {
        return be_follower(Path::new(&path));
    }
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("events.log");
    let log = EventLog::new(None);
    // Rotates in the middle of it, which the follower does not notice.
    let writer = DiskWriter::spawn(&log, DiskConfig::new(&path).max_bytes(1000))?;
    for life in 0..2 {
        let mut follower = Command::new(env::current_exe()?).arg(&path).spawn()?;
        for version in life * 50 + 1..=life * 50 + 50 {
            log.append(Tick { version });
            writer.blocking_flush(Duration::from_secs(10))?;
        }
        assert!(follower.wait()?.success());
    }
    Ok(())
}

/// Reads 50 events, wherever they are by now, and keeps its place for the next time.
fn be_follower(path: &Path) -> Result<(), Box<dyn Error>> {
    let kept = path.with_extension("place");
    let mut events = follow::<Tick>(path);
    if let Ok(place) = std::fs::read_to_string(&kept) {
        events = events.resuming(&place.parse()?)?;
    }
    let mut versions = Vec::new();
    while versions.len() < 50 {
        match events.next() {
            Some(record) => versions.extend(record?.into_event().map(|tick| tick.version)),
            None => drop(events.wait(Duration::from_secs(1))),
        }
    }
    println!("follower: versions {} to {}", versions[0], versions[49]);
    Ok(std::fs::write(kept, events.position().to_string())?)
}
