//! Two sound logs of the kind that people build from what there is, a deque beside a channel: what
//! the suite must not accuse. `cargo run -p versioned-eventlog-tests --example channel`.

#![allow(clippy::unwrap_used)]

#[path = "channel/keeps_replay.rs"]
mod keeps_replay;
#[path = "channel/lags.rs"]
mod lags;

use model_tests::{Budget, Capability, Subject, check_all};

fn main() {
    tell(&keeps_replay::KeepsReplay, keeps_replay::LACKS);
    tell(&lags::Lags, lags::LACKS);
}

fn tell<S: Subject + Clone>(subject: &S, lacks: &'static [Capability]) {
    println!("{}", std::any::type_name::<S>());
    let mut budget = Budget::default();
    budget.lacks = lacks;
    for outcome in check_all(subject, &budget) {
        println!("  {outcome}");
    }
}
