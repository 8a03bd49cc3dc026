//! The same lines as over a socket, in a `WebSocket`: `cargo run --features axum --example websocket`.
//!
//! The client's first message says from where on: `{"cursor":"…"}`, `{"since":12}` or `{}`. Each
//! message that it gets is one or more lines of JSON, as `eventlog::serve::Lines` has them.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};
use eventlog::{EventLog, Versioned, serve::Feed};

#[derive(Versioned, serde::Serialize)]
struct Tick {
    version: u64,
}

async fn follow(mut socket: WebSocket, feed: Feed<Tick>) -> Option<()> {
    let hello = tokio::time::timeout(Duration::from_secs(5), socket.recv()).await;
    let mut lines = feed.lines_for(&hello.ok()??.ok()?.into_data());
    loop {
        tokio::select! {
            piece = lines.next() => {
                let text = piece?.try_into().ok()?; // the end: the socket is closed
                socket.send(Message::Text(text)).await.ok()?;
            }
            said = socket.recv() => drop(said?.ok()?), // a ping, or that it has gone
        }
    }
}

async fn upgrade(State(feed): State<Feed<Tick>>, upgrade: WebSocketUpgrade) -> Response {
    // Nothing that it says is long.
    let upgrade = upgrade.max_message_size(4096);
    upgrade.on_upgrade(async |socket| follow(socket, feed).await.unwrap_or(()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let log = Arc::new(EventLog::new(None));
    let app = Router::new()
        .route("/ws", get(upgrade))
        .with_state(Feed::new(&log));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("ws://{}/ws", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());
    for version in 1.. {
        log.append(Tick { version });
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
