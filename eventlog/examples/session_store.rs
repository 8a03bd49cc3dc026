//! The event store of a server with many sessions, such as an MCP server whose clients reconnect
//! with `Last-Event-ID`: one small log per session, bounded in events, in bytes and in age.
//!
//! ```sh
//! cargo run --example session_store
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use eventlog::{BuildError, Cursor, EventLog, Numbered, Start};

/// A JSON-RPC message as it is sent; the log numbers it.
type Message = Numbered<String>;

/// What a client that comes back is sent: events with their ids, and whether that is all it missed.
type Missed = (Vec<(String, String)>, bool);

#[derive(Default)]
pub(crate) struct SessionStore {
    sessions: Mutex<HashMap<String, Arc<EventLog<Message>>>>,
}

impl SessionStore {
    /// The log of a session, which is made with its first event.
    fn session(&self, id: &str) -> Result<Arc<EventLog<Message>>, BuildError> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = sessions.get(id) {
            return Ok(log.clone());
        }
        let log = EventLog::builder()
            .capacity(1_000)
            .max_bytes(256 * 1024, |message: &Message| message.len() as u64)
            .max_age(Duration::from_secs(15 * 60))
            .build()?;
        let log = sessions.entry(id.to_owned()).or_insert(Arc::new(log));
        Ok(log.clone())
    }

    /// Stores an event, and gives the id that it is sent with.
    pub(crate) fn store(&self, session: &str, message: String) -> Result<String, BuildError> {
        let place = self.session(session)?.push_placed(message);
        Ok(place.to_string())
    }

    /// What came after the event of this id. A text that is no id of this log is answered with all
    /// there is, and never called complete.
    pub(crate) fn replay_after(&self, session: &str, last_id: &str) -> Result<Missed, BuildError> {
        let cursor = last_id.parse().ok();
        let start = cursor.map_or(Start::Oldest, Start::Cursor);
        let replay = self.session(session)?.replay(start);
        let event = |(id, message): (Cursor, &Message)| (id.to_string(), message.payload().clone());
        let is_all = cursor.is_some() && replay.coverage().is_complete();
        Ok((replay.with_cursors().map(event).collect(), is_all))
    }

    pub(crate) fn end(&self, session: &str) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(session);
    }
}

pub(crate) fn main() -> Result<(), BuildError> {
    let store = SessionStore::default();
    let first = store.store("a", r#"{"method":"notifications/progress"}"#.into())?;
    store.store("a", r#"{"id":1,"result":{}}"#.into())?;
    let (missed, is_all) = store.replay_after("a", &first)?;
    println!("missed {missed:?}, and that is all: {is_all}");
    store.end("a");
    Ok(())
}
