//! Subscribers that are tasks and wait, beside receivers of `tokio::sync::broadcast`.

use crate::support::{
    measure::{Pair, compare},
    waiting::Side,
};

/// One event at a time, until every subscriber has read it and waits again.
pub fn one_at_a_time(subscribers: usize, rounds: usize) -> Pair {
    both(rounds, subscribers, 32, 1)
}

/// As many events at a time as a busy program publishes between two looks.
pub fn bursts(subscribers: usize, rounds: usize) -> Pair {
    both(rounds, subscribers, 4, 64)
}

/// The append alone, which wakes all of them.
pub fn waking(subscribers: usize, rounds: usize) -> Pair {
    let (ours, theirs) = (Side::ours(subscribers), Side::theirs(subscribers));
    compare(rounds, || theirs.wake_all(), || ours.wake_all())
}

fn both(rounds: usize, subscribers: usize, times: usize, burst: usize) -> Pair {
    let (ours, theirs) = (Side::ours(subscribers), Side::theirs(subscribers));
    compare(
        rounds,
        || theirs.publish(times, burst),
        || ours.publish(times, burst),
    )
}
