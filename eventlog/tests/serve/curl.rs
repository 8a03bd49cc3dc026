//! What a person sees who asks with curl.

use std::{process::Command, sync::Arc};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use eventlog::{
    EventLog, Start,
    serve::{Asked, Feed},
};
use tokio::net::TcpListener;

use crate::{Tick, client::Connection, tick};

async fn events(State(feed): State<Feed<Tick>>, asked: Asked) -> impl IntoResponse {
    feed.sse(asked)
}

/// Head and body of an answer.
async fn curl(address: String, more: &'static [&str]) -> String {
    let asking = move || {
        Command::new("curl")
            .args(["-siN", &address])
            .args(more)
            .output()
    };
    let output = tokio::task::spawn_blocking(asking).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn curl_is_told_what_a_person_can_act_on() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("NOT RUN: asking with curl; `apt-get install curl` brings it");
        return;
    }
    let log = Arc::new(EventLog::new(None));
    log.append_batch((1..=2).map(tick));
    let feed = Feed::new(&log).max_subscribers(1);
    let app = Router::new()
        .route("/events", get(events))
        .with_state(feed.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/events", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, app).into_future());

    let malformed = curl(format!("{address}?since=x"), &[]).await;
    assert!(malformed.starts_with("HTTP/1.1 400"), "{malformed}");
    assert!(malformed.contains("such as `?since=12`"), "{malformed}");

    let first = Connection::open(&feed, Start::Now);
    let full = curl(address.clone(), &[]).await;
    assert!(full.starts_with("HTTP/1.1 503"), "{full}");
    assert!(full.contains("\r\nretry-after: "), "{full}");
    let full = curl(address.clone(), &["-H", "Accept: text/event-stream"]).await;
    assert!(full.starts_with("HTTP/1.1 200"), "{full}");
    assert!(full.contains("\r\n\r\nretry: "), "{full}");
    drop(first);

    log.close(); // so that curl ends by itself
    let events = curl(format!("{address}?since=1"), &["-H", "Last-Event-ID;"]).await;
    assert!(events.contains("\r\ncache-control: no-cache, no-transform\r\n"));
    assert!(events.contains(".2.2\ndata: {\"version\":2,"), "{events}");
    assert!(!events.contains("\"version\":1,"), "{events}");
    assert!(events.ends_with("data: {\"newest\":\"2\"}\n\n"), "{events}");

    feed.finish();
    let id = format!("{address}?cursor={}", log.cursor());
    let finished = curl(id, &[]).await;
    assert!(finished.starts_with("HTTP/1.1 204"), "{finished}");
}
