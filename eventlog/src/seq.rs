//! The log's own counter.

use std::{fmt, iter::FusedIterator};

/// The log's own dense number of an event: 1 for the first append, then one more for each.
///
/// It is given under the log's lock, so the order of sequence numbers is the order of the history.
/// It is a type of its own, so that it cannot be mixed up with a [version](crate::Versioned::version),
/// which belongs to the user and may skip, repeat and fall.
///
/// ```
/// # use eventlog::EventLog;
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::new(None);
/// let first = log.append(Tick(70));
/// assert_eq!(first.get(), 1);
/// assert_eq!(log.append(Tick(80)), first.next());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Seq(u64);

impl Seq {
    /// The place before the first event.
    pub const ZERO: Self = Self(0);

    /// A sequence number from its value.
    ///
    /// ```
    /// # use eventlog::Seq;
    /// // Numbers that a database has kept.
    /// assert_eq!(Seq::new(7), Seq::from(7));
    /// assert!(Seq::new(7) < Seq::new(8));
    /// ```
    #[must_use]
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number itself.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// assert_eq!(log.append(Tick(70)).get(), 1);
    /// ```
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of the event after this one. The highest number there is has none after it, and
    /// stays as it is.
    ///
    /// ```
    /// # use eventlog::Seq;
    /// assert_eq!(Seq::ZERO.next(), Seq::new(1));
    /// assert_eq!(Seq::new(u64::MAX).next(), Seq::new(u64::MAX));
    /// ```
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl From<u64> for Seq {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl From<Seq> for u64 {
    fn from(seq: Seq) -> Self {
        seq.0
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Sequence numbers from a first to a last one, both included. Never empty.
///
/// ```
/// # use eventlog::{Seq, SeqRange};
/// let range = SeqRange::new(Seq::new(3), Seq::new(5)).expect("3 is not above 5");
/// assert_eq!(range.len(), 3);
/// assert!(range.contains(Seq::new(4)));
/// assert_eq!(range.iter().map(Seq::get).collect::<Vec<_>>(), [3, 4, 5]);
/// assert_eq!(range.to_string(), "3..=5");
/// assert_eq!(SeqRange::new(Seq::new(5), Seq::new(3)), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SeqRange {
    first: Seq,
    last: Seq,
}

#[expect(clippy::len_without_is_empty, reason = "there is no empty range")]
impl SeqRange {
    /// The numbers from `first` to `last`; `None` if that would be none at all.
    ///
    /// ```
    /// # use eventlog::{Seq, SeqRange};
    /// let range = SeqRange::new(Seq::new(3), Seq::new(5)).unwrap();
    /// assert_eq!(range.to_string(), "3..=5");
    /// assert_eq!(SeqRange::new(Seq::new(5), Seq::new(3)), None);
    /// ```
    #[must_use]
    pub fn new(first: Seq, last: Seq) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// As [`new`](Self::new), from plain numbers.
    pub(crate) fn of(first: u64, last: u64) -> Option<Self> {
        Self::new(Seq(first), Seq(last))
    }

    /// The first number.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// let batch = log.append_batch([Tick(1), Tick(2)]).unwrap();
    /// assert_eq!(batch.first().get(), 1);
    /// ```
    #[must_use]
    pub const fn first(self) -> Seq {
        self.first
    }

    /// The last number.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// let batch = log.append_batch([Tick(1), Tick(2)]).unwrap();
    /// assert_eq!(batch.last(), log.cursor().seq()); // what to wait for, if all are to be durable
    /// ```
    #[must_use]
    pub const fn last(self) -> Seq {
        self.last
    }

    /// How many numbers there are.
    ///
    /// ```
    /// # use eventlog::{Seq, SeqRange};
    /// let range = SeqRange::new(Seq::new(3), Seq::new(5)).unwrap();
    /// assert_eq!(range.len(), 3);
    /// ```
    #[must_use]
    pub const fn len(self) -> u64 {
        (self.last.0 - self.first.0).saturating_add(1)
    }

    /// Whether `seq` is one of them.
    ///
    /// ```
    /// # use eventlog::{Seq, SeqRange};
    /// let lost = SeqRange::new(Seq::new(3), Seq::new(5)).unwrap();
    /// assert!(lost.contains(Seq::new(5)));
    /// assert!(!lost.contains(Seq::new(6)));
    /// ```
    #[must_use]
    pub fn contains(self, seq: Seq) -> bool {
        (self.first..=self.last).contains(&seq)
    }

    /// The numbers, one by one.
    ///
    /// ```
    /// # use eventlog::{Seq, SeqRange};
    /// let range = SeqRange::new(Seq::new(3), Seq::new(5)).unwrap();
    /// assert!(range.iter().map(Seq::get).eq([3, 4, 5])); // or `for seq in range`
    /// ```
    #[must_use]
    pub fn iter(self) -> SeqIter {
        SeqIter(Some(self))
    }
}

impl fmt::Display for SeqRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.first, self.last)
    }
}

impl IntoIterator for SeqRange {
    type Item = Seq;
    type IntoIter = SeqIter;

    fn into_iter(self) -> SeqIter {
        self.iter()
    }
}

impl IntoIterator for &SeqRange {
    type Item = Seq;
    type IntoIter = SeqIter;

    fn into_iter(self) -> SeqIter {
        self.iter()
    }
}

/// The numbers of a [`SeqRange`].
#[derive(Clone, Debug)]
pub struct SeqIter(Option<SeqRange>);

impl Iterator for SeqIter {
    type Item = Seq;

    fn next(&mut self) -> Option<Seq> {
        let range = self.0?;
        self.0 = SeqRange::new(range.first.next(), range.last).filter(|_| range.len() > 1);
        Some(range.first)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.0.map_or(0, SeqRange::len));
        (left.unwrap_or(usize::MAX), left.ok())
    }
}

impl FusedIterator for SeqIter {}
