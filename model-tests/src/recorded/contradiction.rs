//! What a judgement says: which law, and the lines that cannot all be true of a log that keeps it.

use std::fmt;

/// A law of recorded histories. R01, S01, S02, S05 and R04 of live logs, as far as they can be seen
/// from outside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum RecordedLaw {
    /// There is one order of all events that agrees with what each reader got, with the log's
    /// numbers, and with each client, whose acknowledged appends and reads come before what it
    /// appends later.
    Ordered,
    /// No reading gets an event twice; no two events have one number, and no event two.
    Unique,
    /// What is read was appended, and not refused.
    NothingInvented,
    /// Between two events that a reading got it got every event that is certainly there and between
    /// them, or was told that it lost that many; one that has come to its end got every
    /// acknowledged one. What it is told as lost was there to be lost.
    NothingLost,
    /// A reading that goes on after an event gets what comes after it, and nothing from before.
    Resumable,
    /// `complete` is said only where nothing is missing from the start on, and `truncated` only where
    /// something is; `missed` is exact.
    CoverageTrue,
}

impl RecordedLaw {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ordered,
        Self::Unique,
        Self::NothingInvented,
        Self::NothingLost,
        Self::Resumable,
        Self::CoverageTrue,
    ];

    /// The law in two or three words.
    ///
    /// ```
    /// # use model_tests::recorded::RecordedLaw;
    /// for law in RecordedLaw::ALL {
    ///     println!("{}", law.name());
    /// }
    /// assert!(!RecordedLaw::Unique.name().is_empty());
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Unique => "unique",
            Self::NothingInvented => "nothing invented",
            Self::NothingLost => "nothing lost",
            Self::Resumable => "resumable",
            Self::CoverageTrue => "coverage true",
        }
    }
}

/// A line of the history that a contradiction needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// The number of the line, from 1.
    pub line: usize,
    /// What it says.
    pub says: String,
}

/// The fewest lines that were found which cannot all be true of a log that keeps the law.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contradiction {
    /// The law.
    pub law: RecordedLaw,
    /// What is wrong, in one sentence.
    pub what: String,
    /// The lines.
    pub lines: Vec<Witness>,
}

impl Contradiction {
    pub(super) fn new(law: RecordedLaw, what: String, lines: Vec<Witness>) -> Self {
        Self { law, what, lines }
    }
}

pub(super) fn witness(line: usize, says: impl Into<String>) -> Witness {
    let says = says.into();
    Witness { line, says }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is broken: {}", self.law.name(), self.what)?;
        for Witness { line, says } in &self.lines {
            writeln!(f, "  line {line}: {says}")?;
        }
        Ok(())
    }
}
