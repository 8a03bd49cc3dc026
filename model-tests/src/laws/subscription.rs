//! What a reader that follows the log must get.

use super::declare::laws;
use crate::{
    histories::{
        search::{Plan, search},
        strategies::{
            EDGES,
            Kind::{self, Append, AppendBatch, Close, Cursor, Resume, Skip, Subscribe},
        },
    },
    scenes::{race, waiting},
    subject::adapter::Subject,
    trial::{Trial, Verdict},
};

/// Small enough to lag at once.
const SMALL: &[usize] = &[1, 2, 3, 4, 8];
/// So large that hardly a reader lags: a lag is another law's matter.
const LARGE: &[usize] = &[64, 256, 512];

/// Where a reader starts and what it gets does not depend on the base version.
const fn reading(kinds: &'static [Kind], capacities: &'static [usize]) -> Plan {
    Plan {
        capacities,
        set_base: false,
        ..Plan::of(kinds)
    }
}

laws! {
    $ Subscription __subscription_laws;

    S01 "replay then live, without a seam" {
        statement: "What a subscription delivers, from its replay into the live stream, is a suffix \
            of the history: no gap, no duplicate, in order, for every interleaving with appends.",
        why: "Everyone who has a ring and a channel writes \"subscribe, replay, drop duplicates\" by \
            hand, and the event that comes between two of these steps is lost or comes twice.",
        bug: "Kubernetes #49956 (PR #49992): a watch that started on an empty buffer missed an event.",
        needs: [Subscribe],
        visits: [Delivered, CaughtUp, Repeat, Fall, Gap, Raced],
        judge: |trial| replay_then_live(trial),
        test: s01_replay_then_live_without_a_seam,
    }
    S02 "lag is told once and exactly" {
        statement: "A reader that falls behind is told once how many events it lost, exactly, and \
            goes on from the event that was the oldest retained at that moment.",
        why: "A loss that is not told is a wrong state. One that is told twice, or wrongly, makes a \
            reader that counts wrong too.",
        bug: "tokio #2425: lag was reported where none was. etcd #17529: a watch jumped from 2725 to \
            184694 without an error.",
        needs: [Subscribe],
        visits: [Lagged, Delivered, CaughtUp],
        judge: |trial| search(trial, &reading(&[Append, AppendBatch, Subscribe, Skip], SMALL)),
        test: s02_lag_is_told_once_and_exactly,
    }
    S03 "no reader waits in vain" {
        statement: "Every append, batch and close wakes every reader that waits, asynchronous or \
            blocking.",
        why: "A lost wake-up is a reader that hangs until the next event, or for ever.",
        bug: "sequenced-broadcast 0.3.0: `recv` looked whether the log was closed before it \
            registered, and hung when the close came between.",
        needs: [Subscribe, Wait],
        visits: [Woken],
        judge: |trial| trial.scene(waiting::wakes_everyone),
        test: s03_no_reader_waits_in_vain,
    }
    S04 "no reader delays an append" {
        statement: "A reader that stalls, panics in its waker, appends from its waker, or is dropped \
            while it waits delays no append and harms no other reader.",
        why: "The log is fed by what the process lives by. A slow window must not stop it.",
        bug: "iroh-docs #81: a blocking fan-out deadlocked the producer. tokio #5578: a waker that \
            came back into the channel.",
        needs: [Subscribe],
        visits: [Delivered, Lagged],
        judge: |trial| trial.scene(waiting::never_delays),
        test: s04_no_reader_delays_an_append,
    }
    S05 "cut and resumed, the same" {
        statement: "A subscription that is cut anywhere and resumed by its cursor delivers, over \
            both parts, what one without the cut would have delivered.",
        why: "Connections break. What was in flight must neither be lost nor come twice.",
        bug: "nats.go #2107: a cursor moved on before its event was accepted. commanded/eventstore \
            PR #327: a subscription skipped some forty million events.",
        needs: [Subscribe, Cursor],
        visits: [Resumed, Delivered, Repeat, Fall],
        judge: |trial| search(trial, &reading(&[Append, Subscribe, Cursor, Resume], EDGES)),
        test: s05_cut_and_resumed_the_same,
    }
    S06 "closed after the last event" {
        statement: "After `close` a reader still gets every event that was appended before it, then \
            `Closed`, and nothing that was appended after.",
        why: "The last events before an end are those that explain it.",
        bug: "tokio #2533: a receiver that had lagged past the end panicked when it was dropped.",
        needs: [Subscribe, Close],
        visits: [Closed, Delivered],
        judge: |trial| search(trial, &reading(&[Append, Subscribe, Close], SMALL)),
        test: s06_closed_after_the_last_event,
    }
}

/// The seam under appends from another thread, then histories of all kinds of versions.
fn replay_then_live<S: Subject>(trial: &Trial<'_, S>) -> Verdict {
    let mut report = trial.scene(race::no_seam)?;
    report.add(&search(
        trial,
        &reading(&[Append, AppendBatch, Subscribe], LARGE),
    )?);
    Ok(report)
}
