//! A connection to the servers of a stream: what is asked, what is sent, what comes back.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Client, Event, HeaderMap, StatusCode, Subscriber,
    connection::State,
    jetstream::{
        Context,
        context::{ContextBuilder, GetStreamErrorKind},
        stream::{Config as StreamConfig, Info, LastRawMessageErrorKind, Stream},
    },
};
use futures_core::Stream as _;
use serde::Deserialize;
use tokio::time::{Instant, timeout};

use super::{
    config::StreamAt,
    error::NatsError,
    frame::{Frame, Lives},
};

/// How often a connection that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(20);

pub(super) struct Link {
    pub(super) client: Client,
    context: Context,
    at: StreamAt,
    acks: Subscriber,
    /// The subject that acknowledgements come to, without the token of each.
    inbox: String,
    /// How often the connection was lost.
    losses: Arc<AtomicU64>,
    timeout: Duration,
}

/// What a server says to a message that was published.
pub(super) enum Answer {
    /// It has this stream sequence.
    Stored(u64),
    /// It was refused: the server's number for why, and its words.
    Refused(u64, String),
}

/// How a stream is at a moment.
pub(super) struct Seen {
    pub(super) info: Info,
    /// The last message on the subject: its stream sequence, and what it is if it is a log's.
    pub(super) last: Option<(u64, Option<Frame>)>,
}

#[derive(Deserialize)]
struct RawAnswer {
    seq: Option<u64>,
    error: Option<RawError>,
}

#[derive(Deserialize)]
struct RawError {
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

impl Link {
    /// Connects. Each request is answered within `timeout`, or fails.
    pub(super) async fn connect(at: &StreamAt, timeout: Duration) -> Result<Self, NatsError> {
        let losses = Arc::new(AtomicU64::new(0));
        let counted = losses.clone();
        let options = at.options.clone().event_callback(move |event| {
            if event == Event::Disconnected {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            std::future::ready(())
        });
        let client = options
            .connect(&at.servers)
            .await
            .map_err(|error| NatsError::connect(at, &error))?;
        let context = ContextBuilder::new().timeout(timeout).build(client.clone());
        let inbox = client.new_inbox();
        let acks = client
            .subscribe(format!("{inbox}.*"))
            .await
            .map_err(|error| NatsError::connect(at, &error))?;
        Ok(Self {
            client,
            context,
            at: at.clone(),
            acks,
            inbox,
            losses,
            timeout,
        })
    }

    /// The stream; `None` if there is none of this name.
    pub(super) async fn stream(&self) -> Result<Option<Stream>, NatsError> {
        self.connected().await?;
        match self.context.get_stream(&self.at.stream).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error) if error.code() == 404 => Ok(None),
                _ => Err(NatsError::request(&self.at, &error)),
            },
        }
    }

    pub(super) async fn create(&self, config: &StreamConfig) -> Result<(), NatsError> {
        let config = StreamConfig {
            name: self.at.stream.clone(),
            subjects: vec![self.at.subject.clone()],
            ..config.clone()
        };
        let created = self.context.create_stream(config).await;
        created.map_err(|error| NatsError::request(&self.at, &error))?;
        Ok(())
    }

    /// The stream and its last message. The message is asked for last, so that nobody's is missed
    /// among those that the sequence number counts.
    pub(super) async fn look(&self) -> Result<Option<Seen>, NatsError> {
        let Some(stream) = self.stream().await? else {
            return Ok(None);
        };
        let asked = stream.get_last_raw_message_by_subject(&self.at.subject);
        let last = match asked.await {
            Ok(message) => Some((message.sequence, Frame::parse(&message.headers))),
            Err(error) if is_absent(error.kind()) => None,
            Err(error) => return Err(NatsError::request(&self.at, &error)),
        };
        let info = stream.cached_info().clone();
        Ok(Some(Seen { info, last }))
    }

    /// A message of the stream, if it is there and a log's.
    pub(super) async fn frame_at(
        &self,
        sequence: u64,
    ) -> Result<Option<(Frame, Vec<u8>)>, NatsError> {
        if sequence == 0 {
            return Ok(None);
        }
        self.connected().await?;
        let stream = self.context.get_stream_no_info(&self.at.stream).await;
        let stream = stream.map_err(|error| NatsError::request(&self.at, &error))?;
        match stream.get_raw_message(sequence).await {
            Ok(message) => {
                let frame = Frame::parse(&message.headers);
                Ok(frame.map(|frame| (frame, message.payload.to_vec())))
            }
            Err(error) if is_absent(error.kind()) => Ok(None),
            Err(error) => Err(NatsError::request(&self.at, &error)),
        }
    }

    /// The lives before that of a message, as its claim tells. None where that is gone.
    pub(super) async fn lives(&self, sequence: u64, frame: &Frame) -> Result<Lives, NatsError> {
        let claim = if frame.claim == 0 {
            sequence
        } else {
            frame.claim
        };
        let claimed = self.frame_at(claim).await?;
        let claimed = claimed.filter(|(claimed, _)| claimed.is_claim_of(frame.life));
        Ok(claimed.map_or_else(Lives::default, |(_, payload)| Lives::parse(&payload)))
    }

    /// Sends a message that is to follow this one in the stream, and is acknowledged by `token`.
    pub(super) async fn publish(
        &self,
        frame: &Frame,
        expected: u64,
        payload: Vec<u8>,
        token: u64,
    ) -> Result<(), NatsError> {
        let mut headers: HeaderMap = frame.headers();
        headers.insert("Nats-Expected-Last-Sequence", expected.to_string());
        headers.insert("Nats-Expected-Stream", self.at.stream.as_str());
        let reply = format!("{}.{token}", self.inbox);
        let subject = self.at.subject.clone();
        let sent =
            self.client
                .publish_with_reply_and_headers(subject, reply, headers, payload.into());
        match timeout(self.timeout, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(NatsError::request(&self.at, &error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// The next answer to what was published, with its token. Fails at once if the connection is
    /// lost after `losses` were counted.
    pub(super) async fn answer(&mut self, losses: u64) -> Result<(u64, Answer), NatsError> {
        let deadline = Instant::now() + self.timeout;
        let message = loop {
            let acks = &mut self.acks;
            let next = std::future::poll_fn(|context| Pin::new(&mut *acks).poll_next(context));
            match timeout(LOOK, next).await {
                Ok(Some(message)) => break message,
                Ok(None) => return Err(NatsError::lost(&self.at)),
                Err(_) if self.losses() > losses => return Err(NatsError::lost(&self.at)),
                Err(_) if Instant::now() >= deadline => return Err(self.silent()),
                Err(_) => {}
            }
        };
        let token = message.subject.rsplit('.').next();
        let token = token.and_then(|token| token.parse().ok()).unwrap_or(0);
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            return Err(NatsError::no_stream(&self.at));
        }
        let answer = match serde_json::from_slice(&message.payload) {
            Ok(RawAnswer {
                error: Some(error), ..
            }) => Answer::Refused(error.err_code, error.description),
            Ok(RawAnswer { seq: Some(seq), .. }) => Answer::Stored(seq),
            _ => Answer::Refused(0, "an answer that is none".to_owned()),
        };
        Ok((token, answer))
    }

    /// How often the connection was lost so far.
    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    /// Waits until there is a connection.
    async fn connected(&self) -> Result<(), NatsError> {
        let deadline = Instant::now() + self.timeout;
        while self.client.connection_state() != State::Connected {
            if Instant::now() >= deadline {
                return Err(NatsError::lost(&self.at));
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    fn silent(&self) -> NatsError {
        NatsError::silent(&self.at, self.timeout)
    }
}

/// Whether a message is not there, which is an answer too.
fn is_absent(kind: LastRawMessageErrorKind) -> bool {
    match kind {
        LastRawMessageErrorKind::NoMessageFound => true,
        LastRawMessageErrorKind::JetStream(error) => error.code() == 404,
        _ => false,
    }
}
