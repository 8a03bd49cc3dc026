//! Two sound logs of the kind that people build from what there is, a deque beside a channel: what
//! the suite must not accuse. `cargo run -p versioned-eventlog-tests --example channel`.

#![allow(clippy::unwrap_used)]

#[path = "channel/keeps_replay.rs"]
mod keeps_replay;
#[path = "channel/lags.rs"]
mod lags;

use model_tests::{
    Budget,
    Capability::{
        Age, AppendWith, Base, Batch, CatchesWakers, Cursor, Durable, Filter, LagOnce, Lease, Live,
        Numbers, Pages, Probe, Replay, Skip, Truncation, Wait, Weight, Yields,
    },
    Subject, check_all,
};

fn main() {
    let mut budget = Budget::default();
    budget.lacks = &[
        Base, Probe, Replay, Truncation, Batch, AppendWith, Cursor, Wait, LagOnce, Live, Yields,
        Skip, Durable, Weight, Age, Numbers, Lease, Pages, Filter,
    ];
    tell(&keeps_replay::KeepsReplay, &budget);
    budget.lacks = &[
        Base,
        Probe,
        Replay,
        Truncation,
        Batch,
        AppendWith,
        Cursor,
        LagOnce,
        Live,
        Yields,
        Skip,
        CatchesWakers,
        Durable,
        Weight,
        Age,
        Numbers,
        Lease,
        Pages,
        Filter,
    ];
    tell(&lags::Lags, &budget);
}

fn tell<S: Subject + Clone>(subject: &S, budget: &Budget) {
    println!("{}", std::any::type_name::<S>());
    for outcome in check_all(subject, budget) {
        println!("  {outcome}");
    }
}
