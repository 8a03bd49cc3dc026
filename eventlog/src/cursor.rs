//! Where a subscriber stands, in a form that travels.

use std::{
    error::Error,
    fmt,
    hash::{BuildHasher, RandomState},
    str::FromStr,
};

use crate::seq::Seq;

/// The bit of an epoch's number that a cursor uses for itself: its holder saw only what was durable.
const DURABLE: u64 = 1;

/// A random id of one life of a log. Sequence numbers are comparable only within one epoch, and those
/// before it that the log was recovered from.
///
/// A log makes its own, except where the system has no randomness to make it of, as on
/// `wasm32-unknown-unknown`: there [give it one](crate::Builder::epoch).
///
/// It prints as 16 hexadecimal digits, and is read back from exactly these.
///
/// ```
/// # use eventlog::{Epoch, EventLog};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let epoch = EventLog::<Tick>::new(None).epoch();
/// assert_eq!(epoch.to_string().parse::<Epoch>()?, epoch);
/// # Ok::<(), eventlog::CursorError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

/// With the text that stands in files and on the wire.
impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({self})")
    }
}

impl Epoch {
    /// The epoch of no log: a cursor in it is `Foreign` everywhere.
    pub(crate) const NONE: Self = Self(0);

    /// An epoch of your own making, for [`Builder::epoch`](crate::Builder::epoch).
    ///
    /// **It must be different in each life of a log**, such as a number from a source of
    /// randomness. If two lives have the same, a cursor of the one is taken at its number in the
    /// other, which then leaves out events that were never seen, and says `Complete`.
    ///
    /// The lowest bit does not count: it is 0 in every epoch. 0 is no epoch: in a log that has it,
    /// every cursor is `Foreign`, also its own.
    ///
    /// ```
    /// # use eventlog::Epoch;
    /// assert_eq!(Epoch::new(0xabc).to_string(), "0000000000000abc");
    /// assert_eq!(Epoch::new(0xabd), Epoch::new(0xabc));
    /// ```
    #[must_use]
    pub const fn new(id: u64) -> Self {
        Self(id & !DURABLE)
    }

    /// The epoch that a log gets: the one that it is given, or else a random one, or else none.
    pub(crate) fn of_log(given: Option<Self>) -> Self {
        Self::given_or(given, random_id)
    }

    fn given_or(given: Option<Self>, random: impl FnOnce() -> Option<u64>) -> Self {
        // A random number is never the one that says that there is none.
        given
            .or_else(|| random().map(|id| Self::new(id.max(2))))
            .unwrap_or(Self::NONE)
    }

    /// Whether a log of this epoch knows where a cursor of that one stands.
    pub(crate) fn honours(self, cursor: Self) -> bool {
        self == cursor && self != Self::NONE
    }
}

/// A number that is different from any other with a probability of 1 − 2⁻⁶⁴, where the system has
/// a source of randomness.
fn random_id() -> Option<u64> {
    if cfg!(all(target_family = "wasm", target_os = "unknown")) {
        // There the standard library has no randomness, and asking for the time is a trap.
        return None;
    }
    // The standard library seeds its hash maps from the operating system's entropy.
    Some(RandomState::new().hash_one(std::time::SystemTime::now()))
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = CursorError;

    /// Reads what `Display` wrote, and nothing else.
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let epoch = Self(hexadecimal(text)?);
        if epoch.0 & DURABLE == 0 {
            Ok(epoch)
        } else {
            Err(CursorError)
        }
    }
}

/// Reads a number of exactly 16 hexadecimal digits, in lower case.
fn hexadecimal(text: &str) -> Result<u64, CursorError> {
    let number = u64::from_str_radix(text, 16).map_err(|_| CursorError)?;
    if format!("{number:016x}") == text {
        Ok(number)
    } else {
        Err(CursorError)
    }
}

/// Where a subscriber stands: the last event it has, by epoch, sequence number and version.
///
/// A version alone cannot say where a subscriber stands when versions repeat or when a history was
/// rewound and has caught up again; a cursor can. Its printable form has only letters, digits and
/// dots, so that it rides unchanged in a header, a URL or an SSE `id:` line. `serde` writes that
/// same form as a string.
///
/// It also knows of which kind it is: what [`Writer::subscribe`](crate::writer::Writer::subscribe)
/// of a disk delivers was durable before, so such a cursor is good also after a crash that takes
/// back what others saw. (In the text that is the lowest bit of the epoch.)
///
/// ```
/// # use eventlog::{Cursor, EventLog};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::new(None);
/// log.append(Tick(7));
/// let cursor = log.cursor();
/// assert_eq!((cursor.seq().get(), cursor.version()), (1, 7));
///
/// let text = cursor.to_string(); // such as "9f86d081884c7d65.1.7"
/// assert_eq!(text.parse::<Cursor>()?, cursor);
/// # Ok::<(), eventlog::CursorError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// With [`DURABLE`] in it.
    kind: u64,
    seq: Seq,
    version: u64,
}

impl Cursor {
    pub(crate) fn new(epoch: Epoch, seq: u64, version: u64) -> Self {
        Self::from_parts(epoch, Seq::new(seq), version)
    }

    /// The cursor of the event with this number and version in this life of a log, for those that
    /// have kept the three apart. It is that of one who saw the event before it was durable.
    ///
    /// ```
    /// # use eventlog::{Cursor, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// let seq = log.append(Tick(70));
    /// log.append(Tick(70)); // the same version again
    /// // A table has kept the number and the version of each event in columns of their own.
    /// let cursor = Cursor::from_parts(log.epoch(), seq, 70);
    /// assert_eq!(log.replay(cursor).len(), 1);
    /// ```
    #[must_use]
    pub const fn from_parts(epoch: Epoch, seq: Seq, version: u64) -> Self {
        Self {
            kind: epoch.0,
            seq,
            version,
        }
    }

    /// The same place, of one who saw only what was durable, or not.
    pub(crate) fn seen_durable(self, durable: bool) -> Self {
        Self {
            kind: self.epoch().0 | if durable { DURABLE } else { 0 },
            ..self
        }
    }

    /// Whether its holder saw only what was durable.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// # use eventlog::{EventLog, EventRef};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// let mut subscription = log.subscribe(0);
    /// log.append(Tick(1));
    /// let seen = EventRef::cursor(&subscription.recv().await?);
    /// assert!(!seen.is_durable()); // it was delivered from memory, before any disk had it
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.kind & DURABLE != 0
    }

    /// The life of the log that the sequence number belongs to.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let (log, other) = (EventLog::<Tick>::new(None), EventLog::<Tick>::new(None));
    /// assert_eq!(log.cursor().epoch(), log.epoch());
    /// assert_ne!(log.cursor().epoch(), other.epoch()); // so it is `Foreign` there
    /// ```
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        Epoch::new(self.kind)
    }

    /// The sequence number of the last event that the subscriber has; 0 before the first.
    ///
    /// ```
    /// # use eventlog::{EventLog, Seq};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// assert_eq!(log.cursor().seq(), Seq::ZERO);
    /// log.append_batch([Tick(40), Tick(50)]);
    /// assert_eq!(log.cursor().seq().get(), 2);
    /// ```
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The version that the subscriber has reached.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(7));
    /// // What a log that knows no cursors, or a person, is told instead.
    /// assert_eq!(log.cursor().version(), 7);
    /// ```
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }
}

/// With the text that stands in files and on the wire.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({self})")
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.{}.{}", self.kind, self.seq, self.version)
    }
}

/// A text that is no cursor, or no epoch.
///
/// ```
/// # use eventlog::Cursor;
/// let error = "12".parse::<Cursor>().unwrap_err();
/// // Whoever sends that is to fetch a snapshot, as if its cursor were `Foreign`.
/// assert!(error.to_string().starts_with("not a cursor"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CursorError;

impl fmt::Display for CursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a cursor: expected `EPOCH.SEQ.VERSION` (16 hexadecimal digits and two numbers, \
             such as `9f86d081884c7d65.12.340`); pass on the text exactly as the log printed it",
        )
    }
}

impl Error for CursorError {}

impl FromStr for Cursor {
    type Err = CursorError;

    /// Reads what `Display` wrote, and nothing else: a cursor has one spelling.
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('.');
        let (Some(epoch), Some(seq), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(CursorError);
        };
        let cursor = Self {
            kind: hexadecimal(epoch)?,
            seq: Seq::new(seq.parse().map_err(|_| CursorError)?),
            version: version.parse().map_err(|_| CursorError)?,
        };
        if cursor.to_string() == text {
            Ok(cursor)
        } else {
            Err(CursorError)
        }
    }
}

/// From where to read: the one argument of [`replay`](crate::EventLog::replay),
/// [`subscribe`](crate::EventLog::subscribe) and all that reads from a place on.
///
/// A version or a cursor is a start too: `log.replay(7)`, `log.subscribe(&cursor)`.
///
/// ```
/// # use eventlog::{Coverage, EventLog, Start};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::builder().capacity(2).build()?;
/// for version in 1..=3 {
///     log.append(Tick(version));
/// }
/// assert_eq!(log.replay(2).len(), 1);
/// assert_eq!(log.replay(log.cursor()).len(), 0);
/// assert!(log.replay(Start::Now).coverage().is_complete());
/// assert_eq!(
///     log.replay(Start::Oldest).coverage(),
///     Coverage::Truncated { missed_through: 1, missed: Some(1) },
/// );
/// # Ok::<(), eventlog::BuildError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Start {
    /// With the oldest event that is there, whatever its version. Complete only if nothing was
    /// ever evicted.
    ///
    /// It is the way to begin with an event of version 0, which comes after no version:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), eventlog::RecvError> {
    /// # use eventlog::{EventLog, Start};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(0), Tick(1)]);
    /// assert_eq!(*log.subscribe(0).recv().await?, Tick(1));
    /// assert_eq!(*log.subscribe(Start::Oldest).recv().await?, Tick(0));
    /// # Ok(())
    /// # }
    /// ```
    Oldest,
    /// With what comes next. Always complete.
    Now,
    /// After the state of this version: with the first event that has a version above it.
    After(u64),
    /// Exactly where a subscriber stood, also where versions repeat or fall.
    Cursor(Cursor),
}

impl From<u64> for Start {
    fn from(version: u64) -> Self {
        Self::After(version)
    }
}

impl From<Cursor> for Start {
    fn from(cursor: Cursor) -> Self {
        Self::Cursor(cursor)
    }
}

impl From<&Cursor> for Start {
    fn from(cursor: &Cursor) -> Self {
        Self::Cursor(*cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_given_or_random_or_none() {
        let never = || -> Option<u64> { panic!("nobody asks for randomness") };
        assert_eq!(Epoch::given_or(Some(Epoch(6)), never), Epoch(6));
        assert_eq!(Epoch::given_or(Some(Epoch::NONE), never), Epoch::NONE);
        assert_eq!(Epoch::given_or(None, || Some(7)), Epoch(6));
        assert_eq!(Epoch::given_or(None, || Some(0)), Epoch(2));
        assert_eq!(Epoch::given_or(None, || None), Epoch::NONE);
    }

    #[test]
    fn no_epoch_honours_no_cursor() {
        assert!(Epoch(7).honours(Epoch(7)));
        assert!(!Epoch(7).honours(Epoch(8)));
        assert!(!Epoch(7).honours(Epoch::NONE));
        assert!(!Epoch::NONE.honours(Epoch(7)));
        assert!(!Epoch::NONE.honours(Epoch::NONE));
    }

    #[test]
    fn a_cursor_has_one_spelling() {
        let cursor = Cursor::new(Epoch(0xabc), u64::MAX, 0);
        assert_eq!(
            cursor.to_string(),
            "0000000000000abc.18446744073709551615.0"
        );
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        let durable = cursor.seen_durable(true);
        assert_eq!(
            durable.to_string(),
            "0000000000000abd.18446744073709551615.0"
        );
        assert_eq!(durable.to_string().parse(), Ok(durable));
        assert_eq!(durable.epoch(), cursor.epoch());
        assert!("0000000000000abd".parse::<Epoch>().is_err());
        for other in [
            "",
            ".",
            "..",
            "abc.1.0",
            "0000000000000abc.1",
            "0000000000000abc.1.0.",
            "0000000000000ABC.1.0",
            "0000000000000abc.+1.0",
            "0000000000000abc.01.0",
            "0000000000000abc.1.-0",
            "0000000000000abc.18446744073709551616.0",
            " 0000000000000abc.1.0",
        ] {
            assert_eq!(other.parse::<Cursor>(), Err(CursorError), "{other:?}");
        }
    }
}
