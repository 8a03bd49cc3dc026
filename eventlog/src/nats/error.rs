//! What goes wrong between a log and its stream, and what to do.

use std::{error::Error, fmt, io, time::Duration};

use super::config::StreamAt;
use crate::writer::DestinationError;

/// Why a stream cannot be written or read.
///
/// ```no_run
/// # use eventlog::nats::{Mirror, NatsError};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # async fn example(mirror: Mirror<Tick>, cursor: eventlog::Cursor) {
/// if let Err(error) = mirror.backfill(&cursor).next().await {
///     eprintln!("{error}: a snapshot will do");
/// }
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct NatsError {
    /// What was being done, where, and what to do.
    text: String,
    /// What the client or the server said.
    cause: Option<Cause>,
}

/// The words of somebody else.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Cause(String);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Cause {}

impl NatsError {
    pub(super) fn new(text: String) -> Self {
        Self { text, cause: None }
    }

    fn caused(text: String, error: &dyn fmt::Display) -> Self {
        let cause = Some(Cause(error.to_string()));
        Self { text, cause }
    }

    pub(super) fn connect(at: &StreamAt, error: &dyn fmt::Display) -> Self {
        let servers = at.servers.join(", ");
        let text = format!(
            "cannot connect to the NATS servers {servers}; see that one runs there and takes these \
             credentials"
        );
        Self::caused(text, error)
    }

    pub(super) fn request(at: &StreamAt, error: &dyn fmt::Display) -> Self {
        let stream = &at.stream;
        let text = format!(
            "the server did nothing about the stream {stream}; see that JetStream is enabled and \
             this user may use it"
        );
        Self::caused(text, error)
    }

    pub(super) fn ended() -> Self {
        Self::new("the thread of the NATS client has ended: start another".to_owned())
    }

    pub(super) fn lost(at: &StreamAt) -> Self {
        let servers = at.servers.join(", ");
        Self::new(format!(
            "there is no connection to the NATS servers {servers}"
        ))
    }

    pub(super) fn silent(at: &StreamAt, timeout: Duration) -> Self {
        let (stream, subject) = (&at.stream, &at.subject);
        Self::new(format!(
            "the stream {stream} has not answered for {timeout:?}; see that its servers have time, \
             and that this user may publish to {subject} and read {stream}"
        ))
    }

    pub(super) fn no_stream(at: &StreamAt) -> Self {
        let (stream, subject) = (&at.stream, &at.subject);
        Self::new(format!(
            "no stream takes {subject}: the stream {stream} is not there, has no leader, or has \
             other subjects"
        ))
    }
}

impl fmt::Display for NatsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for NatsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = self.cause.as_ref()?;
        Some(cause)
    }
}

/// Why a writer to a stream could not be started.
///
/// ```no_run
/// # use eventlog::{EventLog, nats::{self, JetStreamConfig, SpawnError}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # async fn example(log: EventLog<Tick>) {
/// let config = JetStreamConfig::new("nats://127.0.0.1:4222", "orders");
/// match nats::spawn(&log, config).await {
///     Ok(writer) => { /* keep it until the program ends */ }
///     Err(SpawnError::Stream(error)) => eprintln!("{error}"), // says what to do; try again later
///     Err(error) => eprintln!("{error}"),
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// The stream cannot be reached or claimed.
    Stream(NatsError),
    /// The operating system refused a thread, or what a runtime needs.
    Thread(io::Error),
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => error.fmt(f),
            Self::Thread(_) => f.write_str(
                "cannot start a thread for the event log's stream: raise the limits of threads and \
                 open files",
            ),
        }
    }
}

impl Error for SpawnError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Stream(error) => error.source(),
            Self::Thread(error) => Some(error),
        }
    }
}

/// Why a round with the stream did not succeed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It is not known what has arrived: look, and go on.
    Doubt(String),
    /// The writer is to be told.
    Tell(DestinationError),
}

impl Trouble {
    pub(super) fn retry(text: String) -> Self {
        NatsError::new(text).into()
    }

    pub(super) fn fenced(text: String) -> Self {
        Self::Tell(DestinationError::Fenced(NatsError::new(text).into()))
    }

    pub(super) fn refused(text: String) -> Self {
        Self::Tell(DestinationError::Refused(NatsError::new(text).into()))
    }

    /// For the writer, where there was no time to look.
    pub(super) fn told(self) -> DestinationError {
        match self {
            Self::Doubt(text) => DestinationError::Retry(NatsError::new(text).into()),
            Self::Tell(error) => error,
        }
    }
}

impl From<NatsError> for Trouble {
    fn from(error: NatsError) -> Self {
        Self::Tell(DestinationError::Retry(error.into()))
    }
}
