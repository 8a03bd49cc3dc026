//! What a mirror's log does not have any more, from the stream: fetched once for all who ask.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::{
    error::NatsError,
    follow::{events_of, sequence_of},
    frame::Frame,
    link::Link,
    mirror::{Mirror, State},
};
use crate::{
    coverage::Coverage,
    cursor::{Cursor, Epoch},
    versioned::Versioned,
};

/// Messages that are kept for those who come a little later.
const KEPT: usize = 256;

/// Messages that were fetched while a mirror had one log, or are being fetched. The next log may be
/// of a stream that has others in their place.
pub(super) struct Fetched<E> {
    cells: Mutex<VecDeque<(u64, Arc<Cell<E>>)>>,
}

type Cell<E> = OnceCell<Option<(Frame, Option<Vec<E>>)>>;

impl<E> Fetched<E> {
    pub(super) fn new() -> Self {
        Self {
            cells: Mutex::default(),
        }
    }

    fn cell(&self, sequence: u64) -> Arc<Cell<E>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = cells.iter().find(|(known, _)| *known == sequence) {
            return cell.clone();
        }
        let cell = Arc::new(OnceCell::new());
        cells.push_back((sequence, cell.clone()));
        let old = (cells.len() > KEPT).then(|| cells.pop_front());
        drop(cells);
        drop(old); // events are user code
        cell
    }
}

/// How far somebody has come who asks for what a log does not have any more.
#[derive(Clone, Copy)]
pub(super) struct Place {
    cursor: Cursor,
    /// The stream sequence of the next message, while a log of this life is there.
    next: Option<(Epoch, u64)>,
}

impl Place {
    pub(super) fn new(cursor: Cursor) -> Self {
        Self { cursor, next: None }
    }

    /// The next of these events, each message fetched once for all who ask meanwhile.
    pub(super) async fn fetch<E: Versioned + DeserializeOwned>(
        self,
        state: &State<E>,
        link: &impl Link,
    ) -> Result<Option<(Self, Fetch<E>)>, NatsError> {
        let (log, fetched) = state.log_and_fetched();
        let coverage = log.replay(self.cursor).coverage();
        if !matches!(coverage, Coverage::Truncated { .. }) {
            return Ok(None);
        }
        let (epoch, wanted) = (log.epoch(), self.cursor.seq().get() + 1);
        let sequence = match self.next.filter(|(life, _)| *life == epoch) {
            Some((_, sequence)) => sequence,
            None => match link.look().await? {
                Some(seen) => sequence_of(link, &seen, wanted).await?,
                None => return Ok(None),
            },
        };
        let cell = fetched.cell(sequence);
        let fetch = async {
            state.fetches();
            let message = link.frame_at(sequence).await?;
            Ok::<_, NatsError>(message.map(|(frame, payload)| {
                let events = events_of(&frame, &payload);
                (frame, events)
            }))
        };
        let Some((frame, _)) = cell.get_or_try_init(|| fetch).await? else {
            return Ok(None);
        };
        let last = Cursor::new(frame.life, frame.next() - 1, frame.versions.1);
        if log.shared.lineage.known_from(last).is_none() && !ends_in(link, epoch).await? {
            return Ok(None); // the stream has fallen back, and the mirror has not heard of it
        }
        Ok(self.take(cell, epoch, sequence))
    }

    /// The events after the cursor; `None` if they are not in this message.
    fn take<E: Versioned>(
        self,
        cell: Arc<Cell<E>>,
        epoch: Epoch,
        sequence: u64,
    ) -> Option<(Self, Fetch<E>)> {
        let (frame, events) = cell.get()?.as_ref()?;
        let skip = (self.cursor.seq().get() + 1).checked_sub(frame.first)?;
        if frame.is_gap || (frame.count > 0 && skip >= frame.count) {
            return None;
        }
        let last = events.as_ref()?.last();
        let cursor = last.map_or(self.cursor, |last| {
            Cursor::new(epoch, frame.next() - 1, last.version())
        });
        let place = Self {
            cursor,
            next: Some((epoch, sequence + 1)),
        };
        let skip = usize::try_from(skip).ok()?;
        Some((place, Fetch { cell, skip, cursor }))
    }
}

/// Whether this life is still the stream's: then all that it has is of one line, also what is of
/// lives so old that nobody knows them.
async fn ends_in(link: &impl Link, life: Epoch) -> Result<bool, NatsError> {
    let last = link.look().await?.and_then(|seen| seen.last);
    let frame = last.and_then(|(_, frame)| frame);
    Ok(frame.is_some_and(|frame| frame.life == life))
}

/// Events between a cursor and the oldest that a mirror's log has.
#[must_use = "nothing is fetched before `next`"]
pub struct Backfill<'a, E> {
    mirror: &'a Mirror<E>,
    place: Place,
}

/// Some events that were fetched, in order.
pub struct Fetch<E> {
    cell: Arc<Cell<E>>,
    /// How many of them were seen before.
    skip: usize,
    cursor: Cursor,
}

impl<'a, E: Versioned + DeserializeOwned + Send + Sync + 'static> Backfill<'a, E> {
    pub(super) fn new(mirror: &'a Mirror<E>, cursor: Cursor) -> Self {
        let place = Place::new(cursor);
        Self { mirror, place }
    }

    /// The next of these events. `None` once the log has what follows, or a snapshot is needed:
    /// the coverage of a subscription at the last cursor says which.
    ///
    /// ```no_run
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # async fn example(
    /// #     mirror: eventlog::nats::Mirror<Tick>,
    /// #     cursor: eventlog::Cursor,
    /// # ) -> Result<(), eventlog::nats::NatsError> {
    /// let mut backfill = mirror.backfill(&cursor);
    /// let mut last = cursor;
    /// while let Some(events) = backfill.next().await? {
    ///     last = events.cursor(); // after they were applied
    /// }
    /// let is_snapshot_needed = !mirror.log().subscribe(last).coverage().is_complete();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NatsError`] if the stream cannot be read.
    pub async fn next(&mut self) -> Result<Option<Fetch<E>>, NatsError> {
        let (state, link) = (self.mirror.state.clone(), self.mirror.link.clone());
        let place = self.place;
        let fetch = async move { place.fetch(&state, &*link).await };
        let fetched = self.mirror.driver.spawn(fetch).await;
        let fetched = fetched.unwrap_or_else(|_| Err(NatsError::ended()))?;
        Ok(fetched.map(|(place, fetch)| {
            self.place = place;
            fetch
        }))
    }
}

impl<E> Fetch<E> {
    /// The events, oldest first.
    ///
    /// ```no_run
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # fn example(events: eventlog::nats::Fetch<Tick>) {
    /// let versions: Vec<_> = events.iter().map(|tick| tick.version()).collect();
    /// # }
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        let fetched = self.cell.get().and_then(Option::as_ref);
        let events = fetched.and_then(|(_, events)| events.as_deref());
        events.unwrap_or_default().iter().skip(self.skip)
    }

    /// Where a subscriber stands that has applied them.
    ///
    /// ```no_run
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # fn example(mirror: eventlog::nats::Mirror<Tick>, events: eventlog::nats::Fetch<Tick>) {
    /// let subscription = mirror.log().subscribe(events.cursor()); // after they were applied
    /// # }
    /// ```
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }
}

impl<E> fmt::Debug for Backfill<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backfill")
            .field("cursor", &self.place.cursor)
            .finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for Fetch<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch")
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}
