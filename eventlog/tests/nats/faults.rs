//! N01 and N02: what is lost on the way, and who may write.

use std::{
    thread,
    time::{Duration, Instant},
};

use eventlog::{
    EventLog, Seq,
    disk::{DiskConfig, DiskWriter},
    nats,
    writer::{NotStored, WriterConfig},
};

use crate::{
    Tick,
    cluster::spawn,
    log_of,
    server::{PATIENCE, Server},
    tick, versions,
};

/// Appends events while something is done to the server, and sees that the stream has each once.
fn survives(mut server: Server, faults: impl FnOnce(&mut Server)) {
    const EVENTS: u64 = 20_000;
    let log = EventLog::new(None);
    let writer = spawn(&log, &server.impatient());
    let longest = thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            for version in 1..=EVENTS {
                let began = Instant::now();
                log.append(tick(version));
                longest = longest.max(began.elapsed());
                if version % 10 == 0 {
                    thread::sleep(Duration::from_micros(500));
                }
            }
            longest
        });
        faults(&mut server);
        appending.join().unwrap()
    });
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(EVENTS)));
    let versions = versions(&server.lines());
    assert!(
        versions.iter().copied().eq(1..=EVENTS),
        "{} lines",
        versions.len()
    );
    println!("the longest append took {longest:?}");
}

#[test]
fn n01_five_kills_lose_and_double_nothing() {
    let Some(server) = Server::start() else {
        return;
    };
    survives(server, |server| {
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(150));
            server.kill();
            thread::sleep(Duration::from_millis(50));
            server.restart();
        }
    });
}

#[test]
fn n01_a_server_that_stops_and_goes_on_loses_and_doubles_nothing() {
    let Some(server) = Server::start() else {
        return;
    };
    survives(server, |server| {
        for millis in [50, 3000] {
            thread::sleep(Duration::from_millis(150));
            server.signal("-STOP");
            thread::sleep(Duration::from_millis(millis));
            server.signal("-CONT");
        }
    });
}

#[test]
fn n01_a_restart_sends_nothing_twice() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=5);
    for round in 1..=3 {
        let writer = nats::blocking_spawn(&log, server.config()).unwrap();
        log.append(tick(5 + round));
        writer.blocking_shutdown(PATIENCE).unwrap();
    }
    assert_eq!(versions(&server.lines()), (1..=8).collect::<Vec<_>>());
    // Another life, with events of before in its ring: recovered, say.
    let next = log_of(4..=10);
    let writer = nats::blocking_spawn(&next, server.config()).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap();
    assert_eq!(versions(&server.lines()), (1..=10).collect::<Vec<_>>());
}

#[test]
fn n02_of_two_writers_the_first_is_fenced_and_ends() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of([1]);
    let first = nats::blocking_spawn(&log, server.config()).unwrap();
    first.blocking_stored(Seq::new(1)).unwrap();
    let other = log_of([1]);
    let second = nats::blocking_spawn(&other, server.config()).unwrap();
    // It has written nothing yet.
    let refused = first.blocking_stored(log.append(tick(2))).unwrap_err();
    assert!(matches!(refused, NotStored::Fenced { .. }), "{refused}");
    assert!(refused.to_string().contains("orders"), "{refused}");
    assert!(first.blocking_shutdown(PATIENCE).is_err(), "it has ended");
    second.blocking_stored(other.append(tick(3))).unwrap();
    assert_eq!(versions(&server.lines()), [1, 3]);
}

#[test]
fn n02_writers_that_take_over_from_each_other_leave_one_order() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = EventLog::new(None);
    let mut writer = nats::blocking_spawn(&log, server.config()).unwrap();
    for version in 1..=2_000 {
        log.append(tick(version));
        if version % 400 == 0 {
            writer = nats::blocking_spawn(&log, server.config()).unwrap();
        }
    }
    writer.blocking_flush(PATIENCE).unwrap();
    assert_eq!(versions(&server.lines()), (1..=2_000).collect::<Vec<_>>());
}

/// With a backlog alone, an outage of an hour was a gap of an hour.
#[test]
fn n01_a_long_outage_is_bridged_from_the_disk() {
    let Some(server) = Server::start() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.log");
    let log = EventLog::builder().capacity(100).build().unwrap();
    let disk = DiskWriter::spawn(&log, DiskConfig::new(&path)).unwrap();
    let settings = WriterConfig::new("orders")
        .backlog_events(100)
        .retry_max(Duration::from_millis(100))
        .forward_from::<Tick>(&path);
    let writer = spawn(&log, &server.impatient().writer(settings));
    server.signal("-STOP");
    for version in 1..=20_000 {
        log.append(tick(version));
        if version % 50 == 0 {
            disk.blocking_flush(PATIENCE).unwrap();
        }
    }
    server.signal("-CONT");
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(20_000)));
    assert_eq!(writer.stats().lost, 0);
    let versions = versions(&server.lines());
    assert!(
        versions.iter().copied().eq(1..=20_000),
        "{} lines",
        versions.len()
    );
}

/// What was stored on disk while no server was there, over a restart.
#[test]
fn n01_a_recovered_log_goes_on_where_the_stream_stands() {
    let Some(server) = Server::start() else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let disk = DiskConfig::new(directory.path().join("events.log"));
    let log = EventLog::new(None);
    let local = DiskWriter::spawn(&log, disk.clone()).unwrap();
    let writer = nats::blocking_spawn(&log, server.config()).unwrap();
    log.append_batch((1..=100).map(tick));
    writer.blocking_shutdown(PATIENCE).unwrap();
    log.append_batch((101..=10_000).map(tick));
    local.blocking_shutdown(PATIENCE).unwrap();
    drop((local, writer, log));

    let (log, _) = EventLog::<Tick>::builder()
        .capacity(50)
        .recover(&disk)
        .unwrap();
    let _local = DiskWriter::spawn(&log, disk.clone()).unwrap();
    let settings = WriterConfig::new("orders").forward_from::<Tick>(disk.path());
    let writer = nats::blocking_spawn(&log, server.config().writer(settings)).unwrap();
    log.append(tick(10_001));
    writer.blocking_flush(PATIENCE).unwrap();
    let versions = versions(&server.lines());
    assert!(
        versions.iter().copied().eq(1..=10_001),
        "{} lines",
        versions.len()
    );
}
