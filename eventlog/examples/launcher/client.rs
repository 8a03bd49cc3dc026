//! A subscriber, as a window or a sidecar would be one.

use std::{io, path::Path};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{
    event::Event,
    protocol::{Heard, Request},
    state::State,
};
use eventlog::{Cursor, Versioned};

/// What a subscriber has and how it came to it.
#[derive(Default)]
pub struct Subscriber {
    pub state: State,
    pub events: u64,
    pub replays: u64,
    pub gaps: u64,
    pub duplicates: u64,
    /// Where it stands, once it was told.
    cursor: Option<Cursor>,
}

impl Subscriber {
    /// Follows until the launcher closes the stream. With `cut_after`, hangs up once after so many
    /// events and comes back with the cursor that it has.
    pub async fn follow(socket: &Path, cut_after: Option<u64>) -> io::Result<Self> {
        let mut subscriber = Self::default();
        let mut connection = Connection::open(socket).await?;
        connection.send(&Request::GetSnapshot {}).await?;
        if let Some(Heard::Snapshot(state)) = connection.hear().await? {
            subscriber.state = state;
        }
        if let Some(limit) = cut_after {
            subscriber.listen(&mut connection, Some(limit)).await?;
            connection = Connection::open(socket).await?;
        }
        subscriber.listen(&mut connection, None).await?;
        Ok(subscriber)
    }

    async fn listen(&mut self, connection: &mut Connection, limit: Option<u64>) -> io::Result<()> {
        let request = Request::GetEvents {
            since: self.cursor.is_none().then_some(self.state.version),
            cursor: self.cursor,
        };
        connection.send(&request).await?;
        while limit.is_none_or(|limit| self.events < limit) {
            match connection.hear().await? {
                Some(Heard::Replay {
                    truncated,
                    events,
                    cursor,
                }) => {
                    self.cursor = Some(cursor);
                    self.replays += 1;
                    self.gaps += u64::from(truncated);
                    for event in &events {
                        self.apply(event);
                    }
                }
                Some(Heard::Event { event, cursor }) => {
                    self.cursor = Some(cursor);
                    self.apply(&event);
                }
                Some(Heard::Lagged(events)) => self.gaps += events,
                Some(Heard::Closed) | None => return Ok(()),
                Some(Heard::Snapshot(_)) => {}
                Some(Heard::Error(error)) => return Err(io::Error::other(error)),
            }
        }
        Ok(())
    }

    /// The launcher numbers its events without holes, so a hole or a repeat is a fault.
    fn apply(&mut self, event: &Event) {
        let expected = self.state.version + 1;
        if event.version() < expected {
            self.duplicates += 1;
            return;
        }
        self.gaps += event.version() - expected;
        self.events += 1;
        self.state.apply(event);
    }
}

struct Connection {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writing: OwnedWriteHalf,
}

impl Connection {
    async fn open(socket: &Path) -> io::Result<Self> {
        let (reading, writing) = UnixStream::connect(socket).await?.into_split();
        Ok(Self {
            lines: BufReader::new(reading).lines(),
            writing,
        })
    }

    async fn send(&mut self, request: &Request) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.writing.write_all(&line).await
    }

    async fn hear(&mut self) -> io::Result<Option<Heard>> {
        let line = self.lines.next_line().await?;
        Ok(line.map(|line| serde_json::from_str(&line)).transpose()?)
    }
}
