//! Which operations a law's histories are made of, all small ones and random ones.

use proptest::{prelude::*, strategy::Union};

use crate::{
    histories::ops::{At, History, Op, Step},
    subject::capability::Capability,
};

/// Which kinds of versions a history has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Steps {
    /// Gaps, repeats, falls, 0, MAX.
    Any,
    /// Each one above the last.
    Dense,
    /// Any, but all above 0, so that a replay since 0 has all.
    Positive,
    /// Any, close to `u64::MAX`.
    NearMax,
}

impl Steps {
    /// The alphabet of the exhaustive engine.
    pub(crate) fn small(self) -> Vec<Step> {
        match self {
            Self::Any => vec![Step::Next, Step::Skip(1), Step::Repeat, Step::Fall(2)],
            Self::Dense => vec![Step::Next],
            Self::Positive => vec![Step::Next, Step::Skip(1), Step::Repeat],
            Self::NearMax => vec![Step::NearMax(1), Step::NearMax(0), Step::Zero],
        }
    }

    pub(super) fn strategy(self) -> BoxedStrategy<Step> {
        let any = prop_oneof![
            4 => Just(Step::Next),
            2 => (0..9_u8).prop_map(Step::Skip),
            2 => Just(Step::Repeat),
            2 => (1..9_u8).prop_map(Step::Fall),
        ];
        match self {
            Self::Any => prop_oneof![
                20 => any,
                1 => Just(Step::Zero),
                1 => (0..3_u8).prop_map(Step::NearMax),
            ]
            .boxed(),
            Self::Dense => Just(Step::Next).boxed(),
            Self::Positive => prop_oneof![
                2 => Just(Step::Next),
                1 => (0..9_u8).prop_map(Step::Skip),
                1 => Just(Step::Repeat),
            ]
            .boxed(),
            Self::NearMax => prop_oneof![
                4 => (0..4_u8).prop_map(Step::NearMax),
                1 => Just(Step::Next),
                1 => Just(Step::Repeat),
                1 => Just(Step::Zero),
            ]
            .boxed(),
        }
    }
}

/// A kind of operation; a law says which kinds its histories have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Append,
    AppendBatch,
    AppendWith,
    /// `events_since(0)`, on versions above 0.
    Retained,
    EventsSince,
    ReplayTruncated,
    Replay,
    Cursor,
    ReplayAfter,
    Subscribe,
    Resume,
    Live,
    Skip,
    Close,
}

impl Kind {
    /// All that a law may look at together.
    pub(super) const ALL: [Self; 13] = [
        Self::Append,
        Self::AppendBatch,
        Self::AppendWith,
        Self::EventsSince,
        Self::ReplayTruncated,
        Self::Replay,
        Self::Cursor,
        Self::ReplayAfter,
        Self::Subscribe,
        Self::Resume,
        Self::Live,
        Self::Skip,
        Self::Close,
    ];

    /// What a log must have for this kind.
    pub(crate) fn needs(self) -> &'static [Capability] {
        match self {
            Self::Append | Self::Retained | Self::EventsSince => &[],
            Self::ReplayTruncated => &[Capability::Truncation],
            Self::AppendBatch => &[Capability::Batch],
            Self::AppendWith => &[Capability::AppendWith],
            Self::Replay => &[Capability::Replay],
            Self::Cursor | Self::ReplayAfter => &[Capability::Cursor],
            Self::Subscribe => &[Capability::Subscribe],
            Self::Resume => &[Capability::Cursor, Capability::Subscribe],
            Self::Live => &[Capability::Live],
            Self::Skip => &[Capability::Skip],
            Self::Close => &[Capability::Close],
        }
    }

    /// The operations of this kind that the exhaustive engine puts into histories.
    pub(crate) fn small(self, steps: Steps) -> Vec<Op> {
        match self {
            Self::Append => steps.small().into_iter().map(Op::Append).collect(),
            Self::AppendBatch => {
                let (first, last) = (steps.small().first().copied(), steps.small().pop());
                vec![Op::AppendBatch(first.into_iter().chain(last).collect())]
            }
            Self::AppendWith => vec![Op::AppendWith(Step::Next)],
            Self::Cursor => vec![Op::SaveCursor],
            Self::Subscribe => vec![
                Op::Subscribe(At::Zero),
                Op::Subscribe(At::Newest),
                Op::Recv(0),
            ],
            Self::Resume => vec![Op::SaveReaderCursor(0), Op::Resume(0)],
            Self::Live => vec![Op::IsLive(0)],
            Self::Skip => vec![Op::SkipToNewest(0)],
            Self::Close => vec![Op::Close],
            Self::Retained
            | Self::EventsSince
            | Self::ReplayTruncated
            | Self::Replay
            | Self::ReplayAfter => vec![],
        }
    }

    /// The questions of this kind that the exhaustive engine asks at the end.
    pub(crate) fn questions(self) -> Vec<Op> {
        match self {
            Self::Retained => vec![Op::EventsSince(At::Zero)],
            Self::EventsSince => At::ALL.map(Op::EventsSince).to_vec(),
            Self::ReplayTruncated => At::ALL.map(Op::ReplayTruncated).to_vec(),
            Self::Replay => At::ALL.map(Op::Replay).to_vec(),
            Self::ReplayAfter => (0..4).map(Op::ReplayAfter).collect(),
            Self::Subscribe => vec![Op::Drain],
            Self::Live => vec![Op::IsLive(0)],
            _ => vec![],
        }
    }

    fn strategy(self, steps: Steps) -> BoxedStrategy<Op> {
        let step = steps.strategy();
        let pick = 0..8_u8;
        match self {
            Self::Append => prop_oneof![
                12 => step.prop_map(Op::Append),
                1 => (-2..3_i8).prop_map(Op::Fill),
            ]
            .boxed(),
            Self::AppendBatch => prop::collection::vec(step, 0..5)
                .prop_map(Op::AppendBatch)
                .boxed(),
            Self::AppendWith => step.prop_map(Op::AppendWith).boxed(),
            Self::Retained => Just(Op::EventsSince(At::Zero)).boxed(),
            Self::EventsSince => at().prop_map(Op::EventsSince).boxed(),
            Self::ReplayTruncated => at().prop_map(Op::ReplayTruncated).boxed(),
            Self::Replay => at().prop_map(Op::Replay).boxed(),
            Self::Cursor => Just(Op::SaveCursor).boxed(),
            Self::ReplayAfter => pick.prop_map(Op::ReplayAfter).boxed(),
            Self::Subscribe => prop_oneof![
                2 => at().prop_map(Op::Subscribe),
                8 => pick.clone().prop_map(Op::Recv),
                1 => pick.prop_map(Op::Unsubscribe),
                1 => Just(Op::Drain),
            ]
            .boxed(),
            Self::Resume => prop_oneof![
                pick.clone().prop_map(Op::SaveReaderCursor),
                pick.prop_map(Op::Resume),
            ]
            .boxed(),
            Self::Live => pick.prop_map(Op::IsLive).boxed(),
            Self::Skip => pick.prop_map(Op::SkipToNewest).boxed(),
            Self::Close => Just(Op::Close).boxed(),
        }
    }

    /// How many operations of this kind there are beside the others.
    fn weight(self) -> u32 {
        match self {
            Self::Append => 12,
            Self::AppendBatch | Self::Resume => 3,
            Self::Subscribe => 14,
            Self::AppendWith | Self::Cursor | Self::Skip => 2,
            Self::Retained
            | Self::EventsSince
            | Self::ReplayTruncated
            | Self::Replay
            | Self::Live
            | Self::ReplayAfter => 8,
            Self::Close => 1,
        }
    }
}

/// Operations of these kinds.
pub(super) fn operations(kinds: &[Kind], steps: Steps) -> Union<BoxedStrategy<Op>> {
    let ops = kinds
        .iter()
        .map(|kind| (kind.weight(), kind.strategy(steps)));
    Union::new_weighted(ops.collect())
}

pub(super) fn at() -> impl Strategy<Value = At> {
    prop_oneof![
        1 => Just(At::Zero),
        4 => (0..3_u8).prop_map(At::BeforeOldest),
        3 => Just(At::Oldest),
        4 => any::<u8>().prop_map(At::Seen),
        3 => Just(At::Newest),
        3 => (0..3_u8).prop_map(At::Future),
        1 => Just(At::Max),
    ]
}

/// Capacities at their edges: small ones, around powers of two, and around the segment of 256. What
/// goes wrong at 1 only is law R10.
pub(crate) const EDGES: &[usize] = &[2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 513];

/// Histories of these kinds, which shrink to the shortest that fails.
pub(crate) fn histories(
    kinds: &[Kind],
    steps: Steps,
    capacities: &'static [usize],
    set_base: bool,
) -> impl Strategy<Value = History> + use<> {
    let op = operations(kinds, steps);
    // Most logs are small: there an edge is only a few operations away.
    let small = &capacities[..capacities.len().min(8)];
    let capacity =
        prop_oneof![6 => prop::sample::select(small), 1 => prop::sample::select(capacities)];
    let base = prop_oneof![3 => Just(None), 1 => Just(Some(0)), 1 => (1..20_u64).prop_map(Some)];
    let ops = prop::collection::vec(op, 0..60);
    (capacity, base, ops).prop_map(move |(capacity, base, ops)| History {
        capacity,
        base: base.filter(|_| set_base),
        ops,
    })
}
