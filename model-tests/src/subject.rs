//! What a log must offer to be judged: the adapter that a user writes.

use std::{
    error::Error,
    fmt::Debug,
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
    task::{Context, Poll},
    thread,
};

use eventlog::{Coverage, Versioned};
use tempfile::TempDir;

use crate::{Probe, waker::thread_waker};

/// What an event must be able to do for answers to be compared.
pub trait Event: Versioned + Clone + PartialEq + Debug + Send + Sync + 'static {}
impl<E: Versioned + Clone + PartialEq + Debug + Send + Sync + 'static> Event for E {}

/// Why a log was not opened.
pub type OpenError = Box<dyn Error + Send + Sync>;

/// A log under judgement: how it is opened and how its events are made.
///
/// The two required methods and the three of [`Log`] are the whole adapter for a log that can only
/// append and replay; `examples/deque.rs` is one.
pub trait Subject: Sync + 'static {
    /// The log's event.
    type Event: Event;
    /// The log itself, or a thin wrapper around it.
    type Log: Log<Self::Event>;

    /// Opens a log with the case's settings. Called again with the same case, it reopens what it
    /// finds in the case's directory.
    ///
    /// # Errors
    ///
    /// Whatever keeps the log from opening. A capacity of 0 must be refused (law R10).
    fn open(&self, case: &Case) -> Result<Self::Log, OpenError>;

    /// An event of this version. `pick` tells events apart that have the same version, and can
    /// choose the variant of an enum.
    fn event(&self, version: u64, pick: u32) -> Self::Event;

    /// An event that reports to `probe` whenever the log runs its code; see
    /// [`Probed`](crate::Probed). Needs [`Capability::Probe`].
    fn probed_event(&self, version: u64, probe: &Probe) -> Self::Event {
        let _ = (version, probe);
        lacking(Capability::Probe)
    }

    /// What the files of a case say, the oldest line first. [`Capability::Durable`].
    ///
    /// # Errors
    ///
    /// If they cannot be read. No files are no error: nothing was written yet.
    fn read_back(&self, case: &Case) -> Result<Vec<Line<Self::Event>>, OpenError> {
        let _ = case;
        lacking(Capability::Durable)
    }

    /// The files that hold a case's events, the oldest first and the one that is written to last,
    /// whether they are there or not. Locks and the like are not among them.
    /// [`Capability::Durable`].
    ///
    /// # Errors
    ///
    /// If the case has no directory.
    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        let _ = case;
        lacking(Capability::Durable)
    }

    /// Follows a case's files from their oldest line on, while they are written and rotated.
    /// [`Capability::Follow`].
    ///
    /// # Errors
    ///
    /// If that cannot begin. No files are no error: nothing was written yet.
    fn follow(&self, case: &Case) -> Result<Following<Self::Event>, OpenError> {
        let _ = case;
        lacking(Capability::Follow)
    }

    /// The bytes that an event must have in a file, with the newline. [`Capability::JsonLines`].
    fn line(&self, event: &Self::Event) -> String {
        let _ = event;
        lacking(Capability::JsonLines)
    }
}

/// Gives the next line of a log's files, or `None` if there is none yet. Where lines were rotated
/// away before it came to them it gives a [`Line::Damage`].
pub type Following<E> = Box<dyn FnMut() -> Option<Line<E>>>;

/// A line that was read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line<E> {
    /// An event.
    Event(E),
    /// So many events are missing here, and the file says so.
    Gap(u64),
    /// A line that cannot be read, and why.
    Damage(String),
}

/// The settings of one case, and its directory.
///
/// The directory is made when it is first asked for, is empty then, and is removed with the case,
/// after the log.
#[derive(Debug)]
pub struct Case {
    /// How many events the log retains.
    pub capacity: usize,
    /// What a subscriber must have seen before the first event; `None` leaves it to the log.
    pub base_version: Option<u64>,
    /// The bytes that no file exceeds, unless one event alone is longer.
    pub max_file_bytes: u64,
    dir: OnceLock<TempDir>,
}

impl Case {
    /// A log of `capacity` events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            base_version: None,
            max_file_bytes: 8 * 1024 * 1024,
            dir: OnceLock::new(),
        }
    }

    /// The same, for a log that starts behind version `base`.
    #[must_use]
    pub fn with_base(mut self, base: u64) -> Self {
        self.base_version = Some(base);
        self
    }

    /// The same, with files of at most so many bytes.
    #[must_use]
    pub fn with_files_of(mut self, max_bytes: u64) -> Self {
        self.max_file_bytes = max_bytes;
        self
    }

    /// Another case with the files of this one as they are now: what a killed process leaves.
    ///
    /// # Errors
    ///
    /// If they cannot be copied.
    pub fn killed(&self) -> io::Result<Self> {
        let left = Self {
            base_version: self.base_version,
            max_file_bytes: self.max_file_bytes,
            ..Self::new(self.capacity)
        };
        for entry in fs::read_dir(self.dir()?)? {
            let entry = entry?;
            fs::copy(entry.path(), left.dir()?.join(entry.file_name()))?;
        }
        Ok(left)
    }

    /// The case's own directory.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn dir(&self) -> io::Result<&Path> {
        if self.dir.get().is_none() {
            // Whoever comes second drops its own, still empty, directory.
            let _ = self.dir.set(tempfile::tempdir()?);
        }
        self.dir
            .get()
            .map(TempDir::path)
            .ok_or_else(|| io::Error::other("the case has no directory"))
    }
}

/// The operations of a log. Three are required; each other one belongs to a [`Capability`] that a
/// log may lack.
pub trait Log<E>: Send + Sync + 'static {
    /// Appends an event. A log that numbers its events returns the number: 1 for the first, then
    /// one more for each.
    fn append(&self, event: E) -> Option<u64>;

    /// The retained events with a version above `since`, oldest first.
    fn events_since(&self, since: u64) -> Vec<E>;

    /// Whether events above `since` are missing from that.
    fn replay_truncated(&self, since: u64) -> bool;

    /// Events, coverage and newest version of one instant. [`Capability::Replay`].
    fn replay(&self, since: u64) -> Replay<E> {
        let _ = since;
        lacking(Capability::Replay)
    }

    /// Appends all at once, or nothing if there are none. [`Capability::Batch`].
    fn append_batch(&self, events: Vec<E>) {
        let _ = events;
        lacking(Capability::Batch)
    }

    /// Appends what `make` makes of the newest version. [`Capability::AppendWith`].
    fn append_with(&self, make: &mut dyn FnMut(Option<u64>) -> E) {
        let _ = make;
        lacking(Capability::AppendWith)
    }

    /// A cursor behind the newest event, as text. [`Capability::Cursor`].
    fn cursor(&self) -> String {
        lacking(Capability::Cursor)
    }

    /// A replay of what is behind a cursor. [`Capability::Cursor`].
    fn replay_after(&self, cursor: &str) -> Replay<E> {
        let _ = cursor;
        lacking(Capability::Cursor)
    }

    /// Follows the log: what is retained above `since`, then what is appended.
    /// [`Capability::Subscribe`].
    fn subscribe(&self, since: u64) -> Box<dyn Subscription<E>> {
        let _ = since;
        lacking(Capability::Subscribe)
    }

    /// Follows the log from a cursor on. [`Capability::Cursor`] and [`Capability::Subscribe`].
    fn resume(&self, cursor: &str) -> Box<dyn Subscription<E>> {
        let _ = cursor;
        lacking(Capability::Cursor)
    }

    /// Ends the live stream. [`Capability::Close`].
    fn close(&self) {
        lacking(Capability::Close)
    }

    /// Waits until everything that was appended so far is durable. [`Capability::Durable`].
    ///
    /// # Errors
    ///
    /// If it is not, for whatever reason.
    fn flush(&self) -> Result<(), OpenError> {
        lacking(Capability::Durable)
    }

    /// Makes everything durable and ends the writer. [`Capability::Durable`].
    ///
    /// # Errors
    ///
    /// If not everything is durable.
    fn shutdown(self) -> Result<(), OpenError>
    where
        Self: Sized,
    {
        lacking(Capability::Durable)
    }
}

/// A reader of a log.
pub trait Subscription<E>: Send {
    /// The next event, if it is there already.
    fn try_recv(&mut self) -> Received<E>;

    /// The next event, or `Pending` and a wake-up when there is one; never `Empty`.
    /// [`Capability::Wait`].
    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        let _ = context;
        lacking(Capability::Wait)
    }

    /// The next event; blocks until there is one. [`Capability::Wait`].
    fn blocking_recv(&mut self) -> Received<E> {
        let waker = thread_waker();
        let mut context = Context::from_waker(&waker);
        loop {
            match self.poll_recv(&mut context) {
                Poll::Ready(received) => return received,
                Poll::Pending => thread::park(),
            }
        }
    }

    /// A cursor behind the last event that was received. [`Capability::Cursor`].
    fn cursor(&self) -> String {
        lacking(Capability::Cursor)
    }

    /// Gives up what is not yet read, and says how many events that is. [`Capability::Skip`].
    fn skip_to_newest(&mut self) -> u64 {
        lacking(Capability::Skip)
    }
}

/// What a replay says, with the events owned so that they can be compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replay<E> {
    /// The events, oldest first.
    pub events: Vec<E>,
    /// What they cover.
    pub coverage: Coverage,
    /// The version of the newest event of the log; `None` if there never was one.
    pub newest: Option<u64>,
}

/// What a subscription says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Received<E> {
    /// The next event.
    Event(E),
    /// There is none yet.
    Empty,
    /// This many events were evicted before the reader came to them.
    Lagged(u64),
    /// The log was closed, and everything before that was delivered.
    Closed,
}

/// Something that a log may lack. The laws that need it are then shown as ignored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Capability {
    /// The base version can be set: [`Case::base_version`].
    Base,
    /// Events can carry a [`Probe`]: [`Subject::probed_event`].
    Probe,
    /// [`Log::replay`].
    Replay,
    /// [`Log::append_batch`].
    Batch,
    /// [`Log::append_with`].
    AppendWith,
    /// [`Log::cursor`], [`Log::replay_after`], [`Log::resume`], [`Subscription::cursor`].
    Cursor,
    /// [`Log::subscribe`].
    Subscribe,
    /// [`Subscription::poll_recv`] and [`Subscription::blocking_recv`].
    Wait,
    /// [`Subscription::skip_to_newest`].
    Skip,
    /// [`Log::close`].
    Close,
    /// A durable writer: [`Log::flush`], [`Log::shutdown`], [`Subject::read_back`],
    /// [`Subject::files`].
    Durable,
    /// Somebody can read along while the files are written: [`Subject::follow`].
    Follow,
    /// The files are JSON lines: [`Subject::line`].
    JsonLines,
}

/// The answer of an operation that the adapter does not have: the law fails, and says what to do.
fn lacking(what: Capability) -> ! {
    panic!("this subject has no {what:?}: implement it, or add `lacks: [{what:?}]`")
}
