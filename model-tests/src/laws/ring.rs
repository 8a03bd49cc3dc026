//! What a bounded log in memory must answer.

use super::{intrusion, laws, memory, race};
use crate::{
    Case, Class, Log, Model, Report, Subject, Violation,
    check::{Parted, Trial},
    engine::{Plan, search},
    histories::{Kind, Steps},
    run::{Judge, guarded},
};

laws! {
    R01 "insertion order" {
        statement: "A replay gives events in the order in which they were appended, whatever their \
            versions are.",
        why: "A subscriber applies events one after the other. In another order it ends in another \
            state, and nothing tells it so.",
        bug: "Kubernetes PR #73845: buffered events were sent twice and a watcher went back in time.",
        needs: [],
        visits: [Wrapped, Fall, Repeat],
    }
    R02 "events since" {
        statement: "`events_since(s)` is exactly the retained events with a version above `s`, for \
            every `s` and every sequence of versions: with gaps, repeats, falls, 0 and `u64::MAX`.",
        why: "One event too few is a silent loss, one too many is applied twice.",
        bug: "nats.rs #585: a consumer took the numbers of a stream for dense and saw gaps where \
            numbers were only skipped.",
        needs: [],
        visits: [
            Empty, Partial, Full, Wrapped, Gap, Repeat, Fall, VersionZero, VersionMax, SinceZero,
            SinceBeforeOldest, SinceOldest, SinceInside, SinceNewest, SinceFuture, SinceMax,
        ],
    }
    R03 "retains exactly the newest" {
        statement: "After n appends a log of capacity c retains the newest min(n, c) events, neither \
            more nor fewer.",
        why: "The capacity is what its user has reckoned with: one less loses an event that should \
            be there, one more breaks the bound on memory.",
        bug: "etcd #19179: an event was missing exactly at the edge of what was kept.",
        needs: [],
        visits: [Partial, Full, Wrapped, CapacityOne],
    }
    R04 "truncation is exact" {
        statement: "`replay_truncated(s)` is true if and only if an evicted event has a version \
            above `s`, or `s` is below the base version: the one that was set, or else the first \
            event's version − 1. On a log without a set base that never had an event it is false.",
        why: "A false `false` is a silent loss. A false `true` makes a subscriber throw a good state \
            away and fetch everything again.",
        bug: "cadis #413 and open-design #5411: a subscriber behind an evicted event got the tail \
            as if it were all. Kubernetes #49956: an empty buffer took its head as delivered.",
        needs: [],
        visits: [
            Empty, Partial, Full, Wrapped, Gap, Repeat, Fall, VersionZero, VersionMax, SinceZero,
            SinceBeforeOldest, SinceOldest, SinceInside, SinceNewest, SinceFuture, SinceMax,
            Complete, Truncated,
        ],
    }
    R05 "dense versions need no care" {
        statement: "Where every version is one above the last, `replay_truncated(s)` is \
            `oldest retained version > s.saturating_add(1)`.",
        why: "This is the rule that people carry in their heads. Exactness must not cost it.",
        bug: "openeverest #2591: a subscriber right before the oldest retained event was told that \
            it had missed some.",
        needs: [],
        visits: [Partial, Full, Wrapped, SinceBeforeOldest, SinceOldest, Complete, Truncated],
    }
    R06 "one replay is one instant" {
        statement: "The events, the coverage and the newest version of one `replay` are those of \
            one instant, whatever other threads do meanwhile.",
        why: "Two locks, one for the events and one for the answer whether they are all, let an \
            append in between, and then the answer is about other events.",
        bug: "akka-persistence-cassandra #166: offsets were given before their events could be seen, \
            and readers passed them by. The baseline locks twice.",
        needs: [Replay],
        visits: [Raced, Complete, Truncated],
    }
    R07 "nothing wraps at the top" {
        statement: "No operation panics or wraps at `u64::MAX`, as a version or as a question.",
        why: "The version in a request comes from outside: `since + 1` is a way to stop the process.",
        bug: "AgentMux #608: `since + 1` overflowed on a request with `u64::MAX`.",
        needs: [],
        visits: [VersionMax, VersionZero, SinceMax, SinceNewest, Wrapped],
    }
    R08 "the future is ahead" {
        statement: "A replay since a version above the newest event's has coverage `Ahead`, never \
            `Complete`. Before the first event, the base version (0 if unset) counts as the newest.",
        why: "A subscriber that has seen more than ever happened here has its state from another \
            history. To call it up to date is to leave it wrong for ever.",
        bug: "etcd #20221: a watch from a future revision was served old events. Kubernetes #107457: \
            a rewound history, and no error.",
        needs: [Replay],
        visits: [Empty, Wrapped, SinceFuture, SinceMax, Ahead, Truncated, Complete],
    }
    R09 "another life is foreign" {
        statement: "A cursor from another life of the log has coverage `Foreign` and gets everything \
            that is retained, also once the numbers have caught up. A cursor of this life is exact \
            where versions repeat and fall.",
        why: "After a restart the same numbers mean other events. As soon as the new history is \
            longer than the old one, numbers alone cannot tell.",
        bug: "Kafka KIP-320 and cmux #9615: a rewound history caught up, and the loss was silent.",
        needs: [Replay, Cursor],
        visits: [Foreign, Complete, Truncated, Wrapped],
    }
    R10 "capacity one works, none is refused" {
        statement: "A log of capacity 1 keeps every law. A log of capacity 0 is refused when it is \
            opened, with an error.",
        why: "The smallest size is where a modulo or a `len - 1` shows. A log that can hold nothing \
            answers nothing, and its user should hear that at once.",
        bug: "RxJava #6582: the bounded replay was truncated wrongly at its smallest sizes.",
        needs: [],
        visits: [CapacityOne, Full, Wrapped, Truncated, Complete],
    }
    R11 "no user code under the lock" {
        statement: "`version`, `Clone` and `Drop` of events, and wakers, never run while the log's \
            lock is held; a panic in any of them leaves the log usable. The closure of \
            `append_with` is the exception: it runs before anything is changed.",
        why: "User code can take long, take other locks, call the log again, or panic: under the \
            lock that is a stalled writer, a deadlock, or a log that is poisoned for good.",
        bug: "tokio #7232: `broadcast` cloned values under a slot's lock. The baseline clones the \
            whole replay under its one lock.",
        needs: [Probe],
        visits: [Intruded, Wrapped],
    }
    R12 "memory is bounded" {
        statement: "The log keeps at most capacity + one segment (the capacity rounded up to a power \
            of two, at most 256) events alive, beside what a replay or a reader pins; and each event \
            is dropped once.",
        why: "A ring that keeps what it evicted is a leak that shows after a week.",
        bug: "RxJava #1865, #6371 and #6475: the bounded replay retained what it had let go of.",
        needs: [Probe],
        visits: [Counted, Wrapped, CapacityOne],
    }
}

pub(super) fn judge<S: Subject>(trial: &Trial<'_, S>) -> Result<Report, Box<Violation>> {
    use Kind::{
        Append, AppendBatch, AppendWith, Cursor, EventsSince, Replay, ReplayAfter, ReplayTruncated,
    };
    const SINCE: Plan = Plan::of(&[Append, AppendBatch, AppendWith, EventsSince]);
    const TRUNCATED: Plan = Plan::of(&[Append, AppendBatch, ReplayTruncated]);
    match trial.law.id {
        "R01" => search(
            trial,
            &Plan {
                judge: Judge::Order,
                ..SINCE
            },
        ),
        "R02" => search(trial, &SINCE),
        "R03" => retains_the_newest(trial),
        "R04" => search(trial, &TRUNCATED),
        "R05" => search(
            trial,
            &Plan {
                steps: Steps::Dense,
                judge: Judge::OldestVersion,
                set_base: false,
                ..TRUNCATED
            },
        ),
        "R06" => race::one_instant(trial),
        "R07" => search(
            trial,
            &Plan {
                steps: Steps::NearMax,
                ..Plan::of(&[Append, AppendBatch, EventsSince, ReplayTruncated, Replay])
            },
        ),
        "R08" => search(trial, &Plan::of(&[Append, AppendBatch, Replay])),
        "R09" => {
            let mut report = search(trial, &Plan::of(&[Append, Cursor, ReplayAfter]))?;
            report.add(&foreign(trial).map_err(|parted| trial.violation(parted))?);
            Ok(report)
        }
        "R10" => {
            refuses_capacity_zero(trial).map_err(|parted| trial.violation(parted))?;
            let kinds = &[Append, AppendBatch, EventsSince, ReplayTruncated, Replay];
            search(
                trial,
                &Plan {
                    capacities: &[1],
                    ..Plan::of(kinds)
                },
            )
        }
        "R11" => intrusion::judge(trial),
        _ => memory::bounded(trial),
    }
}

/// Versions are all above 0, so that `events_since(0)` is everything that is retained.
fn retains_the_newest<S: Subject>(trial: &Trial<'_, S>) -> Result<Report, Box<Violation>> {
    let kinds = &[Kind::Append, Kind::AppendBatch, Kind::Retained];
    let plan = Plan {
        steps: Steps::Positive,
        set_base: false,
        ..Plan::of(kinds)
    };
    search(trial, &plan)
}

fn refuses_capacity_zero<S: Subject>(trial: &Trial<'_, S>) -> Result<(), Parted> {
    let step = "open with a capacity of 0";
    if guarded(step, || trial.subject.open(&Case::new(0)).is_err())? {
        Ok(())
    } else {
        Err(Parted::said(step, "an error", "an open log"))
    }
}

/// Cursors of one log before another: before, while and after its numbers have caught up.
fn foreign<S: Subject>(trial: &Trial<'_, S>) -> Result<Report, Parted> {
    let mut report = Report::default();
    for theirs in 0..5_u32 {
        for ours in 0..8_u32 {
            let other = filled(trial, theirs)?.0;
            let (log, model) = filled(trial, ours)?;
            let step =
                format!("replay_after a cursor of another log, {theirs} events there, {ours} here");
            let answer = guarded(&step, || log.replay_after(&other.cursor()))?;
            let expected = model.replay_after(None);
            if answer != expected {
                return Err(Parted::new(step, expected, answer));
            }
            report.visit(Class::Foreign);
        }
    }
    Ok(report)
}

/// A log of capacity 4 with so many events, and the model of it.
fn filled<S: Subject>(
    trial: &Trial<'_, S>,
    events: u32,
) -> Result<(S::Log, Model<S::Event>), Parted> {
    let open = "open with a capacity of 4";
    let log = guarded(open, || trial.subject.open(&Case::new(4)))?
        .map_err(|error| Parted::said(open, "an open log", error.to_string()))?;
    let mut model = Model::new(4, None);
    for pick in 1..=events {
        let event = trial.subject.event(u64::from(pick), pick);
        log.append(event.clone());
        model.append(event);
    }
    Ok((log, model))
}
