//! N04: what a power cut leaves of acknowledged events.
//!
//! The server writes to a file system in a file. What the kernel has written of that file when the
//! power goes is all that is left: a copy of it is put in its place. The file system commits nothing
//! by itself before the test has ended, so that only what the server syncs is there.

use std::{fs, path::PathBuf, process::Command};

use eventlog::{
    EventLog, Seq, nats,
    writer::{Gap, NotStored, WriterConfig},
};
use tempfile::TempDir;

use crate::{
    Heard, Tick, listener,
    server::{PATIENCE, Server},
    tick, versions, wait_until,
};

const EVENTS: u64 = 20_000;

/// A file system in a file, for a server to write to.
struct Disk(TempDir);

impl Disk {
    /// `None`, and says so, where that cannot be had.
    fn new() -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        fs::create_dir(disk.place()).unwrap();
        let file = fs::File::create(disk.file("now")).unwrap();
        file.set_len(256 << 20).unwrap();
        let made = run("mkfs.ext4", &["-q", "-F", &disk.file("now")]);
        if let Err(error) = made.and_then(|()| disk.mount("now")) {
            println!("NOT RUN: a power cut needs a file system of its own: {error}");
            return None;
        }
        Some(disk)
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Where it is mounted.
    fn place(&self) -> String {
        self.file("mounted")
    }

    fn mount(&self, name: &str) -> Result<(), String> {
        let options = ["-o", "loop,commit=600", &self.file(name), &self.place()];
        run("mount", &options)
    }

    /// Cuts the power of a server that writes here, and starts it on what is left.
    fn cut_power(&self, server: &mut Server) {
        server.signal("-STOP");
        fs::copy(self.file("now"), self.file("left")).unwrap();
        server.kill();
        run("umount", &[&self.place()]).unwrap();
        self.mount("left").unwrap();
        server.restart();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &["-l", &self.place()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// What is gone is not called durable before, and is told and counted afterwards.
#[test]
fn n04_what_a_power_cut_takes_is_told_and_was_never_durable() {
    let Some(disk) = Disk::new() else { return };
    let Some(mut server) = Server::start_with(&["-sd", &disk.place()]) else {
        return;
    };
    let heard = Heard::default();
    let settings = WriterConfig::new("orders").on_notice(listener(&heard));
    let log = EventLog::new(None);
    let writer = nats::blocking_spawn(&log, server.config().writer(settings)).unwrap();
    let newest = log.append_batch((1..=EVENTS).map(tick)).unwrap().last();
    writer.blocking_flush(PATIENCE).unwrap();
    let durable = writer.blocking_durable(newest);
    assert!(
        matches!(durable, Err(NotStored::NotSynced { .. })),
        "{durable:?}"
    );
    disk.cut_power(&mut server);
    writer
        .blocking_stored(log.append(tick(EVENTS + 1)))
        .unwrap();

    let lines = server.lines();
    let is_gap = |line: &String| Gap::parse(line.as_bytes()).is_some();
    let gaps: Vec<_> = lines
        .iter()
        .filter_map(|line| Gap::parse(line.as_bytes()))
        .collect();
    let lost: u64 = gaps.iter().map(|gap| gap.count).sum();
    let left: Vec<_> = lines.iter().filter(|line| !is_gap(line)).cloned().collect();
    println!("{lost} of {EVENTS} acknowledged events were lost");
    assert!(
        versions(&left)
            .into_iter()
            .eq((1..=EVENTS - lost).chain([EVENTS + 1])),
        "{} lines",
        lines.len()
    );
    wait_until(|| crate::stream::forgotten(&heard).iter().sum::<u64>() == lost);
}

#[test]
fn n04_what_is_durable_outlives_a_power_cut() {
    let Some(disk) = Disk::new() else { return };
    let file: PathBuf = disk.file("nats.conf").into();
    fs::write(&file, "jetstream { sync_interval: always }\n").unwrap();
    let arguments = ["-c", file.to_str().unwrap(), "-sd", &disk.place()];
    let Some(mut server) = Server::try_start_with(&arguments) else {
        println!("NOT RUN: there is no `nats-server` that knows `sync_interval` (2.10 or newer)");
        return;
    };
    let log = EventLog::<Tick>::new(None);
    let writer = nats::blocking_spawn(&log, server.config().assume_synced(true)).unwrap();
    for version in 1..=100 {
        writer.blocking_durable(log.append(tick(version))).unwrap();
    }
    log.append_batch((101..=EVENTS).map(tick));
    writer.blocking_durable(Seq::new(EVENTS)).unwrap();
    disk.cut_power(&mut server);
    let versions = versions(&server.lines());
    println!("{} of {EVENTS} durable events are left", versions.len());
    assert!(versions.into_iter().eq(1..=EVENTS));
}
