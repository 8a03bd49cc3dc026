//! N01, N02 and N03 at a simulated server of a stream: the protocol that speaks to real servers, without
//! a clock, a thread or a network, so that faults can be placed everywhere.
//!
//! What a real server does is in `tests/nats`.

mod reader;
mod repeated;
mod scripts;
mod server;
mod state;
mod world;
mod writer;

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use serde::{Deserialize, Serialize};

use crate::versioned::Versioned;

/// More attempts than there are faults at a time.
const ATTEMPTS: usize = 8;

/// The most bytes of a message, its headers aside.
const MESSAGE: usize = 256;

/// An event, which no other is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Event {
    version: u64,
    id: u64,
}

impl Versioned for Event {
    fn version(&self) -> u64 {
        self.version
    }
}

/// What a future comes to at once. Nothing here waits for anything but what the server has not got.
fn now<F: Future>(future: F) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
