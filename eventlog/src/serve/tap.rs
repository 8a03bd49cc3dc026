//! One subscriber's view of a feed: events, joined, and notices in their places among them.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    alarm::Alarm,
    feed::{Inner, Seat},
    frames::{Block, Encoding, Found},
    hooks::Written,
    told::{self, Reset, Told},
};
use crate::{
    coverage::Coverage,
    cursor::{Cursor, Start},
    received::{Batch, RecvError},
    ring::Beside,
    subscribe::Subscription,
};

/// What comes out of a tap.
pub(super) enum Drawn {
    /// Whole frames of events, as server-sent events have them; together at most 64 KiB, or one.
    Frames(Bytes),
    Told(Told),
}

pub(super) struct Tap<E> {
    feed: Arc<Inner<E>>,
    subscription: Subscription<E>,
    /// Events that were taken, and that another tap is encoding.
    taken: Option<(Batch<E>, u64)>,
    has_told_coverage: bool,
    has_told_live: bool,
    /// Where it was when the subscriber was last told an id.
    told_at: u64,
    told_on: Instant,
    bookmark_every: Duration,
    alarm: Alarm,
    _seat: Seat<E>,
}

impl<E> Tap<E> {
    pub(super) fn open(
        feed: &Arc<Inner<E>>,
        start: Start,
        bookmark_every: Duration,
        seat: Seat<E>,
    ) -> Self {
        let subscription = feed.source.subscribe(start);
        Self {
            feed: feed.clone(),
            taken: None,
            has_told_coverage: subscription.coverage().is_complete(),
            has_told_live: false,
            told_at: subscription.place().seq().get(),
            told_on: Instant::now(),
            bookmark_every,
            alarm: Alarm::new(),
            subscription,
            _seat: seat,
        }
    }

    /// Whether a subscriber has everything that a finished feed has for it.
    pub(super) fn has_all(&self) -> bool {
        self.has_told_coverage && self.next() >= self.feed.finished_at()
    }

    /// Where the subscriber stands, once it was told of what is missing.
    pub(super) fn place(&self) -> Cursor {
        self.subscription.place()
    }

    /// What is missing before the first event, and where it goes on, if that was not told yet.
    pub(super) fn take_reset(&mut self) -> Option<(Cursor, Reset)> {
        if self.has_told_coverage {
            return None;
        }
        match self.take_notice() {
            Some(Told::Reset {
                place,
                coverage,
                newest,
            }) => Some((place, Reset { coverage, newest })),
            _ => None,
        }
    }

    /// Whether the text of every event is JSON for sure.
    pub(super) fn is_json(&self) -> bool {
        self.feed.hooks.is_json
    }

    /// Whether the log is closed, and the subscriber has everything of it.
    pub(super) fn is_over(&self) -> bool {
        self.has_told_coverage && self.feed.source.is_past_end(self.next())
    }

    /// What the subscriber is to get next; `None` at the end.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Drawn>> {
        let drawn = match self.poll_drawn(context) {
            Poll::Pending => match self.poll_bookmark(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(told) => Some(Drawn::Told(told)),
            },
            Poll::Ready(drawn) => drawn,
        };
        if let Some(Drawn::Told(_)) = drawn {
            self.told_at = self.next() - 1;
        }
        self.told_on = Instant::now();
        Poll::Ready(drawn)
    }

    fn poll_drawn(&mut self, context: &mut Context<'_>) -> Poll<Option<Drawn>> {
        loop {
            if let Some(told) = self.take_notice() {
                return Poll::Ready(Some(Drawn::Told(told)));
            }
            let batch = match self.poll_batch(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok((batch, from))) => (batch, from),
                Poll::Ready(Err(RecvError::Lagged(events))) => {
                    let told = self.lagged(events);
                    return Poll::Ready(Some(Drawn::Told(told)));
                }
                Poll::Ready(Err(RecvError::Closed)) => return Poll::Ready(self.farewell()),
            };
            match self.frames(batch, context) {
                Some(frames) if frames.is_empty() => self.subscription.let_go(),
                Some(frames) => {
                    // Until it is asked again, which may be long, it holds on to nothing.
                    self.subscription.let_go();
                    return Poll::Ready(Some(Drawn::Frames(frames)));
                }
                None => return Poll::Pending,
            }
        }
    }

    /// What has to be said before the next event.
    fn take_notice(&mut self) -> Option<Told> {
        if !self.has_told_coverage {
            self.has_told_coverage = true;
            let coverage = self.subscription.coverage();
            let version = match coverage {
                Coverage::Truncated { missed_through, .. } => missed_through,
                Coverage::Ahead { newest } => newest,
                Coverage::Complete | Coverage::Foreign => 0,
            };
            return Some(self.reset(coverage, version));
        }
        if !self.has_told_live && self.taken.is_none() && self.subscription.is_live() {
            self.has_told_live = true;
            return Some(Told::Live {
                place: self.subscription.place(),
                newest: self.feed.source.newest(),
            });
        }
        // Nothing that it passed over was for this subscriber: it must not come back for that.
        let passed = self.next() - 1 - self.told_at;
        (self.taken.is_none() && passed >= self.feed.most_untold)
            .then(|| Told::Bookmark(self.subscription.place()))
    }

    /// The next events, from the given number on.
    fn poll_batch(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(Batch<E>, u64), RecvError>> {
        if let Some(taken) = self.taken.take() {
            return Poll::Ready(Ok(taken));
        }
        if self.next() >= self.feed.finished_at() {
            return Poll::Ready(Err(RecvError::Closed));
        }
        let batch = self.subscription.poll_recv_batch(context)?;
        batch.map(|batch| {
            let from = batch.start();
            Ok((batch, from))
        })
    }

    /// The frames of the first of these events; `None` where they are being encoded.
    fn frames(&mut self, (batch, from): (Batch<E>, u64), context: &Context<'_>) -> Option<Bytes> {
        let end = batch.end().min(self.feed.finished_at());
        if from >= end {
            return Some(Bytes::new()); // appended after the end, which came right before it
        }
        let block = self.feed.block(&batch);
        loop {
            match block.find(from..end, context.waker()) {
                Found::Frames(frames) => {
                    if frames.end < batch.end() {
                        let before = batch.segment().get(frames.end - 1);
                        let version = before.map_or(0, |entry| entry.version);
                        self.subscription.give_back(version, frames.end);
                    }
                    self.told_at = frames.shown.unwrap_or(self.told_at);
                    self.feed.count_bytes(frames.bytes.len());
                    return Some(frames.bytes);
                }
                Found::Claimed(claim) => self.feed.encode(&batch, claim.begin()),
                Found::Awaited => {
                    self.taken = Some((batch, from));
                    return None;
                }
            }
        }
    }

    /// Who comes back must not come for what nobody was to see.
    fn farewell(&self) -> Option<Drawn> {
        let is_told = self.told_at >= self.next() - 1;
        (!is_told).then(|| Drawn::Told(Told::Bookmark(self.subscription.place())))
    }

    fn lagged(&mut self, events: u64) -> Told {
        let missed_through = self.feed.source.highest_before(self.next());
        let coverage = Coverage::Truncated {
            missed_through,
            missed: Some(events),
        };
        self.reset(coverage, missed_through)
    }

    fn reset(&mut self, coverage: Coverage, version: u64) -> Told {
        self.feed.count_reset();
        let place = self.subscription.place();
        let exact = Cursor::from_parts(place.epoch(), place.seq(), version);
        Told::Reset {
            place: exact.seen_durable(place.is_durable()),
            coverage,
            // One that is ahead has it in its coverage.
            newest: match coverage {
                Coverage::Ahead { .. } => None,
                _ => self.feed.source.newest(),
            },
        }
    }

    fn poll_bookmark(&mut self, context: &Context<'_>) -> Poll<Told> {
        let Some(due) = self.told_on.checked_add(self.bookmark_every) else {
            return Poll::Pending;
        };
        let now = Instant::now();
        if now < due || self.taken.is_some() {
            self.alarm
                .set(due.max(now + Duration::from_millis(1)), now, context);
            return Poll::Pending;
        }
        Poll::Ready(Told::Bookmark(self.subscription.place()))
    }

    /// The number of the event after its place.
    fn next(&self) -> u64 {
        self.subscription.place().seq().get() + 1
    }
}

impl<E> Inner<E> {
    /// The frames beside the segment of these events.
    fn block(&self, batch: &Batch<E>) -> Arc<Block> {
        let segment = batch.segment();
        let make = || Arc::new(Block::new(segment.first()..segment.end())) as Beside;
        let block = segment.beside(self.id, make);
        #[expect(clippy::expect_used, reason = "a feed keeps nothing else there")]
        block
            .downcast()
            .expect("what a feed keeps beside a segment is a block")
    }

    /// Encodes a claimed stretch. No lock is held, and a panic of the user's code ends nobody: the
    /// subscribers are told that they miss the event.
    fn encode(&self, batch: &Batch<E>, mut encoding: Encoding) {
        let segment = batch.segment();
        let mut data = Vec::new();
        let mut shown = 0;
        while let Some(seq) = encoding.next() {
            let Some(entry) = segment.get(seq) else { break };
            let cursor = Cursor::new(segment.epoch(), seq, entry.version);
            let cursor = cursor.seen_durable(batch.is_durable());
            match self.hooks.run(&entry.event, &mut data) {
                Written::Shown => {
                    shown += 1;
                    encoding.push(|frame| told::event(frame, cursor, &data));
                }
                Written::Hidden => encoding.push(|_| ()),
                Written::Failed(why) => {
                    self.count_failed(&why);
                    encoding.push(|frame| Told::lost(cursor).write_sse(frame));
                }
            }
        }
        self.count_encoded(shown);
        encoding.finish();
    }
}
