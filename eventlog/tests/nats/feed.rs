//! N03 for browsers: a feed of a mirror is an edge.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use eventlog::{
    Cursor, EventLog, Seq, Start,
    nats::{self, Mirror, MirrorConfig, MirrorFeed},
    serve::{Asked, Feed},
};
use tokio::runtime::Runtime;

use crate::{
    Tick, log_of,
    mirror::opened,
    server::{PATIENCE, Server},
    sse::{Connection, Message, Parser, resuming},
    tick, wait_until,
};

fn edge(server: &Server) -> (Mirror<Tick>, MirrorFeed<Tick>) {
    let mirror = opened(&MirrorConfig::new(server.url(), "orders"));
    let feed = mirror.feed(Feed::new);
    assert!(format!("{feed:?}").starts_with("MirrorFeed"));
    (mirror, feed)
}

fn connect(feed: &MirrorFeed<Tick>, asked: impl Into<Asked>, parser: Parser) -> Connection<Tick> {
    let response = Runtime::new().unwrap().block_on(feed.sse(asked));
    Connection::over(response, parser)
}

/// What is delivered until so many events were.
fn events(connection: &mut Connection<Tick>, count: usize) -> Vec<u64> {
    let mut versions = Vec::new();
    wait_until(|| {
        let heard = connection.messages();
        versions.extend(heard.iter().filter_map(version));
        versions.len() >= count
    });
    versions
}

/// The version of an event. Nothing may be missing.
fn version(message: &Message) -> Option<u64> {
    assert_ne!(message.kind, "reset", "{message:?}");
    message
        .kind
        .is_empty()
        .then(|| message.json()["version"].as_u64().unwrap())
}

/// A feed of the log that a mirror had first answered for ever that the log was closed.
#[test]
fn n03_pages_go_on_where_another_writer_claims_the_stream() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=5);
    let first = nats::blocking_spawn(&log, server.config()).unwrap();
    first.blocking_flush(PATIENCE).unwrap();
    let (mirror, feed) = edge(&server);
    let mut pages = [(); 2].map(|()| connect(&feed, Start::Oldest, Parser::default()));
    for page in &mut pages {
        assert_eq!(events(page, 5), [1, 2, 3, 4, 5]);
    }
    assert_eq!(feed.now().stats().encoded, 5, "once for both");
    let second = nats::blocking_spawn(&log, server.config()).unwrap();
    second.blocking_stored(log.append(tick(6))).unwrap();
    for mut page in pages {
        wait_until(|| page.drain().1);
        let id = page.parser.last_id.clone();
        let mut page = connect(&feed, resuming(&id), page.parser);
        assert_eq!(events(&mut page, 1), [6]);
    }
    drop(mirror);
    let mut page = connect(&feed, Start::Oldest, Parser::default());
    wait_until(|| page.drain().1);
}

/// From a mirror that is further, a page was told that it is ahead, and what it had seen there was
/// sent a second time.
#[test]
fn n03_a_page_that_is_ahead_of_a_mirror_waits_for_it() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=5);
    let writer = nats::blocking_spawn(&log, server.config()).unwrap();
    writer.blocking_flush(PATIENCE).unwrap();
    let (mirror, feed) = edge(&server);
    let here = mirror.log().cursor();
    let further = Cursor::from_parts(here.epoch(), Seq::new(6), 6);
    let asked = resuming(&further.to_string());
    let mut answer = pin!(feed.sse(asked));
    let polled = answer
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending), "event 6 is not here");
    log.append_batch([tick(6), tick(7)]);
    writer.blocking_flush(PATIENCE).unwrap();
    // It is waited for two seconds, which may have passed.
    wait_until(|| mirror.stats().newest == Seq::new(7));
    let response = Runtime::new().unwrap().block_on(answer);
    let mut page = Connection::over(response, Parser::default());
    assert_eq!(events(&mut page, 1), [7]);
}

/// Who is of no history that there is gets an answer all the same.
#[test]
fn a_page_of_another_history_is_told_to_begin_again() {
    let Some(server) = Server::start() else {
        return;
    };
    let log = log_of(1..=3);
    let writer = nats::blocking_spawn(&log, server.config()).unwrap();
    writer.blocking_flush(PATIENCE).unwrap();
    let (_mirror, feed) = edge(&server);
    let elsewhere = EventLog::<Tick>::new(None).cursor();
    let mut page = connect(&feed, resuming(&elsewhere.to_string()), Parser::default());
    let heard = page.messages();
    assert_eq!(heard[0].kind, "reset", "{heard:?}");
    assert!(heard[0].data.contains("foreign"), "{heard:?}");
}
