//! The socket: snapshots, replays and live events for each client.

use std::{io, path::Path, sync::Arc, time::Duration};

use eventlog::{EventRef, RecvError, Seq, Start, Subscription, TryRecvError, disk::DiskWriter};
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::timeout,
};

use crate::{
    event::Event,
    lines::{Line, next_line},
    protocol::{Reply, Request},
    reducer::Reducer,
};

/// How long a snapshot waits for the disk before it is handed out all the same.
const STORED_FIRST: Duration = Duration::from_millis(250);

/// How long the end of a run waits for subscribers that do not read.
const FAREWELL: Duration = Duration::from_secs(1);

pub struct Server {
    reducer: Arc<Reducer>,
    writer: Arc<DiskWriter<Event>>,
    /// Every connection that follows the log has a receiver of this, so that it knows of them.
    following: watch::Sender<()>,
}

/// What a connection follows the log with.
struct Live {
    events: Subscription<Event>,
    _following: watch::Receiver<()>,
}

/// Takes the socket's path. A socket that a killed launcher left there is replaced; the log's lock
/// has already shown that no other launcher is alive.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

impl Server {
    pub fn new(reducer: Arc<Reducer>, writer: Arc<DiskWriter<Event>>) -> Arc<Self> {
        Arc::new(Self {
            reducer,
            writer,
            following: watch::Sender::new(()),
        })
    }

    /// Waits until every connection that follows the log was told that it is closed.
    pub async fn farewell(&self) {
        timeout(FAREWELL, self.following.closed()).await.ok();
    }

    /// Serves every connection in a task of its own.
    pub async fn serve(self: Arc<Self>, listener: UnixListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let server = self.clone();
            // A peer that goes away ends its own connection only.
            tokio::spawn(async move { server.converse(stream).await.ok() });
        }
    }

    async fn converse(&self, stream: UnixStream) -> io::Result<()> {
        let (reading, mut peer) = stream.into_split();
        let (sender, mut requests) = mpsc::channel(16);
        tokio::spawn(read_requests(reading, sender));
        let mut live = None;
        loop {
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Ok(request)) => self.answer(request, &mut live, &mut peer).await?,
                    Some(Err(error)) => say(&mut peer, &Reply::Error(error)).await?,
                    None => return Ok(()),
                },
                event = next_event(&mut live) => match event {
                    Ok(event) => say(&mut peer, &Reply::event(&event)).await?,
                    Err(RecvError::Lagged(events)) => {
                        say(&mut peer, &Reply::Lagged(events)).await?;
                    }
                    Err(RecvError::Closed) => {
                        say(&mut peer, &Reply::Closed).await?;
                        live = None;
                    }
                },
            }
        }
    }

    async fn answer(
        &self,
        request: Request,
        live: &mut Option<Live>,
        peer: &mut OwnedWriteHalf,
    ) -> io::Result<()> {
        let log = self.reducer.log();
        let start = match request {
            Request::GetSnapshot {} => {
                let state = self.reducer.state();
                self.wait_stored(log.cursor().seq()).await;
                return say(peer, &Reply::Snapshot(&state)).await;
            }
            Request::GetEvents {
                cursor: Some(cursor),
                since: None,
            } => Start::Cursor(cursor),
            Request::GetEvents {
                since,
                cursor: None,
            } => Start::After(since.unwrap_or(0)),
            Request::GetEvents { .. } => {
                let error = "give `since` or `cursor`, not both".to_owned();
                return say(peer, &Reply::Error(error)).await;
            }
        };
        // What is stored and nothing else: a subscriber never sees an event that a crash could
        // take back. It follows from here on, so that the end of a run waits for it.
        let Live { events, .. } = live.insert(Live {
            events: self.writer.subscribe(start),
            _following: self.following.subscribe(),
        });
        let mut truncated = !events.coverage().is_complete();
        self.wait_stored(log.cursor().seq()).await;
        let mut events_before = Vec::new();
        loop {
            match events.try_recv() {
                Ok(event) => events_before.push(event),
                Err(TryRecvError::Lagged(_)) => truncated = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let reply = Reply::Replay {
            truncated,
            events: events_before.iter().map(|event| &**event).collect(),
            cursor: events.cursor(),
        };
        say(peer, &reply).await
    }

    async fn wait_stored(&self, seq: Seq) {
        timeout(STORED_FIRST, self.writer.stored(seq)).await.ok();
    }
}

/// The next live event; without a subscription, never.
async fn next_event(live: &mut Option<Live>) -> Result<EventRef<Event>, RecvError> {
    match live {
        Some(live) => live.events.recv().await,
        None => std::future::pending().await,
    }
}

async fn read_requests(reading: OwnedReadHalf, sender: mpsc::Sender<Result<Request, String>>) {
    let mut reader = BufReader::new(reading);
    while let Ok(Some(line)) = next_line(&mut reader).await {
        let request = match line {
            Line::Text(text) => serde_json::from_slice(&text).map_err(|error| {
                format!(
                    "cannot read this request: {error}; send {{\"method\":\"get_snapshot\"}} or \
                     {{\"method\":\"get_events\",\"since\":0}}"
                )
            }),
            Line::TooLong => Err("this request is too long; the limit is 64 KiB".to_owned()),
        };
        if sender.send(request).await.is_err() {
            return;
        }
    }
}

async fn say(peer: &mut OwnedWriteHalf, reply: &Reply<'_>) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    peer.write_all(&line).await
}
