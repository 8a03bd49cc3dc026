//! What becomes of a stream: removed, purged, trimmed, full; and what its level is.

use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use std::{
    error::Error,
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
    time::Duration,
};

use eventlog::{
    EventLog, Seq,
    nats::{self, JetStreamConfig},
    writer::{Gap, GapReason, Level, NotStored, Notice, WriterConfig},
};

use crate::{
    Heard, Tick, copy, listener, log_of,
    server::{PATIENCE, Server},
    tick, versions, wait_until,
};

fn heard_config(server: &Server, heard: &Heard) -> JetStreamConfig {
    let writer = WriterConfig::new("orders")
        .retry_max(Duration::from_millis(100))
        .on_notice(listener(heard));
    server.config().writer(writer)
}

pub fn forgotten(heard: &Heard) -> Vec<u64> {
    let notices = heard.lock().unwrap();
    let events = notices.iter().filter_map(|notice| match notice {
        Notice::Forgotten { events, .. } => Some(*events),
        _ => None,
    });
    events.collect()
}

#[test]
fn frames_have_numbers_and_gaps_their_place() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = EventLog::builder().capacity(3).build().unwrap();
    log.append_batch((1..=10).map(tick));
    let writer = nats::blocking_spawn(&log, server.config()).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap_err();
    let messages = server.messages();
    let header = |name| {
        messages
            .iter()
            .map(move |message| message.header(name).to_owned())
    };
    assert_eq!(
        header("Eventlog-First").collect::<Vec<_>>(),
        ["1", "1", "8"]
    );
    assert_eq!(
        header("Eventlog-Count").collect::<Vec<_>>(),
        ["0", "7", "3"]
    );
    assert_eq!(header("Eventlog-Gap").collect::<Vec<_>>(), ["", "1", ""]);
    let gap = Gap::parse(&messages[1].payload).unwrap();
    assert_eq!((gap.count, gap.reason), (7, GapReason::Missed));
}

#[test]
fn no_message_is_longer_than_the_stream_takes() {
    let Some(server) = Server::start() else {
        return;
    };
    let config = server.config().create(Some(Config {
        max_message_size: 2000,
        ..Config::default()
    }));
    let log = EventLog::new(None);
    log.append_batch((1..=200).map(tick));
    let writer = nats::blocking_spawn(&log, config).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap();
    assert_eq!(versions(&server.lines()), (1..=200).collect::<Vec<_>>());
    let longest = server
        .messages()
        .iter()
        .map(|message| message.payload.len())
        .max();
    assert!(longest.is_some_and(|longest| longest > 500), "{longest:?}");
}

/// By its place and by its id: at the same place another message may stand after a power cut, or
/// where the one before was refused.
#[test]
fn n01_each_message_expects_the_one_before_it() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=3);
    for versions in [4..=6, 7..=9] {
        let writer = nats::blocking_spawn(&log, server.config()).unwrap();
        for version in versions {
            log.append(tick(version));
            writer.blocking_flush(PATIENCE).unwrap();
        }
    }
    let mut before = (0, String::new());
    for message in server.messages() {
        let header = |name| message.header(name);
        assert_eq!(header("Nats-Expected-Last-Sequence"), before.0.to_string());
        assert_eq!(header("Nats-Expected-Last-Msg-Id"), before.1);
        let id = header("Nats-Msg-Id").to_owned();
        assert!(!id.is_empty() && id != before.1, "{id}");
        before = (before.0 + 1, id);
    }
    assert!(before.0 >= 8, "two claims, and six events by themselves");
}

#[test]
fn a_stream_that_is_removed_is_made_anew_and_says_what_is_gone() {
    let Some(server) = Server::start() else {
        return;
    };
    let heard = Heard::default();
    let log = log_of(1..=300);
    let writer = nats::blocking_spawn(&log, heard_config(&server, &heard)).unwrap();
    writer.blocking_flush(PATIENCE).unwrap();
    server.with(async |context| context.delete_stream("orders").await.unwrap());
    log.append_batch((301..=310).map(tick));
    writer.blocking_flush(PATIENCE).unwrap();
    assert_eq!(forgotten(&heard), [300]);
    let lines = server.lines();
    let gap = Gap::parse(lines[0].as_bytes()).unwrap();
    assert_eq!((gap.count, gap.max_version), (300, 300));
    assert_eq!((gap.first, gap.reason), (None, GapReason::Forgotten));
    assert_eq!(versions(&lines[1..]), (301..=310).collect::<Vec<_>>());
}

/// What a crash of the machine leaves of a stream that is not synced.
#[test]
fn a_stream_that_falls_back_has_a_gap_for_what_is_gone() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let heard = Heard::default();
    let log = log_of(1..=5);
    let writer = nats::blocking_spawn(&log, heard_config(&server, &heard)).unwrap();
    writer.blocking_flush(PATIENCE).unwrap();
    server.kill();
    let saved = tempfile::tempdir().unwrap();
    copy(server.directory.path(), saved.path());
    server.restart();
    log.append_batch((6..=9).map(tick));
    writer.blocking_flush(PATIENCE).unwrap();
    server.kill();
    fs::remove_dir_all(server.directory.path().join("jetstream")).unwrap();
    copy(saved.path(), server.directory.path());
    server.restart();
    log.append(tick(10));
    writer.blocking_flush(PATIENCE).unwrap();
    assert_eq!(forgotten(&heard), [4]);
    let lines = server.lines();
    assert_eq!(versions(&lines[..5]), [1, 2, 3, 4, 5]);
    let gap = Gap::parse(lines[5].as_bytes()).unwrap();
    assert_eq!((gap.count, gap.first), (4, Some(Seq::new(6))));
    assert_eq!((gap.max_version, gap.reason), (9, GapReason::Forgotten));
    assert_eq!(versions(&lines[6..]), [10]);
}

#[test]
fn a_purge_is_told_and_the_log_goes_on() {
    let Some(server) = Server::start() else {
        return;
    };
    let heard = Heard::default();
    let log = log_of(1..=300);
    let writer = nats::blocking_spawn(&log, heard_config(&server, &heard)).unwrap();
    writer.blocking_flush(PATIENCE).unwrap();
    server.with(async |context| {
        let stream = context.get_stream("orders").await.unwrap();
        stream.purge().await.unwrap();
    });
    log.append(tick(301));
    writer.blocking_flush(PATIENCE).unwrap();
    wait_until(|| !forgotten(&heard).is_empty());
    assert_eq!(forgotten(&heard), [300]);
    assert_eq!(versions(&server.lines()), [301]);
    // Another writer knows its place, although the claim is gone.
    drop(writer);
    let writer = nats::blocking_spawn(&log, server.config()).unwrap();
    log.append(tick(302));
    writer.blocking_flush(PATIENCE).unwrap();
    assert_eq!(versions(&server.lines()), [301, 302]);
}

#[test]
fn a_stream_that_lets_go_of_the_oldest_is_told() {
    let Some(server) = Server::start() else {
        return;
    };
    let heard = Heard::default();
    let config = heard_config(&server, &heard).create(Some(Config {
        max_messages: 5,
        discard: DiscardPolicy::Old,
        ..Config::default()
    }));
    let log = EventLog::new(None);
    let writer = nats::blocking_spawn(&log, config).unwrap();
    for version in 1..=20 {
        writer.blocking_stored(log.append(tick(version))).unwrap();
    }
    // At once, or in parts where it is looked meanwhile.
    let told = || forgotten(&heard).iter().sum::<u64>();
    wait_until(|| told() >= 15);
    assert_eq!(told(), 15);
    assert_eq!(server.state().first_sequence, 17);
}

#[test]
fn a_full_stream_is_waited_for_and_goes_on_when_there_is_room() {
    let Some(server) = Server::start() else {
        return;
    };
    let heard = Heard::default();
    let full = Config {
        max_messages: 4,
        discard: DiscardPolicy::New,
        ..Config::default()
    };
    let config = heard_config(&server, &heard).create(Some(full.clone()));
    let log = EventLog::new(None);
    let writer = nats::blocking_spawn(&log, config).unwrap();
    for version in 1..=3 {
        writer.blocking_stored(log.append(tick(version))).unwrap();
    }
    log.append_batch((4..=9).map(tick));
    // Before that it may be that the server does not answer in time.
    let is_full = |failing: String| failing.contains("full");
    wait_until(|| writer.stats().failing.is_some_and(is_full));
    server.with(async |context| {
        let config = Config {
            name: "orders".to_owned(),
            subjects: vec!["eventlog.orders".to_owned()],
            max_messages: 100,
            ..full
        };
        context.update_stream(config).await.unwrap();
    });
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(9)));
    assert_eq!(versions(&server.lines()), (1..=9).collect::<Vec<_>>());
}

#[test]
fn an_event_that_is_too_long_gives_its_place_to_a_gap() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=3);
    log.append(Tick {
        version: 4,
        name: "x".repeat(2 << 20),
    });
    log.append(Tick {
        version: 5,
        name: "y".repeat(200 << 10),
    });
    log.append(tick(6));
    let writer = nats::blocking_spawn(&log, server.config()).unwrap();
    writer.blocking_flush(PATIENCE).unwrap_err();
    let seq = Seq::new(4);
    assert_eq!(writer.blocking_stored(seq), Err(NotStored::Lost { seq }));
    let lines = server.lines();
    let gap = Gap::parse(lines[3].as_bytes()).unwrap();
    assert_eq!((gap.count, gap.reason), (1, GapReason::Refused));
    assert_eq!(versions(&lines[4..]), [5, 6]);
}

#[test]
fn what_others_publish_is_no_log() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of([1]);
    let writer = nats::blocking_spawn(&log, server.config()).unwrap();
    writer.blocking_flush(PATIENCE).unwrap();
    server.with(async |context| {
        let sent = context.publish("eventlog.orders", "hello".into()).await;
        sent.unwrap().await.unwrap();
    });
    let refused = writer.blocking_stored(log.append(tick(2))).unwrap_err();
    assert!(matches!(refused, NotStored::Fenced { .. }), "{refused}");
    assert!(refused.to_string().contains("no event log's"), "{refused}");
    let error = nats::blocking_spawn(&log, server.config()).unwrap_err();
    assert!(error.to_string().contains("no event log's"), "{error}");
}

/// At a server's defaults, 20,000 of 20,000 acknowledged events were gone after a power cut.
#[test]
fn n04_what_is_not_synced_is_stored_and_never_durable() {
    let Some(server) = Server::start() else {
        return;
    };
    let heard = Heard::default();
    let log = log_of([1]);
    let writer = nats::blocking_spawn(&log, heard_config(&server, &heard)).unwrap();
    let (seq, level) = (Seq::new(1), Level::new(1, false));
    assert_eq!(writer.blocking_stored(seq), Ok(level));
    let refused = NotStored::NotSynced { seq, level };
    assert_eq!(writer.blocking_durable(seq), Err(refused));
    let told = |notice: &Notice| matches!(notice, Notice::NotSynced { .. });
    assert_eq!(heard.lock().unwrap().iter().filter(|n| told(n)).count(), 1);
    drop(writer);
    // Somebody knows better.
    let writer = nats::blocking_spawn(&log, server.config().assume_synced(true)).unwrap();
    assert_eq!(writer.level(), Level::new(1, true));
    writer.blocking_durable(log.append(tick(2))).unwrap();
    drop(writer);
    // But a stream in memory is not synced, whatever they say.
    server.with(async |context| context.delete_stream("orders").await.unwrap());
    let in_memory = server.config().assume_synced(true).create(Some(Config {
        storage: StorageType::Memory,
        ..Config::default()
    }));
    let writer = nats::blocking_spawn(&log, in_memory).unwrap();
    assert_eq!(writer.level(), level);
}

#[test]
fn where_no_server_is_the_error_says_what_to_do() {
    let log = log_of([1]);
    let config = JetStreamConfig::new("nats://127.0.0.1:1", "orders");
    let error = nats::blocking_spawn(&log, config).unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
    assert!(Error::source(&error).is_some(), "{error:?}");
}

/// Two runtimes on one thread are a panic, and a blocked one is a stall.
#[tokio::test]
async fn a_writer_is_started_on_a_runtime_without_blocking_it() {
    let Some(server) = tokio::task::spawn_blocking(Server::start).await.unwrap() else {
        return;
    };
    let log = log_of([1]);
    let writer = nats::spawn(&log, server.config()).await.unwrap();
    writer.stored(log.append(tick(2))).await.unwrap();
    assert_eq!(writer.shutdown().await, Ok(Seq::new(2)));
    tokio::task::spawn_blocking(move || drop(server))
        .await
        .unwrap();
}

/// What a monitoring address says, made up.
fn monitor(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
    });
    address
}

#[test]
fn n04_a_server_is_asked_whether_it_syncs_and_only_a_clear_yes_counts() {
    let Some(server) = Server::start() else {
        return;
    };
    let name = server.with(async |context| context.client().server_info().server_name);
    let log = log_of([1]);
    let level = |answer: String| {
        let config = server.config().monitor(monitor(answer));
        nats::blocking_spawn(&log, config).unwrap().level()
    };
    let varz = |name: &str, config: &str| {
        let jetstream = format!("{{\"config\":{{{config}}}}}");
        format!("HTTP/1.0 200 OK\r\n\r\n{{\"server_name\":\"{name}\",\"jetstream\":{jetstream}}}")
    };
    let yes = "\"sync_always\":true";
    // What is not said within two seconds is not waited for.
    wait_until(|| level(varz(&name, yes)) == Level::new(1, true));
    let no = Level::new(1, false);
    assert_eq!(level(varz(&name, "\"sync_interval\":120000000000")), no);
    assert_eq!(level(varz("another", yes)), no, "another server syncs");
    assert_eq!(level("HTTP/1.0 404 Not Found\r\n\r\n".to_owned()), no);
    assert_eq!(level("x".repeat(3 << 20)), no, "no end of it");
    assert_eq!(level(String::new()), no);
}

#[test]
fn n04_a_server_that_syncs_is_called_durable() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nats.conf");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let http = listener.local_addr().unwrap().to_string();
    drop(listener);
    let settings = format!("http: \"{http}\"\njetstream {{ sync_interval: always }}\n");
    fs::write(&file, settings).unwrap();
    let Some(server) = Server::try_start_with(&["-c", file.to_str().unwrap()]) else {
        println!("NOT RUN: there is no `nats-server` that knows `sync_interval` (2.10 or newer)");
        return;
    };
    let log = log_of([1]);
    let writer = nats::blocking_spawn(&log, server.config().monitor(http)).unwrap();
    assert_eq!(
        writer.blocking_durable(Seq::new(1)),
        Ok(Level::new(1, true))
    );
}
