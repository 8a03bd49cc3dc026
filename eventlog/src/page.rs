//! A part of a replay, for servers that answer one request after the other.

use std::fmt;

use crate::{
    coverage::Coverage,
    cursor::Cursor,
    replay::{Iter, Replay, WithCursors},
};

/// The first events of a [`Replay`], and where the next page begins: see [`Replay::take_page`].
///
/// Serialised it is as a replay, and says whether there is more:
/// `{"events":[…],"coverage":"complete","newest":"9","cursor":"…","has_more":true}`.
///
/// ```
/// # use eventlog::EventLog;
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::new(None);
/// log.append_batch((1..=3).map(Tick));
/// let page = log.replay(0).take_page(2);
/// assert_eq!((page.len(), page.has_more()), (2, true));
/// let last = log.replay(page.cursor()).take_page(2);
/// assert_eq!((last.len(), last.has_more()), (1, false));
/// ```
#[derive(Clone)]
pub struct Page<E> {
    replay: Replay<E>,
    cursor: Cursor,
    has_more: bool,
}

impl<E> Replay<E> {
    /// The first `events` of these (at least one, if there is any), and the cursor that the next page
    /// goes on from: `log.replay(page.cursor()).take_page(events)`.
    ///
    /// Each page has a coverage of its own. If events were evicted before the next one was asked for,
    /// that one is `Truncated`.
    ///
    /// Pages have together what a subscription would be handed: after its first event none leaves
    /// anything out. (Where versions fall, that includes events which a replay since a version leaves
    /// out, because their versions are not above it.)
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog, Start};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=250).map(Tick));
    ///
    /// let mut start = Start::After(0);
    /// let mut sizes = Vec::new();
    /// loop {
    ///     let page = log.replay(start).take_page(100);
    ///     assert_eq!(page.coverage(), Coverage::Complete);
    ///     sizes.push(page.len());
    ///     start = page.cursor().into();
    ///     if !page.has_more() {
    ///         break;
    ///     }
    /// }
    /// assert_eq!(sizes, [100, 100, 50]);
    /// ```
    #[must_use]
    pub fn take_page(self, events: usize) -> Page<E> {
        let (replay, cursor, has_more) = self.into_first(events.max(1));
        Page {
            replay,
            cursor,
            has_more,
        }
    }
}

impl<E> Page<E> {
    /// Whether there were more events than these at the instant of the replay.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=3).map(Tick));
    /// assert!(log.replay(0).take_page(2).has_more());
    /// assert!(!log.replay(1).take_page(2).has_more());
    /// ```
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// Where a subscriber stands that has applied this page: the next one begins here.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=3).map(Tick));
    /// let page = log.replay(0).take_page(2);
    /// let next = log.replay(page.cursor()).take_page(2);
    /// assert_eq!(next.iter().map(|tick| tick.version()).collect::<Vec<_>>(), [3]);
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// What the events of this page, and those that there are more, cover.
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::builder().capacity(3).build()?;
    /// log.append_batch((1..=3).map(Tick));
    /// let page = log.replay(0).take_page(1);
    /// log.append_batch((4..=9).map(Tick)); // before the next page is asked for
    /// let next = log.replay(page.cursor()).take_page(1);
    /// assert_eq!(next.coverage(), Coverage::Truncated { missed_through: 6, missed: Some(5) });
    /// # Ok::<(), eventlog::BuildError>(())
    /// ```
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.replay.coverage()
    }

    /// The version of the log's newest event at this instant; `None` if there never was one.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=250).map(Tick));
    /// let page = log.replay(0).take_page(100);
    /// // How far along it is, for one who shows progress.
    /// assert_eq!((page.cursor().version(), page.newest()), (100, Some(250)));
    /// ```
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.replay.newest()
    }

    /// How many events there are in this page.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=3).map(Tick));
    /// assert_eq!(log.replay(0).take_page(2).len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.replay.len()
    }

    /// Whether there are none, because there is nothing new.
    ///
    /// ```
    /// # use eventlog::{EventLog, Start};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// assert!(log.replay(Start::Now).take_page(100).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replay.is_empty()
    }

    /// The events, oldest first.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=3).map(Tick));
    /// let page = log.replay(0).take_page(2);
    /// assert!(page.iter().map(|tick| tick.version()).eq([1, 2])); // or `for tick in &page`
    /// ```
    #[must_use]
    pub fn iter(&self) -> Iter<'_, E> {
        self.replay.iter()
    }

    /// The events, each with the cursor of a subscriber that has seen it.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=3).map(Tick));
    /// let page = log.replay(0).take_page(2);
    /// for (cursor, tick) in page.with_cursors() {
    ///     assert_eq!(cursor.version(), tick.version());
    /// }
    /// ```
    #[must_use]
    pub fn with_cursors(&self) -> WithCursors<'_, E> {
        self.replay.with_cursors()
    }

    #[cfg(feature = "serde")]
    pub(crate) fn replay(&self) -> &Replay<E> {
        &self.replay
    }
}

impl<'a, E> IntoIterator for &'a Page<E> {
    type Item = &'a E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}

impl<E: fmt::Debug> fmt::Debug for Page<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("coverage", &self.coverage())
            .field("events", &self.iter())
            .field("cursor", &self.cursor)
            .field("has_more", &self.has_more)
            .finish_non_exhaustive()
    }
}
