//! Sound logs that make other choices than `eventlog` are accused of nothing.

#![allow(clippy::unwrap_used)]

#[path = "../../examples/channel/keeps_replay.rs"]
mod keeps_replay;
#[path = "../../examples/channel/lags.rs"]
mod lags;

mod segments;
mod vague;

model_tests::conformance!(keeps_its_replay => crate::keeps_replay::KeepsReplay, lacks: [
    Base, Probe, Replay, Truncation, Batch, AppendWith, Cursor, Wait, LagOnce, Live, Yields, Skip,
    Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);

model_tests::conformance!(lags_and_lags => crate::lags::Lags, lacks: [
    Base, Probe, Replay, Truncation, Batch, AppendWith, Cursor, LagOnce, Live, Yields,
    CatchesWakers, Skip, Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);

model_tests::conformance!(lets_segments_go => crate::segments::Segments, lacks: [
    Probe, Replay, Batch, AppendWith, Cursor, Subscribe, Wait, LagOnce, Live, Yields, CatchesWakers,
    Skip, Close, Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);

model_tests::conformance!(counts_less => crate::vague::Vague { counts: false }, lacks: [
    Probe, Batch, AppendWith, Subscribe, Wait, LagOnce, Live, Yields, CatchesWakers, Skip, Close, Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);

model_tests::conformance!(counts_more => crate::vague::Vague { counts: true }, lacks: [
    Probe, Batch, AppendWith, Subscribe, Wait, LagOnce, Live, Yields, CatchesWakers, Skip, Close, Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);
