//! What a bounded log in memory must answer.

use super::declare::laws;
use crate::{
    histories::{
        play::run::Judge,
        search::{Plan, search},
        strategies::{
            Kind::{
                Append, AppendBatch, AppendWith, Cursor, EventsSince, Replay, ReplayAfter,
                ReplayTruncated, Retained,
            },
            Steps,
        },
    },
    scenes::{
        attempts, batches, foreign, intrusion, leases, limits, makers, memory, numbers, opening,
        pages, race, retention,
    },
    subject::adapter::Subject,
    trial::{Parted, Trial, Verdict},
};

const SINCE: Plan = Plan {
    judge: Judge::Events,
    ..Plan::of(&[Append, AppendBatch, AppendWith, EventsSince, Replay])
};
const TRUNCATED: Plan = Plan {
    judge: Judge::Truncation,
    ..Plan::of(&[Append, AppendBatch, ReplayTruncated, Replay])
};
/// Versions are all above 0, so that `events_since(0)` is everything that is retained.
const RETAINED: Plan = Plan {
    steps: Steps::Positive,
    judge: Judge::Retained,
    set_base: false,
    ..Plan::of(&[Append, AppendBatch, Retained])
};
/// Every question whose answer has to do with versions.
const ASKED: Plan = Plan::of(&[Append, AppendBatch, EventsSince, ReplayTruncated, Replay]);

laws! {
    $ Ring __ring_laws;

    R01 "insertion order" {
        statement: "A replay gives events in the order in which they were appended, whatever their \
            versions are. (It may leave some out; which, is law R02.)",
        why: "A subscriber applies events one after the other. In another order it ends in another \
            state, and nothing tells it so.",
        bug: "Kubernetes PR #73845: buffered events were sent twice and a watcher went back in time.",
        needs: [],
        assumes: [D01],
        visits: [Wrapped, Fall, Repeat],
        judge: |trial| search(trial, &Plan {
            judge: Judge::Order,
            ..SINCE
        }),
        test: r01_insertion_order,
    }
    R02 "events since" {
        statement: "`events_since(s)` is exactly the retained events with a version above `s`, for \
            every `s` and every sequence of versions: with gaps, repeats, falls, 0 and `u64::MAX`; and \
            so are the events of a `replay`.",
        why: "One event too few is a silent loss, one too many is applied twice.",
        bug: "nats.rs #585: a consumer took the numbers of a stream for dense and saw gaps where \
            numbers were only skipped.",
        needs: [],
        assumes: [D01, R01, R03],
        visits: [
            Empty, Partial, Full, Wrapped, Gap, Repeat, Fall, VersionZero, VersionMax, SinceZero,
            SinceBeforeOldest, SinceOldest, SinceInside, SinceNewest, SinceFuture, SinceMax,
        ],
        judge: |trial| search(trial, &SINCE),
        test: r02_events_since,
    }
    R03 "retains exactly the newest" {
        statement: "After n appends a log of capacity c retains the newest min(n, c) events, neither \
            more nor fewer. A log that lets whole segments go, or rounds its capacity up, may \
            retain more, if it says how many (`Subject::retains`); fewer it may not.",
        why: "The capacity is what its user has reckoned with: one less loses an event that should \
            be there, one more breaks the bound on memory.",
        bug: "etcd #19179: an event was missing exactly at the edge of what was kept.",
        needs: [],
        assumes: [D01, R01],
        visits: [Partial, Full, Wrapped],
        judge: |trial| retains(trial),
        test: r03_retains_exactly_the_newest,
    }
    R04 "truncation is exact" {
        statement: "`replay_truncated(s)` is true if and only if an evicted event has a version \
            above `s`, or `s` is below the base version: the one that was set, or else the first \
            event's version − 1. On a log without a set base that never had an event it is false. The coverage of a `replay` \
            that is not ahead says the same, with the highest evicted version, or the base version \
            if that is higher, in `missed_through`; in `missed` stands how many events above `s` were evicted, or `None`. What a log without versions to ask by says to a \
            cursor is law R09.",
        why: "A false `false` is a silent loss. A false `true` makes a subscriber throw a good state \
            away and fetch everything again.",
        bug: "cadis #413 and open-design #5411: a subscriber behind an evicted event got the tail \
            as if it were all. Kubernetes #49956: an empty buffer took its head as delivered.",
        needs: [Truncation],
        assumes: [D01, R03],
        visits: [
            Empty, Partial, Full, Wrapped, Gap, Repeat, Fall, VersionZero, VersionMax, SinceZero,
            SinceBeforeOldest, SinceOldest, SinceInside, SinceNewest, SinceFuture, SinceMax,
            Complete, Truncated,
        ],
        judge: |trial| search(trial, &TRUNCATED),
        test: r04_truncation_is_exact,
    }
    R05 "dense versions need no care" {
        statement: "Where every version is one above the last, `replay_truncated(s)` is \
            `oldest retained version > s.saturating_add(1)`.",
        why: "This is the rule that people carry in their heads. Exactness must not cost it.",
        bug: "openeverest #2591: a subscriber right before the oldest retained event was told that \
            it had missed some.",
        needs: [Truncation],
        assumes: [D01, R03],
        visits: [Partial, Full, Wrapped, SinceBeforeOldest, SinceOldest, Complete, Truncated],
        judge: |trial| search(trial, &Plan {
            steps: Steps::Dense,
            judge: Judge::OldestVersion,
            set_base: false,
            ..TRUNCATED
        }),
        test: r05_dense_versions_need_no_care,
    }
    R06 "one replay is one instant" {
        statement: "The events, the coverage and the newest version of one `replay` are those of \
            one instant, whatever other threads do meanwhile.",
        why: "Two locks, one for the events and one for the answer whether they are all, let an \
            append in between, and then the answer is about other events.",
        bug: "akka-persistence-cassandra #166: offsets were given before their events could be seen, \
            and readers passed them by. The baseline locks twice.",
        needs: [Replay],
        assumes: [D01, R01, R02, R03, R04, R08],
        visits: [Raced, Complete, Truncated],
        judge: |trial| one_instant(trial),
        test: r06_one_replay_is_one_instant,
    }
    R07 "nothing wraps at the top" {
        statement: "No operation panics or wraps at `u64::MAX`, as a version or as a question: \
            what it answers there is what it answers to the same history of lower versions.",
        why: "The version in a request comes from outside: `since + 1` is a way to stop the process.",
        bug: "AgentMux #608: `since + 1` overflowed on a request with `u64::MAX`.",
        needs: [Versions],
        assumes: [D01],
        visits: [VersionMax, VersionZero, SinceMax, SinceNewest, Wrapped],
        judge: |trial| search(trial, &Plan {
            steps: Steps::NearMax,
            at_the_top: true,
            ..ASKED
        }),
        test: r07_nothing_wraps_at_the_top,
    }
    R08 "the future is ahead" {
        statement: "A replay since a version above the newest event's has coverage `Ahead`, never \
            `Complete`. Before the first event, the base version (0 if unset) counts as the newest.",
        why: "A subscriber that has seen more than ever happened here has its state from another \
            history. To call it up to date is to leave it wrong for ever.",
        bug: "etcd #20221: a watch from a future revision was served old events. Kubernetes #107457: \
            a rewound history, and no error.",
        needs: [Replay],
        assumes: [D01, R03],
        visits: [Empty, Wrapped, SinceFuture, SinceMax, Ahead, Truncated, Complete],
        judge: |trial| search(trial, &Plan {
            judge: Judge::Ahead,
            ..Plan::of(&[Append, AppendBatch, Replay])
        }),
        test: r08_the_future_is_ahead,
    }
    R09 "another life is foreign" {
        statement: "A cursor from another life of the log has coverage `Foreign` and gets everything \
            that is retained, also once the numbers have caught up; so does a page's, and a reader \
            that resumes from such a cursor begins with the oldest event that is retained. A cursor of this life is exact \
            where versions repeat and fall: it is `Truncated` if and only if an event after it was \
            evicted. `missed` is then the number of those, or `None`, and `missed_through` the \
            highest version of those, or of all that were evicted.",
        why: "After a restart the same numbers mean other events. As soon as the new history is \
            longer than the old one, numbers alone cannot tell.",
        bug: "Kafka KIP-320 and cmux #9615: a rewound history caught up, and the loss was silent.",
        needs: [Replay, Cursor],
        assumes: [D01, R01, R03, R04],
        visits: [Foreign, Complete, Truncated, Wrapped],
        judge: |trial| another_life(trial),
        test: r09_another_life_is_foreign,
    }
    R10 "capacity one works, none is refused" {
        statement: "A log of capacity 1 answers every question about versions as a larger one does. A log of capacity 0 is refused when it is \
            opened, with an error.",
        why: "The smallest size is where a modulo or a `len - 1` shows. A log that can hold nothing \
            answers nothing, and its user should hear that at once.",
        bug: "RxJava #6582: the bounded replay was truncated wrongly at its smallest sizes.",
        needs: [],
        assumes: [D01, R01, R02, R03, R04, R08],
        visits: [CapacityOne, Full, Wrapped],
        judge: |trial| smallest(trial),
        test: r10_capacity_one_works_none_is_refused,
    }
    R11 "no user code under the lock" {
        statement: "`version`, `Clone` and `Drop` of events, and `wake` of wakers, never run while \
            the log's lock is held; a panic in any of them leaves the log usable. The closure of \
            `append_with` is the exception: it runs before anything is changed. \
            Where the panic goes, and which thread wakes, is left to the log. (A waker's `clone` and \
            `drop` may run under the lock: of those only law S03 is asked, that nobody is stopped for \
            good. That an append waits for no reader is law S04.)",
        why: "User code can take long, take other locks, call the log again, or panic: under the \
            lock that is a stalled writer, a deadlock, or a log that is poisoned for good.",
        bug: "tokio #7232: `broadcast` cloned values under a slot's lock. The baseline clones the \
            whole replay under its one lock.",
        needs: [Probe],
        assumes: [D01, R01, R02, R03],
        visits: [Intruded, Wrapped],
        judge: |trial| trial.scene(intrusion::everywhere),
        test: r11_no_user_code_under_the_lock,
    }
    R12 "memory is bounded" {
        statement: "The log keeps at most capacity + two segments (the capacity rounded up to a power \
            of two, at most 256) events alive, beside what a replay or a reader pins; and each event \
             is dropped once. One segment is being evicted, and one may wait for a thread with time \
             to drop it. How long a segment is, and what a reader pins, a log may say \
             (`Subject::segment`, `Subject::reader_pins`).",
        why: "A ring that keeps what it evicted is a leak that shows after a week.",
        bug: "RxJava #1865, #6371 and #6475: the bounded replay retained what it had let go of.",
        needs: [Probe],
        assumes: [D01, R03, R11, S04],
        visits: [Counted, Wrapped, CapacityOne],
        judge: |trial| trial.scene(memory::bounded),
        test: r12_memory_is_bounded,
    }
    R13 "retention in weight is exact" {
        statement: "A log that limits what its events weigh retains the newest that weigh no more \
            than that together, as well as no more than law R03 lets it: an event heavier than the \
            limit leaves it empty. What was let go for that is truncated and told as any other.",
        why: "Whoever sizes a log in bytes has memory in mind, and one event may be as large as a \
            thousand. What goes for its weight is as lost to a subscriber as what goes for its place.",
        bug: "Kubernetes #142062 and #139250: a watch cache that is sized in events ran out of memory \
            where the events were large.",
        needs: [Weight, Truncation],
        assumes: [D01, R01, R02, R03, R04, S01, S02],
        visits: [Wrapped, Truncated, Complete],
        judge: |trial| trial.scene(limits::in_weight),
        test: r13_retention_in_weight_is_exact,
    }
    R14 "retention in age is exact" {
        statement: "A log that limits how old its events are retains, at the moment of each question, \
            the newest that are no older than that by its clock, as well as no more than law R03 lets \
            it: also where nobody appends any more. A clock that goes back stands still. What was let go \
            for that is truncated and told as any other.",
        why: "A log that looks at the time only when it appends serves yesterday's events to the first \
            subscriber of a quiet morning.",
        bug: "Kubernetes #139250: the watch cache shrank only when it was full, and kept what was old \
            in a quiet cluster.",
        needs: [Age, Truncation],
        assumes: [D01, R01, R02, R03, R04, S01, S02],
        visits: [Wrapped, Truncated, Complete],
        judge: |trial| trial.scene(limits::in_age),
        test: r14_retention_in_age_is_exact,
    }
    R15 "a batch is one append" {
        statement: "The events of a batch are appended at once: no question and no other append \
            comes between two of them. (Readers are still given one event after the other. A log \
            that appends a batch in parts has none: it lacks `Batch`.)",
        why: "Events that belong together make no sense apart: a subscriber that replays half of a \
            change has a state that never was.",
        bug: "None on record: the contract of `append_batch` had no law, and a log that appended in \
            parts passed.",
        needs: [Batch],
        assumes: [D01, R01, R03],
        visits: [Raced, Batch],
        judge: |trial| trial.scene(batches::in_one_piece),
        test: r15_a_batch_is_one_append,
    }
    R16 "the log gives the numbers" {
        statement: "A log that numbers its events gives 1 to the first and one more to each, in the \
            order of the history, however many threads append, and says of each which it got. What it \
            retains is as law R03 says.",
        why: "A counter beside the log gives numbers in another order than the log has its events, \
            and a subscriber that asks by number misses one for good.",
        bug: "akka-persistence-cassandra #166: offsets were given before their events could be seen, \
            and readers passed them by.",
        needs: [Numbers],
        visits: [Wrapped, Raced],
        judge: |trial| trial.scene(numbers::dense_and_in_order),
        test: r16_the_log_gives_the_numbers,
    }
    R17 "a lease keeps what comes" {
        statement: "From a lease of m events on, everything that is appended is retained, as long as \
            that is no more than m events that the log would have let go. With one more the lease is \
            revoked and says so, and like one that is given up it keeps nothing. (A log that lets whole \
            segments go may keep the whole of the one in which the lease began.)",
        why: "A subscriber that needs longer for its snapshot than the log holds would list and \
            watch in circles for ever. A lease without an end would hold the log's memory instead.",
        bug: "kubernetes-client/java #1829 and #1533: an informer that was told `too old` listed again \
            and was too late again.",
        needs: [Lease],
        assumes: [D01, R01, R02, R03, S01, S02],
        visits: [Complete, Truncated],
        judge: |trial| trial.scene(leases::within_their_bounds),
        test: r17_a_lease_keeps_what_comes,
    }
    R18 "pages make the whole" {
        statement: "The pages since a version, each from the cursor of the one before, have together \
            what a reader since that version is given, none of it twice. Each but the last has as many \
            events as it was asked for, and says that there are more; the last says that there are \
            none. Each has its own coverage: what was evicted since the page before is truncated.",
        why: "A client that pages by version loses events where versions repeat, and one that is \
            not told of an eviction between two requests has a hole in the middle of its list.",
        bug: "None on record: the contract of `take_page`.",
        needs: [Pages],
        assumes: [D01, R01, R02, R03, R04, R08, R09],
        visits: [Complete, Truncated, Ahead],
        judge: |trial| trial.scene(pages::one_after_the_other),
        test: r18_pages_make_the_whole,
    }
    R19 "an append does what it says" {
        statement: "An event whose append is done is there once. One whose append was refused, because \
            the log was busy, is not there and never comes, and the log is not busy for ever. One of \
            whose append the outcome is unknown is there once or not at all, and after the bound that \
            the log declares (at once, where it declares none) it stays as it is.",
        why: "A writer tries again what was refused, and looks what became of what it does not know. \
            Where both are stored, or what it saw is gone, the history has an event twice, or lacks it.",
        bug: "etcd #14890, jetcd #1444: a client whose answer was lost sent again what had been applied, \
            and both were committed.",
        needs: [],
        visits: [Done],
        judge: |trial| trial.scene(attempts::do_what_they_say),
        test: r19_an_append_does_what_it_says,
    }
    R20 "an append shows in time" {
        statement: "What an append says is done is shown within the bound that the log declares: at \
            once, where it declares none. What is shown before that has no holes: of the appends that \
            are done, the first ones show. (A bound that is passed \
            because the machine is busy is no fault: the suite's patience comes on top of it.)",
        why: "Who appends and then reads finds its own event, or knows how long to wait. A hole that \
            closes later is an event that every reader has passed by.",
        bug: "akka-persistence-cassandra #166: offsets were given before their events could be seen, \
            and readers passed them by.",
        needs: [],
        assumes: [D01, R19, R21],
        visits: [Done],
        judge: |trial| trial.scene(attempts::show_in_time),
        test: r20_an_append_shows_in_time,
    }
    R21 "each log for itself" {
        statement: "Two logs that are opened apart do not see each other's events, at the same time or \
            one after the other: neither in a replay nor in a subscription.",
        why: "A log per session or per test that shares a static, a topic or a table with the next one \
            gives one user what is another's.",
        bug: "NEventStore #102 and #143: the fields of an in-memory store were static, so that there was \
            only one, and each test began with the events of the last.",
        needs: [],
        visits: [Another],
        judge: |trial| trial.scene(makers::apart),
        test: r21_each_log_for_itself,
    }
    R22 "handles are one log" {
        statement: "What is appended through one handle onto a log is shown through every other, in \
            the same order and within the same bound, and delivered to its subscriptions. A handle \
            that is dropped ends nothing for the others, nor their subscriptions. (A subject that \
            gives no further handle is not judged.)",
        why: "A process has several connections to its log. One that answers from what it knew when it \
            was opened serves an old state, and nothing tells it so.",
        bug: "etcd #13984: after a restart one member of a cluster answered with revision 1111 where \
            the others were at 1306.",
        needs: [],
        assumes: [D01, R19, R20, R21],
        visits: [],
        judge: |trial| trial.scene(makers::handles),
        test: r22_handles_are_one_log,
    }
}

/// As many as it says, and these are the newest.
fn retains<S: Subject>(trial: &Trial<'_, S>) -> Verdict {
    trial.scene(retention::declared)?;
    search(trial, &RETAINED)
}

/// Without a race, with one whose order is fixed, and with one that is left to the machine.
fn one_instant<S: Subject>(trial: &Trial<'_, S>) -> Verdict {
    let plan = Plan {
        judge: Judge::Instant,
        capacities: &[2, 3],
        ..Plan::of(&[Append, Replay])
    };
    let mut report = search(trial, &plan)?;
    report.add(&trial.scene(race::while_it_clones)?);
    report.add(&trial.scene(race::one_instant)?);
    Ok(report)
}

/// Cursors of this life, and of another.
fn another_life<S: Subject>(trial: &Trial<'_, S>) -> Verdict {
    let mut report = search(trial, &Plan::of(&[Append, Cursor, ReplayAfter]))?;
    report.add(&trial.scene(foreign::never_mistaken)?);
    Ok(report)
}

/// Capacity 0, and then capacity 1.
fn smallest<S: Subject>(trial: &Trial<'_, S>) -> Verdict {
    trial.scene(|trial, report| {
        opening::refuses_capacity_zero(trial, report).map_err(Parted::its_own)
    })?;
    let plan = Plan {
        capacities: &[1],
        ..ASKED
    };
    search(trial, &plan)
}
