//! What another process serves as server-sent events, in place of files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use eventlog::serve::{Asked, Feed};
use serde_json::Value;

use crate::feed::{Tick, VERSIONS, kinds, log, tick};
use crate::follow::Tail;
use crate::{Ran, run, tool, until};

/// A server with a runtime of its own, which takes every connection with it.
struct Site {
    port: u16,
    _runtime: tokio::runtime::Runtime,
    /// The `Last-Event-ID` and the query of each request.
    asked: Asks,
}

type Asks = Arc<Mutex<Vec<(String, String)>>>;

async fn events(
    State((feed, asks)): State<(Feed<Tick>, Asks)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let id = headers.get("last-event-id");
    let id = id.map_or("", |id| id.to_str().unwrap()).to_owned();
    let query_text = query.clone().unwrap_or_default();
    asks.lock().unwrap().push((id, query_text));
    match Asked::from_parts(&headers, query.as_deref()) {
        Ok(asked) => feed.sse(asked).map(Body::new),
        Err(error) => error.response().map(Body::new),
    }
}

impl Site {
    fn start(port: u16, feed: &Feed<Tick>) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let asked = Asks::default();
        let retry = Duration::from_millis(20)..=Duration::from_millis(50);
        let shared = (feed.clone().retry(retry), Arc::clone(&asked));
        let app = axum::Router::new()
            .route("/events", get(events))
            .route("/page", get(|| async { axum::response::Html("<p>") }))
            .with_state(shared);
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", port)));
        let listener = listener.ok()?;
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(async { axum::serve(listener, app).await });
        Some(Self {
            port,
            _runtime: runtime,
            asked,
        })
    }

    fn of(feed: &Feed<Tick>) -> Self {
        Self::start(0, feed).unwrap()
    }

    fn at(&self, place: &str) -> PathBuf {
        format!("http://127.0.0.1:{}{place}", self.port).into()
    }
}

#[test]
fn show_ends_where_the_replay_does() {
    let log = log(1..=5);
    let site = Site::of(&Feed::new(&log));
    let path = site.at("/events");
    let shown = run("show", &VERSIONS, &path);
    assert_eq!((&*shown.out, shown.code), ("1\n2\n3\n4\n5\n", Some(0)));
    // It is asked there, and not at a proxy.
    let proxied = tool()
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .args(["show", "-n1"])
        .arg(&path)
        .output();
    assert_eq!(Ran::from(proxied.unwrap()).code, Some(0));
    let shown = |flags: &[&str]| run("show", &[flags, &VERSIONS].concat(), &path).out;
    assert_eq!(shown(&["-n", "2"]), "4\n5\n");
    assert_eq!(shown(&["--type", "even"]), "2\n4\n");
    let rows = run("show", &["-o", "json"], &path).out;
    let event = |version| ("event".to_owned(), Some(version));
    let live = ("live".to_owned(), None);
    assert_eq!(
        kinds(&rows),
        [event(1), event(2), event(3), event(4), event(5), live]
    );
    let third: Value = serde_json::from_str(rows.lines().nth(2).unwrap()).unwrap();
    assert_eq!(third["file"], path.to_str().unwrap());
    let cursor = third["cursor"].as_str().unwrap();
    assert_eq!(shown(&["--since", cursor]), "4\n5\n");
    let tail = run("tail", &[&VERSIONS[..], &["-n", "2"]].concat(), &path);
    assert_eq!(tail.out, "4\n5\n");

    // The address may say from where, too.
    let from = |place: &str, flags: &[&str]| {
        let flags = [flags, &VERSIONS].concat();
        run("show", &flags, &site.at(place)).out
    };
    assert_eq!(from("/events?since=3#top", &[]), "4\n5\n");
    assert_eq!(from(&format!("/events?cursor={cursor}"), &[]), "4\n5\n");
    assert_eq!(from("/events?x=1", &["--since", "4"]), "4\n5\n");
    assert_eq!(from("/events?since=1", &["--since", "4"]), "4\n5\n");
    let asked = site.asked.lock().unwrap().clone();
    let queries: Vec<_> = asked.iter().rev().map(|asked| &*asked.1).take(2).collect();
    assert_eq!(queries, ["since=1", "x=1&since=3"]);
}

#[test]
fn what_is_missing_is_told() {
    let log = eventlog::EventLog::builder().capacity(3).build().unwrap();
    log.append_batch((1..=10).map(tick));
    let site = Site::of(&Feed::new(&log));
    let table = run("show", &[], &site.at("/events"));
    let gap = "-- gap: 7 events are missing here, up to version 7 at most (truncated)\n";
    assert!(table.out.starts_with(gap), "{table:?}");
    assert!(
        table.out.ends_with("live; the newest version is 10\n"),
        "{table:?}"
    );
    for (place, word) in [
        ("/events?cursor=9f86d081884c7d65.12.340", "(foreign)"),
        ("/events?since=5000", "(ahead)"),
    ] {
        let table = run("show", &[], &site.at(place)).out;
        assert!(
            table.starts_with("-- gap:") && table.contains(word),
            "{table}"
        );
    }
}

#[test]
fn tail_goes_on_where_it_stood() {
    let log = log(1..=3);
    let feed = Feed::new(&log).bookmark_every(Duration::from_millis(20));
    let site = Site::of(&feed);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("seen");
    let flags = [&VERSIONS[..], &["--position-file", file.to_str().unwrap()]].concat();
    let path = site.at("/events");
    let mut tail = Tail::at(&flags, &path);
    tail.expect([1, 2, 3]);
    log.append(tick(4));
    tail.expect([4]);
    let written = || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        (text.trim() == log.cursor().to_string()).then_some(())
    };
    until("the cursor after the fourth event", written);
    // The server goes, with all connections, and comes back.
    let port = site.port;
    drop(site);
    log.append(tick(5));
    let site = until("the port is free", || Site::start(port, &feed));
    tail.expect([5]);
    let id = site.asked.lock().unwrap()[0].0.clone();
    assert!(id.ends_with(".4"), "{id}");
    feed.finish();
    log.close();
    assert_eq!(tail.child.wait().unwrap().code(), Some(0));
    assert_eq!(run("tail", &flags, &path).code, Some(1));
}

#[test]
fn another_answer_of_the_server_is_an_error() {
    let log = log(1..=2);
    let site = Site::of(&Feed::new(&log));
    let ask = |path: PathBuf, word: &str| {
        for (command, flag) in [("show", "-n2"), ("tail", "-f")] {
            let ran = run(command, &[flag], &path);
            assert_eq!((&*ran.out, ran.code), ("", Some(5)), "{ran:?}");
            assert!(ran.err.contains(word), "{ran:?}");
        }
    };
    ask(site.at("/nowhere"), "404 Not Found");
    ask(site.at("/page"), "`text/html`");
    ask(site.at("/events?since=x"), "400 Bad Request");
}

/// What the error about `https://` says is what works, here without the `s`.
#[test]
fn curl_brings_what_is_behind_tls() {
    let path = PathBuf::from("https://127.0.0.1:1/events");
    let refused = run("show", &[], &path);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let line = refused
        .err
        .split('`')
        .find(|text| text.contains("curl -sN"));
    let line = line.unwrap();
    if std::process::Command::new("curl")
        .arg("-V")
        .output()
        .is_err()
    {
        eprintln!("NOT RUN: there is no `curl`");
        return;
    }
    let log = eventlog::EventLog::builder().capacity(3).build().unwrap();
    log.append_batch((1..=10).map(tick));
    let site = Site::of(&Feed::new(&log));
    let line = line.replace("URL", site.at("/events").to_str().unwrap());
    let tool = env!("CARGO_BIN_EXE_eventlog");
    let line = line.replace("eventlog show -", &format!("'{tool}' show -o raw -"));
    let running = thread::spawn(move || {
        let shell = std::process::Command::new("sh")
            .args(["-c", &line])
            .output();
        Ran::from(shell.unwrap())
    });
    until("curl has asked", || {
        (!site.asked.lock().unwrap().is_empty()).then_some(())
    });
    log.close();
    let ran = running.join().unwrap();
    let events: String = (8..=10)
        .map(|version| serde_json::to_string(&tick(version)).unwrap() + "\n")
        .collect();
    assert_eq!((ran.out, ran.code), (events, Some(0)), "{}", ran.err);
}
