//! A log in memory, made durable, read back: `cargo run --example quickstart`.

use eventlog::{
    Coverage, EventLog, Versioned,
    disk::{self, DiskConfig, DiskWriter},
};

#[derive(Versioned, serde::Serialize, serde::Deserialize, Debug)]
enum Event {
    Started { pid: u32, version: u64 },
    Exited { pid: u32, code: i32, version: u64 },
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("events.log");
    let log = EventLog::new(None);
    let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;

    log.append(Event::Started { pid: 7, version: 1 });
    let cursor = log.cursor(); // a subscriber stands here, and goes away
    let last = log.append(Event::Exited {
        pid: 7,
        code: 0,
        version: 2,
    });

    let replay = log.replay(cursor); // it comes back: what has it missed?
    assert_eq!(replay.coverage(), Coverage::Complete);
    for event in &replay {
        println!("missed meanwhile: {event:?}");
    }

    writer.blocking_durable(last)?; // written, fsynced, and findable after a power cut
    for record in disk::read::<Event>(&path) {
        println!("on disk: {:?}", record?);
    }
    Ok(())
}
