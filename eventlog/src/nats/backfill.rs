//! What a mirror's log does not have any more, from the stream: fetched once for all who ask.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::{
    connection::Connection,
    driver::Driver,
    error::NatsError,
    follow::{Tail, events_of, sequence_of},
    frame::Frame,
    link::Link as _,
    mirror::Mirror,
};
use crate::{
    coverage::Coverage,
    cursor::{Cursor, Epoch},
    versioned::Versioned,
};

/// Messages that are kept for those who come a little later.
const KEPT: usize = 256;

/// Messages that were fetched, or are being fetched.
pub(super) struct Fetched<E> {
    link: Arc<Connection>,
    cells: Mutex<VecDeque<(u64, Arc<Cell<E>>)>>,
    count: AtomicU64,
}

type Cell<E> = OnceCell<Option<(Frame, Option<Vec<E>>)>>;

impl<E> Fetched<E> {
    pub(super) fn new(tail: &Tail<E, Connection>) -> Self {
        Self {
            link: tail.link().clone(),
            cells: Mutex::default(),
            count: AtomicU64::new(0),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
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

impl<E: DeserializeOwned> Fetched<E> {
    /// A message of the stream, fetched once for all who ask meanwhile.
    async fn get(&self, sequence: u64) -> Result<Arc<Cell<E>>, NatsError> {
        let cell = self.cell(sequence);
        let fetch = async {
            self.count.fetch_add(1, Ordering::Relaxed);
            let message = self.link.frame_at(sequence).await?;
            Ok(message.map(|(frame, payload)| (frame, events_of(&frame, &payload))))
        };
        cell.get_or_try_init(|| fetch).await?;
        Ok(cell)
    }
}

/// Events between a cursor and the oldest that a mirror's log has.
#[must_use = "nothing is fetched before `next`"]
pub struct Backfill<'a, E> {
    mirror: &'a Mirror<E>,
    driver: &'a Driver,
    cursor: Cursor,
    /// The stream sequence of the next message.
    sequence: Option<u64>,
}

/// Some events that were fetched, in order.
pub struct Fetch<E> {
    cell: Arc<Cell<E>>,
    /// How many of them were seen before.
    skip: usize,
    cursor: Cursor,
}

impl<'a, E: Versioned + DeserializeOwned + Send + Sync + 'static> Backfill<'a, E> {
    pub(super) fn new(mirror: &'a Mirror<E>, driver: &'a Driver, cursor: Cursor) -> Self {
        Self {
            mirror,
            driver,
            cursor,
            sequence: None,
        }
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
        let log = self.mirror.log();
        let replay = log.replay(self.cursor);
        if !matches!(replay.coverage(), Coverage::Truncated { .. }) {
            return Ok(None);
        }
        let (fetched, epoch) = (self.mirror.fetched.clone(), log.epoch());
        let (wanted, known) = (self.cursor.seq().get() + 1, self.sequence);
        let fetch = self.driver.spawn(async move {
            let sequence = match known {
                Some(sequence) => sequence,
                None => match fetched.link.look().await? {
                    Some(seen) => sequence_of(&*fetched.link, &seen, wanted).await?,
                    None => return Ok(None),
                },
            };
            let cell = fetched.get(sequence).await?;
            Ok(Some((sequence, cell)))
        });
        let Some((sequence, cell)) = fetch.await.unwrap_or_else(|_| Err(NatsError::ended()))?
        else {
            return Ok(None);
        };
        self.sequence = Some(sequence + 1);
        Ok(self.take(cell, wanted, epoch))
    }

    /// The events from this number on; `None` if they are not in there.
    fn take(&mut self, cell: Arc<Cell<E>>, wanted: u64, epoch: Epoch) -> Option<Fetch<E>> {
        let (frame, events) = cell.get()?.as_ref()?;
        let skip = wanted.checked_sub(frame.first)?;
        if frame.is_gap || (frame.count > 0 && skip >= frame.count) {
            return None;
        }
        if let Some(last) = events.as_ref()?.last() {
            self.cursor = Cursor::new(epoch, frame.next() - 1, last.version());
        }
        Some(Fetch {
            skip: usize::try_from(skip).ok()?,
            cursor: self.cursor,
            cell,
        })
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
            .field("cursor", &self.cursor)
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
