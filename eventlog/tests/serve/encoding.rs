//! Each event is encoded at most once, and what was encoded is freed with the event.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use eventlog::{EventLog, Start, serve::Feed};

use crate::{
    Tick,
    client::{Connection, Piece},
    no_word_of_panics_on_purpose, tick,
};

/// A feed that counts how often each version is encoded.
fn counting(log: &EventLog<Tick>) -> (Feed<Tick>, Arc<Mutex<Vec<usize>>>) {
    let counts = Arc::new(Mutex::new(vec![0; 20_000]));
    let counter = counts.clone();
    let feed = Feed::new(log).encode(move |tick, text| {
        counter.lock().unwrap()[usize::try_from(tick.version).unwrap()] += 1;
        serde_json::to_writer(text, tick).unwrap();
    });
    (feed, counts)
}

fn versions(connection: &mut Connection<Tick>) -> Vec<u64> {
    let events = connection.messages().into_iter();
    let events = events.filter(|message| message.kind.is_empty());
    events
        .map(|message| message.json()["version"].as_u64().unwrap())
        .collect()
}

/// A cache that is shorter than the ring had slow clients encode everything again, 684 times.
#[test]
fn f01_each_event_is_encoded_at_most_once_however_many_read_and_however_slowly() {
    let log = EventLog::builder().capacity(1000).build().unwrap();
    let (feed, counts) = counting(&log);
    let mut slow = Connection::open(&feed, Start::Oldest);
    let mut fast: Vec<_> = (0..50)
        .map(|_| Connection::open(&feed, Start::Oldest))
        .collect();
    let mut seen = Vec::new();
    for version in 1..=3000 {
        log.append(tick(version));
        if version % 7 == 0 {
            for client in &mut fast[..25] {
                client.messages();
            }
        }
        if version % 400 == 0 {
            seen.extend(versions(&mut slow));
            let mut late = Connection::open(&feed, Start::After(version - 300));
            assert_eq!(versions(&mut late).len(), 300);
        }
    }
    seen.extend(versions(&mut slow));
    assert_eq!(seen, (1..=3000).collect::<Vec<_>>());
    for client in &mut fast {
        versions(client);
    }
    let counts = counts.lock().unwrap();
    assert_eq!(counts[1..=3000].iter().max(), Some(&1));
    assert_eq!(feed.stats().encoded, counts.iter().sum::<usize>() as u64);
}

#[test]
fn f01_holds_where_threads_meet_at_the_same_event() {
    let log = Arc::new(EventLog::<Tick>::new(None));
    let (feed, counts) = counting(&log);
    thread::scope(|scope| {
        let log = &log;
        scope.spawn(move || {
            for version in 1..=5000 {
                log.append(tick(version));
            }
            log.close();
        });
        for reader in 0..8 {
            let feed = feed.clone();
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let mut client = Connection::open(&feed, Start::Oldest);
                    let mut text = Vec::new();
                    while let Some(piece) = client.next_piece().await {
                        assert!(piece.len() <= 64 * 1024);
                        text.extend(piece);
                    }
                    let events = client.parser.feed(&text).into_iter();
                    let events = events.filter(|message| message.kind.is_empty());
                    let lost = feed.stats().resets > 0;
                    assert!(lost || events.count() == 5000, "reader {reader}");
                });
            });
        }
    });
    assert_eq!(counts.lock().unwrap().iter().max(), Some(&1));
}

#[test]
fn what_was_encoded_is_freed_with_the_segment_and_with_the_feed() {
    let log = EventLog::builder().capacity(256).build().unwrap();
    let feed = Feed::new(&log);
    let mut client = Connection::open(&feed, Start::Oldest);
    for version in 1..=512 {
        log.append(tick(version));
        client.messages();
    }
    let before = log.stats().pinned_segments;
    drop(feed);
    client.messages();
    assert_eq!(log.stats().pinned_segments, before);
    // One that is never asked again holds on to nothing, however many segments pass.
    let feed = Feed::new(&log);
    let mut stalled: Vec<_> = Vec::new();
    for version in 513..=4096 {
        if version % 256 == 0 {
            let mut client = Connection::open(&feed, Start::Oldest);
            while let Piece::Bytes(bytes) = client.piece() {
                if bytes.starts_with(b"id: ") {
                    break; // it has begun, and is not asked again
                }
            }
            stalled.push(client);
        }
        log.append(tick(version));
    }
    assert!(log.stats().pinned_segments <= 1, "{:?}", log.stats());
    assert_eq!(feed.stats().subscribers, stalled.len());
}

/// A hook that asked the feed would have waited for itself, and one that panicked would have taken
/// the process, or everyone's event, with it.
#[test]
fn user_code_may_ask_the_feed_and_may_panic() {
    let log = Arc::new(EventLog::<Tick>::new(None));
    let asked = Arc::new(AtomicUsize::new(0));
    let plain = Feed::new(&log);
    let (own_log, counter) = (log.clone(), asked.clone());
    let feed = Feed::new(&log).encode(move |tick, text| {
        counter.fetch_add(1, Ordering::Relaxed);
        let mut other = Connection::open(&plain, Start::Oldest);
        assert_eq!(other.messages().len(), own_log.replay(0).len() + 1);
        assert!(tick.version != 3, "on purpose");
        text.extend_from_slice(b"shown");
    });
    log.append_batch((1..=4).map(tick));
    no_word_of_panics_on_purpose();
    let (mut one, mut other) = (
        Connection::open(&feed, Start::Oldest),
        Connection::open(&feed, Start::Oldest),
    );
    let (first, second) = (one.messages(), other.messages());
    assert_eq!(first, second);
    let kinds: Vec<_> = first.iter().map(|message| &*message.kind).collect();
    assert_eq!(kinds, ["", "", "reset", "", "live"]);
    assert_eq!(
        first[2].data,
        r#"{"coverage":"truncated","missed_through":"3","missed":"1"}"#
    );
    assert_eq!(first[2].cursor().version(), 3, "and it is not met again");
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    assert_eq!((feed.stats().encoded, feed.stats().failed), (3, 1));
}

#[test]
fn a_text_of_many_lines_is_put_together_again() {
    let log = EventLog::new(None);
    let feed = Feed::new(&log).encode(|_, text| text.extend_from_slice(b"<p>\nid: 7\r\n\r</p>"));
    log.append(tick(1));
    let messages = Connection::open(&feed, Start::Oldest).messages();
    assert_eq!(messages[0].data, "<p>\nid: 7\n\n</p>");
    assert_eq!(messages[0].cursor(), log.cursor());
}

#[test]
fn a_long_event_is_one_piece_and_short_ones_share_theirs() {
    let log = EventLog::new(None);
    let feed = Feed::new(&log);
    let large = |version| Tick {
        version,
        text: "x".repeat(100_000),
    };
    log.append_batch([tick(1), large(2), tick(3), tick(4)]);
    let mut client = Connection::open(&feed, Start::Oldest);
    let mut events = Vec::new();
    while let Piece::Bytes(bytes) = client.piece() {
        let text = String::from_utf8(bytes).unwrap();
        events.push(text.matches("data: {\"version\"").count());
    }
    assert_eq!(events, [0, 1, 1, 2, 0], "retry first, live last");
}
