//! The page: processes, what happens, and a button that starts and stops one.

use std::{io, path::Path, sync::Arc};

use axum::{
    Json, Router,
    extract::{self, Request, State},
    http::{HeaderMap, Method, StatusCode},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use eventlog::{
    disk::DiskWriter,
    serve::{Asked, Feed},
};
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{children::Order, event::Event, reducer::Reducer, say};

/// What the button starts. Nothing that comes over the network is run.
const SAMPLE: &str = "sleep 60";

#[derive(Clone)]
struct Site {
    reducer: Arc<Reducer>,
    feed: Feed<Event>,
    orders: mpsc::Sender<Order>,
}

pub struct Page {
    end: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Page {
    /// Ends once every connection has.
    pub async fn end(self) {
        self.end.send(()).ok();
        self.serving.await.ok();
    }
}

pub async fn serve(
    data_dir: &Path,
    reducer: &Arc<Reducer>,
    writer: &DiskWriter<Event>,
    orders: mpsc::Sender<Order>,
) -> io::Result<Page> {
    let site = Site {
        reducer: reducer.clone(),
        feed: Feed::stored(writer),
        orders,
    };
    let app = Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/snapshot", get(snapshot))
        .route("/events", get(events))
        .route("/start", post(start))
        .route("/stop/{id}", post(stop))
        .layer(middleware::from_fn(own_pages_only))
        .with_state(site);
    let listener = bind(data_dir).await?;
    say(&format!("page       http://{}/\n", listener.local_addr()?));
    let (end, ended) = oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        ended.await.ok();
    });
    let serving = tokio::spawn(server.into_future());
    Ok(Page { end, serving })
}

/// The port of the last run if it is free, so that a page that is open finds this one.
async fn bind(data_dir: &Path) -> io::Result<TcpListener> {
    let kept = data_dir.join("page.port");
    let last = tokio::fs::read_to_string(&kept).await.unwrap_or_default();
    let last = last.trim().parse().unwrap_or(0);
    let listener = match TcpListener::bind(("127.0.0.1", last)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await?,
    };
    let port = listener.local_addr()?.port();
    tokio::fs::write(&kept, port.to_string()).await?;
    Ok(listener)
}

/// Pages of others may neither read this one, under a name of theirs that leads here, nor press its
/// buttons: only a script of the same origin can send this header without being asked about it.
async fn own_pages_only(request: Request, next: Next) -> Response {
    if is_own(request.headers(), request.method()) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

fn is_own(headers: &HeaderMap, method: &Method) -> bool {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default().split(':').next();
    let is_here = matches!(host, Some("127.0.0.1" | "localhost"));
    is_here && (*method != Method::POST || headers.contains_key("x-launcher"))
}

async fn snapshot(State(site): State<Site>) -> impl IntoResponse {
    let (state, cursor) = site.reducer.snapshot();
    Json(json!({"state": state, "cursor": cursor}))
}

async fn events(State(site): State<Site>, asked: Asked) -> impl IntoResponse {
    site.feed.sse(asked)
}

async fn start(State(site): State<Site>) -> StatusCode {
    order(&site, Order::Start(SAMPLE.to_owned()))
}

async fn stop(State(site): State<Site>, extract::Path(id): extract::Path<u64>) -> StatusCode {
    order(&site, Order::Stop(id))
}

fn order(site: &Site, order: Order) -> StatusCode {
    match site.orders.try_send(order) {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
