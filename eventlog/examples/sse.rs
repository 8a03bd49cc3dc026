//! A page that is never wrong: `cargo run --features axum --example sse`, and open the address.
//!
//! Kill it, start it again with the same port, reload the page: it goes on where it was.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, response::Html, response::IntoResponse, routing::get};
use eventlog::{
    EventLog, Versioned,
    disk::{DiskConfig, DiskWriter},
    serve::{Asked, Feed},
};

#[derive(Versioned, serde::Serialize, serde::Deserialize)]
struct Tick {
    version: u64,
}

const PAGE: &str = include_str!("sse/page.html");

async fn events(State(feed): State<Feed<Tick>>, asked: Asked) -> impl IntoResponse {
    feed.sse(asked)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or("0".into());
    let config = DiskConfig::new("target/sse/events.log");
    let (log, _) = EventLog::<Tick>::recover(&config)?;
    let log = Arc::new(log);
    let writer = DiskWriter::spawn(&log, config)?;
    let app = Router::new()
        .route("/", get(async || Html(PAGE)))
        .route("/events", get(events))
        .with_state(Feed::stored(&writer)); // what no crash can take back
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}/", listener.local_addr()?);
    let ticking = log.clone();
    tokio::spawn(async move {
        loop {
            let version = ticking.newest_version().unwrap_or(0) + 1;
            ticking.append(Tick { version });
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let end = async move { tokio::signal::ctrl_c().await.unwrap_or(()) };
    let serving = axum::serve(listener, app);
    // Closing the log ends every body, so that the server has nothing to wait for.
    Ok(serving
        .with_graceful_shutdown(async move {
            end.await;
            log.close();
        })
        .await?)
}
