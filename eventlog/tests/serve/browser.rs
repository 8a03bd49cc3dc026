//! Pages in a real browser: whatever the server does, each of them ends live and right.

use std::{
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::HeaderMap,
    response::{Html, IntoResponse},
    routing::get,
};
use eventlog::{
    EventLog, Start,
    disk::{DiskConfig, DiskWriter},
    serve::{Asked, Feed},
};
use serde_json::json;
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    Tick,
    chromium::{Browser, Page},
    client::Connection,
    tick,
};

/// Keeps what it sees in `seen`, and where it is in `sessionStorage`, as the documentation says.
const PAGE: &str = r#"<!doctype html><script>
const seen = [], place = sessionStorage.getItem("place");
const query = place ? "?cursor=" + place : location.search;
const events = new EventSource("/events" + query);
events.onmessage = (event) => {
  seen.push(JSON.parse(event.data).version);
  sessionStorage.setItem("place", event.lastEventId);
};
for (const kind of ["reset", "live"]) {
  events.addEventListener(kind, (event) => {
    const coverage = JSON.parse(event.data).coverage;
    seen.push(coverage ? kind + " " + coverage : kind);
    sessionStorage.setItem("place", event.lastEventId);
  });
}
</script>"#;

/// A server with a runtime of its own, which takes every connection with it.
struct Site {
    port: u16,
    runtime: Runtime,
    /// The `Last-Event-ID` of each request.
    ids: Arc<Mutex<Vec<String>>>,
}

type Shared = (Feed<Tick>, Arc<Mutex<Vec<String>>>);

async fn events(
    State((feed, ids)): State<Shared>,
    headers: HeaderMap,
    asked: Asked,
) -> impl IntoResponse {
    let id = headers.get("last-event-id");
    let id = id.map_or("", |id| id.to_str().unwrap()).to_owned();
    ids.lock().unwrap().push(id);
    feed.sse(asked)
}

impl Site {
    fn start(port: u16, feed: &Feed<Tick>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let ids = Arc::default();
        let retry = Duration::from_millis(50)..=Duration::from_millis(150);
        let shared = (feed.clone().retry(retry), Arc::clone(&ids));
        let app = Router::new()
            .route("/", get(async || Html(PAGE)))
            .route("/events", get(events))
            .with_state(shared);
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port)));
        let listener = listener.unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(axum::serve(listener, app).into_future());
        Self { port, runtime, ids }
    }

    fn open(&self, browser: &mut Browser, query: &str) -> Page {
        browser.open(&format!("http://127.0.0.1:{}/{query}", self.port))
    }

    /// As SIGKILL does it: every connection breaks.
    fn kill(self) -> u16 {
        self.runtime.shutdown_timeout(Duration::from_secs(60));
        self.port
    }

    fn wait_for(&self, what: impl Fn(&[String]) -> bool) {
        for _ in 0..6000 {
            if what(&self.ids.lock().unwrap()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("a minute has passed: {:?}", self.ids.lock().unwrap());
    }
}

fn recovered(path: &Path) -> (EventLog<Tick>, DiskWriter<Tick>) {
    let config = DiskConfig::new(path);
    let (log, _) = EventLog::recover(&config).unwrap();
    let writer = DiskWriter::spawn(&log, config).unwrap();
    (log, writer)
}

/// Before a page comes, so that it is there before the page is told that it is live.
fn store(log: &EventLog<Tick>, writer: &DiskWriter<Tick>, versions: RangeInclusive<u64>) {
    log.append_batch(versions.map(tick));
    writer.blocking_flush(Duration::from_secs(60)).unwrap();
}

#[test]
fn f04_in_a_real_browser_every_page_ends_live_and_right() {
    let Some(mut browser) = Browser::start() else {
        println!("NOT RUN: the pages in a real browser; `apt-get install chromium` brings one");
        return;
    };
    a_server_is_killed_and_comes_back(&mut browser);
    a_bookmark_moves_the_place_of_a_page_that_gets_nothing(&mut browser);
    there_are_too_many_and_then_there_is_room(&mut browser);
    a_server_drains_while_pages_come_back(&mut browser);
    an_id_makes_no_sense(&mut browser);
}

fn a_server_is_killed_and_comes_back(browser: &mut Browser) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.log");
    let (log, writer) = recovered(&path);
    store(&log, &writer, 1..=3);
    let site = Site::start(0, &Feed::stored(&writer));
    let page = site.open(browser, "");
    browser.wait_for(&page, "seen", &json!([1, 2, 3, "live"]));
    log.append(tick(4));
    browser.wait_for(&page, "seen.at(-1)", &json!(4));

    // The same history goes on: no reset.
    let port = site.kill();
    drop((log, writer));
    let (log, writer) = recovered(&path);
    store(&log, &writer, 5..=5);
    let site = Site::start(port, &Feed::stored(&writer));
    browser.wait_for(&page, "seen.slice(5)", &json!([5, "live"]));
    // A page that is loaded again has forgotten everything but its place.
    browser.reload(&page);
    browser.wait_for(&page, "seen", &json!(["live"]));
    log.append(tick(6));
    browser.wait_for(&page, "seen", &json!(["live", 6]));

    // Another history, in the same place.
    let port = site.kill();
    let other = EventLog::new(None);
    other.append(tick(1));
    let site = Site::start(port, &Feed::new(&other));
    let anew = json!(["reset foreign", 1, "live"]);
    browser.wait_for(&page, "seen.slice(2)", &anew);
    other.append(tick(2));
    browser.wait_for(&page, "seen.at(-1)", &json!(2));
    site.kill();
}

fn a_bookmark_moves_the_place_of_a_page_that_gets_nothing(browser: &mut Browser) {
    let log = EventLog::builder().capacity(10).build().unwrap();
    let feed = Feed::new(&log)
        .filter(|_| false)
        .bookmark_every(Duration::from_millis(30));
    let site = Site::start(0, &feed);
    let page = site.open(browser, "");
    browser.wait_for(&page, "seen", &json!(["live"]));
    log.append_batch((1..=5).map(tick));
    let place = log.cursor().to_string();
    // Nobody knows when the page has read the bookmark, but another try shows it.
    let mut port = site.port;
    let mut site = Some(site);
    for _ in 0..200 {
        port = site.take().map_or(port, Site::kill);
        let next = Site::start(port, &feed);
        next.wait_for(|ids| !ids.is_empty());
        let has_moved = next.ids.lock().unwrap().contains(&place);
        site = Some(next);
        if has_moved {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let site = site.unwrap();
    assert!(site.ids.lock().unwrap().contains(&place), "{place}");
    browser.wait_for(&page, "seen.at(-1)", &json!("live"));
    let resets = "seen.filter((what) => what != 'live')";
    assert_eq!(browser.value(&page, resets), json!([]));
    site.kill();
}

fn there_are_too_many_and_then_there_is_room(browser: &mut Browser) {
    let log = EventLog::new(None);
    log.append(tick(1));
    let feed = Feed::new(&log).max_subscribers(1);
    let first = Connection::open(&feed, Start::Now);
    let site = Site::start(0, &feed);
    let page = site.open(browser, "");
    // One that has asked may still be let in.
    site.wait_for(|_| feed.stats().refused >= 3);
    assert_eq!(browser.value(&page, "seen"), json!([]));
    drop(first);
    browser.wait_for(&page, "seen", &json!([1, "live"]));
    site.kill();
}

fn a_server_drains_while_pages_come_back(browser: &mut Browser) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.log");
    let (log, writer) = recovered(&path);
    store(&log, &writer, 1..=1);
    let site = Site::start(0, &Feed::stored(&writer));
    let page = site.open(browser, "");
    browser.wait_for(&page, "seen", &json!([1, "live"]));
    log.close();
    site.wait_for(|ids| ids.len() >= 4);
    let port = site.kill();
    drop((log, writer));
    let (log, writer) = recovered(&path);
    store(&log, &writer, 2..=2);
    let site = Site::start(port, &Feed::stored(&writer));
    let events = "seen.filter((what) => what != 'live')";
    browser.wait_for(&page, events, &json!([1, 2]));
    browser.wait_for(&page, "seen.at(-1)", &json!("live"));
    assert_eq!(browser.value(&page, "events.readyState"), json!(1));
    site.kill();
}

fn an_id_makes_no_sense(browser: &mut Browser) {
    let log = EventLog::new(None);
    log.append(tick(1));
    let feed = Feed::new(&log);
    let site = Site::start(0, &feed);
    let page = site.open(browser, "?cursor=nonsense");
    let anew = json!(["reset foreign", 1, "live"]);
    browser.wait_for(&page, "seen", &anew);
    // Finished: now, and only now, it does not come back.
    feed.finish();
    browser.wait_for(&page, "events.readyState", &json!(2));
    assert_eq!(browser.value(&page, "seen"), anew);
    site.kill();
}
