//! A log in browsers and other processes: what a subscriber has missed, then what comes, and never
//! a wrong page.
//!
//! A [`Feed`] answers requests for server-sent events. [`Asked`] says from where on, and
//! [`Feed::sse`] is the answer, with a body that any server of `http`'s types sends (hyper, axum,
//! tonic, …).
//!
//! ```
//! use eventlog::{EventLog, Start, Versioned, serve::{Asked, Feed}};
//! use http_body::Body;
//!
//! #[derive(Versioned, serde::Serialize)]
//! struct Tick { version: u64 }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = EventLog::new(None);
//! let feed = Feed::new(&log);
//! log.append(Tick { version: 7 });
//!
//! let request = http::Request::get("/events").header("accept", "text/event-stream").body(())?;
//! let asked = Asked::of(&request.into_parts().0)?;
//! let response = feed.sse(asked); // for the server to send
//!
//! assert_eq!(response.status(), 200);
//! log.close(); // ends the body, after all that was appended before
//! let mut body = std::pin::pin!(response.into_body());
//! let mut text = Vec::new();
//! while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
//!     text.extend(frame?.into_data().unwrap_or_default());
//! }
//! let text = String::from_utf8(text)?;
//! assert!(text.contains("\ndata: {\"version\":7}\n\nevent: live\n"));
//! # Ok(())
//! # }
//! ```
//!
//! # What a page sees
//!
//! | `event:` | when | `data:` |
//! | --- | --- | --- |
//! | none, so `message` | each event | the event, as JSON unless set otherwise |
//! | `reset` | something is missing before what comes next: fetch a snapshot first | a [`Coverage`](crate::Coverage), and the newest version |
//! | `live` | once per connection, when everything is there that was there when it came | the newest version |
//!
//! Each of them has the cursor at which to go on as its id, and so have *bookmarks*, which have no
//! data and are no event for the page. A browser sends the last id when it comes back by itself, and
//! gets what it has missed. Versions in `reset` and `live` are text, since browsers round numbers
//! above 2⁵³.
//!
//! ```js
//! const place = sessionStorage.getItem("place");            // survives a reload of the page
//! const events = new EventSource(place ? `/events?cursor=${place}` : "/events");
//! events.onmessage = (event) => {
//!   apply(JSON.parse(event.data));
//!   sessionStorage.setItem("place", event.lastEventId);     // after it was applied
//! };
//! events.addEventListener("reset", () => reload_snapshot());
//! events.addEventListener("live", () => show_that_it_is_current());
//! ```
//!
//! # When the server ends
//!
//! [`EventLog::close`](crate::EventLog::close) ends every body, so a server that waits for its
//! connections has nothing to wait for. With axum:
//!
//! ```text
//! axum::serve(listener, app)
//!     .with_graceful_shutdown(async move { signal.await; log.close() })
//! ```
//!
//! A browser gives up for ever on any answer but 200. Who comes while the log is closed, or while
//! there are too many, is therefore answered with 200, the time after which to come again, and the
//! end of the body. [`Feed::finish`] says that nothing will ever come.
//!
//! # What stands around it
//!
//! * **Who may read** is for layers outside to say. An `EventSource` can send no headers: use a
//!   cookie, or a short-lived ticket in the query, which [`Asked`] does not look at.
//! * **CORS** is a layer, too, such as tower-http's `CorsLayer`. `Last-Event-ID` needs no mention
//!   in it where a browser sends it by itself.
//! * **Proxies** are told not to buffer (`X-Accel-Buffering: no`, `Cache-Control: no-transform`).
//! * **Compression** must be kept from it, because it collects before it sends. tower-http's layer
//!   leaves `text/event-stream` alone.
//! * **HTTP/1.1** has six connections per browser and host, over all its tabs. Serve HTTP/2, or share
//!   one connection in a `SharedWorker`.
//! * **A snapshot** that is asked for after each `reset` should survive all clients asking at once,
//!   as after a restart that no cursor outlives: cache it for a second.

mod address;
mod alarm;
#[cfg(feature = "axum")]
mod axum;
mod feed;
mod frames;
mod heard;
mod hooks;
mod lines;
mod peer;
mod remote;
mod socket;
mod source;
mod sse;
mod start;
mod tap;
mod told;
#[cfg(unix)]
mod unix;

pub use address::{Address, AddressError};
pub use feed::{Feed, FeedStats};
pub use heard::{Heard, RemoteError};
pub use lines::Lines;
pub use remote::{Remote, connect};
pub use socket::Serving;
pub use sse::SseBody;
pub use start::{Asked, QueryError};
