//! A log, its readers, and what they answer.

use std::{
    error::Error,
    task::{Context, Poll},
    thread,
    time::Duration,
};

use eventlog::Coverage;

use super::{
    attempt::Attempt,
    capability::{Capability, lacking},
    waker::thread_waker,
};

/// Why a log was not opened.
pub type OpenError = Box<dyn Error + Send + Sync>;

/// The operations of a log. Two are required; each other one belongs to a [`Capability`] that a log
/// may lack.
pub trait Log<E>: Send + Sync + 'static {
    /// Appends an event. A log that numbers its events returns the number: 1 for the first, then
    /// one more for each.
    ///
    /// ```
    /// # use model_tests::{Case, Log, Ours, Subject, Tick};
    /// let subject = Ours(Tick::new);
    /// let log = subject.open(&Case::new(2))?;
    /// assert_eq!(Log::append(&log, subject.event(70, 0)), Some(1));
    /// assert_eq!(Log::append(&log, subject.event(80, 0)), Some(2));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn append(&self, event: E) -> Option<u64>;

    /// Tries once to append, and says what became of it: for a log that may be busy, or lose an answer
    /// on its way back. Its [`append`](Self::append) is then
    /// [`append_until_done`](crate::append_until_done), by which all other laws are judged.
    ///
    /// ```
    /// # use model_tests::{Attempt, Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// assert_eq!(log.try_append(subject.event(7, 0)), Attempt::Done(None)); // it has no numbers
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn try_append(&self, event: E) -> Attempt {
        Attempt::Done(self.append(event))
    }

    /// The retained events with a version above `since`, oldest first. A log that is opened on the
    /// files of an earlier life may answer from them, or as if nothing had happened yet: no law asks
    /// a reopened log what it retains.
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// [7, 8].map(|version| log.append(event(version)));
    /// assert_eq!(log.events_since(7), [event(8)]);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn events_since(&self, since: u64) -> Vec<E>;

    /// Whether events above `since` are missing from that. [`Capability::Truncation`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// [7, 8, 9].map(|version| log.append(event(version)));
    /// assert!(log.replay_truncated(6) && !log.replay_truncated(7));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn replay_truncated(&self, since: u64) -> bool {
        let _ = since;
        lacking(Capability::Truncation)
    }

    /// Events, coverage and newest version of one instant. [`Capability::Replay`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// log.append(event(7));
    /// let replay = log.replay(6);
    /// assert!(replay.coverage.is_complete() && replay.newest == Some(7));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn replay(&self, since: u64) -> Replay<E> {
        let _ = since;
        lacking(Capability::Replay)
    }

    /// Appends all at once, or nothing if there are none. [`Capability::Batch`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// log.append_batch(vec![event(7), event(8)]);
    /// assert_eq!(log.events_since(0).len(), 2);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn append_batch(&self, events: Vec<E>) {
        let _ = events;
        lacking(Capability::Batch)
    }

    /// Appends what `make` makes of the newest version. It is called once: what it counts or sends
    /// must not happen twice. It may run under the log's lock, and if it panics, nothing was
    /// changed. [`Capability::AppendWith`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// log.append(event(7));
    /// log.append_with(&mut |newest| event(newest.unwrap() + 1));
    /// assert_eq!(log.events_since(7), [event(8)]);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn append_with(&self, make: &mut dyn FnMut(Option<u64>) -> E) {
        let _ = make;
        lacking(Capability::AppendWith)
    }

    /// A cursor just after the newest event, as text. [`Capability::Cursor`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// [7, 7].map(|version| log.append(event(version)));
    /// assert!(log.replay_after(&log.cursor()).events.is_empty());
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn cursor(&self) -> String {
        lacking(Capability::Cursor)
    }

    /// A replay of what comes after a cursor. [`Capability::Cursor`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// log.append(event(7));
    /// let cursor = log.cursor();
    /// log.append(event(7)); // which no version tells from the first
    /// assert_eq!(log.replay_after(&cursor).events.len(), 1);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn replay_after(&self, cursor: &str) -> Replay<E> {
        let _ = cursor;
        lacking(Capability::Cursor)
    }

    /// Follows the log: what is retained above `since`, then what is appended, also where its version
    /// is `since` or below. What was evicted
    /// before this call is no loss of the reader's, and is not told as one: whoever wants to know
    /// asks for a replay. [`Capability::Subscribe`].
    ///
    /// ```
    /// # use model_tests::Received;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// log.append(event(7));
    /// let mut reader = log.subscribe(0);
    /// assert_eq!(reader.try_recv(), Received::Event(event(7)));
    /// assert_eq!(reader.try_recv(), Received::Empty);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn subscribe(&self, since: u64) -> Box<dyn Subscription<E>> {
        let _ = since;
        lacking(Capability::Subscribe)
    }

    /// Follows what the log's writer has made durable, and nothing else: what is retained above
    /// `since`, then what becomes durable. [`Capability::Stored`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, OnDisk, Received, Subject, Tick};
    /// let log = OnDisk(Tick::new).open(&Case::new(4))?;
    /// let mut reader = log.subscribe_stored(0);
    /// log.append(Tick::new(7, 0));
    /// log.flush()?;
    /// assert_eq!(reader.try_recv(), Received::Event(Tick::new(7, 0)));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn subscribe_stored(&self, since: u64) -> Box<dyn Subscription<E>> {
        let _ = since;
        lacking(Capability::Stored)
    }

    /// Follows the log from a cursor on. What was evicted after the cursor may be told as lost; with
    /// a cursor of another life it begins with the oldest event that is retained.
    /// [`Capability::Cursor`] and [`Capability::Subscribe`].
    ///
    /// ```
    /// # use model_tests::Received;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// log.append(event(7));
    /// let cursor = log.cursor();
    /// log.append(event(7));
    /// assert_eq!(log.resume(&cursor).try_recv(), Received::Event(event(7)));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn resume(&self, cursor: &str) -> Box<dyn Subscription<E>> {
        let _ = cursor;
        lacking(Capability::Cursor)
    }

    /// Keeps what is appended from now on, also where the log would let it go, as long as that would
    /// be no more than so many events. [`Capability::Lease`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// let lease = log.lease(10);
    /// (1..=5).for_each(|version| _ = log.append(event(version)));
    /// assert!(!log.replay_truncated(0) && !lease.is_revoked()); // of a log of 2
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn lease(&self, events: u64) -> Box<dyn Lease> {
        let _ = events;
        lacking(Capability::Lease)
    }

    /// The first `events` (at least 1) that a reader since a version would be given.
    /// [`Capability::Pages`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// [7, 8].map(|version| log.append(event(version)));
    /// let page = log.page(0, 1);
    /// assert!(page.events == [event(7)] && page.has_more);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn page(&self, since: u64, events: usize) -> Page<E> {
        let _ = (since, events);
        lacking(Capability::Pages)
    }

    /// The first `events` (at least 1) after a page's cursor. [`Capability::Pages`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// [7, 8].map(|version| log.append(event(version)));
    /// let first = log.page(0, 1);
    /// assert_eq!(log.page_after(&first.cursor, 1).events, [event(8)]);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn page_after(&self, cursor: &str, events: usize) -> Page<E> {
        let _ = (cursor, events);
        lacking(Capability::Pages)
    }

    /// As [`subscribe`](Self::subscribe), where only the events are delivered that `keeps` says yes
    /// to. [`Capability::Filter`].
    ///
    /// ```
    /// # use model_tests::{Received, Versioned};
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// [7, 8].map(|version| log.append(event(version)));
    /// let mut even = log.subscribe_if(0, |event| event.version() % 2 == 0);
    /// assert_eq!(even.try_recv(), Received::Event(event(8)));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn subscribe_if(&self, since: u64, keeps: fn(&E) -> bool) -> Box<dyn Subscription<E>> {
        let _ = (since, keeps);
        lacking(Capability::Filter)
    }

    /// Ends the live stream. [`Capability::Close`].
    ///
    /// ```
    /// # use model_tests::Received;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// let mut reader = log.subscribe(0);
    /// log.close();
    /// assert_eq!(reader.try_recv(), Received::Closed);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn close(&self) {
        lacking(Capability::Close)
    }

    /// Waits until everything that was appended so far is durable. [`Capability::Durable`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, OnDisk, Subject, Tick};
    /// let (subject, case) = (OnDisk(Tick::new), Case::new(4));
    /// let log = subject.open(&case)?;
    /// log.append(Tick::new(7, 0));
    /// log.flush()?;
    /// assert_eq!(subject.read_back(&case)?.len(), 1);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is not, for whatever reason.
    fn flush(&self) -> Result<(), OpenError> {
        lacking(Capability::Durable)
    }

    /// Makes everything durable and ends the writer. [`Capability::Durable`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, OnDisk, Subject, Tick};
    /// let (subject, case) = (OnDisk(Tick::new), Case::new(4));
    /// let log = subject.open(&case)?;
    /// log.append(Tick::new(7, 0));
    /// log.shutdown()?;
    /// assert_eq!(subject.open(&case)?.events_since(0).len(), 1); // the next life
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
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

    /// As [`shutdown`](Self::shutdown), but gives up after `timeout` and says which events are not
    /// durable then, by their numbers in the order of the appends: 1 for the first since the log
    /// was opened. [`Capability::Missing`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use model_tests::{Case, Log, OnDisk, Subject, Tick};
    /// let log = OnDisk(Tick::new).open(&Case::new(4))?;
    /// log.append(Tick::new(7, 0));
    /// assert_eq!(log.shutdown_within(Duration::from_secs(30)), Ok(()));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The numbers of exactly those events.
    fn shutdown_within(self, timeout: Duration) -> Result<(), Vec<u64>>
    where
        Self: Sized,
    {
        let _ = timeout;
        lacking(Capability::Missing)
    }
}

/// A reader of a log.
pub trait Subscription<E>: Send {
    /// The next event, if it is there already.
    ///
    /// ```
    /// # use model_tests::Received;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// let mut reader = log.subscribe(0);
    /// (7..=9).for_each(|version| _ = log.append(event(version)));
    /// assert_eq!(reader.try_recv(), Received::Lagged(1)); // of a log of 2
    /// assert_eq!(reader.try_recv(), Received::Event(event(8)));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn try_recv(&mut self) -> Received<E>;

    /// The next event, or `Pending` and a wake-up when it is worth asking again; never `Empty`.
    /// [`Capability::Wait`]. A receiver that has only an asynchronous `recv` is wrapped in a
    /// [`PollFuture`](crate::PollFuture), which keeps the future while it is pending.
    ///
    /// ```
    /// # use std::task::{Context, Waker};
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// let mut reader = log.subscribe(0);
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(reader.poll_recv(&mut context).is_pending());
    /// log.append(event(7));
    /// assert!(reader.poll_recv(&mut context).is_ready());
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        let _ = context;
        lacking(Capability::Wait)
    }

    /// The next event; blocks until there is one. [`Capability::Wait`].
    ///
    /// ```
    /// # use model_tests::Received;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// let mut reader = log.subscribe(0);
    /// log.append(event(7));
    /// assert_eq!(reader.blocking_recv(), Received::Event(event(7)));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
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

    /// Whether everything from before the subscription was delivered or told as lost.
    /// [`Capability::Live`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// log.append(event(7));
    /// let mut reader = log.subscribe(0);
    /// assert!(!reader.is_live());
    /// reader.try_recv();
    /// assert!(reader.is_live());
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn is_live(&self) -> bool {
        lacking(Capability::Live)
    }

    /// A cursor just after the last event that was received. [`Capability::Cursor`].
    ///
    /// ```
    /// # use model_tests::Received;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// [7, 8].map(|version| log.append(event(version)));
    /// let mut reader = log.subscribe(0);
    /// reader.try_recv();
    /// assert_eq!(log.resume(&reader.cursor()).try_recv(), Received::Event(event(8)));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn cursor(&self) -> String {
        lacking(Capability::Cursor)
    }

    /// Gives up what is not yet read, and says how many events that is: all that the reader would
    /// have been given, and all that it lost and was not told of. Losses that were told before do
    /// not count again. What comes next is appended after this call. [`Capability::Skip`].
    ///
    /// ```
    /// # use model_tests::Received;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// [7, 8].map(|version| log.append(event(version)));
    /// let mut reader = log.subscribe(0);
    /// assert_eq!(reader.skip_to_newest(), 2);
    /// assert_eq!(reader.try_recv(), Received::Empty);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn skip_to_newest(&mut self) -> u64 {
        lacking(Capability::Skip)
    }
}

/// Keeps events until it is dropped or revoked.
pub trait Lease: Send {
    /// Whether there was more to keep than it may.
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// let lease = log.lease(1);
    /// (1..=9).for_each(|version| _ = log.append(event(version)));
    /// assert!(lease.is_revoked());
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn is_revoked(&self) -> bool;
}

/// A part of a replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<E> {
    /// The events, oldest first.
    pub events: Vec<E>,
    /// What these, and those that there are more, cover.
    pub coverage: Coverage,
    /// Whether there are more.
    pub has_more: bool,
    /// Where the next page begins.
    pub cursor: String,
}

/// A log that gives its events their numbers.
pub trait Numbering: Send + Sync {
    /// Appends a payload, and says its number: 1 for the first, then one more for each.
    ///
    /// ```
    /// # use model_tests::{Case, Ours, Subject, Tick};
    /// let log = Ours(Tick::new).numbering(&Case::new(4))?;
    /// assert_eq!(log.push(70), 1);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn push(&self, payload: u32) -> u64;

    /// What is retained, oldest first: each number with its payload.
    ///
    /// ```
    /// # use model_tests::{Case, Ours, Subject, Tick};
    /// let log = Ours(Tick::new).numbering(&Case::new(1))?;
    /// [70, 80].map(|payload| log.push(payload));
    /// assert_eq!(log.retained(), [(2, 80)]);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    fn retained(&self) -> Vec<(u64, u32)>;
}

/// What a replay says, with the events owned so that they can be compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replay<E> {
    /// The events, oldest first.
    pub events: Vec<E>,
    /// What they cover: laws R04, R08 and R09 say when it is what.
    ///
    /// In [`Coverage::Truncated`] `missed` may always be `None`. As a number it is exact: how many
    /// events after the cursor, or with a version above `since`, were evicted. `missed_through` is
    /// the highest version of all that was evicted, or the base version if that is higher; after a
    /// cursor it may be the highest of those that are missing. In [`Coverage::Ahead`] `newest` is the
    /// version of the newest event, before the first one the base version, and without one 0.
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
    /// This many events, of those that it would have been given, were evicted before the reader came
    /// to them. Never 0.
    Lagged(u64),
    /// The log was closed, and everything before that was delivered.
    Closed,
}
