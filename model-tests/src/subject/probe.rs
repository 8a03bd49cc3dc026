//! Events that tell when a log runs their code.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use eventlog::Versioned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Counts the live events that carry it, and runs what it is armed with at a moment of their lives.
///
/// ```
/// # use model_tests::{Moment, Probe, Probed, Tick};
/// let probe = Probe::new();
/// let event = Probed::new(Tick::new(1, 0), Some(&probe));
/// let copy = event.clone();
/// assert_eq!(probe.live(), 2);
/// drop((event, copy));
/// assert_eq!((probe.live(), probe.count(Moment::Clone)), (0, 1));
/// ```
#[derive(Clone, Default)]
pub struct Probe(Arc<Inner>);

#[derive(Default)]
struct Inner {
    live: AtomicUsize,
    seen: [AtomicUsize; 3],
    armed: Mutex<Option<Armed>>,
}

struct Armed {
    moment: Moment,
    /// How many such moments pass before the hook runs.
    skip: usize,
    hook: Box<dyn FnOnce() + Send>,
}

/// When a log runs an event's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// `Versioned::version`.
    Version,
    /// `Clone::clone`.
    Clone,
    /// `Drop::drop`.
    Drop,
}

impl Probe {
    /// A probe that no event carries yet.
    ///
    /// ```
    /// # use model_tests::Probe;
    /// assert_eq!(Probe::new().live(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `skip` such moments pass and runs `hook` at the next, once, in the thread that the log
    /// runs the code in.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use model_tests::{Moment, Probe, Probed, Tick};
    ///
    /// let (probe, (sender, ran)) = (Probe::new(), mpsc::channel());
    /// probe.arm(Moment::Drop, 0, move || _ = sender.send(())); // such as a call of the log
    /// drop(Probed::new(Tick::new(1, 0), Some(&probe)));
    /// assert!(ran.try_recv().is_ok() && !probe.disarm());
    /// ```
    pub fn arm(&self, moment: Moment, skip: usize, hook: impl FnOnce() + Send + 'static) {
        *self.armed() = Some(Armed {
            moment,
            skip,
            hook: Box::new(hook),
        });
    }

    /// Forgets the hook; says whether it was still waiting.
    ///
    /// ```
    /// # use model_tests::{Moment, Probe};
    /// let probe = Probe::new();
    /// probe.arm(Moment::Clone, 0, || {});
    /// assert!(probe.disarm()); // nothing was cloned: the trial has tested nothing
    /// ```
    #[must_use = "a hook that was still waiting has tested nothing"]
    pub fn disarm(&self) -> bool {
        self.armed().take().is_some()
    }

    /// How many events carry this probe.
    ///
    /// ```
    /// # use model_tests::{Probe, Probed, Tick};
    /// let probe = Probe::new();
    /// let events = [1, 2].map(|version| Probed::new(Tick::new(version, 0), Some(&probe)));
    /// assert_eq!(probe.live(), 2);
    /// drop(events);
    /// assert_eq!(probe.live(), 0);
    /// ```
    #[must_use]
    pub fn live(&self) -> usize {
        self.0.live.load(Ordering::SeqCst)
    }

    /// How often such a moment came.
    ///
    /// ```
    /// # use model_tests::{Moment, Probe, Probed, Tick};
    /// let probe = Probe::new();
    /// let event = Probed::new(Tick::new(1, 0), Some(&probe));
    /// let copy = event.clone();
    /// assert_eq!(probe.count(Moment::Clone), 1);
    /// ```
    #[must_use]
    pub fn count(&self, moment: Moment) -> usize {
        self.0.seen[moment as usize].load(Ordering::SeqCst)
    }

    fn armed(&self) -> MutexGuard<'_, Option<Armed>> {
        self.0.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, moment: Moment) {
        self.0.seen[moment as usize].fetch_add(1, Ordering::SeqCst);
        let due = {
            let mut armed = self.armed();
            match armed.as_mut() {
                Some(waiting) if waiting.moment == moment && waiting.skip == 0 => armed.take(),
                Some(waiting) if waiting.moment == moment => {
                    waiting.skip -= 1;
                    None
                }
                _ => None,
            }
        };
        if let Some(armed) = due {
            (armed.hook)();
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("live", &self.live())
            .finish_non_exhaustive()
    }
}

/// An event that may carry a [`Probe`]. In every other respect (equality, JSON, what it prints) it
/// is the event inside.
pub struct Probed<E> {
    event: E,
    probe: Option<Probe>,
}

impl<E> Probed<E> {
    /// An event that reports to `probe`, if there is one.
    ///
    /// ```
    /// # use model_tests::{Probed, Tick, Versioned};
    /// assert_eq!(Probed::new(Tick::new(7, 0), None).version(), 7);
    /// ```
    pub fn new(event: E, probe: Option<&Probe>) -> Self {
        if let Some(Probe(inner)) = probe {
            inner.live.fetch_add(1, Ordering::SeqCst);
        }
        Self {
            event,
            probe: probe.cloned(),
        }
    }

    /// The event inside.
    ///
    /// ```
    /// # use model_tests::{Probed, Tick};
    /// assert_eq!(*Probed::new(Tick::new(7, 0), None).event(), Tick::new(7, 0));
    /// ```
    pub fn event(&self) -> &E {
        &self.event
    }

    fn at(&self, moment: Moment) {
        if let Some(probe) = &self.probe {
            probe.at(moment);
        }
    }
}

impl<E: Versioned> Versioned for Probed<E> {
    fn version(&self) -> u64 {
        self.at(Moment::Version);
        self.event.version()
    }

    fn kind(&self) -> &'static str {
        self.event.kind()
    }
}

impl<E: Clone> Clone for Probed<E> {
    fn clone(&self) -> Self {
        self.at(Moment::Clone);
        Self::new(self.event.clone(), self.probe.as_ref())
    }
}

impl<E> Drop for Probed<E> {
    fn drop(&mut self) {
        if let Some(Probe(inner)) = &self.probe {
            inner.live.fetch_sub(1, Ordering::SeqCst);
        }
        self.at(Moment::Drop);
    }
}

impl<E: PartialEq> PartialEq for Probed<E> {
    fn eq(&self, other: &Self) -> bool {
        self.event == other.event
    }
}

impl<E: Eq> Eq for Probed<E> {}

impl<E: fmt::Debug> fmt::Debug for Probed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event.fmt(f)
    }
}

impl<E: Serialize> Serialize for Probed<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.event.serialize(serializer)
    }
}

impl<'de, E: Deserialize<'de>> Deserialize<'de> for Probed<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        E::deserialize(deserializer).map(|event| Self::new(event, None))
    }
}
