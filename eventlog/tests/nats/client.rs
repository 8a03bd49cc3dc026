//! What a test asks the stream itself, with a client of its own.

use std::time::Duration;

use async_nats::{
    ConnectOptions, HeaderMap,
    jetstream::{Context, context::ContextBuilder, stream::State},
};
use eventlog::nats::JetStreamConfig;
use tokio::runtime::Builder;

use crate::server::{PATIENCE, Server};

/// One message of a stream.
pub struct Message {
    pub headers: HeaderMap,
    pub payload: Vec<u8>,
}

/// However busy the machine is, a server that works answers by then.
fn patient() -> ConnectOptions {
    ConnectOptions::new()
        .connection_timeout(PATIENCE)
        .request_timeout(Some(PATIENCE))
}

impl Server {
    pub fn config(&self) -> JetStreamConfig {
        JetStreamConfig::new(self.url(), "orders")
            .connect_with(patient())
            .ack_timeout(PATIENCE)
    }

    /// For those whom it does not answer.
    pub fn impatient(&self) -> JetStreamConfig {
        JetStreamConfig::new(self.url(), "orders").ack_timeout(Duration::from_secs(2))
    }

    /// Runs something with the stream.
    pub fn with<T>(&self, act: impl AsyncFnOnce(Context) -> T) -> T {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap();
        runtime.block_on(async {
            let client = patient().connect(self.url()).await.unwrap();
            act(ContextBuilder::new().timeout(PATIENCE).build(client)).await
        })
    }

    pub fn state(&self) -> State {
        self.with(async |context| {
            let stream = context.get_stream("orders").await.unwrap();
            stream.cached_info().state.clone()
        })
    }

    /// All messages of the stream, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.with(async |context| {
            let stream = context.get_stream("orders").await.unwrap();
            let state = stream.cached_info().state.clone();
            let mut messages = Vec::new();
            if state.messages == 0 {
                return messages;
            }
            for sequence in state.first_sequence..=state.last_sequence {
                let message = stream.get_raw_message(sequence).await.unwrap();
                messages.push(Message {
                    headers: message.headers,
                    payload: message.payload.to_vec(),
                });
            }
            messages
        })
    }

    /// All lines of the stream but those of claims, in order.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for message in self.messages() {
            if message.header("Eventlog-Count") == "0" {
                continue;
            }
            let text = String::from_utf8(message.payload).unwrap();
            assert!(text.ends_with('\n'), "a message has whole lines: {text:?}");
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    }
}

impl Message {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.as_str())
    }
}
