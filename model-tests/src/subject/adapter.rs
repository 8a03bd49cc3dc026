//! The adapter that a user writes: how a log is opened, how its events are made, and how its files
//! are read.

use std::{fmt::Debug, path::PathBuf, time::Duration};

use eventlog::Versioned;

use super::{
    capability::{Capability, lacking},
    case::Case,
    log::{Log, Numbering, OpenError},
    probe::Probe,
};

/// What an event must be able to do for answers to be compared.
pub trait Event: Versioned + Clone + PartialEq + Debug + Send + Sync + 'static {}
impl<E: Versioned + Clone + PartialEq + Debug + Send + Sync + 'static> Event for E {}

/// A log under judgement: how it is opened and how its events are made.
///
/// The two required methods and the three of [`Log`] are the whole adapter for a log that can only
/// append and replay; `examples/deque.rs` is one.
///
/// Each trial runs on a thread of its own, which is left alone if a call never comes back: so a
/// subject is sent there, in an `Arc`.
pub trait Subject: Send + Sync + 'static {
    /// The log's event.
    type Event: Event;
    /// The log itself, or a thin wrapper around it.
    type Log: Log<Self::Event>;

    /// Opens a log with the case's settings. Called again with the same case, it reopens what it
    /// finds in the case's directory.
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// let subject = NaiveSubject { bug: None };
    /// let log = subject.open(&Case::new(2))?;
    /// assert!(log.events_since(0).is_empty());
    /// assert!(subject.open(&Case::new(0)).is_err());
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Whatever keeps the log from opening. A capacity of 0 must be refused (law R10).
    fn open(&self, case: &Case) -> Result<Self::Log, OpenError>;

    /// An event of this version. `pick` tells events apart that have the same version, and can
    /// choose the variant of an enum.
    ///
    /// ```
    /// # use model_tests::{Ours, Subject, Tick, Versioned};
    /// let subject = Ours(Tick::new);
    /// let (one, other) = (subject.event(7, 0), subject.event(7, 1));
    /// assert_eq!(one.version(), other.version());
    /// assert_ne!(one, other);
    /// ```
    fn event(&self, version: u64, pick: u32) -> Self::Event;

    /// An event that reports to `probe` whenever the log runs its code; see
    /// [`Probed`](crate::Probed). Needs [`Capability::Probe`].
    ///
    /// ```
    /// # use model_tests::{Ours, Probe, Subject, Tick};
    /// let probe = Probe::new();
    /// let event = Ours(Tick::new).probed_event(7, &probe);
    /// assert_eq!(probe.live(), 1);
    /// ```
    fn probed_event(&self, version: u64, probe: &Probe) -> Self::Event {
        let _ = (version, probe);
        lacking(Capability::Probe)
    }

    /// An event of this version that the log may be unable to carry: NaN, an infinity, a value
    /// nested hundreds of levels deep, a line of many megabytes. `None` for a `pick` that is past
    /// the last of them. [`Capability::Extremes`].
    ///
    /// ```
    /// # use model_tests::{SamplesOnDisk, Subject};
    /// let extremes = (0..).map_while(|pick| SamplesOnDisk.extreme_event(7, pick));
    /// assert!(extremes.count() > 1);
    /// ```
    fn extreme_event(&self, version: u64, pick: u32) -> Option<Self::Event> {
        let _ = (version, pick);
        lacking(Capability::Extremes)
    }

    /// How many events the log still retains after so many appends. By default that is the newest
    /// `case.capacity`; a log that rounds its capacity up, or lets whole segments go, says here what
    /// it keeps instead. Never less than the capacity (law R03), without regard to leases, weights
    /// and ages, and for a log that [numbers](Self::numbering) as well.
    ///
    /// All laws about a log in memory and its readers go by it (R01 to R18, S01 to S10): what is
    /// retained, truncated and missed, what a page begins with, what a lease keeps, and when a
    /// reader has lost something.
    ///
    /// ```
    /// # use model_tests::{Case, Ours, Subject, Tick};
    /// assert_eq!(Ours(Tick::new).retains(&Case::new(4), 9), 4);
    /// assert_eq!(Ours(Tick::new).retains(&Case::new(4), 3), 3);
    /// ```
    fn retains(&self, case: &Case, appended: u64) -> u64 {
        appended.min(case.capacity as u64)
    }

    /// How many events are let go together (law R12): beside those that it retains, the log may keep
    /// alive twice as many. By default that is the capacity rounded up to a power of two, at most
    /// 256. A log that holds each event twice, as a deque beside a channel does, adds what it holds.
    ///
    /// ```
    /// # use model_tests::{Case, Ours, Subject, Tick};
    /// assert_eq!(Ours(Tick::new).segment(&Case::new(5)), 8);
    /// ```
    fn segment(&self, case: &Case) -> usize {
        case.capacity.next_power_of_two().min(256)
    }

    /// How many more events one reader that stalls may keep alive (law R12). By default that is one
    /// segment; a reader that takes a copy of what it replays adds the capacity.
    ///
    /// ```
    /// # use model_tests::{Case, Ours, Subject, Tick};
    /// assert_eq!(Ours(Tick::new).reader_pins(&Case::new(5)), 8); // the segment that it is in
    /// ```
    fn reader_pins(&self, case: &Case) -> usize {
        self.segment(case)
    }

    /// How long after it is done an append may take until it is shown (law R20), and until it is
    /// certain what became of one with an unknown outcome (law R19). By default it shows at once.
    ///
    /// ```
    /// # use model_tests::{Ours, Subject, Tick};
    /// assert!(Ours(Tick::new).shows_within().is_zero());
    /// ```
    fn shows_within(&self) -> Duration {
        Duration::ZERO
    }

    /// A further handle onto a log, such as another connection to it: `None` if there is none but the
    /// log itself (law R22).
    ///
    /// # Errors
    ///
    /// Whatever keeps it from opening.
    fn handle(&self, case: &Case, log: &Self::Log) -> Result<Option<Self::Log>, OpenError> {
        let _ = (case, log);
        Ok(None)
    }

    /// Opens a log that gives the numbers, with the case's capacity. [`Capability::Numbers`].
    ///
    /// ```
    /// # use model_tests::{Case, Ours, Subject, Tick};
    /// let log = Ours(Tick::new).numbering(&Case::new(4))?;
    /// assert_eq!([log.push(70), log.push(80)], [1, 2]);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Whatever keeps the log from opening.
    fn numbering(&self, case: &Case) -> Result<Box<dyn Numbering>, OpenError> {
        let _ = case;
        lacking(Capability::Numbers)
    }

    /// What the files of a case say, the oldest line first. [`Capability::Durable`].
    ///
    /// ```
    /// # use model_tests::{Case, Line, Log, OnDisk, Subject, Tick};
    /// let (subject, case) = (OnDisk(Tick::new), Case::new(4));
    /// let log = subject.open(&case)?;
    /// log.append(Tick::new(7, 0));
    /// log.shutdown()?;
    /// assert_eq!(subject.read_back(&case)?, [Line::Event(Tick::new(7, 0))]);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If they cannot be read. No files are no error: nothing was written yet.
    fn read_back(&self, case: &Case) -> Result<Vec<Line<Self::Event>>, OpenError> {
        let _ = case;
        lacking(Capability::Durable)
    }

    /// The files that hold a case's events, the oldest first and the one that is written to last,
    /// whether they are there or not. Locks and the like are not among them: those may be there
    /// before the first event (laws W10 and W14).
    /// [`Capability::Durable`].
    ///
    /// ```
    /// # use model_tests::{Case, Log, OnDisk, Subject, Tick};
    /// let (subject, case) = (OnDisk(Tick::new), Case::new(4));
    /// let log = subject.open(&case)?;
    /// log.append(Tick::new(7, 0));
    /// log.flush()?;
    /// assert!(subject.files(&case)?.iter().any(|file| file.exists()));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
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
    /// ```
    /// # use model_tests::{Case, Line, Log, OnDisk, Subject, Tick};
    /// let (subject, case) = (OnDisk(Tick::new), Case::new(4));
    /// let log = subject.open(&case)?;
    /// let mut next = subject.follow(&case)?;
    /// assert_eq!(next(), None);
    /// log.append(Tick::new(7, 0));
    /// log.flush()?;
    /// assert_eq!(next(), Some(Line::Event(Tick::new(7, 0))));
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If that cannot begin. No files are no error: nothing was written yet.
    fn follow(&self, case: &Case) -> Result<Following<Self::Event>, OpenError> {
        let _ = case;
        lacking(Capability::Follow)
    }

    /// The bytes that an event must have in a file, with the newline. [`Capability::JsonLines`].
    ///
    /// ```
    /// # use model_tests::{OnDisk, Subject, Tick};
    /// assert_eq!(OnDisk(Tick::new).line(&Tick::new(7, 0)), "{\"version\":7,\"pick\":0}\n");
    /// ```
    fn line(&self, event: &Self::Event) -> String {
        let _ = event;
        lacking(Capability::JsonLines)
    }
}

/// Gives the next line of a log's files, or `None` if there is none yet. Where lines were rotated
/// away before they were read it gives a [`Line::Damage`].
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
