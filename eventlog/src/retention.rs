//! What users say of their events, for a log to let them go by: what they weigh, and what time it is.
//! It is asked for outside of the log's lock.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

use crate::{
    log::EventLog,
    ring::{Entry, Most, Ring, Tally, caught_all},
    seq::Seq,
    versioned::Versioned,
};

/// What an event weighs.
pub(crate) type Weigher<E> = Box<dyn Fn(&E) -> u64 + Send + Sync>;

/// The time since some moment.
pub(crate) type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// What a log of limited weight or age asks its user.
pub(crate) struct Retention<E> {
    most: Most,
    weigher: Option<Weigher<E>>,
    clock: Option<Clock>,
}

impl<E> Retention<E> {
    /// `None` where neither weight nor age is limited.
    pub(crate) fn new(
        bytes: Option<(u64, Weigher<E>)>,
        age: Option<Duration>,
        clock: Option<Clock>,
    ) -> Option<Box<Self>> {
        if bytes.is_none() && age.is_none() {
            return None;
        }
        let (bytes, weigher) = bytes.unzip();
        Some(Box::new(Self {
            most: Most { bytes, age },
            weigher,
            clock: age.map(|_| clock.unwrap_or_else(since_now)),
        }))
    }

    /// What the events may weigh, and how old they may be.
    pub(crate) fn most(&self) -> Most {
        self.most
    }

    /// The time, as far as anybody wants to know.
    pub(crate) fn now(&self) -> Option<Duration> {
        self.clock.as_ref().map(|clock| clock())
    }

    /// What is to be known of an event before it is appended.
    pub(crate) fn tally(&self, event: &E) -> Tally {
        Tally {
            weight: self.weigher.as_ref().map_or(0, |weigh| weigh(event)),
            at: self.now().unwrap_or_default(),
        }
    }
}

fn since_now() -> Clock {
    let origin = Instant::now();
    Box::new(move || origin.elapsed())
}

impl<E: Versioned> EventLog<E> {
    /// An append to a log of limited weight or age.
    #[cold]
    #[inline(never)]
    pub(crate) fn append_counted(&self, retention: &Retention<E>, event: E) -> Seq {
        let entry = Entry {
            version: event.version(),
            event,
        };
        let tally = retention.tally(&entry.event);
        Seq::new(self.shared.append(|ring| ring.push_counted(entry, tally)))
    }

    /// The event is made under the lock, and weighed after that: until this returns it weighs
    /// nothing. Should weighing it panic, it is too heavy.
    #[cold]
    #[inline(never)]
    pub(crate) fn append_then_weigh(
        &self,
        retention: &Retention<E>,
        make: impl FnOnce(&mut Ring<E>) -> Entry<E>,
    ) -> Seq {
        let at = retention.now().unwrap_or_default();
        let (seq, segment) = self.shared.append(|ring| {
            let entry = make(ring);
            let seq = ring.push_counted(entry, Tally { weight: 0, at });
            (seq, ring.segment_of(seq))
        });
        if let Some(weigh) = &retention.weigher {
            let entry = segment.as_ref().and_then(|segment| segment.get(seq));
            let weighed = catch_unwind(AssertUnwindSafe(|| {
                entry.map_or(0, |entry| weigh(&entry.event))
            }));
            let weight = *weighed.as_ref().unwrap_or(&u64::MAX);
            self.shared.evict(|ring| ring.weigh(seq, weight));
            if let Err(panic) = weighed {
                resume_unwind(panic);
            }
        }
        caught_all(segment);
        Seq::new(seq)
    }
}
