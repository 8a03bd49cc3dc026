//! What goes over the socket: one JSON object per line, each way.

use eventlog::{Cursor, EventRef};
use serde::{Deserialize, Serialize};

use crate::{event::Event, state::State};

/// `{"method":"get_snapshot"}` or `{"method":"get_events","since":5}`. In place of `since` there
/// may be the `cursor` of an earlier reply, also of an earlier run.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    // Braces, because serde checks the unknown fields of no unit variant.
    GetSnapshot {},
    GetEvents {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<Cursor>,
    },
}

/// What the server says.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply<'a> {
    Snapshot(&'a State),
    /// The answer to `get_events`; live events follow.
    Replay {
        truncated: bool,
        events: Vec<&'a Event>,
        cursor: Cursor,
    },
    /// A live event, and where its reader then stands.
    Event {
        #[serde(flatten)]
        event: &'a Event,
        cursor: Cursor,
    },
    /// The reader was too slow: so many events were passed over.
    Lagged(u64),
    /// The launcher has stopped; nothing follows.
    Closed,
    Error(String),
}

impl<'a> Reply<'a> {
    pub fn event(event: &'a EventRef<Event>) -> Self {
        Self::Event {
            cursor: EventRef::cursor(event),
            event,
        }
    }
}

/// What a client hears.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    Snapshot(State),
    Replay {
        truncated: bool,
        events: Vec<Event>,
        cursor: Cursor,
    },
    Event {
        #[serde(flatten)]
        event: Event,
        cursor: Cursor,
    },
    Lagged(u64),
    Closed,
    Error(String),
}
