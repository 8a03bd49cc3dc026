//! What a run has visited, so that a green law is known to have met what it is about.

use std::{collections::BTreeMap, fmt};

use eventlog::Coverage;

/// Counters of the states, questions and answers that a run has met.
///
/// A law names the [`Class`]es that it is about; a run that never met one of them fails.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    visits: BTreeMap<Class, u64>,
    not_judged: Option<&'static str>,
}

/// Something that a run can meet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Class {
    /// A whole history, played to its end.
    History,
    /// A question to a log that never had an event.
    Empty,
    /// A question to a log with room left.
    Partial,
    /// A question to a log that is exactly full, with nothing evicted.
    Full,
    /// A question to a log that has evicted events.
    Wrapped,
    /// A log of capacity 1.
    CapacityOne,
    /// A log whose base version was set.
    BaseSet,
    /// A version that skips some.
    Gap,
    /// A version that repeats the one before.
    Repeat,
    /// A version below the one before.
    Fall,
    /// Version 0.
    VersionZero,
    /// Version `u64::MAX`.
    VersionMax,
    /// A question since 0.
    SinceZero,
    /// A question since a version below the oldest retained.
    SinceBeforeOldest,
    /// A question since the oldest retained version.
    SinceOldest,
    /// A question since a version between the oldest and the newest.
    SinceInside,
    /// A question since the newest version.
    SinceNewest,
    /// A question since a version above the newest.
    SinceFuture,
    /// A question since `u64::MAX`.
    SinceMax,
    /// A replay that was complete.
    Complete,
    /// A replay that was truncated.
    Truncated,
    /// A replay for a subscriber that claims the future.
    Ahead,
    /// A replay for a cursor of another life.
    Foreign,
    /// A batch of several events.
    Batch,
    /// An event that a subscription delivered.
    Delivered,
    /// A reader that had nothing to read yet.
    CaughtUp,
    /// A reader that was told how many events it lost.
    Lagged,
    /// A reader whose next event was evicted before it came to it.
    Overtaken,
    /// A reader that came to the end of a closed log.
    Closed,
    /// A reader that skipped to the newest event.
    Skipped,
    /// A reader that went on from a cursor.
    Resumed,
    /// A reader that was woken while it waited.
    Woken,
    /// A reader that was polled with another waker than before, and woken by that.
    WakerChanged,
    /// A reader that let others run although more was there.
    Yielded,
    /// A reader that had everything from before it subscribed.
    Live,
    /// An event that a writer's subscription delivered, found in the files at that moment.
    Stored,
    /// A question that was asked while other threads appended.
    Raced,
    /// User code that ran inside the log, with the log at work.
    Intruded,
    /// A count of the live events.
    Counted,
    /// An acknowledgement that was relied on.
    Acknowledged,
    /// A log that was opened on files that were there.
    Reopened,
    /// A log that has more than one file.
    Rotated,
    /// A file that was cut in the middle of a line.
    Torn,
    /// A file with a damaged line in the middle.
    Damaged,
}

impl Report {
    /// How often the run met this.
    #[must_use]
    pub fn count(&self, class: Class) -> u64 {
        self.visits.get(&class).copied().unwrap_or(0)
    }

    /// Why the law was not judged, if it was not: then a green run says nothing about it.
    #[must_use]
    pub fn not_judged(&self) -> Option<&'static str> {
        self.not_judged
    }

    /// What was met, and how often.
    pub(crate) fn met(&self) -> impl Iterator<Item = (Class, u64)> {
        self.visits.iter().map(|(class, count)| (*class, *count))
    }

    /// The report on a law that no running log can be asked about here.
    pub(crate) fn elsewhere(why: &'static str) -> Self {
        Self {
            not_judged: Some(why),
            ..Self::default()
        }
    }

    /// Counts one visit.
    pub(crate) fn visit(&mut self, class: Class) {
        *self.visits.entry(class).or_default() += 1;
    }

    /// Adds what another run has met.
    pub(crate) fn add(&mut self, other: &Self) {
        for (class, visits) in &other.visits {
            *self.visits.entry(*class).or_default() += visits;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = self.not_judged {
            writeln!(f, "{why}")?;
        }
        for (class, visits) in &self.visits {
            writeln!(f, "{visits:>9}  {class:?}")?;
        }
        Ok(())
    }
}

impl Class {
    /// How a replay's coverage is counted.
    pub(crate) fn of_coverage(coverage: Coverage) -> Option<Self> {
        match coverage {
            Coverage::Complete => Some(Self::Complete),
            Coverage::Truncated { .. } => Some(Self::Truncated),
            Coverage::Ahead { .. } => Some(Self::Ahead),
            Coverage::Foreign => Some(Self::Foreign),
            _ => None,
        }
    }
}
