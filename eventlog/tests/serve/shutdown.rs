//! An axum server ends while browsers are connected.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use eventlog::{
    EventLog,
    serve::{Asked, Feed},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use crate::{Tick, tick};

const STREAMS: usize = 500;

async fn events(State(feed): State<Feed<Tick>>, asked: Asked) -> impl IntoResponse {
    feed.sse(asked)
}

async fn request(place: std::net::SocketAddr, line: &str, more: &str) -> TcpStream {
    let mut stream = TcpStream::connect(place).await.unwrap();
    let request = format!("GET {line} HTTP/1.1\r\nhost: x\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn read_until(stream: &mut TcpStream, what: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(what) {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the end, and no {what:?} in {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    text
}

/// A test of this many sockets on both sides may need more descriptors than a shell gives.
fn allow_descriptors() -> bool {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).is_ok()
        && limit.current.is_none_or(|limit| limit > 3 * STREAMS as u64)
}

/// tokio-rs/axum#2673: a graceful shutdown waits for event streams for ever.
#[tokio::test]
async fn f03_a_graceful_shutdown_with_500_open_streams_takes_less_than_a_second() {
    if !allow_descriptors() {
        println!("NOT RUN: the limit of open files is too low for 500 connections");
        return;
    }
    let log = Arc::new(EventLog::new(None));
    log.append(tick(1));
    let app = Router::new()
        .route("/events", get(events))
        .with_state(Feed::new(&log));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    let (signal, signalled) = oneshot::channel::<()>();
    let closing = log.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        signalled.await.ok();
        closing.close();
    });
    let server = tokio::spawn(server.into_future());
    let mut clients = JoinSet::new();
    for _ in 0..STREAMS {
        clients.spawn(async move {
            let mut stream = request(place, "/events", "accept: text/event-stream\r\n").await;
            let head = read_until(&mut stream, "event: live").await;
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            assert!(head.contains("x-accel-buffering: no\r\n"), "{head}");
            stream
        });
    }
    let streams = clients.join_all().await;
    let bad = read_until(&mut request(place, "/events?since=x", "").await, "whole").await;
    assert!(bad.starts_with("HTTP/1.1 400"), "{bad}");
    assert!(!bad.contains("=x"), "what was sent is not sent back: {bad}");

    let began = Instant::now();
    signal.send(()).unwrap();
    server.await.unwrap().unwrap();
    let took = began.elapsed();
    for mut stream in streams {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert!(rest.ends_with(b"0\r\n\r\n"), "a whole body");
    }
    // A second is the promise; a busy machine gets more.
    assert!(took < Duration::from_secs(10), "{took:?}");
    println!("{STREAMS} streams ended in {took:?}");
}
