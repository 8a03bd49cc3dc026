//! Sound logs that make other choices than `eventlog` are accused of nothing.

#![allow(clippy::unwrap_used)]

mod adapters;
#[path = "../../examples/foreign/asynchronous.rs"]
mod asynchronous;
mod far;
#[path = "../../examples/channel/keeps_replay.rs"]
mod keeps_replay;
#[path = "../../examples/channel/lags.rs"]
mod lags;

mod chunks;
mod false_lag;
mod growing;
#[path = "../../examples/foreign/offsets.rs"]
mod offsets;
#[path = "../../examples/foreign/overflowing.rs"]
mod overflowing;
#[path = "../../examples/foreign/rotating.rs"]
mod rotating;
mod segments;
#[path = "../../examples/foreign/sqlite.rs"]
mod sqlite;
#[allow(dead_code, reason = "its `main` runs as an example")]
#[path = "../../examples/state_machine.rs"]
mod state_machine;
mod vague;
mod verdicts;

use std::{future::poll_fn, task::Poll, time::Duration};

use model_tests::{
    AnySubject, Awaited, Budget, Capability, PollFuture, Received, Subscription as _, Tick, check,
    laws,
};
use tokio::{runtime::Handle, sync::broadcast};

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
fn service(is_silent: bool) -> AnySubject<Tick> {
    let handle = Handle::current();
    let service = asynchronous::Service { is_silent };
    AnySubject::new(Awaited::in_runtime(service, move |future| {
        handle.block_on(future);
    }))
}

model_tests::conformance!(is_asynchronous => service(false), lacks: [
    Base, Probe, Replay, Truncation, Batch, AppendWith, Cursor, LagOnce, Live, Yields,
    CatchesWakers, Skip, Durable, Weight, Age, Numbers, Lease, Pages, Filter,
], patience: Duration::from_secs(30), wrap: in_tokio);

model_tests::conformance!(keeps_its_replay => AnySubject::new(keeps_replay::KeepsReplay), lacks: [
    Base, Probe, Replay, Truncation, Batch, AppendWith, Cursor, Wait, LagOnce, Live, Yields, Skip,
    Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);

model_tests::conformance!(lags_and_lags => AnySubject::new(lags::Lags), lacks: [
    Base, Probe, Replay, Truncation, Batch, AppendWith, Cursor, LagOnce, Live, Yields,
    CatchesWakers, Skip, Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);

model_tests::conformance!(lets_chunks_go => AnySubject::new(chunks::Chunks), lacks: [
    Probe, Batch, AppendWith, Live, CatchesWakers, Durable, Weight, Age, Lease,
]);

model_tests::conformance!(lets_segments_go => AnySubject::new(segments::Segments), lacks: [
    Probe, Replay, Batch, AppendWith, Cursor, Subscribe, Wait, LagOnce, Live, Yields, CatchesWakers,
    Skip, Close, Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);

model_tests::conformance!(counts_less => AnySubject::new(vague::Vague { counts: false }), lacks: [
    Probe, Batch, AppendWith, Subscribe, Wait, LagOnce, Live, Yields, CatchesWakers, Skip, Close, Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);

model_tests::conformance!(counts_more => AnySubject::new(vague::Vague { counts: true }), lacks: [
    Probe, Batch, AppendWith, Subscribe, Wait, LagOnce, Live, Yields, CatchesWakers, Skip, Close, Durable,
    Weight, Age, Numbers, Lease, Pages, Filter,
]);

model_tests::conformance!(
    has_offsets => AnySubject::new(offsets::Topics { resets_silently: false }), lacks: [
        Versions, Base, Probe, Batch, AppendWith, Cursor, Wait, LagOnce, Live, Yields,
        CatchesWakers, Skip, Close, Durable, Weight, Age, Numbers, Lease, Pages, Filter,
    ]
);

#[test]
fn topic_that_resets_silently_is_found() {
    use Capability::{Batch, Close, Cursor, LagOnce, Skip, Versions, Wait};
    let subject = AnySubject::new(offsets::Topics {
        resets_silently: true,
    });
    let mut budget = Budget::default();
    budget.lacks = &[Versions, Batch, Close, Cursor, LagOnce, Skip, Wait];
    let broken = check(&subject, &laws::S02, &budget).unwrap_err();
    assert_eq!(broken.law.id, "S02", "{broken}");
}

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

/// A reader that lets others go first was taken for one that has nothing: S01 was called broken.
#[test]
fn a_reader_that_lets_others_go_first_has_what_it_has() {
    let sender = broadcast::Sender::new(4);
    let mut reader = PollFuture::new(sender.subscribe(), async |mut receiver| {
        let mut has_yielded = false;
        poll_fn(|context| {
            if std::mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        let event: Tick = receiver.recv().await.unwrap();
        (receiver, Received::Event(event))
    });
    sender.send(Tick::new(1, 0)).unwrap();
    assert_eq!(reader.try_recv(), Received::Event(Tick::new(1, 0)));
    assert_eq!(reader.try_recv(), Received::Empty);
}
