//! What is done to a log: operations that are legal in every state, so that any list of them is a
//! history, and any part of a history is one too.

use crate::model::log::Model;
use eventlog::Versioned;

/// One operation. Numbers are relative to what the log holds, so each is total: an index counts
/// modulo what there is, and means nothing where there is nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Appends one event.
    Append(Step),
    /// Appends several at once.
    AppendBatch(Vec<Step>),
    /// Appends an event made of the newest version.
    AppendWith(Step),
    /// Appends as many events as the capacity, and some more or less.
    Fill(i8),
    /// Asks for the events above a version.
    EventsSince(At),
    /// Asks whether some are missing.
    ReplayTruncated(At),
    /// Asks for both, and the newest version, at once.
    Replay(At),
    /// Remembers the log's cursor.
    SaveCursor,
    /// Remembers a reader's cursor.
    SaveReaderCursor(u8),
    /// Asks for what comes after a remembered cursor.
    ReplayAfter(u8),
    /// Starts a reader at a version.
    Subscribe(At),
    /// Starts a reader at a remembered cursor.
    Resume(u8),
    /// Reads one event.
    Recv(u8),
    /// Asks a reader whether it has all that was there when it subscribed.
    IsLive(u8),
    /// Lets a reader skip what is there.
    SkipToNewest(u8),
    /// Drops a reader.
    Unsubscribe(u8),
    /// Ends the live stream.
    Close,
    /// Reads everything that any reader can get.
    Drain,
}

/// How the next version follows from the newest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// One more than the newest.
    Next,
    /// One more than the newest, and so many more.
    Skip(u8),
    /// The newest again.
    Repeat,
    /// So many less than the newest.
    Fall(u8),
    /// 0.
    Zero,
    /// `u64::MAX` less so many.
    NearMax(u8),
}

impl Step {
    /// The version after `newest`.
    ///
    /// ```
    /// # use model_tests::Step;
    /// assert_eq!(Step::Next.from(7), 8);
    /// assert_eq!(Step::Fall(2).from(7), 5);
    /// ```
    #[must_use]
    pub fn from(self, newest: u64) -> u64 {
        self.below(newest, u64::MAX)
    }

    /// The same, where `top` is the highest version there is: a history near the top has a twin that
    /// is far from `u64::MAX`.
    pub(crate) fn below(self, newest: u64, top: u64) -> u64 {
        let version = match self {
            Self::Next => newest.saturating_add(1),
            Self::Skip(more) => newest.saturating_add(1 + u64::from(more)),
            Self::Repeat => newest,
            Self::Fall(back) => newest.saturating_sub(u64::from(back)),
            Self::Zero => 0,
            Self::NearMax(less) => top.saturating_sub(u64::from(less)),
        };
        version.min(top)
    }
}

/// A version to ask for, by where it lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// 0.
    Zero,
    /// The oldest retained version less 1 and so many more.
    BeforeOldest(u8),
    /// The oldest retained version.
    Oldest,
    /// The version of some event, retained or not.
    Seen(u8),
    /// The newest version.
    Newest,
    /// The newest version and 1 and so many more.
    Future(u8),
    /// `u64::MAX`.
    Max,
}

impl At {
    /// Every class, for engines that try all.
    pub(crate) const ALL: [Self; 12] = [
        Self::Zero,
        Self::BeforeOldest(0),
        Self::BeforeOldest(1),
        Self::Oldest,
        Self::Seen(0),
        Self::Seen(1),
        Self::Seen(2),
        Self::Seen(3),
        Self::Newest,
        Self::Future(0),
        Self::Future(1),
        Self::Max,
    ];

    /// The version meant, in this state.
    ///
    /// ```
    /// # use model_tests::{At, Model, Tick};
    /// let mut model = Model::new(4, None);
    /// model.append(Tick::new(7, 0));
    /// assert_eq!(At::Newest.version(&model), 7);
    /// ```
    #[must_use]
    pub fn version<E: Versioned + Clone>(self, model: &Model<E>) -> u64 {
        self.below(model, u64::MAX)
    }

    /// The same, where `top` is the highest version there is.
    pub(crate) fn below<E: Versioned + Clone>(self, model: &Model<E>, top: u64) -> u64 {
        let newest = model.newest().or(model.base()).unwrap_or(0);
        let oldest = model.retained().first().map_or(newest, Versioned::version);
        let version = match self {
            Self::Zero => 0,
            Self::BeforeOldest(more) => oldest.saturating_sub(1 + u64::from(more)),
            Self::Oldest => oldest,
            Self::Seen(pick) => {
                let seen = model.history();
                pick_of(seen, pick).map_or(newest, Versioned::version)
            }
            Self::Newest => newest,
            Self::Future(more) => newest.saturating_add(1 + u64::from(more)),
            Self::Max => top,
        };
        version.min(top)
    }
}

/// The element that an index means, modulo the length.
pub(crate) fn pick_of<T>(items: &[T], pick: u8) -> Option<&T> {
    items.get(usize::from(pick).checked_rem(items.len())?)
}

/// A log's settings and what is done to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// The log's capacity.
    pub capacity: usize,
    /// The log's base version, if it is set.
    pub base: Option<u64>,
    /// The operations, in order.
    pub ops: Vec<Op>,
}
