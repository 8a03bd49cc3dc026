//! A log at a NATS server, judged by the laws through its asynchronous calls. Where there is no
//! server, each test says NOT RUN.
//!
//! What is not judged, and why:
//!
//! * `Base`, `Weight`, `Age`: a mirror remembers so many events, from the first on.
//! * `Batch`: a batch may come in several messages, so that a reader at a mirror may see a part of it.
//! * `Probe`: events cross a wire, and the probes in them do not.
//! * `Durable`: a server that does not sync acknowledges what a power cut takes back, and says so by
//!   its level; and the files are the server's.
//! * `AppendWith`, `Numbers`: a closure does not travel, and numbers are given before the stream.

#![allow(clippy::unwrap_used)]

mod log;
#[allow(dead_code, reason = "the suite only starts it")]
#[path = "../../../eventlog/tests/nats/server.rs"]
mod server;

use std::cell::RefCell;

use log::Streams;
use model_tests::{Awaited, Budget, Capability, check, conformance, laws};
use server::Server;

thread_local! {
    /// The server of this test.
    static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
}

/// Starts a server for a test. Says NOT RUN where there is none.
macro_rules! at_a_server {
    ($(#[$attribute:meta])* fn $test:ident() $body:block) => {
        #[test]
        $(#[$attribute])*
        fn $test() {
            let Some(server) = Server::start() else { return };
            SERVER.set(Some(server));
            $body
            drop(SERVER.take());
        }
    };
}

/// Logs at the server of this test.
fn streams(remembers_more: bool) -> Awaited<Streams> {
    let url = SERVER.with_borrow(|server| server.as_ref().unwrap().url());
    let streams = Streams {
        url,
        remembers_more,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    Awaited::in_runtime(streams, move |future| runtime.block_on(future))
}

conformance!(a_stream_and_its_mirror => streams(false), lacks: [
    Base, Probe, Batch, AppendWith, Durable, Weight, Age, Numbers,
], cases: 16, wrap: at_a_server);

at_a_server! {
    /// The suite sees through the stream: what the mirror does wrong is found.
    fn a_mirror_that_remembers_too_much_is_found() {
        let mut budget = Budget::of(16);
        budget.lacks = &[Capability::Base, Capability::Batch, Capability::AppendWith];
        let broken = check(&streams(true), &laws::R03, &budget).unwrap_err();
        assert_eq!(broken.law.id, "R03", "{broken}");
    }
}
