//! What a run has visited, so that a green law is known to have met what it is about.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use eventlog::Coverage;

use crate::evidence::{Evidence, NotJudged};

/// Counters of the states, questions and answers that a run has met.
///
/// A law names the [`Class`]es that it is about; a run that never met one of them fails.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    visits: BTreeMap<Class, u64>,
    evidence: BTreeSet<Evidence>,
    not_judged: BTreeSet<NotJudged>,
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
    /// An append that said that it was done.
    Done,
    /// An append that was refused because the log was busy.
    Busy,
    /// An append of which nobody knew what had become of it.
    Unknown,
    /// An append that did not show at the first look.
    Late,
    /// Another log of the same maker.
    Another,
    /// A further handle onto a log.
    Handle,
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
    /// Calls of two threads that met inside of the log, over and over.
    Met,
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
    /// A power cut.
    PowerCut,
    /// An operation of the disk that failed or stalled, or a broker that lost what was sent.
    Faulted,
    /// Somebody else's hand on the files.
    OtherHands,
    /// An event that was longer than a file may be.
    LongEvent,
}

impl Report {
    /// How often the run met this.
    ///
    /// ```
    /// # use model_tests::{Class, Report};
    /// assert_eq!(Report::default().count(Class::Wrapped), 0); // of a run that met nothing
    /// ```
    #[must_use]
    pub fn count(&self, class: Class) -> u64 {
        self.visits.get(&class).copied().unwrap_or(0)
    }

    /// What was met, and how often.
    pub(crate) fn met(&self) -> impl Iterator<Item = (Class, u64)> {
        self.visits.iter().map(|(class, count)| (*class, *count))
    }

    /// The report on a law that no running log can be asked about here.
    pub(crate) fn elsewhere(why: &'static str) -> Self {
        let mut report = Self::default();
        // The words are also those of an ignored test, where nothing stands before them.
        let why = why.trim_start_matches("not judged here: ");
        report.leaves_out("the whole law", why);
        report
    }

    /// Counts one visit.
    pub(crate) fn visit(&mut self, class: Class) {
        *self.visits.entry(class).or_default() += 1;
    }

    /// What the verdict stands on, for laws about disks; nothing for others.
    ///
    /// ```
    /// # use model_tests::{Budget, Ours, Tick, check, laws};
    /// # let mut budget = Budget::default();
    /// # (budget.cases, budget.small_histories) = (8, 100);
    /// let report = check(&Ours(Tick::new), &laws::R01, &budget).unwrap();
    /// assert_eq!(report.evidence().count(), 0); // no law about disks
    /// ```
    pub fn evidence(&self) -> impl Iterator<Item = Evidence> {
        self.evidence.iter().copied()
    }

    /// What of the law was not judged, and why.
    ///
    /// ```
    /// # use model_tests::{Budget, Ours, Tick, check, laws};
    /// # let mut budget = Budget::default();
    /// # (budget.cases, budget.small_histories) = (8, 100);
    /// let report = check(&Ours(Tick::new), &laws::R01, &budget).unwrap();
    /// for part in report.not_judged() {
    ///     println!("{part}"); // such as: strace is not installed
    /// }
    /// ```
    pub fn not_judged(&self) -> impl Iterator<Item = &NotJudged> {
        self.not_judged.iter()
    }

    /// Whether nothing of the law was judged: what it needs is lacking here.
    ///
    /// ```
    /// # use model_tests::{Budget, Ours, Tick, check, laws};
    /// # let mut budget = Budget::default();
    /// # (budget.cases, budget.small_histories) = (8, 100);
    /// let report = check(&Ours(Tick::new), &laws::R01, &budget).unwrap();
    /// assert!(!report.is_empty_handed());
    /// ```
    #[must_use]
    pub fn is_empty_handed(&self) -> bool {
        self.evidence.is_empty() && !self.not_judged.is_empty()
    }

    /// Counts what the verdict stands on.
    pub(crate) fn stands_on(&mut self, evidence: Evidence) {
        self.evidence.insert(evidence);
    }

    /// Tells that a part of the law was not judged.
    pub(crate) fn leaves_out(&mut self, what: &'static str, why: impl Into<String>) {
        let why = why.into();
        self.not_judged.insert(NotJudged { what, why });
    }

    /// Adds what another run has met.
    pub(crate) fn add(&mut self, other: &Self) {
        self.evidence.extend(&other.evidence);
        self.not_judged.extend(other.not_judged.iter().cloned());
        for (class, visits) in &other.visits {
            *self.visits.entry(*class).or_default() += visits;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (class, visits) in &self.visits {
            writeln!(f, "{visits:>9}  {class:?}")?;
        }
        if !self.evidence.is_empty() {
            let evidence: Vec<_> = self.evidence.iter().map(ToString::to_string).collect();
            writeln!(f, "judged on: {}", evidence.join(", "))?;
        }
        for part in &self.not_judged {
            writeln!(f, "not judged here: {part}")?;
        }
        Ok(())
    }
}

impl Class {
    /// Whether only versions of a user's choice lead there.
    pub(crate) fn is_of_versions(self) -> bool {
        matches!(
            self,
            Self::Repeat
                | Self::Fall
                | Self::Gap
                | Self::VersionZero
                | Self::VersionMax
                | Self::BaseSet
        )
    }

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
