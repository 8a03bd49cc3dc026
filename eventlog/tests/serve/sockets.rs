//! Lines over sockets: what other processes hear, and what strangers may not do.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use eventlog::{
    Coverage, Cursor, EventLog, RecvError, Start,
    serve::{self, Address, Feed, Heard, Lines, Remote, RemoteError, Serving},
};
use futures_core::Stream;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::{Tick, no_word_of_panics_on_purpose, tick};

fn address(serving: &Serving) -> Address {
    Address::Tcp(serving.local_addr().unwrap().to_string())
}

fn hello(serving: &Serving, line: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(serving.local_addr().unwrap()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream.write_all(line.as_bytes()).unwrap();
    BufReader::new(stream)
}

/// The next line. In a silence of 15 seconds bookmarks are said, and it may have been one.
fn next(stream: &mut BufReader<TcpStream>) -> Value {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let value: Value = serde_json::from_str(&line).unwrap();
        if value["bookmark"].is_null() {
            return value;
        }
    }
}

fn quick(log: &EventLog<Tick>) -> Feed<Tick> {
    Feed::new(log).retry(Duration::from_millis(5)..=Duration::from_millis(20))
}

fn next_event(remote: &mut Remote<Tick>) -> (u64, Cursor) {
    loop {
        match remote.blocking_next().unwrap().unwrap() {
            Heard::Event { event, cursor } => return (event.version, cursor),
            Heard::Live { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_conversation_in_lines() {
    let log = EventLog::builder().capacity(2).build().unwrap();
    log.append_batch((1..=3).map(tick));
    let serving = Feed::new(&log).serve_tcp("127.0.0.1:0").unwrap();
    let mut stream = hello(&serving, "{\"since\":\"0\"}\n");
    let open = &next(&mut stream)["open"];
    assert_eq!(open["coverage"], "truncated");
    assert_eq!(open["missed_through"], "1");
    assert_eq!(open["newest"], "3");
    assert!(open["retry"].as_str().unwrap().parse::<u64>().unwrap() >= 2000);
    for version in [2, 3] {
        let event = next(&mut stream);
        assert_eq!(event["event"]["version"], version);
        let cursor: Cursor = event["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(cursor.version(), version);
    }
    assert_eq!(next(&mut stream)["live"]["newest"], "3");
    log.append(tick(4));
    assert_eq!(next(&mut stream)["event"]["version"], 4);
    log.close();
    assert_eq!(next(&mut stream), serde_json::json!({"closed": {}}));
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn one_that_begins_now_hears_nothing_of_before() {
    let log = EventLog::new(None);
    log.append_batch((1..=3).map(tick));
    let serving = Feed::new(&log).serve_tcp("127.0.0.1:0").unwrap();
    let mut stream = hello(&serving, "{\"from\":\"now\"}\n");
    assert_eq!(next(&mut stream)["open"]["coverage"], "complete");
    assert_eq!(next(&mut stream)["live"]["newest"], "3");
    log.append(tick(4));
    assert_eq!(next(&mut stream)["event"]["version"], 4);
}

/// All that lines have without waiting.
fn drain(lines: &mut Lines<Tick>) -> Vec<Value> {
    let mut text = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(piece)) = pin!(&mut *lines).poll_next(&mut context) {
        text.extend_from_slice(&piece);
    }
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[test]
fn an_event_that_cannot_be_shown_is_a_reset_among_the_lines() {
    let log = EventLog::new(None);
    log.append_batch((1..=3).map(tick));
    let feed = Feed::new(&log).encode(|tick, text| {
        assert!(tick.version != 2, "on purpose");
        text.extend_from_slice(b"1");
    });
    let mut lines = feed.lines(Start::Oldest);
    no_word_of_panics_on_purpose();
    let heard = drain(&mut lines);
    let keys = |value: &Value| value.as_object().unwrap().keys().next().unwrap().clone();
    let keys: Vec<_> = heard.iter().map(keys).collect();
    assert_eq!(keys, ["open", "event", "reset", "event", "live"]);
    let reset = &heard[2]["reset"];
    assert_eq!(reset["coverage"], "truncated");
    assert_eq!(reset["missed_through"], "2");
    let cursor: Cursor = reset["cursor"].as_str().unwrap().parse().unwrap();
    assert_eq!(cursor.version(), 2);
    assert!(format!("{lines:?}").contains("is_open: true"), "{lines:?}");
    log.close();
    assert_eq!(drain(&mut lines), [serde_json::json!({"closed": {}})]);
    assert!(format!("{lines:?}").contains("is_open: false"), "{lines:?}");
}

#[test]
fn a_text_that_is_no_json_is_a_string_and_json_of_many_lines_is_one() {
    let log = EventLog::<Tick>::new(None);
    log.append_batch([tick(1), tick(2)]);
    let feed = Feed::new(&log).encode(|tick, text| {
        let shown: &[u8] = match tick.version {
            1 => b"<p>\n\"",
            _ => b"{\n\"a\":\r1}",
        };
        text.extend_from_slice(shown);
    });
    let mut text = Vec::new();
    let mut lines = feed.lines(Start::Oldest);
    log.close();
    while let Some(piece) = lines.blocking_next() {
        text.extend_from_slice(&piece);
    }
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[1]["event"], "<p>\n\"");
    assert_eq!(lines[2]["event"], serde_json::json!({"a": 1}));
    assert_eq!(feed.stats().encoded, 2);
}

#[test]
fn f01_browsers_and_sockets_share_what_is_encoded() {
    let log = EventLog::new(None);
    log.append_batch((1..=100).map(tick));
    let feed = Feed::new(&log);
    let serving = feed.serve_tcp("127.0.0.1:0").unwrap();
    let mut remote = serve::connect::<Tick>(address(&serving), 0).unwrap();
    for version in 1..=100 {
        assert_eq!(next_event(&mut remote).0, version);
    }
    crate::client::Connection::open(&feed, Start::Oldest).messages();
    assert_eq!(feed.stats().encoded, 100);
}

/// The server goes away and comes back, the connection is cut at any byte: nothing is lost or
/// doubled, and nobody is told of a reset.
#[test]
fn f02_a_client_comes_back_by_itself_to_where_it_stood() {
    let log = Arc::new(EventLog::<Tick>::new(None));
    let feed = quick(&log);
    let serving = feed.serve_tcp("127.0.0.1:0").unwrap();
    let server = serving.local_addr().unwrap();
    // Between the two, what cuts.
    let between = TcpListener::bind("127.0.0.1:0").unwrap();
    let through = Address::Tcp(between.local_addr().unwrap().to_string());
    let cutter = thread::spawn(move || {
        for cut in 0..40_u64 {
            let (mut client, _) = between.accept().unwrap();
            let mut upstream = TcpStream::connect(server).unwrap();
            let mut line = String::new();
            BufReader::new(client.try_clone().unwrap())
                .read_line(&mut line)
                .unwrap();
            upstream.write_all(line.as_bytes()).unwrap();
            let limit = if cut == 39 { u64::MAX } else { cut * 97 };
            std::io::copy(&mut upstream.take(limit), &mut client).ok();
        }
    });
    let mut remote = serve::connect::<Tick>(through, 0).unwrap();
    let mut last = None;
    for version in 1..=2000 {
        log.append(tick(version));
        let (heard, cursor) = next_event(&mut remote);
        assert_eq!(heard, version);
        assert_eq!(remote.cursor(), Some(cursor));
        last = Some(cursor);
    }
    assert_eq!(last, Some(log.cursor()));
    feed.finish();
    while let Some(item) = remote.blocking_next() {
        assert!(matches!(item.unwrap(), Heard::Live { .. }));
    }
    cutter.join().unwrap();
    assert_eq!(feed.stats().resets, 0);
}

#[tokio::test]
async fn a_client_that_misses_something_is_told_and_one_may_wait_for_the_server() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = free.local_addr().unwrap();
    drop(free);
    let mut remote = serve::connect::<Tick>(Address::Tcp(place.to_string()), Start::Now).unwrap();
    let patience = Instant::now();
    while remote.trouble().is_none() && patience.elapsed() < Duration::from_secs(60) {
        tokio::task::yield_now().await;
    }
    assert!(remote.trouble().is_some());
    let log = EventLog::builder().capacity(3).build().unwrap();
    let serving = quick(&log).serve_tcp(place).unwrap();
    let live = remote.next().await.unwrap().unwrap();
    assert!(matches!(live, Heard::Live { newest: None, .. }), "{live:?}");
    assert_eq!(remote.trouble(), None);

    // Another life of the log, in the same place.
    log.close();
    drop(serving);
    let other = EventLog::builder().capacity(3).build().unwrap();
    other.append(tick(1));
    let patience = Instant::now();
    let serving = loop {
        match quick(&other).serve_tcp(place) {
            Ok(serving) => break serving,
            Err(error) => assert!(patience.elapsed() < Duration::from_secs(60), "{error}"),
        }
    };
    let reset = loop {
        match remote.next().await.unwrap().unwrap() {
            // It may have come back to the first one before that went.
            Heard::Live { .. } => {}
            reset => break reset,
        }
    };
    let Heard::Reset {
        coverage, newest, ..
    } = reset
    else {
        panic!("{reset:?}")
    };
    assert_eq!((coverage, newest), (Coverage::Foreign, Some(1)));
    let event = remote.next().await.unwrap().unwrap();
    assert!(matches!(event, Heard::Event { .. }), "{event:?}");
    drop(serving);
}

#[test]
fn one_that_is_ahead_is_told_how_far() {
    let log = EventLog::new(None);
    log.append(tick(1));
    let serving = Feed::new(&log).serve_tcp("127.0.0.1:0").unwrap();
    let mut remote = serve::connect::<Tick>(address(&serving), Start::After(9)).unwrap();
    let reset = remote.blocking_next().unwrap().unwrap();
    let Heard::Reset {
        coverage, newest, ..
    } = reset
    else {
        panic!("{reset:?}")
    };
    assert_eq!(coverage, Coverage::Ahead { newest: 1 });
    assert_eq!(newest, Some(1));
}

#[test]
fn a_client_that_is_dropped_hangs_up() {
    let log = EventLog::new(None);
    log.append(tick(1));
    let feed = Feed::new(&log);
    let serving = feed.serve_tcp("127.0.0.1:0").unwrap();
    let mut remote = serve::connect::<Tick>(address(&serving), 0).unwrap();
    assert_eq!(next_event(&mut remote).0, 1);
    assert_eq!(feed.stats().subscribers, 1);
    drop(remote);
    // Who sends learns of it.
    let patience = Instant::now();
    for version in 2.. {
        if feed.stats().subscribers == 0 {
            return;
        }
        assert!(patience.elapsed() < Duration::from_secs(60));
        log.append(tick(version));
        thread::yield_now();
    }
}

/// However few events that are, what is read ahead takes little memory.
#[test]
fn no_more_than_a_few_long_lines_are_read_ahead() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap().to_string());
    let remote = serve::connect::<IgnoredAny>(address, Start::Oldest).unwrap();
    let mut stream = listener.accept().unwrap().0;
    let long = format!(
        "{{\"id\":\"9f86d081884c7d65.1.1\",\"event\":\"{}\"}}\n",
        "x".repeat(4 << 20)
    );
    stream
        .set_write_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    // What fits into the buffers of the system, and into those 16 MiB.
    let taken = (0..64).take_while(|_| stream.write_all(long.as_bytes()).is_ok());
    assert!(taken.count() < 32);
    drop(remote);
}

#[test]
fn an_event_of_another_type_is_told_and_passed_over() {
    let log = EventLog::new(None);
    log.append_batch((1..=2).map(tick));
    let feed = Feed::new(&log);
    let serving = feed.serve_tcp("127.0.0.1:0").unwrap();
    let mut remote = serve::connect::<Vec<u8>>(address(&serving), 0).unwrap();
    for version in 1..=2 {
        match remote.blocking_next().unwrap() {
            Err(RemoteError::Event { cursor, .. }) => assert_eq!(cursor.version(), version),
            other => panic!("{other:?}"),
        }
    }
    feed.finish();
    assert!(matches!(
        remote.blocking_next(),
        Some(Ok(Heard::Live { .. }))
    ));
    assert!(remote.blocking_next().is_none());
}

#[test]
fn a_stranger_gets_an_error_and_costs_no_more_than_a_moment() {
    let log = EventLog::<Tick>::new(None);
    let feed = Feed::new(&log).max_subscribers(1);
    let serving = feed.serve_tcp("127.0.0.1:0").unwrap();
    let large = format!("{}\n", "x".repeat(5000));
    for line in [
        "\n",
        "GET / HTTP/1.1\r\n",
        "[1]\n",
        "{\"since\":-1}\n",
        &large,
    ] {
        let mut stream = hello(&serving, line);
        let refusal = next(&mut stream);
        assert!(
            refusal["error"]
                .as_str()
                .unwrap()
                .starts_with("expected one line")
        );
        while feed.stats().subscribers > 0 {
            thread::yield_now();
        }
    }
    // One that sends a byte now and then is given up after five seconds, all in all. Meanwhile it
    // has the only place, and others are told so, unless those seconds have passed by then.
    let slow = Instant::now();
    let mut versions = 1..;
    while !is_full_for_a_dawdler(&feed, &serving) {
        // Of one that was let in instead only who sends learns that it is gone.
        while feed.stats().subscribers > 0 {
            log.append(tick(versions.next().unwrap()));
            thread::yield_now();
        }
        assert!(slow.elapsed() < Duration::from_secs(60));
    }
}

/// Sends a byte now and then until that is refused. Says whether another was told that it is full.
fn is_full_for_a_dawdler(feed: &Feed<Tick>, serving: &Serving) -> bool {
    let slow = Instant::now();
    let mut stream = TcpStream::connect(serving.local_addr().unwrap()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let (mut answer, mut is_full) = ([0; 8], false);
    loop {
        assert!(slow.elapsed() < Duration::from_secs(60));
        match stream.read(&mut answer) {
            Ok(0) => return is_full,
            Ok(read) => {
                assert_eq!(answer[..read], b"{\"error\""[..read]);
                return is_full;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return is_full, // a byte came when nobody read any more
        }
        stream.write_all(b" ").ok();
        if !is_full && feed.stats().subscribers == 1 {
            is_full = next(&mut hello(serving, "{}\n"))["full"].is_object();
        }
    }
}

#[test]
fn nobody_is_let_in_any_more_and_those_who_are_in_stay() {
    let log = EventLog::new(None);
    let serving = Feed::new(&log).serve_tcp("127.0.0.1:0").unwrap();
    let place = serving.local_addr().unwrap();
    let mut stream = hello(&serving, "{}\n");
    next(&mut stream);
    drop(serving);
    let patience = Instant::now();
    while TcpStream::connect(place).is_ok() {
        assert!(patience.elapsed() < Duration::from_secs(60));
    }
    log.append(tick(1));
    assert!(next(&mut stream)["live"].is_object());
    assert_eq!(next(&mut stream)["event"]["version"], 1);
    let mut own = log.subscribe(Start::Now);
    log.close();
    assert_eq!(own.blocking_recv().err(), Some(RecvError::Closed));
    assert!(next(&mut stream)["closed"].is_object());
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_for_this_user_and_takes_the_place_of_a_dead_one_only() {
    use std::os::unix::{fs::PermissionsExt, net::UnixListener};

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.sock");
    drop(UnixListener::bind(&path).unwrap()); // as a killed process leaves it
    let log = EventLog::new(None);
    log.append(tick(1));
    let feed = Feed::new(&log);
    let serving = feed.serve_unix(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    let address: Address = format!("unix:{}", path.display()).parse().unwrap();
    let mut remote = serve::connect::<Tick>(address, Start::Oldest).unwrap();
    assert_eq!(next_event(&mut remote).0, 1);
    let taken = feed.serve_unix(&path).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    drop(serving);
    assert!(!path.exists());

    // What somebody else has put in its place stays.
    let serving = feed.serve_unix(&path).unwrap();
    std::fs::rename(&path, directory.path().join("moved.sock")).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    drop(serving);
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "mine").unwrap();
    let other = feed.serve_unix(&path).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

/// Nobody comes any more, so nobody would wake who lets clients in.
#[cfg(target_os = "linux")]
#[test]
fn a_unix_socket_that_is_not_served_any_more_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let log = EventLog::<Tick>::new(None);
    let serving = Feed::new(&log).serve_unix(directory.path().join("log.sock"));
    let place = directory.path().to_str().unwrap();
    let is_open = || {
        std::fs::read_to_string("/proc/net/unix")
            .unwrap()
            .contains(place)
    };
    assert!(is_open());
    drop(serving.unwrap());
    let patience = Instant::now();
    while is_open() {
        assert!(patience.elapsed() < Duration::from_secs(60));
        thread::yield_now();
    }
}
