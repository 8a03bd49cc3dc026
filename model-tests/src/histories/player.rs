//! One operation after the other on a log and on the model, for engines of other people.

use std::{error::Error, fmt};

use super::{
    ops::{History, Op},
    play::run::{Judge, Run},
};
use crate::{
    subject::{adapter::Subject, capability::Capability},
    trial::{Budget, Parted},
};

/// A log with the model beside it, to which one does an [`Op`] after the other: the step of a
/// state machine. Every operation is legal in every state, so none has a precondition.
///
/// ```
/// use model_tests::{At, Op, Ours, Player, Step, Tick};
///
/// let subject = Ours(Tick::new);
/// let mut player = Player::open(&subject, 2, None)?;
/// player.step(&Op::Append(Step::Next))?;
/// player.step(&Op::Replay(At::Newest))?;
/// assert_eq!(player.appended(), 1);
/// # Ok::<(), model_tests::PartedAt>(())
/// ```
pub struct Player<'a, S: Subject>(Run<'a, S>);

/// Where a log parted from the model.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PartedAt {
    /// The call.
    pub step: String,
    /// What the model answers.
    pub expected: String,
    /// What the log did.
    pub actual: String,
}

impl fmt::Display for PartedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            expected,
            actual,
        } = self;
        write!(f, "{step}: expected {expected}, but {actual}")
    }
}

impl Error for PartedAt {}

impl From<Parted> for PartedAt {
    fn from(parted: Parted) -> Self {
        Self {
            step: parted.step,
            expected: parted.expected,
            actual: parted.actual,
        }
    }
}

impl<'a, S: Subject> Player<'a, S> {
    /// Opens a log that is still empty.
    ///
    /// ```
    /// # use model_tests::{Op, Ours, Player, Step, Tick};
    /// let mut player = Player::open(&Ours(Tick::new), 4, None)?;
    /// player.step(&Op::Append(Step::Next))?;
    /// # Ok::<(), model_tests::PartedAt>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it does not open.
    pub fn open(subject: &'a S, capacity: usize, base: Option<u64>) -> Result<Self, PartedAt> {
        Self::open_lacking(subject, capacity, base, &[])
    }

    /// The same, of a log that lacks these: [`LagOnce`](Capability::LagOnce) counts.
    ///
    /// ```
    /// # use model_tests::{Capability, Op, Ours, Player, Step, Tick};
    /// // Of a log that may tell of one loss after the other.
    /// let mut player = Player::open_lacking(&Ours(Tick::new), 4, None, &[Capability::LagOnce])?;
    /// player.step(&Op::Append(Step::Next))?;
    /// # Ok::<(), model_tests::PartedAt>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it does not open.
    pub fn open_lacking(
        subject: &'a S,
        capacity: usize,
        base: Option<u64>,
        lacks: &'static [Capability],
    ) -> Result<Self, PartedAt> {
        let budget = Budget {
            lacks,
            ..Budget::default()
        };
        let ops = Vec::new();
        let history = History {
            capacity,
            base,
            ops,
        };
        let run = Run::open(
            (subject, &budget),
            (Judge::Exact, u64::MAX),
            &history,
            false,
        )?;
        Ok(Self(run))
    }

    /// Does one operation to both, and compares what they say.
    ///
    /// ```
    /// use model_tests::{At, Op, Player, Step, zoo};
    ///
    /// // It looks at the oldest version alone, and misses that one before it was the same.
    /// let broken = zoo::NaiveSubject { bug: Some(zoo::Bug::OldestVersionOnly) };
    /// let mut player = Player::open(&broken, 1, None).unwrap();
    /// let ask = Op::ReplayTruncated(At::BeforeOldest(0));
    /// let ops = [Op::Append(Step::Next), Op::Append(Step::Repeat), ask];
    /// let parted = ops.iter().find_map(|op| player.step(op).err());
    /// assert!(parted.is_some());
    /// ```
    ///
    /// # Errors
    ///
    /// Where they part. The log has gone its own way then: nothing that follows means anything.
    pub fn step(&mut self, op: &Op) -> Result<(), PartedAt> {
        Ok(self.0.step(op)?)
    }

    /// How many events were appended.
    ///
    /// ```
    /// # use model_tests::{Op, Ours, Player, Tick};
    /// let subject = Ours(Tick::new);
    /// let mut player = Player::open(&subject, 4, None)?;
    /// player.step(&Op::Fill(0))?;
    /// assert_eq!(player.appended(), 4); // as many as the capacity
    /// # Ok::<(), model_tests::PartedAt>(())
    /// ```
    #[must_use]
    pub fn appended(&self) -> usize {
        self.0.appended()
    }
}

impl<S: Subject> fmt::Debug for Player<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let appended = &self.appended();
        f.debug_struct("Player")
            .field("appended", appended)
            .finish_non_exhaustive()
    }
}
