//! What a reader that follows the log must get.

use super::declare::laws;
use crate::{
    histories::{
        play::run::Judge,
        search::{Plan, search},
        strategies::{
            EDGES,
            Kind::{self, Append, AppendBatch, Close, Cursor, Live, Resume, Skip, Subscribe},
        },
    },
    scenes::{filters, race, stored, turns, waiting, waking},
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
            of the history: no gap, no duplicate, in order, for every interleaving with appends. A \
            subscription since a version may begin at the first event above it, or leave out of its \
            replay every event that is not above it. What is appended after it subscribed is \
            delivered, whatever its version. What is lost to eviction is law S02.",
        why: "Everyone who has a ring and a channel writes \"subscribe, replay, drop duplicates\" by \
            hand, and the event that comes between two of these steps is lost or comes twice.",
        bug: "Kubernetes #49956 (PR #49992): a watch that started on an empty buffer missed an event.",
        needs: [Subscribe],
        assumes: [D01, R03, R10, S03, S04],
        visits: [Delivered, CaughtUp, Repeat, Fall, Gap, Raced],
        judge: |trial| replay_then_live(trial),
        test: s01_replay_then_live_without_a_seam,
    }
    S02 "lag is told once and exactly" {
        statement: "A reader that an eviction overtakes is told how many events it lost, exactly: \
            each lost event is counted once, only what is evicted is lost, and what comes next is \
            the event after the last lost one. A reader of a log that lacks `LagOnce` may keep \
            events and deliver them although they are evicted, and may be told of one loss after the \
            other. One of a log that has it delivers nothing that was evicted before it came to it, \
            whatever it keeps: it is told at once of all that is lost, and then gets the oldest event \
            that was retained at that moment, and that one also if it is evicted by then. A reader that has lost nothing it would have been given is told of no loss.",
        why: "A loss that is not told is a wrong state. One that is told twice, or wrongly, makes a \
            reader that counts wrong too.",
        bug: "tokio #2425: lag was reported where none was. etcd #17529: a watch jumped from 2725 to \
            184694 without an error.",
        needs: [Subscribe],
        assumes: [D01, R03, R10, S01],
        visits: [Overtaken, Delivered, CaughtUp],
        judge: |trial| search(trial, &Plan {
            judge: Judge::Lag,
            ..reading(&[Append, AppendBatch, Subscribe, Skip], SMALL)
        }),
        test: s02_lag_is_told_once_and_exactly,
    }
    S03 "no reader waits in vain" {
        statement: "Every append, batch and close wakes every reader that waits, asynchronous or \
            blocking; of a reader that was polled more than once, the waker of the last poll. And a \
            reader that is polled and whoever appends meanwhile never stop each other for good. (A \
            log may wake more often than it must, and from another thread. Where the order of two \
            threads is not fixed by code that the log runs, it is tried many times over: that is \
            no proof. For `eventlog` all orders are tried, in `tests/shuttle.rs`.)",
        why: "A lost wake-up is a reader that hangs until the next event, or for ever.",
        bug: "sequenced-broadcast 0.3.0: `recv` looked whether the log was closed before it \
            registered, and hung when the close came between.",
        needs: [Subscribe, Wait],
        visits: [Woken, WakerChanged, Met],
        judge: |trial| trial.scene(waking::wakes_everyone),
        test: s03_no_reader_waits_in_vain,
    }
    S04 "no reader delays an append" {
        statement: "A reader that stalls, waits, panics in its waker, appends from its waker, or is \
            dropped while it waits delays no append and harms no other reader. The panic stays in the \
            waker; in a log that lacks `CatchesWakers` it may come out of the append, which is done \
            all the same. (A `poll_recv` that wakes the waker that it was given, to let others go \
            first, may let that waker's panic out to whoever polls, in any log.)",
        why: "The log is fed by what the process lives by. A slow window must not stop it.",
        bug: "iroh-docs #81: a blocking fan-out deadlocked the producer. tokio #5578: a waker that \
            came back into the channel.",
        needs: [Subscribe],
        assumes: [R11, S03],
        visits: [Delivered, Overtaken],
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
        assumes: [S01, S02],
        visits: [Resumed, Delivered, Repeat, Fall],
        judge: |trial| search(trial, &reading(&[Append, Subscribe, Cursor, Resume], EDGES)),
        test: s05_cut_and_resumed_the_same,
    }
    S06 "closed after the last event" {
        statement: "After `close` a reader still gets every event that was appended before it, then \
            `Closed`, and nothing that was appended after. What was evicted may be told as lost. \
            (Who subscribes or resumes after the close is given these events as well, from where it \
            asked for, so that `Closed` tells everyone that nothing is missing. It may also be given \
            what was appended between the close and then.)",
        why: "The last events before an end are those that explain it.",
        bug: "tokio #2533: a receiver that had lagged past the end panicked when it was dropped.",
        needs: [Subscribe, Close],
        assumes: [S01, S02],
        visits: [Closed, Delivered],
        judge: |trial| search(trial, &reading(&[Append, Subscribe, Close], SMALL)),
        test: s06_closed_after_the_last_event,
    }
    S07 "only what is stored" {
        statement: "A subscription of a writer never delivers what a crash can take back. (Judged \
            here by what a killed process leaves at the moment of each delivery. What a power cut \
            takes is not seen here; for `eventlog` a destination that is stepped by hand shows it, \
            in `eventlog/tests/writer/stored.rs`.)",
        why: "A follower on another machine that is ahead of a log which crashed has a history of \
            its own, and no cursor leads back.",
        bug: "etcd #14370: a member acknowledged and served what it had not yet written, and after a \
            kill it was gone.",
        needs: [Durable, Stored],
        visits: [Stored],
        judge: |trial| trial.scene(stored::never_before),
        test: s07_only_what_is_stored,
    }
    S08 "live once it has caught up" {
        statement: "`is_live` turns true once everything up to the newest event of the moment of \
            subscribing was delivered or told as lost, not before, and is never false again. \
            (After a loss it may wait for the event after it.)",
        why: "A user interface shows a spinner until its replay is over. A flag that comes too early \
            shows half a state as whole; one that goes back shows the spinner for ever.",
        bug: "Kubernetes KEP-3157 had to add a bookmark for it: clients of a watch could not tell \
            where its initial events end.",
        needs: [Subscribe, Live],
        assumes: [S01, S02],
        visits: [Live, Delivered, Overtaken],
        judge: |trial| search(trial, &Plan {
            judge: Judge::Live,
            ..reading(&[Append, AppendBatch, Subscribe, Live, Skip], SMALL)
        }),
        test: s08_live_once_it_has_caught_up,
    }
    S09 "a backlog leaves room" {
        statement: "A reader with a backlog that is polled leaves its thread to others at least \
            every 128 deliveries: it is pending, and woken at once. `try_recv` still has the next \
            event. A reader may be pending with events there at any time, if it is woken each time, \
            and no more than 8 times before the next delivery. (A log that leaves this to its runtime \
            lacks `Yields`; it may be pending so as well, and is held to no number.)",
        why: "A task that is always ready keeps its thread, and the timeouts, cancellations and other \
            clients on it wait until the backlog ends.",
        bug: "tokio introduced its cooperative budget (PR #2160) because a socket with much to read \
            starved every other task.",
        needs: [Subscribe, Wait, Yields],
        assumes: [S01, S03],
        visits: [Yielded],
        judge: |trial| trial.scene(turns::left_to_others),
        test: s09_a_backlog_leaves_room,
    }
    S10 "what is passed over is seen" {
        statement: "A reader with a filter is given exactly the events that it keeps of those that a \
            reader without one would be given. Its cursor, and whether it is live, are those of a \
            reader that was given all; what was lost is counted of all events.",
        why: "A cursor that stays at the last event that was wanted goes through all others again at \
            each reconnect, and is evicted while nothing that is wanted happens.",
        bug: "Kubernetes KEP-956: watches of rare objects came back with old places and had to list \
            again, until bookmarks moved them on.",
        needs: [Subscribe, Filter],
        assumes: [D01, R03, R09, S01, S02, S05, S08],
        visits: [Delivered, CaughtUp],
        judge: |trial| trial.scene(filters::passed_over),
        test: s10_what_is_passed_over_is_seen,
    }
}

/// The seam under appends from another thread, then histories of all kinds of versions.
fn replay_then_live<S: Subject>(trial: &Trial<'_, S>) -> Verdict {
    let mut report = trial.scene(race::no_seam)?;
    let plan = Plan {
        judge: Judge::Seam,
        ..reading(&[Append, AppendBatch, Subscribe], LARGE)
    };
    report.add(&search(trial, &plan)?);
    Ok(report)
}
