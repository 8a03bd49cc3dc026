//! The event store that an MCP server over HTTP needs to resume its streams:
//! `cargo run --example mcp_store`.
//!
//! The shape is that of the SDKs' trait: store a message and get an id, ask for what came after an
//! id, forget a session. Each session has a log of its own, so that its memory is bounded, and an
//! id of another session, however it was come by, is `Foreign` and gets nothing.

use std::collections::HashMap;

use eventlog::{Coverage, Cursor, EventLog, Versioned};
use parking_lot::Mutex;

#[derive(Versioned)]
struct Sent {
    version: u64,
    stream: String,
    text: String,
}

#[derive(Default)]
struct Store(Mutex<HashMap<String, EventLog<Sent>>>);

impl Store {
    /// Keeps a message of a stream, and says with which `id:` it is sent.
    fn store_event(&self, session: &str, stream: &str, text: &str) -> String {
        let mut sessions = self.0.lock();
        let new = || EventLog::new(None);
        let log = sessions.entry(session.into()).or_insert_with(new);
        log.append_with(|newest| Sent {
            version: newest.unwrap_or(0) + 1,
            stream: stream.to_owned(),
            text: text.to_owned(),
        });
        log.cursor().to_string()
    }

    /// The ids and texts after this `Last-Event-ID` on its stream; `None` if that cannot be told
    /// exactly, and the client has to begin anew.
    fn events_after(&self, session: &str, stream: &str, id: &str) -> Option<Vec<[String; 2]>> {
        let cursor: Cursor = id.parse().ok()?;
        let replay = self.0.lock().get(session)?.replay(cursor);
        let all = replay.with_cursors().filter(|(_, e)| e.stream == stream);
        let all = all.map(|(id, event)| [id.to_string(), event.text.clone()]);
        (replay.coverage() == Coverage::Complete).then(|| all.collect())
    }
}

fn main() {
    let store = Store::default();
    let first = store.store_event("alice", "tools", "progress 1");
    store.store_event("alice", "logs", "a line of another stream");
    let last = store.store_event("alice", "tools", "progress 2");
    let missed = store.events_after("alice", "tools", &first);
    assert_eq!(missed, Some(vec![[last, "progress 2".into()]]));
    store.store_event("mallory", "tools", "her own");
    assert_eq!(store.events_after("mallory", "tools", &first), None);
    store.0.lock().remove("alice"); // the session ends
    println!("what was missed goes to its own stream and session, and to no other");
}
