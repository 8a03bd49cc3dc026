//! An `EventSource` as the standard has it, over a body that is polled by hand.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use eventlog::{
    Cursor, Start,
    serve::{Asked, Feed, SseBody},
};
use http_body::Body;
use serde_json::Value;

/// One dispatched event.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub kind: String,
    pub data: String,
    pub id: String,
}

impl Message {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }

    pub fn cursor(&self) -> Cursor {
        self.id.parse().unwrap()
    }
}

/// The parser of the standard (WHATWG HTML, 9.2.6): what it keeps over connections, and the block
/// that it is in.
#[derive(Default)]
pub struct Parser {
    pub last_id: String,
    pub retry: Option<u64>,
    rest: Vec<u8>,
    id: Option<String>,
    kind: String,
    data: Option<String>,
}

impl Parser {
    /// A new connection: an unfinished block counts for nothing.
    pub fn reconnect(&mut self) {
        let (last_id, retry) = (std::mem::take(&mut self.last_id), self.retry);
        *self = Self {
            last_id,
            retry,
            ..Self::default()
        };
    }

    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Message> {
        self.rest.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<_> = self.rest.drain(..=end).collect();
            let line = std::str::from_utf8(&line[..end]).unwrap().to_owned();
            assert!(!line.contains('\r'), "{line:?}");
            messages.extend(self.line(&line));
        }
        messages
    }

    fn line(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            if let Some(id) = self.id.take() {
                self.last_id = id;
            }
            let kind = std::mem::take(&mut self.kind);
            let data = self.data.take()?;
            let id = self.last_id.clone();
            return Some(Message { kind, data, id });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.kind),
            "retry" => self.retry = Some(value.parse().unwrap()),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            other => panic!("no such field: {other:?}"),
        }
        None
    }
}

/// A connection that goes on with what the parser has.
pub struct Connection<E> {
    body: Pin<Box<SseBody<E>>>,
    pub parser: Parser,
}

/// What the next poll of a body has.
pub enum Piece {
    Bytes(Vec<u8>),
    Nothing,
    End,
}

impl<E> Connection<E> {
    pub fn open(feed: &Feed<E>, asked: impl Into<Asked>) -> Self {
        Self::on(feed, asked, Parser::default())
    }

    pub fn on(feed: &Feed<E>, asked: impl Into<Asked>, parser: Parser) -> Self {
        Self::over(feed.sse(asked), parser)
    }

    pub fn over(response: http::Response<SseBody<E>>, mut parser: Parser) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        parser.reconnect();
        let body = Box::pin(response.into_body());
        Self { body, parser }
    }

    /// What is there without waiting.
    pub fn piece(&mut self) -> Piece {
        // One that lets others run first is asked again.
        for _ in 0..3 {
            let mut context = Context::from_waker(Waker::noop());
            match self.body.as_mut().poll_frame(&mut context) {
                Poll::Ready(Some(frame)) => {
                    return Piece::Bytes(frame.unwrap().into_data().unwrap().to_vec());
                }
                Poll::Ready(None) => {
                    assert!(self.body.is_end_stream());
                    return Piece::End;
                }
                Poll::Pending => {}
            }
        }
        Piece::Nothing
    }

    /// Everything that is there without waiting, and whether that is the end.
    pub fn drain(&mut self) -> (Vec<Message>, bool) {
        let mut messages = Vec::new();
        loop {
            match self.piece() {
                Piece::Bytes(bytes) => messages.extend(self.parser.feed(&bytes)),
                Piece::Nothing => return (messages, false),
                Piece::End => return (messages, true),
            }
        }
    }

    pub fn messages(&mut self) -> Vec<Message> {
        self.drain().0
    }

    /// The next piece of the body; `None` at its end.
    pub async fn next_piece(&mut self) -> Option<Vec<u8>> {
        let mut body = pin!(&mut self.body);
        let next = poll_fn(|context| body.as_mut().as_mut().poll_frame(context));
        let frame = tokio::time::timeout(Duration::from_secs(60), next).await;
        let frame = frame.unwrap(); // a minute is enough for anything
        frame.map(|frame| frame.unwrap().into_data().unwrap().to_vec())
    }
}

/// Where an `EventSource` begins that has this id; without one it has no header to send.
pub fn resuming(id: &str) -> Asked {
    let mut headers = http::HeaderMap::new();
    headers.insert("accept", "text/event-stream".parse().unwrap());
    if !id.is_empty() {
        headers.insert("last-event-id", id.parse().unwrap());
    }
    Asked::from_parts(&headers, None).unwrap().or(Start::Oldest)
}
