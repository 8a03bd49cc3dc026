//! Strategies for tests of one's own.

use proptest::prelude::*;

use super::{
    ops::{At, History, Op, Step},
    strategies::{EDGES, Kind, Steps, at, histories as of, operations},
};
use crate::subject::capability::Capability;

/// Histories of all operations of a log that lacks these, at the capacities at which logs go wrong.
/// They shrink to the shortest that fails.
///
/// ```
/// use model_tests::{Capability::*, Ours, Player, Tick, histories};
/// use proptest::prelude::*;
///
/// let subject = Ours(Tick::new);
/// proptest!(|(history in histories(&[Durable]))| {
///     let mut player = Player::open(&subject, history.capacity, history.base).unwrap();
///     for op in &history.ops {
///         player.step(op).map_err(|parted| TestCaseError::fail(parted.to_string()))?;
///     }
/// });
/// ```
pub fn histories(lacks: &[Capability]) -> impl Strategy<Value = History> + use<> {
    let (kinds, steps) = (kinds(lacks), steps(lacks));
    of(&kinds, steps, EDGES, !lacks.contains(&Capability::Base))
}

fn kinds(lacks: &[Capability]) -> Vec<Kind> {
    let has = |kind: &Kind| !kind.needs().iter().any(|need| lacks.contains(need));
    Kind::ALL.into_iter().filter(has).collect()
}

fn steps(lacks: &[Capability]) -> Steps {
    if lacks.contains(&Capability::Versions) {
        Steps::Dense
    } else {
        Steps::Any
    }
}

/// Any operation; its parameters are what the log lacks.
impl Arbitrary for Op {
    type Parameters = Vec<Capability>;
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with(lacks: Self::Parameters) -> Self::Strategy {
        operations(&kinds(&lacks), steps(&lacks)).boxed()
    }
}

impl Arbitrary for Step {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        Steps::Any.strategy()
    }
}

impl Arbitrary for At {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        at().boxed()
    }
}

/// As [`histories`], of a log that lacks nothing of what operations need.
impl Arbitrary for History {
    type Parameters = Vec<Capability>;
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with(lacks: Self::Parameters) -> Self::Strategy {
        histories(&lacks).boxed()
    }
}
