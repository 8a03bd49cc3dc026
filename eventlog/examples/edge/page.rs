//! A page as a browser's `EventSource` is one: where it stands is the id of the last event.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use crate::{EVENTS, Event};

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(20);

/// What a page has seen.
#[derive(Default)]
pub struct Seen {
    pub events: u64,
    pub resumes: u64,
    pub gaps: u64,
    pub duplicates: u64,
    /// The version of the last event, and its id.
    newest: u64,
    id: String,
}

impl Seen {
    pub fn plus(self, other: &Self) -> Self {
        Self {
            events: self.events + other.events,
            resumes: self.resumes + other.resumes,
            gaps: self.gaps + other.gaps,
            duplicates: self.duplicates + other.duplicates,
            ..self
        }
    }
}

/// Takes all events, now from this edge and now from the other.
pub fn follow(ports: [u16; 2], number: usize, newest: &AtomicU64) -> Seen {
    let mut seen = Seen::default();
    let mut edge = number % 2;
    while seen.newest < EVENTS {
        let until = seen.newest + 300 + 10 * number as u64;
        // That an edge is killed is an error here, and no more to a page than that it goes on.
        if read(ports[edge], &mut seen, until, newest).is_err() {
            thread::sleep(PAUSE);
        }
        edge = 1 - edge;
    }
    seen
}

/// One connection, which the page leaves once it has so many events.
fn read(port: u16, seen: &mut Seen, until: u64, newest: &AtomicU64) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let place = match &*seen.id {
        "" => String::new(),
        id => format!("Last-Event-ID: {id}\r\n"),
    };
    let request = "GET /events HTTP/1.0\r\nAccept: text/event-stream\r\n";
    stream.write_all(format!("{request}{place}\r\n").as_bytes())?;
    seen.resumes += u64::from(!seen.id.is_empty());
    let (mut id, mut event) = (None, None);
    for line in BufReader::new(stream).lines() {
        let line = line?;
        match line.split_once(": ") {
            Some(("id", text)) => id = Some(text.to_owned()),
            Some(("event", "reset")) => seen.gaps += 1,
            Some(("data", text)) => event = serde_json::from_str::<Event>(text).ok(),
            // The end of a block, which counts as a whole.
            None if line.is_empty() => {
                seen.id = id.take().unwrap_or(std::mem::take(&mut seen.id));
                let Some(Event { version }) = event.take() else {
                    continue;
                };
                match version {
                    next if next == seen.newest + 1 => seen.events += 1,
                    old if old <= seen.newest => seen.duplicates += 1,
                    _ => seen.gaps += 1,
                }
                seen.newest = version;
                newest.fetch_max(version, Ordering::Relaxed);
                if version >= until.min(EVENTS) {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    Ok(())
}
