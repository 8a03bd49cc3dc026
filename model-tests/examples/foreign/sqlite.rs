//! A ring in `SQLite`, as one writes it in ten minutes: a row per event, the oldest deleted, and the
//! question whether something is missing answered by the oldest version.
//!
//! Its verdicts: R04 is broken, for of two events with one version the deleted one is forgotten, and
//! a gap between versions is taken for a loss. R07 is broken, for `SQLite`'s numbers are signed: what
//! is above `i64::MAX` is stored as a negative number, below all others. The rest is kept.

use std::sync::Mutex;

use model_tests::{Case, Log, OpenError, Subject, Tick, Versioned};
use rusqlite::{Connection, params};

// ---- the log -------------------------------------------------------------------------------

pub struct Rows {
    connection: Mutex<Connection>,
    capacity: i64,
}

impl Rows {
    fn new(capacity: usize) -> Result<Self, OpenError> {
        if capacity == 0 {
            return Err("a table of no rows".into());
        }
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER, \
             event TEXT)",
        )?;
        Ok(Self {
            connection: Mutex::new(connection),
            capacity: i64::try_from(capacity)?,
        })
    }

    fn insert(&self, event: &Tick) -> rusqlite::Result<i64> {
        let connection = self.connection.lock().unwrap();
        let json = serde_json::to_string(event).unwrap();
        connection
            .prepare_cached("INSERT INTO events (version, event) VALUES (?1, ?2)")?
            .execute(params![event.version().cast_signed(), json])?;
        let number = connection.last_insert_rowid();
        connection
            .prepare_cached("DELETE FROM events WHERE number <= ?1")?
            .execute([number - self.capacity])?;
        Ok(number)
    }

    fn select(&self, since: u64) -> rusqlite::Result<Vec<Tick>> {
        let connection = self.connection.lock().unwrap();
        let mut rows = connection
            .prepare_cached("SELECT event FROM events WHERE version > ?1 ORDER BY number")?;
        let events = rows.query_map([since.cast_signed()], |row| row.get::<_, String>(0))?;
        events
            .map(|json| Ok(serde_json::from_str(&json?).unwrap()))
            .collect()
    }

    fn oldest(&self) -> rusqlite::Result<Option<i64>> {
        let connection = self.connection.lock().unwrap();
        connection.query_row("SELECT min(version) FROM events", [], |row| row.get(0))
    }
}

// ---- the adapter ---------------------------------------------------------------------------

#[derive(Clone)]
pub struct Sqlite;

impl Subject for Sqlite {
    type Event = Tick;
    type Log = Rows;

    fn open(&self, case: &Case) -> Result<Rows, OpenError> {
        Rows::new(case.capacity)
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }
}

impl Log<Tick> for Rows {
    fn append(&self, event: Tick) -> Option<u64> {
        self.insert(&event).unwrap().try_into().ok()
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        self.select(since).unwrap()
    }

    fn replay_truncated(&self, since: u64) -> bool {
        let oldest = self.oldest().unwrap();
        oldest.is_some_and(|oldest| oldest.cast_unsigned() > since.saturating_add(1))
    }
}
