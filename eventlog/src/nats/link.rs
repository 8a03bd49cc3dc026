//! What the protocol asks of the servers of a stream: of real ones over a connection, in tests of
//! simulated ones.

use std::{collections::BTreeSet, fmt, future::Future};

use async_nats::jetstream::stream::Config as StreamConfig;

use super::{
    error::NatsError,
    frame::{Frame, Lives},
};
use crate::cursor::Epoch;

/// A way to the servers of one stream.
pub(super) trait Link: Send + Sync + 'static {
    /// Messages as they come.
    type Messages: Send;

    /// The stream and its last message; `None` if there is none of this name.
    fn look(&self) -> impl Future<Output = Result<Option<Seen>, NatsError>> + Send;

    /// Makes the stream.
    fn create(&self, config: &StreamConfig) -> impl Future<Output = Result<(), NatsError>> + Send;

    /// A message of the stream, if it is there and a log's.
    fn frame_at(
        &self,
        sequence: u64,
    ) -> impl Future<Output = Result<Option<(Frame, Vec<u8>)>, NatsError>> + Send;

    /// Sends a message, which is acknowledged by its token.
    fn publish(
        &self,
        frame: &Frame,
        token: u64,
        after: End,
        payload: Vec<u8>,
    ) -> impl Future<Output = Result<(), NatsError>> + Send;

    /// The next answer to what was published, with its token. Fails at once if the connection is
    /// lost after `losses` were counted.
    fn answer(
        &mut self,
        losses: u64,
    ) -> impl Future<Output = Result<(u64, Answer), NatsError>> + Send;

    /// How often the connection was lost so far.
    fn losses(&self) -> u64;

    /// The most bytes that the servers take at a time.
    fn max_payload(&self) -> usize;

    /// The messages after this one, and those to come.
    fn messages(
        &self,
        after: u64,
    ) -> impl Future<Output = Result<Self::Messages, NatsError>> + Send;

    /// The next of these messages; `None` if nothing came for a while. Fails at once if the
    /// connection is lost after `losses` were counted.
    fn next(
        &self,
        messages: &mut Self::Messages,
        losses: u64,
    ) -> impl Future<Output = Result<Option<Message>, NatsError>> + Send;

    /// The lives before that of a message, as its claim tells. None where that is gone.
    fn lives(
        &self,
        sequence: u64,
        frame: &Frame,
    ) -> impl Future<Output = Result<Lives, NatsError>> + Send {
        let claim = if frame.claim == 0 {
            sequence
        } else {
            frame.claim
        };
        let life = frame.life;
        async move {
            let claimed = self.frame_at(claim).await?;
            let claimed = claimed.filter(|(claimed, _)| claimed.is_claim_of(life));
            Ok(claimed.map_or_else(Lives::default, |(_, payload)| Lives::parse(&payload)))
        }
    }
}

/// The name of a message, which no other has: its writer, and the token that this gave it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Id {
    pub(super) life: Epoch,
    pub(super) token: u64,
}

/// The end of a stream, which a message has to come after.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct End {
    /// The stream sequence of the last message.
    pub(super) sequence: u64,
    /// Its name. Where it was refused, or has gone with a power cut, another one may have its number.
    pub(super) id: Option<Id>,
}

/// What a server says to a message that was published.
pub(super) enum Answer {
    /// It has this stream sequence.
    Stored(u64),
    /// It was refused: the server's number for why, and its words.
    Refused(u64, String),
}

/// A message of a stream.
pub(super) struct Message {
    pub(super) sequence: u64,
    /// What it is, if it is a log's.
    pub(super) frame: Option<Frame>,
    pub(super) payload: Vec<u8>,
}

/// How a stream is at a moment.
pub(super) struct Seen {
    /// When it was made, as its server says.
    pub(super) made: String,
    /// The stream sequences of the first and the last message that it counts, and how many are left.
    pub(super) first_sequence: u64,
    pub(super) last_sequence: u64,
    pub(super) messages: u64,
    /// The most bytes of a message, if it has such a limit.
    pub(super) max_message: Option<usize>,
    pub(super) keeping: Keeping,
    /// The last message on the subject: its stream sequence, and what it is if it is a log's.
    pub(super) last: Option<(u64, Option<Frame>)>,
    pub(super) last_id: Option<Id>,
}

/// How a stream's messages are kept.
pub(super) struct Keeping {
    pub(super) replicas: usize,
    pub(super) on_disk: bool,
    /// The servers that have them.
    pub(super) servers: BTreeSet<String>,
}

impl Seen {
    /// What the next message has to come after: a message may have come after the stream was asked.
    pub(super) fn end(&self) -> End {
        match self.last {
            Some((sequence, _)) if sequence >= self.last_sequence => End {
                sequence,
                id: self.last_id,
            },
            _ => End {
                sequence: self.last_sequence,
                id: None,
            },
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.life, self.token)
    }
}

impl Id {
    /// `None` for what is no writer's.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (life, token) = text.split_once('.')?;
        Some(Self {
            life: life.parse().ok()?,
            token: token.parse().ok()?,
        })
    }
}
