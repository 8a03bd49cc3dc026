//! An edge: a mirror of the stream, and a server of pages from it.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    response::{Html, IntoResponse},
    routing::get,
};
use eventlog::{
    nats::{Mirror, MirrorConfig, MirrorFeed},
    serve::{Asked, Feed},
};

use crate::{EVENTS, Event, end_with_parent, until_it_works};

const PAGE: &str = include_str!("../sse/page.html");

async fn events(State(feed): State<MirrorFeed<Event>>, asked: Asked) -> impl IntoResponse {
    feed.sse(asked).await
}

pub fn run(servers: &str, port: u16) {
    end_with_parent();
    let capacity = usize::try_from(EVENTS).unwrap();
    let config = MirrorConfig::new(servers, "orders").capacity(capacity);
    let mirror = until_it_works(|| Mirror::blocking_open(config.clone()));
    let soon = Duration::from_millis(20)..=Duration::from_millis(200);
    let feed = mirror.feed(move |log| Feed::new(log).retry(soon.clone()));
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/events", get(events))
        .with_state(feed);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await;
        axum::serve(listener.unwrap(), app).await.unwrap();
    });
}
