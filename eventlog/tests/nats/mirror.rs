//! N03: a cursor of one mirror is honoured or refused on another, and never misread.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use eventlog::{
    Coverage, Cursor, EventLog, RecvError, Seq,
    nats::{self, Mirror, MirrorConfig},
    writer::Writer,
};

use crate::{
    Tick, answered, copy, log_of,
    server::{PATIENCE, Server},
    tick, wait_until,
};

fn config(server: &Server) -> MirrorConfig {
    MirrorConfig::new(server.url(), "orders")
}

fn open(server: &Server) -> Mirror<Tick> {
    opened(&config(server))
}

/// A mirror gives a server two seconds to answer.
pub fn opened(config: &MirrorConfig) -> Mirror<Tick> {
    answered(|| Mirror::blocking_open(config.clone()))
}

fn writer(server: &Server, log: &EventLog<Tick>) -> Writer<Tick> {
    let writer = nats::blocking_spawn(log, server.config()).unwrap();
    writer.blocking_flush(PATIENCE).unwrap();
    writer
}

fn wait_for(mirror: &Mirror<Tick>, number: u64) {
    wait_until(|| mirror.stats().newest >= Seq::new(number));
}

fn versions_after(log: &EventLog<Tick>, cursor: &Cursor) -> (Coverage, Vec<u64>) {
    let replay = log.replay(cursor);
    let versions = replay.iter().map(|tick| tick.version).collect();
    (replay.coverage(), versions)
}

#[test]
fn n03_a_cursor_is_good_on_every_mirror_and_over_restarts_of_all() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let log = log_of(1..=600);
    let first = writer(&server, &log);
    let one = open(&server);
    let mut reader = one.log().subscribe(590);
    for version in 591..=600 {
        assert_eq!(reader.blocking_recv().unwrap().version, version);
    }
    let cursor = reader.cursor();
    // Of another mirror, and of one that is started anew.
    let two = open(&server);
    first.blocking_stored(log.append(tick(601))).unwrap();
    for mirror in [&one, &two, &open(&server)] {
        wait_for(mirror, 601);
        let answer = versions_after(&mirror.log(), &cursor);
        assert_eq!(answer, (Coverage::Complete, vec![601]));
    }
    // Over a restart of the server, and of the producer.
    server.kill();
    server.restart();
    drop((first, log));
    let log = log_of(600..=601);
    let second = writer(&server, &log);
    second.blocking_stored(log.append(tick(602))).unwrap();
    for mirror in [&one, &two, &open(&server)] {
        wait_for(mirror, 602);
        let answer = versions_after(&mirror.log(), &cursor);
        assert_eq!(answer, (Coverage::Complete, vec![601, 602]));
    }
    // The subscription ends with the log that it had, and goes on at the next.
    assert_eq!(reader.blocking_recv().unwrap().version, 601);
    assert_eq!(reader.blocking_recv().err(), Some(RecvError::Closed));
    let mut reader = one.log().subscribe(reader.cursor());
    assert!(reader.coverage().is_complete());
    assert_eq!(reader.blocking_recv().unwrap().version, 602);
    // The producer's own cursors are of another count.
    assert_eq!(one.log().replay(log.cursor()).coverage(), Coverage::Foreign);
}

#[test]
fn n03_a_mirror_that_is_behind_says_so() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=10);
    let _writer = writer(&server, &log);
    let mirror = open(&server);
    let newest = mirror.log().cursor();
    let later = Cursor::from_parts(newest.epoch(), Seq::new(15), 15);
    let coverage = mirror.log().replay(later).coverage();
    assert_eq!(coverage, Coverage::Ahead { newest: 10 });
}

#[test]
fn n03_what_the_stream_has_lost_makes_a_cursor_foreign() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=10);
    let first = writer(&server, &log);
    let mirror = open(&server);
    let cursor = mirror.log().cursor();
    first.blocking_shutdown(PATIENCE).unwrap();
    server.with(async |context| context.delete_stream("orders").await.unwrap());
    // Other events get the same numbers.
    let other = log_of(101..=120);
    let _second = writer(&server, &other);
    wait_until(|| mirror.log().newest_version() == Some(120));
    assert_eq!(mirror.log().replay(cursor).coverage(), Coverage::Foreign);
    assert_eq!(
        open(&server).log().replay(cursor).coverage(),
        Coverage::Foreign
    );
}

/// A power cut took events back, and the next writer gave their numbers to others: a mirror that was
/// started after that took the cursor of the one before for good.
#[test]
fn n03_a_cursor_of_what_a_power_cut_took_back_is_foreign_on_every_mirror() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let first = writer(&server, &log_of(1..=5));
    server.kill();
    let saved = tempfile::tempdir().unwrap();
    copy(server.directory.path(), saved.path());
    server.restart();
    drop(first);
    let log = log_of(5..=9);
    let second = writer(&server, &log);
    second.blocking_flush(PATIENCE).unwrap();
    let mirror = open(&server);
    let seen: Vec<_> = mirror
        .log()
        .replay(0)
        .with_cursors()
        .map(|(at, _)| at)
        .collect();
    drop(second);

    // The life of the second writer is gone as a whole; nobody knows it.
    server.kill();
    std::fs::remove_dir_all(server.directory.path().join("jetstream")).unwrap();
    copy(saved.path(), server.directory.path());
    server.restart();
    let third = writer(&server, &log_of([5, 60, 70, 80, 90]));
    wait_until(|| mirror.log().newest_version() == Some(90));
    for mirror in [&mirror, &open(&server)] {
        let coverage = mirror.log().replay(seen[8]).coverage();
        assert_eq!(coverage, Coverage::Foreign);
    }

    // Of a life that is left in part, cursors are good as far as it is.
    let mirror = open(&server);
    let before = mirror.log().cursor();
    third.blocking_shutdown(PATIENCE).unwrap();
    server.kill();
    let saved = tempfile::tempdir().unwrap();
    copy(server.directory.path(), saved.path());
    server.restart();
    let again = log_of([90]);
    let fourth = writer(&server, &again);
    fourth.blocking_stored(again.append(tick(100))).unwrap();
    wait_for(&mirror, 10);
    let kept = mirror.log().cursor();
    // Else it might notice what is gone, and write a gap.
    drop(fourth);
    server.kill();
    std::fs::remove_dir_all(server.directory.path().join("jetstream")).unwrap();
    copy(saved.path(), server.directory.path());
    server.restart();
    let _fifth = writer(&server, &log_of([90, 101]));
    wait_until(|| mirror.log().newest_version() == Some(101));
    for mirror in [&mirror, &open(&server)] {
        let answer = versions_after(&mirror.log(), &before);
        assert_eq!(answer, (Coverage::Complete, vec![101]));
        assert_eq!(mirror.log().replay(kept).coverage(), Coverage::Foreign);
    }
}

/// A writer that was not shut down has sent its last events when the next one claims; the server
/// then falls back into its life.
#[test]
fn n03_a_life_that_is_left_in_part_is_good_up_to_there() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let log = log_of(1..=5);
    let first = writer(&server, &log);
    server.kill();
    let saved = tempfile::tempdir().unwrap();
    copy(server.directory.path(), saved.path());
    server.restart();
    first.blocking_stored(log.append(tick(6))).unwrap();
    let mirror = open(&server);
    let cursors: Vec<_> = mirror
        .log()
        .replay(0)
        .with_cursors()
        .map(|(at, _)| at)
        .collect();
    first.blocking_shutdown(PATIENCE).unwrap();
    server.kill();
    std::fs::remove_dir_all(server.directory.path().join("jetstream")).unwrap();
    copy(saved.path(), server.directory.path());
    server.restart();
    // Another event has the number, and even the version.
    let _second = writer(&server, &log_of([5, 6, 61]));
    wait_until(|| mirror.log().newest_version() == Some(61));
    for mirror in [&mirror, &open(&server)] {
        let answer = versions_after(&mirror.log(), &cursors[4]);
        assert_eq!(answer, (Coverage::Complete, vec![6, 61]));
        let lost = mirror.log().replay(cursors[5]).coverage();
        assert_eq!(lost, Coverage::Foreign);
    }
}

#[test]
fn a_gap_in_the_stream_is_told_as_truncated() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = EventLog::builder().capacity(3).build().unwrap();
    log.append_batch((1..=3).map(tick));
    let first = writer(&server, &log);
    let mirror = open(&server);
    let cursor = mirror.log().cursor();
    first.blocking_shutdown(PATIENCE).unwrap();
    log.append_batch((4..=10).map(tick));
    let second = nats::blocking_spawn(&log, server.config()).unwrap();
    second.blocking_flush(PATIENCE).unwrap_err();
    let truncated = Coverage::Truncated {
        missed_through: 7,
        missed: Some(4),
    };
    for mirror in [&mirror, &open(&server)] {
        wait_for(mirror, 10);
        let answer = versions_after(&mirror.log(), &cursor);
        assert_eq!(answer, (truncated, vec![8, 9, 10]));
    }
}

#[test]
fn what_is_older_than_a_mirror_remembers_is_fetched_once_for_all() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=4000);
    let _writer = writer(&server, &log);
    let messages = server.state().messages;
    let mirror = Arc::new(opened(&config(&server).capacity(100)));
    let newest = mirror.log().cursor();
    assert_eq!(newest.seq(), Seq::new(4000));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let start = Cursor::from_parts(newest.epoch(), Seq::new(1000), 1000);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let mirror = mirror.clone();
            runtime.spawn(async move {
                let mut backfill = mirror.backfill(&start);
                let (mut versions, mut cursor) = (Vec::new(), start);
                while let Some(events) = backfill.next().await.unwrap() {
                    versions.extend(events.iter().map(|tick| tick.version));
                    cursor = events.cursor();
                }
                let log = mirror.log();
                let (coverage, rest) = versions_after(&log, &cursor);
                assert_eq!(coverage, Coverage::Complete);
                let rest = rest
                    .into_iter()
                    .skip_while(|version| *version <= cursor.version());
                versions.extend(rest);
                versions
            })
        })
        .collect();
    for task in tasks {
        let versions = runtime.block_on(task).unwrap();
        assert!(
            versions.iter().copied().eq(1001..=4000),
            "{}",
            versions.len()
        );
    }
    let fetched = mirror.stats().fetched;
    assert!(
        (1..=messages).contains(&fetched),
        "{fetched} of {messages} messages"
    );
}

/// What was fetched was kept by its place in the stream, also when that was made anew: its readers
/// were given events of the stream before.
#[test]
fn n03_what_was_fetched_of_a_stream_is_not_told_of_the_next() {
    let Some(server) = Server::start() else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let write = |versions: std::ops::RangeInclusive<u64>| {
        let writer = writer(&server, &log_of(versions));
        writer.blocking_shutdown(PATIENCE).unwrap();
    };
    write(1..=2000);
    let mirror = opened(&config(&server).capacity(10));
    let fetched = |version: u64| {
        let epoch = mirror.log().epoch();
        let start = Cursor::from_parts(epoch, Seq::new(5), version);
        let events = runtime.block_on(mirror.backfill(&start).next());
        let events = events.unwrap().expect("the stream has them");
        events.iter().next().unwrap().version
    };
    assert_eq!(fetched(5), 6);
    server.with(async |context| context.delete_stream("orders").await.unwrap());
    write(10_001..=12_000);
    wait_until(|| mirror.log().newest_version() == Some(12_000));
    assert_eq!(fetched(10_005), 10_006);
}

/// A server stops at 1,000 messages where it waits for answers to them.
#[test]
fn a_mirror_takes_any_number_of_messages() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=1);
    let writer = writer(&server, &log);
    let mirror = open(&server);
    for version in 2..=1500 {
        log.append(tick(version));
        writer.blocking_flush(PATIENCE).unwrap();
    }
    wait_for(&mirror, 1500);
    assert!(server.state().messages > 1400, "each has its own");
}

#[test]
fn a_stream_and_its_mirror_show_where_they_are() {
    let Some(server) = Server::start() else {
        return;
    };
    let stream = server.config().on_subject("shop.orders");
    assert_eq!(stream.subject(), "shop.orders");
    let shown = format!("{stream:?}");
    let url = server.url();
    let parts = [&url[..], "\"orders\"", "\"shop.orders\"", "writer: "];
    assert!(parts.iter().all(|part| shown.contains(part)), "{shown}");
    let log = log_of(1..=9);
    let _writer = writer(&server, &log);
    let config = config(&server).capacity(2);
    assert!(format!("{config:?}").contains("capacity: 2"), "{config:?}");
    let mirror = opened(&config);
    wait_for(&mirror, 9);
    let start = Cursor::from_parts(mirror.log().epoch(), Seq::new(3), 3);
    let mut backfill = mirror.backfill(&start);
    let text = format!("{mirror:?} {backfill:?}");
    assert!(text.contains(&format!("cursor: {start:?}")), "{text}");
    assert!(text.contains("fetched: 0"), "{text}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let events = runtime.block_on(backfill.next()).unwrap().unwrap();
    let (text, cursor) = (format!("{events:?}"), events.cursor());
    assert!(text.contains(&format!("cursor: {cursor:?}")), "{text}");
}

/// With the client's default heartbeat it took 30 s.
#[test]
fn a_killed_server_is_noticed_soon_and_followed_again() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let log = log_of(1..=10);
    let writer = writer(&server, &log);
    let mirror = open(&server);
    wait_until(|| mirror.stats().is_connected);
    let noticed = || {
        server.signal("-STOP");
        let stopped = Instant::now();
        wait_until(|| !mirror.stats().is_connected);
        let noticed = stopped.elapsed();
        server.signal("-CONT");
        wait_until(|| mirror.stats().is_connected);
        noticed
    };
    // A busy machine makes everything late now and then, but not each time.
    let soon = Duration::from_secs(5);
    assert!((0..5).any(|_| noticed() < soon), "it takes {soon:?}");
    server.kill();
    server.restart();
    writer.blocking_stored(log.append(tick(11))).unwrap();
    wait_for(&mirror, 11);
    assert_eq!(mirror.stats().changes, 0, "nothing was missed");
    assert!(mirror.stats().failing.is_none());
}

#[test]
fn n03_readers_that_are_cut_and_change_mirrors_miss_and_double_nothing() {
    const EVENTS: u64 = 4_000;
    let Some(mut server) = Server::start() else {
        return;
    };
    let log = log_of([1]);
    let writer = writer(&server, &log);
    let mirrors: Arc<[Mirror<Tick>; 2]> = Arc::new([open(&server), open(&server)]);
    let start = mirrors[0].log().cursor();
    let readers: Vec<_> = (0..20_usize)
        .map(|reader| {
            let mirrors = mirrors.clone();
            thread::spawn(move || read(&mirrors, reader, start, EVENTS))
        })
        .collect();
    for version in 2..=EVENTS {
        log.append(tick(version));
        if version % 20 == 0 {
            thread::sleep(Duration::from_millis(2));
        }
        if version == EVENTS / 2 {
            server.kill();
            server.restart();
        }
    }
    writer.blocking_flush(PATIENCE).unwrap();
    let cuts: u64 = readers
        .into_iter()
        .map(|reader| reader.join().unwrap())
        .sum();
    assert!(cuts >= 190, "{cuts} cuts");
}

/// Reads all events, and goes to the other mirror now and then. Says how often.
fn read(mirrors: &[Mirror<Tick>; 2], reader: usize, mut cursor: Cursor, events: u64) -> u64 {
    let mut cuts = 0;
    let mut next = cursor.version() + 1;
    let mut mirror = reader % 2;
    while next <= events {
        let mut subscription = mirrors[mirror].log().subscribe(cursor);
        match subscription.coverage() {
            Coverage::Complete => {}
            Coverage::Ahead { .. } => {
                thread::sleep(Duration::from_millis(5)); // an edge that is behind
                continue;
            }
            other => panic!("{other:?} at {cursor}"),
        }
        let until = next + 350 + 10 * reader as u64;
        while next <= events.min(until) {
            let event = match subscription.blocking_recv() {
                Ok(event) => event,
                Err(RecvError::Closed) => break,
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(event.version, next, "each once and in order");
            next += 1;
        }
        cursor = subscription.cursor();
        mirror = 1 - mirror;
        cuts += 1;
    }
    cuts
}
