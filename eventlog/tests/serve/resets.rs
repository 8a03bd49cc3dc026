//! What a subscriber is told when it misses something, when it is live, and where it stands.

use std::time::Duration;

use eventlog::{
    EventLog, Start,
    disk::{DiskConfig, DiskWriter},
    serve::Feed,
};

use crate::{
    client::{Connection, Message, resuming},
    tick,
};

fn kinds(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| &*message.kind).collect()
}

#[test]
fn what_is_missing_is_told_before_what_is_left() {
    let log = EventLog::builder().capacity(2).build().unwrap();
    log.append_batch((1..=5).map(tick));
    let feed = Feed::new(&log);
    let mut client = Connection::open(&feed, Start::After(1));
    let messages = client.messages();
    assert_eq!(kinds(&messages), ["reset", "", "", "live"]);
    assert_eq!(
        messages[0].data,
        r#"{"coverage":"truncated","missed_through":"3","missed":null,"newest":"5"}"#
    );
    assert_eq!(messages[3].data, r#"{"newest":"5"}"#);
    // Cut right after the reset, it is not told again, and misses nothing.
    let id = messages[0].id.clone();
    let again = Connection::open(&feed, resuming(&id)).messages();
    assert_eq!(again, messages[1..]);

    // Too slow, while it was served.
    log.append_batch((6..=10).map(tick));
    let messages = client.messages();
    assert_eq!(kinds(&messages), ["reset", "", ""]);
    assert_eq!(
        messages[0].data,
        r#"{"coverage":"truncated","missed_through":"8","missed":"3","newest":"10"}"#
    );
    assert_eq!(feed.stats().resets, 2);
}

#[test]
fn s08_live_is_told_once_also_on_an_empty_log_and_its_id_is_a_place() {
    let log = EventLog::new(None);
    let feed = Feed::new(&log);
    let mut client = Connection::open(&feed, Start::Now);
    let messages = client.messages();
    assert_eq!(kinds(&messages), ["live"]);
    assert_eq!(messages[0].data, r#"{"newest":null}"#);
    // Cut now, one that wanted what comes would have missed it.
    log.append(tick(1));
    let mut again = Connection::open(&feed, resuming(&messages[0].id));
    assert_eq!(kinds(&again.messages()), ["", "live"]);
    assert_eq!(kinds(&client.messages()), [""]);
}

#[test]
fn one_that_is_ahead_or_of_another_history_begins_anew() {
    let log = EventLog::new(None);
    log.append(tick(1));
    let feed = Feed::new(&log);
    let ahead = Connection::open(&feed, Start::After(9)).messages();
    assert_eq!(kinds(&ahead), ["reset", "live"]);
    assert_eq!(ahead[0].data, r#"{"coverage":"ahead","newest":"1"}"#);
    let other = EventLog::new(None);
    other.append(tick(1));
    let id = other.cursor().to_string();
    let foreign = Connection::open(&feed, resuming(&id)).messages();
    assert_eq!(kinds(&foreign), ["reset", "", "live"]);
    assert_eq!(foreign[0].data, r#"{"coverage":"foreign","newest":"1"}"#);
}

/// A second drop before the first event asked with the dead cursor again.
#[test]
fn the_place_after_a_reset_is_one_of_this_log() {
    let log = EventLog::new(None);
    log.append(tick(1));
    let feed = Feed::new(&log);
    for id in ["nonsense", "000000000000000a.7.7"] {
        let mut client = Connection::open(&feed, resuming(id));
        client.piece();
        if let crate::client::Piece::Bytes(bytes) = client.piece() {
            client.parser.feed(&bytes);
        }
        let again = Connection::open(&feed, resuming(&client.parser.last_id)).messages();
        assert_eq!(kinds(&again), ["", "live"], "{id}");
    }
}

#[tokio::test]
async fn a_bookmark_moves_the_id_of_one_for_whom_nothing_comes() {
    let log = EventLog::builder().capacity(64).build().unwrap();
    let feed = Feed::new(&log)
        .filter(|_| false)
        .bookmark_every(Duration::from_millis(20));
    let mut client = Connection::open(&feed, Start::Oldest);
    client.messages();
    // More than the ring has, in no time: it is told where it stands all the same.
    for version in 1..=1000 {
        log.append(tick(version));
        if version % 16 == 0 {
            assert_eq!(client.messages(), []);
        }
    }
    let place: eventlog::Cursor = client.parser.last_id.parse().unwrap();
    assert!(place.version() > 900, "{place}");
    assert_eq!(feed.stats().resets, 0);
    // And when nothing comes at all.
    while client.parser.last_id != log.cursor().to_string() {
        let piece = client.next_piece().await.unwrap();
        assert_eq!(client.parser.feed(&piece), []);
    }
    let idle = Connection::open(&feed, Start::Now).next_piece().await;
    assert!(idle.is_some());
}

#[tokio::test]
async fn s07_a_feed_of_a_writer_tells_only_what_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.log");
    let log = EventLog::new(None);
    let writer = DiskWriter::spawn(&log, DiskConfig::new(&path)).unwrap();
    let feed = Feed::stored(&writer);
    let mut client = Connection::open(&feed, Start::Oldest);
    for version in 1..=50 {
        log.append(tick(version));
    }
    let mut seen = 0;
    while seen < 50 {
        let piece = client.next_piece().await.unwrap();
        for message in client.parser.feed(&piece) {
            let cursor = message.cursor();
            assert!(cursor.is_durable(), "{cursor}");
            if message.kind.is_empty() {
                seen += 1;
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.lines().count() >= seen);
            }
        }
    }
    writer.shutdown().await.unwrap();
    let mut rest = Vec::new();
    while let Some(piece) = client.next_piece().await {
        rest.extend(piece);
    }
    assert_eq!(kinds(&client.parser.feed(&rest)), [""; 0]);
}
