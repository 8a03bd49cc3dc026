//! A connection to the servers of a stream.

use std::{
    collections::BTreeSet,
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
        consumer::{
            AckPolicy, DeliverPolicy,
            pull::{Config as ConsumerConfig, Stream as Messages},
        },
        context::{ContextBuilder, GetStreamErrorKind},
        message::StreamMessage,
        stream::{Config as StreamConfig, Info, LastRawMessageErrorKind, StorageType, Stream},
    },
};
use futures_core::Stream as _;
use serde::Deserialize;
use tokio::time::{Instant, timeout};

use super::{
    config::StreamAt,
    error::NatsError,
    frame::Frame,
    link::{Answer, End, Id, Keeping, Link, Message, Seen},
};

/// How often a connection that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How often one is that messages are awaited on: a loss of it is noticed no later.
const LOOK_IDLE: Duration = Duration::from_millis(50);
/// How often a server says that it is there. Two missed ones are a connection lost.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// After so long without a message it is asked whether there are any.
const QUIET: Duration = Duration::from_secs(5);
/// How long one request for messages stands.
const STANDS: Duration = Duration::from_secs(10);
/// After this, the server forgets a consumer that asks for nothing.
const INACTIVE: Duration = Duration::from_secs(60);

/// The header of a message's name.
const ID: &str = "Nats-Msg-Id";

pub(super) struct Connection {
    client: Client,
    context: Context,
    at: StreamAt,
    acks: Subscriber,
    /// The subject that acknowledgements come to, without the token of each.
    inbox: String,
    /// How often the connection was lost.
    losses: Arc<AtomicU64>,
    timeout: Duration,
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

impl Connection {
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
    async fn stream(&self) -> Result<Option<Stream>, NatsError> {
        self.connected().await?;
        match self.context.get_stream(&self.at.stream).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error) if error.code() == 404 => Ok(None),
                _ => Err(NatsError::request(&self.at, &error)),
            },
        }
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

impl Link for Connection {
    type Messages = Messages;

    async fn look(&self) -> Result<Option<Seen>, NatsError> {
        let Some(stream) = self.stream().await? else {
            return Ok(None);
        };
        // Asked for last, so that nobody's is missed among those that the sequence number counts.
        let asked = stream.get_last_raw_message_by_subject(&self.at.subject);
        let last = match asked.await {
            Ok(message) => Some(message),
            Err(error) if is_absent(error.kind()) => None,
            Err(error) => return Err(NatsError::request(&self.at, &error)),
        };
        let seen = seen(stream.cached_info(), last.as_ref(), || {
            self.client.server_info().server_name
        });
        Ok(Some(seen))
    }

    async fn create(&self, config: &StreamConfig) -> Result<(), NatsError> {
        let config = StreamConfig {
            name: self.at.stream.clone(),
            subjects: vec![self.at.subject.clone()],
            ..config.clone()
        };
        let created = self.context.create_stream(config).await;
        created.map_err(|error| NatsError::request(&self.at, &error))?;
        Ok(())
    }

    async fn frame_at(&self, sequence: u64) -> Result<Option<(Frame, Vec<u8>)>, NatsError> {
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

    async fn publish(
        &self,
        frame: &Frame,
        token: u64,
        after: End,
        payload: Vec<u8>,
    ) -> Result<(), NatsError> {
        let mut headers: HeaderMap = frame.headers();
        headers.insert("Nats-Expected-Last-Sequence", after.sequence.to_string());
        if let Some(id) = after.id {
            headers.insert("Nats-Expected-Last-Msg-Id", id.to_string());
        }
        let life = frame.life;
        headers.insert(ID, Id { life, token }.to_string());
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

    async fn answer(&mut self, losses: u64) -> Result<(u64, Answer), NatsError> {
        let deadline = Instant::now() + self.timeout;
        let message = loop {
            let acks = &mut self.acks;
            let next = std::future::poll_fn(|context| Pin::new(&mut *acks).poll_next(context));
            match timeout(LOOK, next).await {
                Ok(None) => return Err(NatsError::lost(&self.at)),
                // Also an answer: what it says may be of a stream that has fallen back.
                _ if self.losses() > losses => return Err(NatsError::lost(&self.at)),
                Ok(Some(message)) => break message,
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

    fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// Through a consumer of its own.
    async fn messages(&self, after: u64) -> Result<Messages, NatsError> {
        let at = &self.at;
        let stream = self.stream().await?;
        let stream = stream.ok_or_else(|| NatsError::no_stream(at))?;
        let consumer = stream.create_consumer(ConsumerConfig {
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: after + 1,
            },
            ack_policy: AckPolicy::None,
            filter_subject: at.subject.clone(),
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..ConsumerConfig::default()
        });
        let consumer = consumer
            .await
            .map_err(|error| NatsError::request(at, &error))?;
        let messages = consumer.stream().heartbeat(HEARTBEAT).expires(STANDS);
        let messages = messages.messages().await;
        messages.map_err(|error| NatsError::request(at, &error))
    }

    async fn next(
        &self,
        messages: &mut Messages,
        losses: u64,
    ) -> Result<Option<Message>, NatsError> {
        let at = &self.at;
        let quiet = Instant::now() + QUIET;
        loop {
            let next = std::future::poll_fn(|context| Pin::new(&mut *messages).poll_next(context));
            match timeout(LOOK_IDLE, next).await {
                Ok(Some(Ok(message))) => {
                    let Ok(info) = message.info() else { continue };
                    return Ok(Some(Message {
                        sequence: info.stream_sequence,
                        frame: message.headers.as_ref().and_then(Frame::parse),
                        payload: message.payload.to_vec(),
                    }));
                }
                Ok(Some(Err(error))) => return Err(NatsError::request(at, &error)),
                Ok(None) => return Err(NatsError::lost(at)),
                Err(_) if self.losses() > losses => return Err(NatsError::lost(at)),
                Err(_) if Instant::now() >= quiet => return Ok(None),
                Err(_) => {}
            }
        }
    }
}

/// How the server says that a stream is.
fn seen(info: &Info, last: Option<&StreamMessage>, own_name: impl Fn() -> String) -> Seen {
    let mut servers = BTreeSet::new();
    if let Some(cluster) = &info.cluster {
        servers.extend(cluster.leader.clone());
        servers.extend(cluster.replicas.iter().map(|peer| peer.name.clone()));
    }
    if servers.is_empty() {
        servers.insert(own_name());
    }
    let max_message = usize::try_from(info.config.max_message_size).ok();
    Seen {
        made: format!("{:?}", info.created),
        first_sequence: info.state.first_sequence,
        last_sequence: info.state.last_sequence,
        messages: info.state.messages,
        max_message: max_message.filter(|limit| *limit > 0),
        keeping: Keeping {
            replicas: info.config.num_replicas,
            on_disk: info.config.storage == StorageType::File,
            servers,
        },
        last: last.map(|last| (last.sequence, Frame::parse(&last.headers))),
        last_id: last.and_then(|last| Id::parse(last.headers.get(ID)?.as_str())),
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
