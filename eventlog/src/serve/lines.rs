//! The same feed as lines of JSON, for whoever is no browser.

use std::{
    fmt,
    future::poll_fn,
    io::Write as _,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    feed::{Feed, Seat},
    start::place,
    tap::{Drawn, Tap},
    told::{self, Live, Reset, Told},
};
use crate::{coverage::Coverage, cursor::Cursor, cursor::Start, waiters::block_on, wire};

/// A feed as lines of JSON, for sockets, `WebSocket`s and pipes: a stream of pieces, each one or
/// more whole lines, up to 64 KiB together or one line.
///
/// | line | when |
/// | --- | --- |
/// | `{"open":{"cursor":"…","retry":"3417","coverage":"complete"}}` | first; with the coverage of what follows, and after how many milliseconds to come back |
/// | `{"id":"…","event":{…}}` | each event, with the cursor at which to go on after it |
/// | `{"live":{"cursor":"…","newest":"9"}}` | once, when the replay is over |
/// | `{"bookmark":"…"}` | nothing was said for a while |
/// | `{"reset":{"cursor":"…","coverage":"truncated",…}}` | something is missing before what comes next |
/// | `{"full":{"retry":"3417"}}` | alone, where there are too many already |
/// | `{"closed":{}}`, `{"finished":{}}` | last: come back later, or never |
/// | `{"error":"…"}` | alone: the first line that was sent makes no sense |
///
/// More may be added: leave out what is not known. An event whose text is not JSON is a string.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), std::str::Utf8Error> {
/// # use eventlog::{EventLog, Start, serve::Feed};
/// # #[derive(serde::Serialize)]
/// # struct Tick { version: u64 }
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.version } }
/// let log = EventLog::new(None);
/// log.append(Tick { version: 7 });
/// log.close();
/// let mut lines = Feed::new(&log).lines(Start::Oldest);
/// let mut text = String::new();
/// while let Some(piece) = lines.next().await {
///     text.push_str(std::str::from_utf8(&piece)?);
/// }
/// assert!(text.contains(r#","event":{"version":7}}"#));
/// assert!(text.ends_with("{\"closed\":{}}\n"));
/// # Ok(())
/// # }
/// ```
#[must_use = "lines are made only for one who asks for them"]
pub struct Lines<E>(State<E>);

enum State<E> {
    New(Box<Tap<E>>, u64),
    Open(Box<Tap<E>>),
    Last(Bytes),
}

/// What a client says first, in one line: `{"cursor":"…"}`, `{"since":12}`, `{"from":"now"}`, or
/// `{}` for everything.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct Hello {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    #[serde(
        with = "wire::opt_text",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    since: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<From>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum From {
    Now,
    Oldest,
}

#[derive(Serialize)]
struct Open {
    cursor: Cursor,
    #[serde(with = "wire::text")]
    retry: u64,
    #[serde(flatten)]
    reset: Reset,
}

impl Hello {
    pub(super) fn start(&self) -> Start {
        match self {
            Self {
                cursor: Some(cursor),
                ..
            } => place(cursor.as_bytes()),
            Self {
                since: Some(since), ..
            } => Start::After(*since),
            Self {
                from: Some(From::Now),
                ..
            } => Start::Now,
            _ => Start::Oldest,
        }
    }

    pub(super) fn asking(start: Start) -> Self {
        let mut hello = Self::default();
        match start {
            Start::Oldest => {}
            Start::Now => hello.from = Some(From::Now),
            Start::After(version) => hello.since = Some(version),
            Start::Cursor(cursor) => hello.cursor = Some(cursor.to_string()),
        }
        hello
    }
}

impl<E> Feed<E> {
    /// The feed from there on, as lines of JSON.
    ///
    /// ```
    /// # use eventlog::{EventLog, Start, serve::Feed};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let log = EventLog::new(None);
    /// log.append(Tick(7));
    /// log.close();
    /// let mut lines = Feed::new(&log).lines(Start::Oldest);
    /// while let Some(piece) = lines.next().await {
    ///     assert!(piece.ends_with(b"\n")); // for the socket, as it is
    /// }
    /// # }
    /// ```
    pub fn lines(&self, start: impl Into<Start>) -> Lines<E> {
        match self.take_seat() {
            Some(seat) => self.lines_on(seat, start.into()),
            None => self.full(),
        }
    }

    /// The feed as the first line of a client asks for it, such as `{"cursor":"…"}`, `{"since":12}`,
    /// `{"from":"now"}` or `{}` for everything that there is. It comes from outside: limit its
    /// length, and the time that it may take.
    ///
    /// ```
    /// # use eventlog::{EventLog, serve::Feed};
    /// # #[derive(serde::Serialize)]
    /// # struct Tick(u64);
    /// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(7), Tick(8)]);
    /// log.close();
    /// let hello = br#"{"since":7}"#; // what the client has sent
    /// let (mut lines, mut text) = (Feed::new(&log).lines_for(hello), Vec::new());
    /// while let Some(piece) = lines.next().await {
    ///     text.extend_from_slice(&piece);
    /// }
    /// let text = String::from_utf8(text).unwrap();
    /// assert!(text.contains("\"event\":8") && !text.contains("\"event\":7"));
    /// # }
    /// ```
    pub fn lines_for(&self, hello: &[u8]) -> Lines<E> {
        match self.take_seat() {
            Some(seat) => self.lines_of(seat, hello),
            None => self.full(),
        }
    }

    pub(super) fn lines_of(&self, seat: Seat<E>, hello: &[u8]) -> Lines<E> {
        match serde_json::from_slice::<Hello>(hello) {
            Ok(hello) => self.lines_on(seat, hello.start()),
            Err(_) => Lines::refusal(
                "expected one line such as {\"cursor\":\"…\"}, {\"since\":12}, \
                 {\"from\":\"now\"} or {}",
            ),
        }
    }

    fn lines_on(&self, seat: Seat<E>, start: Start) -> Lines<E> {
        let every = self.settings.bookmark_every;
        let tap = Tap::open(&self.inner, start, every, seat);
        Lines(State::New(Box::new(tap), self.draw_retry()))
    }

    pub(super) fn full(&self) -> Lines<E> {
        let retry = self.draw_retry();
        let line = format!("{{\"full\":{{\"retry\":\"{retry}\"}}}}\n");
        Lines(State::Last(line.into()))
    }
}

impl<E> Lines<E> {
    /// One line that says why there are no others.
    pub(super) fn refusal(why: &str) -> Self {
        let mut line = b"{\"error\":".to_vec();
        told::json(&mut line, &why);
        line.extend_from_slice(b"}\n");
        Self(State::Last(line.into()))
    }

    /// The next piece, as soon as there is one; `None` at the end. Cancel safe.
    ///
    /// ```
    /// # use eventlog::{EventLog, Start, serve::Feed};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let log = EventLog::<Tick>::new(None);
    /// let mut lines = Feed::new(&log).lines(Start::Now);
    /// log.close();
    /// let mut pieces = 0;
    /// while let Some(_piece) = lines.next().await {
    ///     pieces += 1;
    /// }
    /// assert!(pieces > 0); // it says where it begins, and how it ended
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Bytes> {
        poll_fn(|context| self.poll_piece(context)).await
    }

    /// As [`next`](Self::next), blocking the thread. Not for asynchronous code.
    ///
    /// ```
    /// # use eventlog::{EventLog, Start, serve::Feed};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(None);
    /// log.close();
    /// let mut lines = Feed::new(&log).lines(Start::Now);
    /// let mut text = Vec::new();
    /// while let Some(piece) = lines.blocking_next() {
    ///     text.extend_from_slice(&piece); // or to a pipe
    /// }
    /// assert!(text.ends_with(b"{\"closed\":{}}\n"));
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that drives a `tokio` runtime, whose tasks it would stop.
    pub fn blocking_next(&mut self) -> Option<Bytes> {
        block_on(self.next())
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut text = Vec::new();
        match &mut self.0 {
            State::New(tap, retry) => {
                let reset = tap.take_reset();
                let (cursor, reset) = reset.unwrap_or((tap.place(), Reset::NONE));
                let retry = *retry;
                write_line(
                    &mut text,
                    "open",
                    &Open {
                        cursor,
                        retry,
                        reset,
                    },
                );
                let last = State::Last(Bytes::new());
                if let State::New(tap, _) = std::mem::replace(&mut self.0, last) {
                    self.0 = State::Open(tap);
                }
            }
            State::Open(tap) => match ready!(tap.poll_next(context)) {
                Some(Drawn::Frames(frames)) => write_frames(&mut text, &frames, tap.is_json()),
                Some(Drawn::Told(told)) => write_told(&mut text, told),
                None => {
                    let end = if tap.has_all() { "finished" } else { "closed" };
                    write_line(&mut text, end, &serde_json::Map::new());
                    self.0 = State::Last(Bytes::new());
                }
            },
            State::Last(line) if !line.is_empty() => text = std::mem::take(line).into(),
            State::Last(_) => return Poll::Ready(None),
        }
        Poll::Ready(Some(text.into()))
    }
}

impl<E> Stream for Lines<E> {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.poll_piece(context)
    }
}

impl<E> fmt::Debug for Lines<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("is_open", &!matches!(self.0, State::Last(_)))
            .finish_non_exhaustive()
    }
}

fn write_line(text: &mut Vec<u8>, key: &str, value: &impl Serialize) {
    write!(text, "{{\"{key}\":").ok();
    told::json(text, value);
    text.extend_from_slice(b"}\n");
}

fn write_told(text: &mut Vec<u8>, told: Told) {
    #[derive(Serialize)]
    struct At<T> {
        cursor: Cursor,
        #[serde(flatten)]
        value: T,
    }
    match told {
        Told::Reset {
            place: cursor,
            coverage,
            newest,
        } => {
            let value = Reset { coverage, newest };
            write_line(text, "reset", &At { cursor, value });
        }
        Told::Live {
            place: cursor,
            newest,
        } => {
            let value = Live { newest };
            write_line(text, "live", &At { cursor, value });
        }
        Told::Bookmark(place) => write_line(text, "bookmark", &place),
    }
}

/// Makes lines of frames that were encoded for browsers, so that no event is encoded twice.
fn write_frames(text: &mut Vec<u8>, frames: &[u8], is_json: bool) {
    // No text of an event has an empty line in its frame.
    let mut rest = frames;
    while let Some(end) = memchr::memmem::find(rest, b"\n\n") {
        write_frame(text, &rest[..end], is_json);
        rest = &rest[end + 2..];
    }
}

fn write_frame(text: &mut Vec<u8>, frame: &[u8], is_json: bool) {
    let (mut id, mut is_reset, mut data) = (&[][..], false, Vec::new());
    for line in frame.split(|byte| *byte == b'\n') {
        if let Some(value) = line.strip_prefix(b"id: ") {
            id = value;
        } else if let Some(value) = line.strip_prefix(b"data: ") {
            if !data.is_empty() {
                data.push(b'\n');
            }
            data.extend_from_slice(value);
        } else {
            is_reset |= line == b"event: reset";
        }
    }
    let key = if is_reset {
        "{\"reset\":{\"cursor\":\""
    } else {
        "{\"id\":\""
    };
    text.extend_from_slice(key.as_bytes());
    text.extend_from_slice(id);
    if is_reset {
        // The text of a coverage, which has at least one field.
        text.extend_from_slice(b"\",");
        text.extend_from_slice(&data[1..]);
    } else {
        text.extend_from_slice(b"\",\"event\":");
        if is_json || serde_json::from_slice::<IgnoredAny>(&data).is_ok() {
            // Between its tokens a space means the same.
            let line = data
                .into_iter()
                .map(|byte| if byte == b'\n' { b' ' } else { byte });
            text.extend(line);
        } else {
            told::json(text, &String::from_utf8_lossy(&data));
        }
    }
    text.extend_from_slice(b"}\n");
}

impl Reset {
    const NONE: Self = Self {
        coverage: Coverage::Complete,
        newest: None,
    };
}
