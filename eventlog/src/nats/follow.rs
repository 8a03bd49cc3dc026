//! The thread of a mirror: fills a log from the end of a stream, and follows it.

use std::{marker::PhantomData, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::{
    error::NatsError,
    frame::{Frame, Lives},
    link::{Link, Message, Seen},
    mirror::{MirrorConfig, State},
};
use crate::{
    cursor::Epoch,
    lineage::{Earlier, Lineage, Trusted},
    log::EventLog,
    ring::Ring,
    seq::Seq,
    versioned::Versioned,
};

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// A place in a stream, up to which its events are in a log.
pub(super) struct Tail<E, L> {
    link: Arc<L>,
    config: MirrorConfig,
    /// The writer whose events these are.
    life: Epoch,
    /// When the stream was made, as the server says.
    made: String,
    /// The stream sequence of the last message that was taken.
    sequence: u64,
    /// The number of the event that comes next.
    number: u64,
    events: PhantomData<fn() -> E>,
}

/// What becomes of a log after a message.
enum Step<E> {
    /// These follow.
    Append(Vec<E>),
    /// Events that come next are missing, and there are these after them.
    Skip {
        first: u64,
        highest: u64,
        events: Vec<E>,
    },
    /// It goes on in another life, or has fallen back.
    Refill,
    /// A message that is no news.
    Pass,
}

impl<E: Versioned + DeserializeOwned, L: Link> Tail<E, L> {
    /// A log with the newest events of a stream, and the place after them.
    pub(super) async fn fill(
        link: Arc<L>,
        config: MirrorConfig,
    ) -> Result<(Self, EventLog<E>), NatsError> {
        let seen = link.look().await?;
        let seen = seen.ok_or_else(|| NatsError::no_stream(&config.at))?;
        let mut tail = Self {
            life: Epoch::of_log(None),
            made: seen.made.clone(),
            sequence: seen.last_sequence,
            number: 1,
            link,
            config,
            events: PhantomData,
        };
        let Some((last, Some(frame))) = seen.last else {
            let log = tail.log(1, 0, &Lives::default());
            return Ok((tail, log));
        };
        tail.life = frame.life;
        let lives = tail.link.lives(last, &frame).await?;
        let capacity = tail.config.capacity as u64;
        let wanted = frame.next().saturating_sub(capacity).max(1);
        let start = sequence_of(&*tail.link, &seen, wanted).await?;
        let log = tail.read_to(start, last, &lives).await?;
        Ok((tail, log))
    }

    /// A log of the messages from `start` to `last`.
    async fn read_to(
        &mut self,
        start: u64,
        last: u64,
        lives: &Lives,
    ) -> Result<EventLog<E>, NatsError> {
        let mut log = None;
        self.sequence = start.saturating_sub(1);
        let losses = self.link.losses();
        let mut messages = self.link.messages(self.sequence).await?;
        while self.sequence < last {
            let message = self.next(&mut messages, losses).await?;
            self.sequence = message.sequence;
            let Some(frame) = message.frame else { continue };
            if frame.first < self.number && log.is_some() {
                continue; // of a life before, that has fallen back
            }
            if log.is_none() || frame.first > self.number || frame.is_gap {
                let (first, highest) = beginning(&frame);
                self.number = first;
                log = Some(self.log(first, highest, lives));
            }
            if frame.is_gap {
                continue;
            }
            match (events_of(&frame, &message.payload), &log) {
                (Some(events), Some(log)) => drop(log.append_batch(events)),
                _ => log = Some(self.log(frame.next(), frame.versions.1, lives)),
            }
            self.number = frame.next();
        }
        Ok(log.unwrap_or_else(|| self.log(self.number, 0, lives)))
    }

    /// An empty log that goes on with this number.
    fn log(&self, first: u64, highest: u64, lives: &Lives) -> EventLog<E> {
        let mut ring = Ring::new(self.config.capacity, self.life);
        ring.begin_at(first);
        if first > 1 {
            ring.note_evicted(highest);
        }
        let earlier = lives.iter().map(|(epoch, through)| Earlier {
            epoch,
            live: through,
            durable: through,
        });
        let lineage = Lineage::following(self.life, earlier.collect(), Trusted::default());
        EventLog::going_on(ring, lineage, None, None)
    }

    /// Follows, as long as there is somebody to follow for.
    pub(super) async fn run(mut self, state: Arc<State<E>>) {
        loop {
            if let Err(error) = self.follow(&state).await {
                state.failed(&error);
            }
            sleep(PAUSE).await;
        }
    }

    /// Follows until the connection is lost.
    pub(super) async fn follow(&mut self, state: &State<E>) -> Result<(), NatsError> {
        let losses = self.link.losses();
        let seen = self.link.look().await?;
        let seen = seen.ok_or_else(|| NatsError::no_stream(&self.config.at))?;
        if self.has_fallen_back(&seen) {
            self.refill(state).await?;
        }
        let mut messages = self.link.messages(self.sequence).await?;
        state.heard(self.newest());
        loop {
            let message = self.next(&mut messages, losses).await?;
            let sequence = message.sequence;
            let Some(frame) = message.frame else {
                self.sequence = sequence; // of somebody else
                continue;
            };
            match self.step(&frame, &message.payload) {
                Step::Append(events) => {
                    self.advance(sequence, &frame);
                    state.log().append_batch(events);
                }
                Step::Skip {
                    first,
                    highest,
                    events,
                } => {
                    let lives = self.link.lives(sequence, &frame).await?;
                    self.advance(sequence, &frame);
                    let log = self.log(first, highest, &lives);
                    log.append_batch(events);
                    state.change(log);
                }
                Step::Refill => {
                    self.refill(state).await?;
                    messages = self.link.messages(self.sequence).await?;
                }
                Step::Pass => self.sequence = sequence,
            }
            state.heard(self.newest());
        }
    }

    /// The next message. Where some before it are missing, what follows the place is asked for once
    /// more: they may have been lost on their way.
    async fn next(&self, messages: &mut L::Messages, losses: u64) -> Result<Message, NatsError> {
        let message = self.hear(messages, losses).await?;
        let is_next = message.sequence == self.sequence + 1;
        let goes_on = message
            .frame
            .is_some_and(|frame| frame.first <= self.number);
        if is_next || goes_on {
            return Ok(message);
        }
        *messages = self.link.messages(self.sequence).await?;
        self.hear(messages, losses).await
    }

    /// What comes next. Where nothing does for a while although it is there, it is asked for anew: a
    /// server that was started again may answer and forget to deliver.
    async fn hear(&self, messages: &mut L::Messages, losses: u64) -> Result<Message, NatsError> {
        loop {
            if let Some(message) = self.link.next(messages, losses).await? {
                return Ok(message);
            }
            let seen = self.link.look().await?;
            let last = seen.and_then(|seen| seen.last);
            if last.is_some_and(|(sequence, _)| sequence > self.sequence) {
                *messages = self.link.messages(self.sequence).await?;
            }
        }
    }

    /// Whether the stream is not any more as it was up to the place: made anew, or its end was lost
    /// and perhaps written again by another.
    fn has_fallen_back(&self, seen: &Seen) -> bool {
        let is_other = |(sequence, frame): (u64, Option<Frame>)| {
            sequence <= self.sequence
                && frame.is_some_and(|last| last.life != self.life || last.next() != self.number)
        };
        seen.made != self.made
            || seen.last_sequence < self.sequence
            || seen.last.is_some_and(is_other)
    }

    fn advance(&mut self, sequence: u64, frame: &Frame) {
        (self.sequence, self.number) = (sequence, frame.next());
    }

    /// What a message does to the log.
    fn step(&self, frame: &Frame, payload: &[u8]) -> Step<E> {
        if frame.life != self.life {
            return Step::Refill;
        }
        if frame.next() <= self.number {
            return Step::Pass;
        }
        match events_of(frame, payload) {
            Some(events) if frame.first == self.number && !frame.is_gap => Step::Append(events),
            Some(events) if frame.first > self.number && !frame.is_gap => Step::Skip {
                first: frame.first,
                highest: frame.versions.0,
                events,
            },
            _ => Step::Skip {
                first: frame.next(),
                highest: frame.versions.1,
                events: Vec::new(),
            },
        }
    }

    async fn refill(&mut self, state: &State<E>) -> Result<(), NatsError> {
        let (tail, log) = Self::fill(self.link.clone(), self.config.clone()).await?;
        *self = tail;
        state.change(log);
        Ok(())
    }
}

impl<E, L> Tail<E, L> {
    pub(super) fn newest(&self) -> Seq {
        Seq::new(self.number - 1)
    }

    pub(super) fn link(&self) -> &Arc<L> {
        &self.link
    }
}

/// Where a log begins that has this frame first: a gap is not in it.
fn beginning(frame: &Frame) -> (u64, u64) {
    if frame.is_gap {
        (frame.next(), frame.versions.1)
    } else {
        (frame.first, frame.versions.0)
    }
}

/// The events of a frame; `None` if they are not what its headers say, or of another type.
pub(super) fn events_of<E: DeserializeOwned>(frame: &Frame, payload: &[u8]) -> Option<Vec<E>> {
    if frame.is_gap || frame.count == 0 {
        return Some(Vec::new());
    }
    let lines = payload.split_inclusive(|byte| *byte == b'\n');
    let events = lines.map(|line| serde_json::from_slice(line).ok());
    let events: Vec<E> = events.collect::<Option<_>>()?;
    (events.len() as u64 == frame.count).then_some(events)
}

/// The stream sequence of the message that has the event of this number, or of one not long before.
pub(super) async fn sequence_of(
    link: &impl Link,
    seen: &Seen,
    number: u64,
) -> Result<u64, NatsError> {
    let (mut low, mut high) = (seen.first_sequence, seen.last_sequence);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match link.frame_at(middle).await? {
            Some((frame, _)) if frame.first <= number => low = middle,
            _ => high = middle - 1,
        }
    }
    Ok(low)
}
