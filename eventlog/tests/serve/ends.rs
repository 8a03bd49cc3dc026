//! Bodies end when the log does, and no answer makes a browser give up for ever.

use std::time::Duration;

use eventlog::{
    EventLog, Start,
    serve::{Asked, Feed},
};
use http::StatusCode;

use crate::{
    Tick,
    client::{Connection, resuming},
    tick,
};

fn anything() -> Asked {
    let mut headers = http::HeaderMap::new();
    headers.insert("accept", "*/*".parse().unwrap());
    Asked::from_parts(&headers, None).unwrap()
}

#[tokio::test]
async fn f03_close_ends_every_body_after_all_that_was_appended_before() {
    let log = EventLog::new(None);
    let feed = Feed::new(&log);
    let mut clients: Vec<_> = (0..500)
        .map(|_| Connection::open(&feed, Start::Oldest))
        .collect();
    for client in &mut clients {
        client.next_piece().await;
    }
    log.append(tick(1));
    log.close();
    log.append(tick(2));
    for client in &mut clients {
        let mut text = Vec::new();
        while let Some(piece) = client.next_piece().await {
            text.extend(piece);
        }
        let events = client.parser.feed(&text);
        let events: Vec<_> = events
            .iter()
            .filter(|event| event.kind.is_empty())
            .collect();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].json()["version"], 1);
    }
    assert_eq!(feed.stats().subscribers, 0, "though the bodies still live");
}

/// An `EventSource` that gets any status but 200 never comes back.
#[test]
fn f04_no_answer_makes_a_browser_give_up_while_the_log_lives() {
    let log = EventLog::new(None);
    log.append(tick(1));
    let feed = Feed::new(&log)
        .max_subscribers(1)
        .retry(Duration::from_millis(700)..=Duration::from_millis(800));

    // Full, then room.
    let first = Connection::open(&feed, Start::Oldest);
    let mut second = Connection::open(&feed, Start::Oldest);
    assert_eq!(second.drain(), (vec![], true));
    let retry = second.parser.retry.unwrap();
    assert!((700..=800).contains(&retry), "{retry}");
    let refused = feed.sse(anything());
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(feed.stats().refused, 2);
    drop((first, refused));
    let mut second = Connection::on(&feed, resuming(""), second.parser);
    assert_eq!(second.messages().len(), 2);

    // An id that nobody gave out.
    drop(second);
    let mut third = Connection::open(&feed, resuming("nonsense"));
    let messages = third.messages();
    let kinds: Vec<_> = messages.iter().map(|message| &*message.kind).collect();
    assert_eq!(kinds, ["reset", "", "live"]);
    assert_eq!(messages[0].json()["coverage"], "foreign");

    // Closing: who comes back then is told to come again, and gets what it has not seen.
    log.append(tick(2));
    log.close();
    let (messages, ended) = third.drain();
    assert_eq!((messages.len(), ended), (1, true));
    let last_id = third.parser.last_id.clone();
    let mut again = Connection::on(&feed, resuming(&last_id), third.parser);
    let (messages, ended) = again.drain();
    assert!(ended && again.parser.retry.is_some());
    let kinds: Vec<_> = messages.iter().map(|message| &*message.kind).collect();
    assert_eq!(kinds, ["live"]);
    let mut late = Connection::open(&feed, resuming(""));
    assert_eq!(late.messages().len(), 3, "two events, and live");
    drop(late);
    assert_eq!(feed.sse(Asked::from(Start::Now)).status(), StatusCode::OK);
    let now = anything().or(Start::Now);
    assert_eq!(feed.sse(now).status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// Nor is it sent away with 204 while there is something that it has not seen.
#[tokio::test]
async fn f04_only_a_finished_feed_says_that_nothing_comes_and_to_nobody_too_early() {
    let log = EventLog::<Tick>::new(None);
    let feed = Feed::new(&log).filter(|tick| tick.version < 3);
    let mut cut = Connection::open(&feed, Start::Oldest);
    let mut steady = Connection::open(&feed, Start::Oldest);
    log.append(tick(1));
    cut.messages();
    steady.messages();
    log.append_batch([tick(2), tick(3)]);
    feed.finish();
    log.append(tick(1)); // after the end
    let mut text = Vec::new();
    while let Some(piece) = steady.next_piece().await {
        text.extend(piece);
    }
    assert_eq!(steady.parser.feed(&text).len(), 1);

    let last_id = cut.parser.last_id.clone();
    let mut again = Connection::on(&feed, resuming(&last_id), cut.parser);
    let (messages, ended) = again.drain();
    assert_eq!(
        (messages[0].json()["version"].as_u64(), ended),
        (Some(2), true)
    );
    for done in [again.parser.last_id, steady.parser.last_id] {
        assert_eq!(done.parse::<eventlog::Cursor>().unwrap().version(), 3);
        let response = feed.sse(resuming(&done));
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!(feed.sse(resuming("")).status(), StatusCode::OK);
}

#[test]
fn ten_thousand_that_come_and_go_leave_nothing() {
    let log = EventLog::new(None);
    log.append(tick(1));
    let feed = Feed::new(&log).max_subscribers(3);
    for round in 0..10_000 {
        let mut client = Connection::open(&feed, Start::Oldest);
        // Dropped at every stage, most of all while it waits.
        for _ in 0..round % 5 {
            client.piece();
        }
    }
    assert_eq!(feed.stats().subscribers, 0);
    assert_eq!(feed.stats().refused, 0);
    let stats = log.stats();
    assert_eq!((stats.subscribers, stats.pinned_segments), (0, 0));
}
