//! What a replay can promise.

/// How far the replayed events cover what the subscriber has not seen.
///
/// Only `Complete` allows a subscriber to apply the events to the state that it has. In every other
/// case it fetches a snapshot first, and takes the place to go on from *before* the snapshot is made:
/// what is in both is then seen twice, and nothing is missed.
///
/// With the feature `serde` it is written with its name beside its fields, and numbers as strings,
/// because a browser rounds large ones:
/// `{"coverage":"truncated","missed_through":"4100","missed":"17"}`. A name that a later version may
/// add is read as `Foreign`, never as `Complete`.
///
/// ```
/// # use eventlog::{Coverage, EventLog};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::builder().capacity(2).build()?;
/// log.append_batch((1..=5).map(Tick));
/// let needs_snapshot = |since| match log.replay(since).coverage() {
///     Coverage::Complete => false,
///     Coverage::Truncated { .. } | Coverage::Ahead { .. } | Coverage::Foreign => true,
///     _ => true, // what a later version adds
/// };
/// assert_eq!([3, 1, 9].map(needs_snapshot), [false, true, true]);
/// # Ok::<(), eventlog::BuildError>(())
/// ```
///
/// # Truncated
///
/// *You see* [`Truncated`](Self::Truncated) where the subscriber was away for longer than the log
/// [retains](crate::Builder::capacity), or comes with a state from before the log began. The events
/// that are there are handed over all the same, for those who only show them.
///
/// *What to do:* answer with a snapshot and the place to go on from. Where making or sending it takes
/// long, a [lease](crate::EventLog::lease) keeps what comes meanwhile; what is on disk can be
/// [read from there](crate::disk::replay_after) instead.
///
/// ```
/// # use eventlog::{Coverage, EventLog};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # fn snapshot() -> &'static str { "the state" }
/// # let log = EventLog::builder().capacity(2).build()?;
/// # log.append_batch((1..=5).map(Tick));
/// let replay = log.replay(1); // it has version 1, and the log 4 and 5
/// let place = log.cursor();
/// let answer = match replay.coverage() {
///     Coverage::Complete => format!("{} events", replay.len()),
///     Coverage::Truncated { missed_through, .. } => {
///         assert_eq!(missed_through, 3); // nothing above this is missing
///         format!("{}, go on from {place}", snapshot())
///     }
///     _ => format!("{}, go on from {place}", snapshot()),
/// };
/// assert!(answer.starts_with("the state"));
/// # Ok::<(), eventlog::BuildError>(())
/// ```
///
/// # Foreign
///
/// *You see* [`Foreign`](Self::Foreign) where a cursor is from another life of the log: the program
/// was started anew without [recovering](crate::EventLog::recover) its log, or its holder saw what a
/// crash has taken back. A subscriber with a *version* is told [`Ahead`](Self::Ahead) instead, and
/// only if its version is above all that there is: cursors tell more.
///
/// *What to do:* a snapshot, as above; the state from before is of no use. Whoever must not be told
/// so after a restart recovers the log, and hands out only what is stored
/// ([`Writer::subscribe`](crate::writer::Writer::subscribe)).
///
/// ```
/// # use eventlog::{Coverage, EventLog};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::new(None);
/// log.append_batch([Tick(1), Tick(2)]);
/// let kept = log.cursor(); // by a page that is still open
/// drop(log);
///
/// let log = EventLog::new(None); // the program was started anew
/// log.append_batch([Tick(1), Tick(2), Tick(3)]);
/// assert_eq!(log.replay(kept).coverage(), Coverage::Foreign);
/// assert_eq!(log.replay(kept.version()).coverage(), Coverage::Complete); // which is a mistake
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "coverage", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Coverage {
    /// Nothing is missing: state at the asked version + these events = state at the newest.
    Complete,
    /// Events that the subscriber has not seen are gone, or were before the log's first.
    Truncated {
        /// No missing event has a version above this one.
        #[cfg_attr(feature = "serde", serde(with = "crate::wire::text"))]
        missed_through: u64,
        /// How many events are missing, where that is known: from a cursor or from the oldest
        /// event on, but not from a version.
        #[cfg_attr(feature = "serde", serde(with = "crate::wire::opt_text", default))]
        missed: Option<u64>,
    },
    /// The subscriber claims to have seen more than ever happened here: its state is from another
    /// history, or this history was rewound.
    Ahead {
        /// The version of the newest event.
        #[cfg_attr(feature = "serde", serde(with = "crate::wire::text"))]
        newest: u64,
    },
    /// The cursor is from another life of the log, so nothing can be said about it, even if
    /// its numbers look as if they fitted.
    #[cfg_attr(feature = "serde", serde(other))]
    Foreign,
}

impl Coverage {
    /// Whether the events can be applied as they are.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// assert!(log.replay(0).coverage().is_complete());
    /// assert!(!log.replay(9).coverage().is_complete()); // it has seen more than there is
    /// ```
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }
}
