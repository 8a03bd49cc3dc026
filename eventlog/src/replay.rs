//! A snapshot of one instant.

use std::{
    fmt,
    iter::{self, FusedIterator},
    ops::Range,
};

use crate::{
    coverage::Coverage,
    cursor::{Cursor, Epoch, Start},
    lineage::{Lineage, Place},
    ring::{Entries, Entry, Snapshot},
};

/// The events after a version or a cursor, what they cover, and the newest version: all as of one
/// instant, whatever other threads do meanwhile.
///
/// Obtaining one clones no event and costs the same at every capacity; where versions fall, it passes
/// by what cannot matter. While it lives it keeps the log's segments of that instant alive, so hold it
/// for a request, not for a session: [`subscribe`](crate::EventLog::subscribe) is for that.
///
/// Serialised, it is what a server answers, with numbers as text because browsers round them:
/// `{"events":[…],"coverage":"complete","newest":"9","cursor":"…"}`.
///
/// ```
/// # use eventlog::{Coverage, EventLog};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// let log = EventLog::builder().capacity(3).build()?;
/// for version in 1..=5 {
///     log.append(Tick(version));
/// }
/// let replay = log.replay(3);
/// assert_eq!(replay.coverage(), Coverage::Complete);
/// assert_eq!(replay.iter().map(|tick| tick.version()).collect::<Vec<_>>(), [4, 5]);
///
/// let late = log.replay(1); // version 2 was evicted
/// assert_eq!(late.coverage(), Coverage::Truncated { missed_through: 2, missed: None });
/// assert_eq!(late.len(), 3);
/// # Ok::<(), eventlog::BuildError>(())
/// ```
pub struct Replay<E> {
    snapshot: Snapshot<E>,
    epoch: Epoch,
    range: Range<u64>,
    /// Set only where versions fall within the range: the version that an event must exceed.
    above: Option<u64>,
    coverage: Coverage,
}

impl<E> Replay<E> {
    /// What a subscriber is owed that starts at `start`.
    // The kind of start is nearly always known where this is called.
    #[inline]
    pub(crate) fn open(snapshot: Snapshot<E>, lineage: &Lineage, start: Start) -> Self {
        let epoch = lineage.epoch;
        match start {
            Start::Oldest => Self::whole(snapshot, epoch),
            Start::Now => {
                let end = snapshot.retained.end;
                Self::new(snapshot, epoch, end..end, None, Coverage::Complete)
            }
            Start::After(version) => Self::since(snapshot, epoch, version),
            Start::Cursor(cursor) => Self::after(snapshot, epoch, lineage.find(cursor)),
        }
    }

    fn since(snapshot: Snapshot<E>, epoch: Epoch, since: u64) -> Self {
        let coverage = coverage_since(&snapshot, since);
        let from = snapshot.first_above(since);
        let above = snapshot.falls_after(from).then_some(since);
        let range = from..snapshot.retained.end;
        Self::new(snapshot, epoch, range, above, coverage)
    }

    fn after(snapshot: Snapshot<E>, epoch: Epoch, place: Place) -> Self {
        let Range { start, end } = snapshot.retained;
        let (seq, first, is_exact) = match place {
            Place::Own { seq } => (seq, start, true),
            // Another event has its number by now, because somebody brought older files back.
            Place::Earlier { seq, version, .. } if snapshot.is_above(seq, version) => {
                return Self::new(snapshot, epoch, start..end, None, Coverage::Foreign);
            }
            // What is left of an earlier life may have a hole before this.
            Place::Earlier { seq, trusted, .. } => {
                let first = start.max(trusted.from).min(end);
                (seq, first, seq >= trusted.counted_from)
            }
            Place::Unknown => {
                return Self::new(snapshot, epoch, start..end, None, Coverage::Foreign);
            }
        };
        let wanted = seq.saturating_add(1);
        let (coverage, from) = if wanted > end {
            let newest = snapshot.newest_or_base();
            (Coverage::Ahead { newest }, end)
        } else if wanted < first {
            let missed_through = snapshot.max_below(first).unwrap_or(0);
            let missed = snapshot.missed_before(first - wanted, seq == 0);
            let missed = missed.filter(|_| is_exact);
            let coverage = Coverage::Truncated {
                missed_through,
                missed,
            };
            (coverage, first)
        } else {
            (Coverage::Complete, wanted)
        };
        Self::new(snapshot, epoch, from..end, None, coverage)
    }

    /// Everything that is retained; complete if that is the whole history.
    fn whole(snapshot: Snapshot<E>, epoch: Epoch) -> Self {
        let range = snapshot.retained.clone();
        let missed = snapshot.missed_before(snapshot.evicted(), true);
        let coverage = snapshot
            .evicted_max()
            .map_or(Coverage::Complete, |missed_through| Coverage::Truncated {
                missed_through,
                missed,
            });
        Self::new(snapshot, epoch, range, None, coverage)
    }

    #[inline]
    fn new(
        snapshot: Snapshot<E>,
        epoch: Epoch,
        range: Range<u64>,
        above: Option<u64>,
        coverage: Coverage,
    ) -> Self {
        Self {
            snapshot,
            epoch,
            range,
            above,
            coverage,
        }
    }

    /// At most so many of the first events, with those that were left out between them; where the
    /// rest goes on; and whether there is a rest.
    pub(crate) fn into_first(mut self, events: usize) -> (Self, Cursor, bool) {
        let Range { start, end } = self.range;
        let page_end = start.saturating_add(events as u64).min(end);
        if page_end == end {
            let cursor = self.cursor();
            self.above = None;
            return (self, cursor, false);
        }
        (self.range, self.above) = (start..page_end, None);
        let last = self.snapshot.entries(page_end - 1..page_end).next();
        let version = last.map_or(0, |entry| entry.version);
        let cursor = Cursor::new(self.epoch, page_end - 1, version);
        (self, cursor, true)
    }

    /// How many events there are. Where versions fall, they are counted anew each time.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=5).map(Tick));
    /// assert_eq!(log.replay(3).len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept().len()
    }

    /// Whether there are none.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// assert!(!log.replay(0).is_empty());
    /// assert!(log.replay(1).is_empty()); // nothing new
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        // It begins with an event that is kept, if there is one.
        self.range.is_empty()
    }

    /// What the events cover.
    ///
    /// ```
    /// # use eventlog::{Coverage, EventLog};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// match log.replay(0).coverage() {
    ///     Coverage::Complete => { /* apply the events */ }
    ///     _ => unreachable!("fetch a snapshot, and go on from there"),
    /// }
    /// ```
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// The version of the log's newest event at this instant; `None` if there never was one.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append(Tick(1));
    /// let replay = log.replay(0);
    /// log.append(Tick(2));
    /// assert_eq!(replay.newest(), Some(1)); // at the instant of the replay
    /// ```
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.snapshot.newest_version
    }

    /// Where a subscriber stands that has applied this replay.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(1), Tick(2)]);
    /// let replay = log.replay(0);
    /// log.append(Tick(3));
    /// // Applied: what comes next is exactly what this did not have.
    /// assert_eq!(log.replay(replay.cursor()).len(), 1);
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        cursor_at_end(&self.snapshot, self.epoch)
    }

    /// The events, oldest first. Forward and back, with a known length.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch((1..=5).map(Tick));
    /// let replay = log.replay(0);
    /// let newest_first = replay.iter().rev().map(|tick| tick.version());
    /// assert!(newest_first.take(2).eq([5, 4]));
    /// ```
    #[must_use]
    pub fn iter(&self) -> Iter<'_, E> {
        Iter(self.kept())
    }

    /// The events, each with the cursor of a subscriber that has seen it.
    ///
    /// ```
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::new(None);
    /// log.append_batch([Tick(7), Tick(7)]); // one version, two places
    /// let replay = log.replay(0);
    /// let places = replay.with_cursors().map(|(cursor, _)| log.replay(cursor).len());
    /// assert!(places.eq([1, 0]));
    /// ```
    #[must_use]
    pub fn with_cursors(&self) -> WithCursors<'_, E> {
        WithCursors {
            kept: self.kept(),
            epoch: self.epoch,
        }
    }

    fn kept(&self) -> Kept<'_, E> {
        Kept {
            entries: self.snapshot.entries(self.range.clone()),
            above: self.above.map(|above| (above, &self.snapshot)),
        }
    }

    /// The sequence number of the first event that a subscriber is handed.
    pub(crate) fn start(&self) -> u64 {
        self.range.start
    }
}

/// Where a subscriber stands that has everything in the snapshot.
pub(crate) fn cursor_at_end<E>(snapshot: &Snapshot<E>, epoch: Epoch) -> Cursor {
    Cursor::new(epoch, snapshot.retained.end - 1, snapshot.newest_or_base())
}

fn coverage_since<E>(snapshot: &Snapshot<E>, since: u64) -> Coverage {
    let newest = snapshot.newest_or_base();
    if since > newest {
        return Coverage::Ahead { newest };
    }
    match snapshot.missed_through(since) {
        Some(missed_through) => Coverage::Truncated {
            missed_through,
            missed: None,
        },
        None => Coverage::Complete,
    }
}

impl<E> Clone for Replay<E> {
    /// Clones no event.
    fn clone(&self) -> Self {
        Self {
            snapshot: self.snapshot.clone(),
            range: self.range.clone(),
            ..*self
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Replay<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("coverage", &self.coverage)
            .field("newest", &self.newest())
            .field("events", &self.iter())
            .finish_non_exhaustive()
    }
}

impl<'a, E> IntoIterator for &'a Replay<E> {
    type Item = &'a E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}

/// The events of a [`Replay`].
pub struct Iter<'a, E>(Kept<'a, E>);

impl<'a, E> Iterator for Iter<'a, E> {
    type Item = &'a E;

    #[inline]
    fn next(&mut self) -> Option<&'a E> {
        self.0.next().map(|entry| &entry.event)
    }

    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut f: F) -> B {
        self.0.fold(init, |folded, entry| f(folded, &entry.event))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.0.len();
        (len, Some(len))
    }
}

impl<E> DoubleEndedIterator for Iter<'_, E> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|entry| &entry.event)
    }
}

impl<E> ExactSizeIterator for Iter<'_, E> {}
impl<E> FusedIterator for Iter<'_, E> {}

impl<E> Clone for Iter<'_, E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: fmt::Debug> fmt::Debug for Iter<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The events of a [`Replay`] with the cursor after each.
pub struct WithCursors<'a, E> {
    kept: Kept<'a, E>,
    epoch: Epoch,
}

impl<'a, E> WithCursors<'a, E> {
    fn with_cursor(&self, seq: u64, entry: &'a Entry<E>) -> (Cursor, &'a E) {
        (Cursor::new(self.epoch, seq, entry.version), &entry.event)
    }
}

impl<'a, E> Iterator for WithCursors<'a, E> {
    type Item = (Cursor, &'a E);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.kept.next()?;
        Some(self.with_cursor(self.kept.entries.start() - 1, entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.kept.len();
        (len, Some(len))
    }
}

impl<E> DoubleEndedIterator for WithCursors<'_, E> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let entry = self.kept.next_back()?;
        Some(self.with_cursor(self.kept.entries.end(), entry))
    }
}

impl<E> ExactSizeIterator for WithCursors<'_, E> {}
impl<E> FusedIterator for WithCursors<'_, E> {}

impl<E> Clone for WithCursors<'_, E> {
    fn clone(&self) -> Self {
        Self {
            kept: self.kept.clone(),
            epoch: self.epoch,
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for WithCursors<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// The entries that a replay keeps.
struct Kept<'a, E> {
    entries: Entries<'a, E>,
    /// Where not all are kept: the version that they must exceed, and what counts them.
    above: Option<(u64, &'a Snapshot<E>)>,
}

impl<'a, E> Kept<'a, E> {
    #[inline]
    fn next(&mut self) -> Option<&'a Entry<E>> {
        match self.above {
            None => self.entries.next(),
            Some((above, _)) => self.entries.next_above(above),
        }
    }

    #[inline]
    fn fold<B>(mut self, init: B, f: impl FnMut(B, &'a Entry<E>) -> B) -> B {
        match self.above {
            None => self.entries.fold(init, f),
            Some(_) => iter::from_fn(|| self.next()).fold(init, f),
        }
    }

    fn next_back(&mut self) -> Option<&'a Entry<E>> {
        match self.above {
            None => self.entries.next_back(),
            Some((above, _)) => self.entries.next_back_above(above),
        }
    }

    fn len(&self) -> usize {
        match self.above {
            None => self.entries.len(),
            Some((above, snapshot)) => {
                snapshot.count_above(self.entries.start()..self.entries.end(), above)
            }
        }
    }
}

impl<E> Clone for Kept<'_, E> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            ..*self
        }
    }
}
