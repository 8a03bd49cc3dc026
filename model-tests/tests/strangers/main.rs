//! Sound logs that make other choices than `eventlog` are accused of nothing.

#![allow(clippy::unwrap_used)]

#[path = "../../examples/foreign/asynchronous.rs"]
mod asynchronous;
#[path = "../../examples/channel/keeps_replay.rs"]
mod keeps_replay;
#[path = "../../examples/channel/lags.rs"]
mod lags;

mod segments;
mod vague;

use std::time::Duration;

use model_tests::{AnySubject, Awaited, Budget, Capability, check, laws};
use tokio::runtime::Handle;

/// Each test has a runtime of its own around it.
macro_rules! in_tokio {
    ($(#[$attribute:meta])* fn $test:ident() $body:block) => {
        $(#[$attribute])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
        async fn $test() {
            tokio::task::spawn_blocking(move || $body).await.unwrap();
        }
    };
}

/// In the runtime of the test.
fn service(is_silent: bool) -> AnySubject<model_tests::Tick> {
    let handle = Handle::current();
    let service = asynchronous::Service { is_silent };
    AnySubject::new(Awaited::in_runtime(service, move |future| {
        handle.block_on(future);
    }))
}

model_tests::conformance!(is_asynchronous => service(false), lacks: [
    Base, Probe, Replay, Truncation, Batch, AppendWith, Cursor, LagOnce, Live, Yields,
    CatchesWakers, Skip, Durable,
], wrap: in_tokio);

model_tests::conformance!(keeps_its_replay => AnySubject::new(crate::keeps_replay::KeepsReplay), lacks: [
    Base, Probe, Replay, Truncation, Batch, AppendWith, Cursor, Wait, LagOnce, Live, Yields, Skip,
    Durable,
]);

model_tests::conformance!(lags_and_lags => AnySubject::new(crate::lags::Lags), lacks: [
    Base, Probe, Replay, Truncation, Batch, AppendWith, Cursor, LagOnce, Live, Yields,
    CatchesWakers, Skip, Durable,
]);

model_tests::conformance!(lets_segments_go => AnySubject::new(crate::segments::Segments), lacks: [
    Probe, Replay, Batch, AppendWith, Cursor, Subscribe, Wait, LagOnce, Live, Yields, CatchesWakers,
    Skip, Close, Durable,
]);

model_tests::conformance!(counts_less => AnySubject::new(crate::vague::Vague { counts: false }), lacks: [
    Probe, Batch, AppendWith, Subscribe, Wait, LagOnce, Live, Yields, CatchesWakers, Skip, Close, Durable,
]);

model_tests::conformance!(counts_more => AnySubject::new(crate::vague::Vague { counts: true }), lacks: [
    Probe, Batch, AppendWith, Subscribe, Wait, LagOnce, Live, Yields, CatchesWakers, Skip, Close, Durable,
]);

/// A log that is asynchronous is held to the same: this one lets no reader know of an append.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn asynchronous_log_that_wakes_nobody_is_found() {
    let subject = service(true);
    let judged = tokio::task::spawn_blocking(move || {
        let mut budget = Budget::default();
        budget.lacks = &[Capability::Batch, Capability::Probe];
        budget.patience = Duration::from_millis(500);
        check(&subject, &laws::S03, &budget)
    });
    let broken = judged.await.unwrap().unwrap_err();
    assert_eq!(broken.law.id, "S03", "{broken}");
}
