//! What a test asks the stream itself, with a client of its own.

use async_nats::{
    HeaderMap,
    jetstream::{self, stream::State},
};
use tokio::runtime::Builder;

use crate::server::Server;

/// One message of a stream.
pub struct Message {
    pub headers: HeaderMap,
    pub payload: Vec<u8>,
}

impl Server {
    /// Runs something with the stream.
    pub fn with<T>(&self, act: impl AsyncFnOnce(jetstream::Context) -> T) -> T {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap();
        runtime.block_on(async {
            let client = async_nats::connect(self.url()).await.unwrap();
            act(jetstream::new(client)).await
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
