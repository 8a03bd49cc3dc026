//! Browsers and other processes follow a log.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(all(feature = "axum", unix))]
mod browser;
#[cfg(all(feature = "axum", unix))]
#[path = "../support/chromium.rs"]
#[allow(
    dead_code,
    reason = "each of the tests asks a browser for other things"
)]
mod chromium;
mod client;
#[cfg(feature = "axum")]
mod curl;
mod cuts;
mod encoding;
mod ends;
#[cfg(feature = "axum")]
mod examples;
#[cfg(all(feature = "axum", unix))]
mod launcher;
mod resets;
#[cfg(all(feature = "axum", unix))]
mod shutdown;
mod sockets;

use std::{panic, sync::Once};

use eventlog::Versioned;
use serde::{Deserialize, Serialize};

#[derive(Versioned, Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Tick {
    version: u64,
    text: String,
}

fn tick(version: u64) -> Tick {
    let text = "é".repeat(usize::try_from(version % 7).unwrap());
    Tick { version, text }
}

/// Tests run side by side: a hook that one of them takes back could be another's.
fn no_word_of_panics_on_purpose() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |told| {
            if told.payload().downcast_ref::<&str>() != Some(&"on purpose") {
                tell(told);
            }
        }));
    });
}

fn usable<T: Send + Sync + Unpin + std::fmt::Debug + 'static>() {}

#[test]
fn public_types_cross_threads_and_print() {
    use eventlog::serve;
    usable::<serve::Feed<Tick>>();
    usable::<serve::SseBody<Tick>>();
    usable::<serve::Lines<Tick>>();
    usable::<serve::Remote<Tick>>();
    usable::<serve::Heard<Tick>>();
    usable::<serve::Asked>();
    usable::<serve::Serving>();
    usable::<serve::FeedStats>();
}

#[test]
fn what_is_served_shows_what_it_is() {
    use eventlog::serve::{Address, AddressError, Feed};
    let log = eventlog::EventLog::<Tick>::new(None);
    let feed = Feed::new(&log);
    let serving = feed.serve_tcp("127.0.0.1:0").unwrap();
    let port = serving.local_addr().unwrap().port().to_string();
    assert!(format!("{serving:?}").contains(&port), "{serving:?}");
    assert!(format!("{feed:?}").contains("subscribers: 0"), "{feed:?}");
    let body = feed.sse(eventlog::Start::Oldest).into_body();
    assert!(format!("{body:?}").starts_with("SseBody"), "{body:?}");
    let address: Address = format!("tcp:127.0.0.1:{port}").parse().unwrap();
    let remote = eventlog::serve::connect::<Tick>(address, 0).unwrap();
    assert!(format!("{remote:?}").starts_with("Remote"), "{remote:?}");
    let error: AddressError = "nowhere".parse::<Address>().unwrap_err();
    assert!(error.to_string().contains("expected `unix:"), "{error}");
}
