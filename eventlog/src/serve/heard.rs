//! What a client hears, line by line.

use std::{error::Error, fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
};
use serde_json::value::RawValue;

use crate::{
    coverage::Coverage,
    cursor::Cursor,
    wire::{opt_text, text},
};

/// What is heard of a log in another process.
///
/// ```
/// use eventlog::serve::Heard;
///
/// fn show(heard: Heard<u64>) -> String {
///     match heard {
///         Heard::Event { event, .. } => format!("{event}"),
///         Heard::Reset { .. } => "something is missing: loading a snapshot".into(),
///         Heard::Live { .. } => "this is current".into(),
///         _ => String::new(),
///     }
/// }
/// # let log = eventlog::EventLog::<eventlog::Numbered<u64>>::new(None);
/// assert_eq!(show(Heard::Event { event: 7, cursor: log.cursor() }), "7");
/// ```
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Heard<E> {
    /// An event.
    Event {
        /// Where a subscriber stands that has it.
        cursor: Cursor,
        /// The event itself.
        event: E,
    },
    /// Events are missing before what comes next: fetch a snapshot first.
    Reset {
        /// Where it goes on.
        cursor: Cursor,
        /// What is missing, and why.
        coverage: Coverage,
        /// The version of the newest event, if there is one.
        newest: Option<u64>,
    },
    /// Everything was heard that was there at the moment of connecting. Comes once per connection.
    Live {
        /// Where it stands.
        cursor: Cursor,
        /// The version of the newest event, if there is one.
        newest: Option<u64>,
    },
}

/// Something was heard that makes no sense.
///
/// ```
/// # use eventlog::{EventLog, Numbered, Start, serve::{self, Feed, RemoteError}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = EventLog::<Numbered<&str>>::new(None);
/// let serving = Feed::new(&log).serve_tcp("127.0.0.1:0")?;
/// log.push("seven");
/// let address = format!("tcp:{}", serving.local_addr().unwrap()).parse()?;
/// let mut remote = serve::connect::<Numbered<u64>>(address, Start::Oldest)?; // is of another type
/// match remote.next().await.unwrap() {
///     Err(error @ RemoteError::Event { .. }) => eprintln!("{error}"), // the next call goes on
///     other => panic!("{other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum RemoteError {
    /// An event is not of the type that was asked for. It is passed over.
    Event {
        /// Where a subscriber stands that has it.
        cursor: Cursor,
        /// What is wrong with it, in words.
        why: String,
    },
    /// What answers is no feed, or one of a later version.
    Line {
        /// What is wrong with it, in words.
        why: String,
    },
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event { cursor, why } => write!(
                f,
                "cannot read the event at {cursor}, and passed it over: {why}; both sides must \
                 have the same type of events"
            ),
            Self::Line { why } => write!(
                f,
                "cannot read what answers at this address: {why}; see that it is a feed's"
            ),
        }
    }
}

impl Error for RemoteError {}

/// One line of a server.
pub(super) enum Line<E> {
    Open {
        cursor: Cursor,
        retry: Duration,
        coverage: Coverage,
        newest: Option<u64>,
    },
    /// For the reader, or for its place only.
    Heard(Option<Result<Heard<E>, RemoteError>>, Option<Cursor>),
    /// To be tried again, perhaps after that time, and why.
    Later(Option<Duration>, String),
    Finished,
}

/// All that may be in a line; what is not known is left out.
#[derive(Deserialize)]
struct Wire<'a> {
    open: Option<Notice>,
    id: Option<Cursor>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    live: Option<Notice>,
    bookmark: Option<Cursor>,
    reset: Option<Notice>,
    full: Option<Notice>,
    closed: Option<Notice>,
    finished: Option<Notice>,
    error: Option<String>,
}

struct Notice {
    fields: NoticeFields,
    coverage: Option<Coverage>,
}

#[derive(Deserialize)]
struct NoticeFields {
    cursor: Option<Cursor>,
    #[serde(with = "opt_text", default)]
    newest: Option<u64>,
    #[serde(default)]
    retry: Option<Millis>,
}

impl<'de> Deserialize<'de> for Notice {
    /// Both are in one object, and both may want the same field of it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        Ok(Self {
            fields: serde_json::from_str(text).map_err(de::Error::custom)?,
            coverage: serde_json::from_str(text).ok(),
        })
    }
}

#[derive(Deserialize)]
struct Millis(#[serde(with = "text")] u64);

impl<E: DeserializeOwned> Line<E> {
    pub(super) fn read(line: &[u8]) -> Self {
        let wire: Wire<'_> = match serde_json::from_slice(line) {
            Ok(wire) => wire,
            Err(error) => return Self::nonsense(error.to_string()),
        };
        if let (Some(cursor), Some(event)) = (wire.id, wire.event) {
            let item = match serde_json::from_str(event.get()) {
                Ok(event) => Ok(Heard::Event { cursor, event }),
                Err(error) => Err(RemoteError::Event {
                    cursor,
                    why: error.to_string(),
                }),
            };
            return Self::Heard(Some(item), Some(cursor));
        }
        if let Some(cursor) = wire.bookmark {
            return Self::Heard(None, Some(cursor));
        }
        if let Some(notice) = wire.full {
            let retry = notice.fields.retry.map(Millis::time);
            return Self::Later(retry, "there are too many subscribers already".into());
        }
        if wire.closed.is_some() {
            return Self::Later(None, "the log was closed".into());
        }
        if wire.finished.is_some() {
            return Self::Finished;
        }
        if let Some(why) = wire.error {
            return Self::nonsense(why);
        }
        Self::notice(wire.open, wire.reset, wire.live)
    }

    fn notice(open: Option<Notice>, reset: Option<Notice>, live: Option<Notice>) -> Self {
        let is_open = open.is_some();
        let is_reset = reset.is_some();
        let Some(Notice { fields, coverage }) = open.or(reset).or(live) else {
            return Self::Heard(None, None);
        };
        let NoticeFields {
            cursor: Some(cursor),
            newest,
            retry,
        } = fields
        else {
            return Self::Heard(None, None);
        };
        // What this version does not know is never taken for complete.
        let coverage = coverage.unwrap_or(Coverage::Foreign);
        if is_open {
            return Self::Open {
                cursor,
                newest,
                retry: retry.map_or(Duration::from_secs(2), Millis::time),
                coverage,
            };
        }
        let heard = if is_reset {
            Heard::Reset {
                cursor,
                coverage,
                newest,
            }
        } else {
            Heard::Live { cursor, newest }
        };
        Self::Heard(Some(Ok(heard)), Some(cursor))
    }

    fn nonsense(why: String) -> Self {
        Self::Heard(Some(Err(RemoteError::Line { why })), None)
    }
}

impl Millis {
    fn time(self) -> Duration {
        Duration::from_millis(self.0)
    }
}
