//! What costs with the threads that append at once, from 1 to 16.

use tokio::sync::broadcast;

use crate::{
    series::{Cost, Effort, Expected, Group},
    support::{
        appends::on_threads,
        event::Event,
        sides::{BATCH, CAPACITY, batch, full},
    },
};

const PRODUCERS: [usize; 5] = [1, 2, 4, 8, 16];

/// By the clock on the wall, from the first that begins to the last that ends. One alone meets
/// nobody at the lock, so it is another case.
pub fn all(effort: &Effort) -> Group {
    let log = full::<Event>(CAPACITY);
    let (sender, _receiver) = broadcast::channel::<Event>(CAPACITY);
    for event in batch(0, BATCH) {
        let _ = sender.send(event);
    }
    let mut ours = Cost::new(
        "append",
        "an event of so many threads at once, by the wall's clock",
        Expected::FlatFrom(2),
    );
    let mut theirs = Cost::new("  broadcast", "`send`", Expected::Compared);
    for count in effort.sizes(&PRODUCERS) {
        let (log, sender) = (&log, &sender);
        ours = ours.at(*count, move || {
            on_threads(*count, |event| {
                log.append(event);
            })
        });
        theirs = theirs.at(*count, move || {
            on_threads(*count, |event| {
                let _ = sender.send(event);
            })
        });
    }
    Group::measure("producers", effort, vec![ours, theirs])
}
