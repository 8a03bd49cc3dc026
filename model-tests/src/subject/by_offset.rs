//! A log that is addressed by dense offsets, and knows no versions.

use eventlog::Coverage;

use super::{
    attempt::Attempt,
    capability::{Capability, lacking},
    log::{Log, Replay, Subscription},
};

/// The operations of a log that gives each event the next offset: 0 for the first, then one more for
/// each. All else follows from them.
pub trait OffsetLog<E>: Send + Sync + 'static {
    /// Appends, and says at which offset.
    ///
    /// ```
    /// # use model_tests::{OffsetLog, ReadFrom, Tick};
    /// # #[derive(Default)]
    /// # struct Topic(std::sync::Mutex<Vec<Tick>>);
    /// # impl OffsetLog<Tick> for Topic {
    /// #     fn append(&self, event: Tick) -> u64 {
    /// #         let mut events = self.0.lock().unwrap();
    /// #         events.push(event);
    /// #         events.len() as u64 - 1
    /// #     }
    /// #     fn read(&self, from: u64) -> ReadFrom<Tick> {
    /// #         let events = self.0.lock().unwrap();
    /// #         let after = events.iter().skip(from as usize);
    /// #         ReadFrom { oldest: 0, next: events.len() as u64, events: after.cloned().collect() }
    /// #     }
    /// # }
    /// // `Topic` is the log of the example at `ByOffset`.
    /// let topic = Topic::default();
    /// assert_eq!(topic.append(Tick::new(1, 0)), 0);
    /// assert_eq!(topic.append(Tick::new(2, 0)), 1);
    /// ```
    fn append(&self, event: E) -> u64;

    /// As [`Log::try_append`], with the offset where it is [`Done`](Attempt::Done) and known.
    fn try_append(&self, event: E) -> Attempt {
        Attempt::Done(Some(self.append(event)))
    }

    /// What is retained from this offset on.
    ///
    /// ```
    /// # use model_tests::{OffsetLog, ReadFrom, Tick};
    /// # #[derive(Default)]
    /// # struct Topic(std::sync::Mutex<Vec<Tick>>);
    /// # impl OffsetLog<Tick> for Topic {
    /// #     fn append(&self, event: Tick) -> u64 {
    /// #         let mut events = self.0.lock().unwrap();
    /// #         events.push(event);
    /// #         events.len() as u64 - 1
    /// #     }
    /// #     fn read(&self, from: u64) -> ReadFrom<Tick> {
    /// #         let events = self.0.lock().unwrap();
    /// #         let after = events.iter().skip(from as usize);
    /// #         ReadFrom { oldest: 0, next: events.len() as u64, events: after.cloned().collect() }
    /// #     }
    /// # }
    /// // `Topic` is the log of the example at `ByOffset`.
    /// let topic = Topic::default();
    /// topic.append(Tick::new(1, 0));
    /// topic.append(Tick::new(2, 0));
    /// let answer = topic.read(1);
    /// assert_eq!((answer.oldest, answer.next, answer.events), (0, 2, vec![Tick::new(2, 0)]));
    /// ```
    fn read(&self, from: u64) -> ReadFrom<E>;

    /// Follows the log from this offset on, which is retained, or was a moment ago, or is the next.
    /// [`Capability::Subscribe`].
    fn subscribe(&self, from: u64) -> Box<dyn Subscription<E>> {
        let _ = from;
        lacking(Capability::Subscribe)
    }

    /// Ends the live stream. [`Capability::Close`].
    fn close(&self) {
        lacking(Capability::Close)
    }
}

/// An answer of one instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadFrom<E> {
    /// The oldest offset that is retained; that of the next event where none is.
    pub oldest: u64,
    /// The offset of the next event.
    pub next: u64,
    /// The retained events from the offset on that was asked for, oldest first.
    pub events: Vec<E>,
}

/// An [`OffsetLog`] as a [`Log`]: it lacks `Versions`, and what is asked by a version is asked by an
/// offset.
///
/// ```
/// use model_tests::{ByOffset, Log, OffsetLog, ReadFrom, Tick};
/// use std::sync::Mutex;
///
/// struct Topic(Mutex<Vec<Tick>>);
///
/// impl OffsetLog<Tick> for Topic {
///     fn append(&self, event: Tick) -> u64 {
///         let mut events = self.0.lock().unwrap();
///         events.push(event);
///         events.len() as u64 - 1
///     }
///
///     fn read(&self, from: u64) -> ReadFrom<Tick> {
///         let events = self.0.lock().unwrap();
///         let after = events.iter().skip(from as usize);
///         ReadFrom { oldest: 0, next: events.len() as u64, events: after.cloned().collect() }
///     }
/// }
///
/// let log = ByOffset(Topic(Mutex::default()));
/// log.append(Tick::new(1, 0));
/// log.append(Tick::new(2, 0));
/// assert_eq!(log.events_since(1), [Tick::new(2, 0)]);
/// ```
#[derive(Clone, Debug)]
pub struct ByOffset<L>(pub L);

impl<E, L: OffsetLog<E>> Log<E> for ByOffset<L> {
    fn append(&self, event: E) -> Option<u64> {
        Some(self.0.append(event) + 1)
    }

    fn try_append(&self, event: E) -> Attempt {
        match self.0.try_append(event) {
            Attempt::Done(Some(offset)) => Attempt::Done(Some(offset + 1)),
            other => other,
        }
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        self.0.read(since).events
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.0.read(since).oldest > since
    }

    fn replay(&self, since: u64) -> Replay<E> {
        let ReadFrom {
            oldest,
            next,
            events,
        } = self.0.read(since);
        let coverage = if since > next {
            Coverage::Ahead { newest: next }
        } else if oldest > since {
            Coverage::Truncated {
                missed_through: oldest,
                missed: Some(oldest - since),
            }
        } else {
            Coverage::Complete
        };
        Replay {
            events,
            coverage,
            newest: (next > 0).then_some(next),
        }
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<E>> {
        let ReadFrom { oldest, next, .. } = self.0.read(since);
        self.0.subscribe(since.clamp(oldest, next))
    }

    fn close(&self) {
        self.0.close();
    }
}
