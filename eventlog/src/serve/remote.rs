//! Following a log of another process: a thread that connects, reads and comes back.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    io::{self, BufRead, BufReader, Read},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use futures_core::Stream;
use parking_lot::{Condvar, Mutex};
use serde::de::DeserializeOwned;

use super::{
    address::Address,
    heard::{Heard, Line, RemoteError},
    lines::Hello,
    peer::Peer,
    told,
};
use crate::{
    coverage::Coverage,
    cursor::{Cursor, Start},
    waiters::block_on,
};

/// How many items are read ahead, and how many bytes of them, if it is more than one.
const AHEAD: usize = 256;
const AHEAD_BYTES: usize = 16 * 1024 * 1024;
/// The longest line that is taken in.
const MOST_LINE: u64 = 64 * 1024 * 1024;
/// Between two tries, where the server did not say how long.
const RETRY: Duration = Duration::from_millis(250);
/// Whatever it said, it is neither besieged nor given up.
const RETRIES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(3600));
/// A server says something at least every 15 seconds, unless it was set otherwise.
const SILENCE: Duration = Duration::from_secs(120);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Follows a [feed](super::Feed) in another process, over the socket that it is served on: from that
/// start on, and after each loss of the connection, or of the whole server, from where it stood.
///
/// The address is `unix:/path/of/the/socket` or `tcp:host:port`. It need not be there yet.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use eventlog::{EventLog, Start, serve::{self, Feed, Heard}};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Tick { version: u64 }
/// # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.version } }
/// let log = EventLog::new(None);
/// let serving = Feed::new(&log).serve_tcp("127.0.0.1:0")?;
/// log.append(Tick { version: 7 });
///
/// let address = format!("tcp:{}", serving.local_addr().unwrap()).parse()?;
/// let mut remote = serve::connect::<Tick>(address, Start::Oldest)?; // in another process
/// match remote.next().await.unwrap()? {
///     Heard::Event { event, cursor } => assert_eq!((event.version, cursor), (7, log.cursor())),
///     Heard::Reset { .. } => unreachable!("fetch a snapshot: something is missing"),
///     _ => unreachable!("the replay is over"),
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the system refuses a thread.
pub fn connect<E: DeserializeOwned + Send + 'static>(
    address: Address,
    start: impl Into<Start>,
) -> io::Result<Remote<E>> {
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            items: VecDeque::new(),
            bytes: 0,
            waker: None,
            stream: None,
            trouble: None,
            is_dropped: false,
            is_ended: false,
        }),
        changed: Condvar::new(),
    });
    let reader = Reader {
        shared: shared.clone(),
        address,
        start: start.into(),
        retry: RETRY,
    };
    thread::Builder::new()
        .name("eventlog-remote".into())
        .spawn(move || reader.run())?;
    Ok(Remote {
        shared,
        cursor: None,
    })
}

/// A log of another process: a [`Stream`], and a blocking reader for who has no runtime. See
/// [`connect`].
///
/// A thread of its own reads up to 256 items or 16 MiB ahead; it ends when this is dropped. The stream ends
/// when the feed is [finished](super::Feed::finish).
///
/// ```
/// # use eventlog::{EventLog, Numbered, Start, serve::{self, Feed, Heard}};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let log = EventLog::<Numbered<u32>>::new(None);
/// let serving = Feed::new(&log).serve_tcp("127.0.0.1:0")?;
/// let address = format!("tcp:{}", serving.local_addr().unwrap()).parse()?;
/// let mut remote = serve::connect::<Numbered<u32>>(address, Start::Oldest)?;
/// assert!(matches!(remote.next().await.unwrap()?, Heard::Live { .. })); // nothing was missed
/// log.push(7);
/// assert!(matches!(remote.next().await.unwrap()?, Heard::Event { event, .. } if *event == 7));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is read for one who drops it"]
pub struct Remote<E> {
    shared: Arc<Shared<E>>,
    cursor: Option<Cursor>,
}

type Item<E> = Result<Heard<E>, RemoteError>;

struct Shared<E> {
    state: Mutex<State<E>>,
    /// Told when there is room again, or when nobody wants anything any more.
    changed: Condvar,
}

struct State<E> {
    items: VecDeque<Kept<E>>,
    /// How long the lines of the items were.
    bytes: usize,
    waker: Option<Waker>,
    /// What the thread reads from, so that it can be made to stop.
    stream: Option<Box<dyn Peer>>,
    trouble: Option<String>,
    is_dropped: bool,
    is_ended: bool,
}

/// What was read ahead.
struct Kept<E> {
    /// A bookmark has none.
    item: Option<Item<E>>,
    /// The place after it.
    cursor: Option<Cursor>,
    bytes: usize,
}

impl<E> Remote<E> {
    /// The next that was heard, as soon as there is something; `None` once the feed is finished.
    /// Cancel safe.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered, Start, serve::{self, Feed, Heard}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let log = EventLog::<Numbered<u32>>::new(None);
    /// # let feed = Feed::new(&log);
    /// # let serving = feed.serve_tcp("127.0.0.1:0")?;
    /// # let address = format!("tcp:{}", serving.local_addr().unwrap()).parse()?;
    /// # log.push(7);
    /// # feed.finish();
    /// let mut remote = serve::connect::<Numbered<u32>>(address, Start::Oldest)?;
    /// let mut seen = Vec::new();
    /// while let Some(heard) = remote.next().await {
    ///     if let Heard::Event { event, .. } = heard? {
    ///         seen.push(*event);
    ///     }
    /// }
    /// assert_eq!(seen, [7]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RemoteError`] for an event that is not of this type, or an address where something else
    /// answers. The next call goes on.
    pub async fn next(&mut self) -> Option<Result<Heard<E>, RemoteError>> {
        poll_fn(|context| self.poll_item(context)).await
    }

    /// As [`next`](Self::next), blocking the thread. Not for asynchronous code.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered, Start, serve::{self, Feed, Heard}};
    /// # let log = EventLog::<Numbered<u32>>::new(None);
    /// # let serving = Feed::new(&log).serve_tcp("127.0.0.1:0")?;
    /// # let address = format!("tcp:{}", serving.local_addr().unwrap()).parse()?;
    /// # log.push(7);
    /// let mut remote = serve::connect::<Numbered<u32>>(address, Start::Oldest)?;
    /// let heard = remote.blocking_next().unwrap()?;
    /// assert!(matches!(heard, Heard::Event { event, .. } if *event == 7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    ///
    /// On a thread that drives a `tokio` runtime, whose tasks it would stop.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn blocking_next(&mut self) -> Option<Result<Heard<E>, RemoteError>> {
        block_on(self.next())
    }

    /// Where it stands after what was taken last: keep it, and [`connect`] with it the next time.
    /// `None` as long as the server has said nothing.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered, Start, serve::{self, Address, Feed, Heard}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let log = EventLog::<Numbered<u32>>::new(None);
    /// # let serving = Feed::new(&log).serve_tcp("127.0.0.1:0")?;
    /// # let address: Address = format!("tcp:{}", serving.local_addr().unwrap()).parse()?;
    /// # log.push(7);
    /// # log.push(8);
    /// let mut remote = serve::connect::<Numbered<u32>>(address.clone(), Start::Oldest)?;
    /// remote.next().await.unwrap()?;
    /// // Kept, over a restart of this process:
    /// let place = remote.cursor().expect("something was heard");
    /// let mut next = serve::connect::<Numbered<u32>>(address, place)?;
    /// assert!(matches!(next.next().await.unwrap()?, Heard::Event { event, .. } if *event == 8));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// Why there is no connection at the moment, if there is none. It is tried again.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered, Start, serve::{self, Feed}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let log = EventLog::<Numbered<u32>>::new(None);
    /// # let serving = Feed::new(&log).serve_tcp("127.0.0.1:0")?;
    /// # let address = format!("tcp:{}", serving.local_addr().unwrap()).parse()?;
    /// let mut remote = serve::connect::<Numbered<u32>>(address, Start::Oldest)?;
    /// remote.next().await.unwrap()?;
    /// // For a display: "as of 12:04, since when there is no connection: …".
    /// assert_eq!(remote.trouble(), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.shared.state.lock().trouble.clone()
    }

    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Item<E>>> {
        let waker = context.waker().clone();
        let mut state = self.shared.state.lock();
        while let Some(kept) = state.items.pop_front() {
            let Kept {
                item,
                cursor,
                bytes,
            } = kept;
            state.bytes -= bytes;
            self.shared.changed.notify_one();
            self.cursor = cursor.or(self.cursor);
            if item.is_some() {
                return Poll::Ready(item);
            }
        }
        if state.is_ended {
            return Poll::Ready(None);
        }
        let dropped_unlocked = state.waker.replace(waker);
        drop(state);
        drop(dropped_unlocked);
        Poll::Pending
    }
}

impl<E> Stream for Remote<E> {
    type Item = Result<Heard<E>, RemoteError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Item<E>>> {
        self.poll_item(context)
    }
}

impl<E> Drop for Remote<E> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.is_dropped = true;
        if let Some(stream) = &state.stream {
            stream.hang_up();
        }
        self.shared.changed.notify_one();
    }
}

impl<E> fmt::Debug for Remote<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("cursor", &self.cursor)
            .field("trouble", &self.trouble())
            .finish_non_exhaustive()
    }
}

/// The thread's end of it.
struct Reader<E> {
    shared: Arc<Shared<E>>,
    address: Address,
    /// From where the next connection goes on.
    start: Start,
    retry: Duration,
}

/// How a connection ended.
enum Ended {
    /// It is tried again.
    Lost(io::Error),
    Finished,
}

impl<E: DeserializeOwned> Reader<E> {
    fn run(mut self) {
        loop {
            match self.converse() {
                Ok(Ended::Finished) => return,
                Ok(Ended::Lost(error)) | Err(error) => {
                    self.shared.state.lock().trouble = Some(error.to_string());
                }
            }
            let mut state = self.shared.state.lock();
            state.stream = None;
            if !state.is_dropped {
                let retry = self.retry.clamp(RETRIES.0, RETRIES.1);
                self.shared.changed.wait_for(&mut state, retry);
            }
            if state.is_dropped {
                return;
            }
        }
    }

    fn converse(&mut self) -> io::Result<Ended> {
        let mut stream = self.address.connect()?;
        stream.set_timeouts(SILENCE, WRITE_TIMEOUT)?;
        let mut hello = Vec::new();
        told::json(&mut hello, &Hello::asking(self.start));
        hello.push(b'\n');
        stream.write_all(&hello)?;
        {
            let mut state = self.shared.state.lock();
            state.stream = Some(stream.try_clone()?);
            if state.is_dropped {
                return Ok(Ended::Finished);
            }
        }
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut limited = (&mut reader).take(MOST_LINE);
            limited.read_until(b'\n', &mut line)?;
            if line.pop() != Some(b'\n') {
                let why = if line.len() as u64 + 1 >= MOST_LINE {
                    "a line has more than 64 MiB"
                } else {
                    "the connection was lost"
                };
                let lost = io::Error::new(io::ErrorKind::UnexpectedEof, why);
                return Ok(Ended::Lost(lost));
            }
            if let Some(ended) = self.hear(&line) {
                return Ok(ended);
            }
        }
    }

    /// Takes one line; says so if it is the last.
    fn hear(&mut self, line: &[u8]) -> Option<Ended> {
        match Line::<E>::read(line) {
            Line::Open {
                cursor,
                retry,
                coverage,
                newest,
            } => {
                self.retry = retry;
                self.shared.state.lock().trouble = None;
                let reset = Heard::Reset {
                    cursor,
                    coverage,
                    newest,
                };
                let is_complete = coverage == Coverage::Complete;
                self.push(
                    (!is_complete).then_some(Ok(reset)),
                    Some(cursor),
                    line.len(),
                );
                None
            }
            Line::Heard(item, cursor) => {
                self.push(item, cursor, line.len());
                None
            }
            Line::Later(retry, why) => {
                self.retry = retry.unwrap_or(self.retry);
                Some(Ended::Lost(io::Error::other(why)))
            }
            Line::Finished => Some(Ended::Finished),
        }
    }

    fn push(&mut self, item: Option<Item<E>>, cursor: Option<Cursor>, bytes: usize) {
        if let Some(cursor) = cursor {
            self.start = Start::Cursor(cursor);
        }
        let mut state = self.shared.state.lock();
        let is_full = |state: &State<E>| {
            let is_too_much = state.bytes.saturating_add(bytes) > AHEAD_BYTES;
            state.items.len() >= AHEAD || (is_too_much && !state.items.is_empty())
        };
        while is_full(&state) && !state.is_dropped {
            self.shared.changed.wait(&mut state);
        }
        state.bytes += bytes;
        state.items.push_back(Kept {
            item,
            cursor,
            bytes,
        });
        let waker = state.waker.take();
        drop(state);
        crate::waiters::wake_all(waker);
    }
}

impl<E> Drop for Reader<E> {
    /// Also where deserialising an event has panicked.
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.is_ended = true;
        state.stream = None;
        let waker = state.waker.take();
        drop(state);
        crate::waiters::wake_all(waker);
    }
}
