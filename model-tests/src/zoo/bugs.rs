//! The table of bugs: which law must find each, and with which words.

use crate::law::Law;

/// Declares bugs and their rows at once, so that none is without a law.
macro_rules! bugs {
    (
        $(#[$doc:meta])* $enum:ident, $rows:ident;
        $($bug:ident $law:ident $(+ $also:ident)* $part:literal $story:literal)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum $enum {
            $(#[doc = $story] $bug,)*
        }

        /// The table of these bugs, one row each.
        ///
        /// ```
        #[doc = concat!("for row in model_tests::zoo::", stringify!($rows), "() {")]
        ///     println!("{:?}: {} ({})", row.bug, row.story, row.law.id);
        ///     assert!(!row.story.is_empty());
        /// }
        /// ```
        #[must_use]
        pub fn $rows() -> Vec<Row<$enum>> {
            vec![$(Row {
                bug: $enum::$bug,
                law: &crate::laws::$law,
                also: {
                    static ALSO: &[&Law] = &[$(&crate::laws::$also),*];
                    ALSO
                },
                part: $part,
                story: $story,
            },)*]
        }
    };
}

/// A bug, and what must be said about it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Row<B> {
    /// The bug.
    pub bug: B,
    /// The law that must find it.
    pub law: &'static Law,
    /// The laws whose statements it breaks as well. It breaks no other.
    pub also: &'static [&'static Law],
    /// A part of what the violation says.
    pub part: &'static str,
    /// What is wrong, in words.
    pub story: &'static str,
}

bugs! {
    /// What is wrong with a [`Naive`](super::Naive) log.
    Bug, rows;
    SortsByVersion R01 "log.events_since(" "A replay is sorted by version."
    NewestFirst R01 "log.events_since(" "A replay starts with the newest event."
    SinceInclusive R02 "log.events_since(" "The event at `since` itself is replayed again."
    SearchesFallingVersions R02 "log.events_since(" "A binary search also where versions fall."
    IndexesByVersion R02 + R07 "log.events_since(" "Versions are taken for positions, as if none was skipped."
    RefusesRepeats R03 "log.events_since(" "An event of the same version as the newest is not kept."
    OneTooFew R03 "log.events_since(0)" "Retains one event less than its capacity."
    OneTooMany R03 "log.events_since(0)" "Retains one event more than its capacity."
    EvictsNewest R03 "log.events_since(0)" "Once full, it replaces the newest event."
    EvictsHalf R03 "log.events_since(0)" "Once full, it lets half of its events go."
    NeverTruncated R04 + R05 "actual:   false" "A subscriber behind an evicted event gets the tail as if it were all."
    AlwaysTruncated R04 + R05 "actual:   true" "A full log calls every replay truncated."
    ForgetsBase R04 "actual:   false" "What was before the first event does not count."
    LastEvictedOnly R04 "actual:   false" "Only the last evicted version counts, though an earlier one was higher."
    OldestVersionOnly R04 "log.replay_truncated(" "Compares with the oldest retained version, as if versions were dense."
    OldestLessOneIsGap R05 + R04 "actual:   true" "A subscriber right before the oldest event is told of a gap."
    LocksTwice R06 "while another thread appends" "Events under one lock, what they cover under another."
    SinceOverflows R07 "attempt to add with overflow" "Computes `since + 1`."
    SignedVersions R07 "log." "Compares versions as signed numbers."
    FutureIsComplete R08 "Ahead" "A subscriber from the future is up to date."
    FutureGetsOldEvents R02 "log." "A subscriber from the future is served from the oldest event on."
    EmptyIsComplete R08 "Ahead" "A log without events calls every subscriber up to date."
    NoEpoch R09 "Foreign" "A cursor of another life is taken at its number."
    ResumesAnyLife R09 "resumed from a cursor" "A reader that resumes takes a cursor of another life at its number."
    PagesAnyLife R09 "page_after" "A page takes a cursor of another life at its number."
    CursorIsVersion R09 + S05 "log.replay_after(" "A cursor is only a version, so that repeats are lost."
    AcceptsCapacityZero R10 "open with a capacity of 0" "A log that can hold nothing opens."
    CapacityOneHoldsTwo R10 "log." "The capacity is rounded up to at least two."
    ClonesUnderLock R11 "runs Clone of an event" "A replay is cloned while the lock is held."
    DropsUnderLock R11 "runs Drop of an event" "What was evicted is dropped while the lock is held."
    AsksVersionUnderLock R11 "runs Version of an event" "An append asks for the version while the lock is held."
    WakesUnderLock R11 "append wakes a reader" "Readers are woken while the lock is held."
    EvictsBeforeClosure R11 "a closure that panics" "`append_with` makes room before it has the event."
    KeepsEvicted R12 "live events" "Evicted events are kept in a list that is never read."
    FreesLate R12 "live events" "Memory is freed only when it has grown to four times the capacity."
    KeepsOneTooHeavy R13 "replay_truncated" "An event heavier than the limit stays."
    WeightUntold R13 "actual:   false" "What goes for its weight is not told as truncated."
    AgesOnAppendOnly R14 "events_since(0)" "The clock is looked at by appends only, so that a quiet log serves old events."
    NumbersByLength R16 "push number 6" "A number is one more than there are events."
    NumbersBeforeTheLock R16 "threads push" "A number is given under one lock, and its event appended under another."
    LeaseWithoutBound R17 "is_revoked" "A lease keeps whatever comes."
    LeaseEndsInSilence R17 "is_revoked" "A lease that was revoked does not say so."
    LeaseKeepsForEver R17 "with a lease" "A lease that is given up keeps on."
    PagesSkipRepeats R18 "page_after" "The next page begins after all events of the last version."
    FullPageHasMore R18 "page(" "A page that is full says that there are more."
    FilterStaysAtKept S10 "replay_after the cursor" "The cursor of a filtered reader stays at the last event that it wanted."
    FilterHidesLosses S10 "Lagged" "A filtered reader is told of no loss."
    AppendsBatchInParts R15 "append_batch of 3 events" "A batch is appended one event after the other."
    LocksForEachEvent R15 "event that is evicted looks" "The versions of a batch are asked for at once, and each event is appended under a lock of its own."
    GapAtHandOff S01 "subscribed since" "The live stream starts later than the replay ends."
    TwiceAtHandOff S01 "subscribed since" "The live stream starts before the replay ends."
    LiveDropsRepeats S01 "try_recv()" "The live stream drops what is not above the last version."
    LagByOne S02 "Lagged" "A reader is told of one event less than it lost."
    LagUntold S02 "Lagged" "A reader goes on from the oldest event and is told nothing."
    LagJumpsToNewest S02 "try_recv()" "A reader that fell behind goes on from the newest event."
    LagToldTwice S02 "Lagged" "A reader is told of the same loss again."
    WakesOne S03 "readers are woken" "An append wakes one of the readers that wait."
    CloseWakesNobody S03 "Close" "Readers that wait do not learn that the log was closed."
    BatchWakesNobody S03 "Batch" "A batch wakes no reader."
    KeepsFirstWaker S03 "the last waker of each" "A reader that is polled again is woken by its first waker."
    RegistersLate S03 "a reader still sleeps" "Looks for an event, then registers to be woken, and an append comes between."
    LocksInTurns S03 "comes back" "An append takes one lock and then another, a reader that waits the other and then the one."
    DropsWakerBetweenLocks S03 "poll_recv with another waker" "A reader drops its last waker under one lock, then takes another, which an append takes first."
    WaitsForReaders S04 "it is blocked" "An append waits for the slowest reader."
    WaitsToEvict S04 "a reader is stalled" "An append waits for a reader that has yet to read what it would evict."
    WaitsWhileReadersWait S04 "a reader waits" "Once the log is full, an append waits as long as a reader waits."
    DropForgetsWaiters S04 "one of 3 that wait is dropped" "A reader that is dropped takes the wakers of all that wait with it."
    WakerPanicEscapes S04 "a panic in a waker" "A panic in one reader's waker is the appender's."
    ResumesInclusive S05 "try_recv()" "A resumed reader gets the last event of its first life again."
    CursorRunsAhead S05 "try_recv()" "A reader's cursor is already past the event that it is yet to get."
    CloseDropsBacklog S06 "Closed" "A closed log delivers nothing any more."
    DeliversAfterClose S06 "Closed" "A closed log delivers what is appended after the close."
    LiveAtOnce S08 "is_live()" "A reader is live from the start, with its replay before it."
    LiveOnlyWhenIdle S08 "is_live()" "A reader is live whenever there is nothing to read, and not when there is."
    NeverYields S09 "events in a row" "A reader with a backlog keeps its thread until the end."
    YieldsForEver S09 "nobody was woken" "A reader with a backlog lets others run, and wakes nobody."
    ForgottenVariant D01 "version()" "One variant has no arm of its own, and version 0."
}

bugs! {
    /// What is wrong with a [`FileLog`](super::FileLog).
    FileBug, file_rows;
    ReopenTruncates W01 + W08 "life 2" "Opening makes the file anew."
    AcknowledgesBeforeWriting W01 "life 1" "A flush says yes while lines are in a buffer."
    RotatesAtStart W01 "life 3" "Each start puts the file aside, full or not."
    ReaderSkipsOld W01 "of a rotated log" "Reading back takes the current file only."
    NeverSyncs W01 "power" "Nothing is ever synced."
    ForgetsTheDirectory W01 "power" "Files are synced, their names are not."
    RotatesUnsynced W01 "power" "A group syncs the last of the files that it fills, and none of the others."
    TrustsWhatItFinds W02 "power" "What is found in the file counts as durable."
    DropsWhenBehind W03 + W15 "the end" "A full queue drops events, and the file does not tell."
    BacklogUncounted W03 "cannot hold" "What a backlog cannot hold is lost, and no line counts it."
    CountsOneShort W03 "cannot hold" "Where several events were lost, one less is counted."
    WritesBackwards W03 "event 2001" "A batch is written with the newest event first."
    RotationDropsEvent W03 + W13 "fill several files" "The event that finds the file full is lost with the rotation."
    RotationInBatchDropsEvent W03 "fill several files" "The event that finds the file full in the middle of a batch is lost."
    FusesTornTail W04 + W05 "after a cut" "The next event is glued to a torn line."
    RefusesTornTail W04 + W05 "repair it by hand" "A torn tail keeps the log from opening."
    ChopsLongEvents W04 + W08 + W12 "longer than a file" "An event that is longer than a file may be is cut."
    ReaderStopsAtDamage W05 "damaged" "Reading ends at the first line that is no event."
    RepairCutsAtDamage W05 "and one more event" "Opening cuts the file at the first line that is no event."
    TornTailIsThrownAway W05 "a torn tail" "What was torn is gone."
    SecondTornTailOverwrites W05 "a torn tail" "The second torn tail takes the place of the first."
    EmptiesForeignFiles W05 "no log" "A file of somebody else's is emptied."
    AsksSyncTwice W06 "sync" "A sync that failed is asked again, and believed."
    StopsAtFailedSync W06 "sync" "After one failed sync nothing is written any more."
    LosesWhatDoesNotFit W07 + W11 "full" "What a full disk does not take is gone."
    StopsAtFullDisk W07 "full" "After one full disk nothing is written any more."
    ReopenForgetsSize W08 "no file above" "A reopened file counts from 0 and outgrows its bound."
    NeverRotates W08 + W10 + W12 + W13 + W17 "no file above" "The file grows for ever."
    RotationOverwrites W08 + W01 + W13 "bytes that were there" "A rotation throws the full file away."
    RefusesLongEvents W08 + W04 + W12 "longer than a file" "An event that is longer than a file may be is dropped."
    FailsInAppend W09 + W06 + W07 + W11 + W18 "a panic" "A failing disk is the appender's panic."
    PanicsAfterAnError W09 "a panic" "An append after a write that failed is a panic."
    WritesInAppend W09 + W18 "stalls" "An append waits until its event is on the disk."
    SyncsUnderItsLock W09 "stalls" "The disk is asked under the lock that an append needs."
    NoLock W10 "a second writer" "Nothing keeps a second writer away."
    LocksTheLogItself W10 "a second writer" "The lock goes away with the file that is put aside."
    RefusedWriterEmpties W10 + W01 + W08 "touches nothing" "A writer empties the file, and then looks whether it may."
    ShutdownDropsBuffer W11 + W03 + W05 "after a shutdown" "What is in the buffer goes with the process."
    ShutdownHidesTheRest W11 "not durable" "A shutdown on a full disk says that all is well."
    ShutdownNamesAll W11 "not durable" "A shutdown on a full disk says that nothing is durable."
    FollowsOneName W12 "7 at a time" "A follower reads the current file only, and misses the end of a full one."
    HidesMissedFiles W12 "7 at a time" "A follower goes on after files that were rotated away, and does not tell."
    FollowsAPlace W12 "read along" "A follower keeps its place, whatever becomes of the file."
    WritesHeader W13 + W03 + W15 "header" "Each file starts with a line of its own."
    SplitsLines W13 + W03 + W15 "the bytes of all files" "An event is written over several lines."
    FileAtOpen W14 "is there" "The file is made when the log is opened."
    WritesUnchecked W15 "extreme" "What JSON has no form for is written as `null`."
    RoundsFloats W15 + W03 + W13 "event" "A float is written with half of its digits."
    ReaderSkipsLongLines W15 + W03 "event" "Lines of some length are not read."
    DropForgets W16 "dropped" "What waits when the log is dropped is gone."
    StopsUnrotated W17 "cannot be rotated" "Where the file cannot be put aside, nothing is written any more."
    QueueWithoutBound W18 "stall" "What waits for a stalled disk has no bound."
}

bugs! {
    /// What is wrong with a writer to a broker: a [`BrokerSubject`](super::BrokerSubject).
    BrokerBug, broker_rows;
    SendsAgain N01 "once and in order" "What was sent without an answer is sent again, and nobody looks whether it came."
    ClaimsNothing N02 "of two writers" "A writer that begins leaves the one before it writing."
    CallsAllDurable N04 "power" "What a broker has is called durable, whether it syncs or not."
    CallsNothingDurable N04 + N01 "syncs" "What a broker has synced is not called durable either."
}

bugs! {
    /// What is wrong with a [`StoredLog`](super::StoredLog).
    StoredBug, stored_rows;
    DeliversAtOnce S07 "a kill just after" "A writer's subscription delivers what was only appended."
    SameLife M02 "replay_after" "Cursors of every life look alike, and count from its beginning."
    DeliversOneAhead S07 "a kill just after" "A writer's subscription is one event ahead of what is written."
}

bugs! {
    /// What is wrong with a [`FarLog`](super::FarLog).
    FarBug, far_rows;
    UnknownIsTwice R19 "Unknown" "An append of unknown outcome is sent again by itself, and stored twice."
    UnknownComesAndGoes R19 "Unknown" "What was appended with an unknown outcome is seen, and then taken back."
    BusyButStored R19 "Busy" "An append that is refused as busy is stored nevertheless."
    BusyForEver R19 "Busy for" "Once it was busy often, it is busy for ever."
    DoneButLost R19 "Done" "Now and then an append says that it is done, and is lost."
    LateForEver R20 + R19 "other events" "From some event on nothing shows any more."
    ShowsNewestFirst R20 "shows before" "Of what is late the newest event shows first, and the others before it later."
    OneForAll R21 "another log" "All logs are one, in a static."
    StaleHandle R22 "a further handle" "A further handle answers from what there was when it was opened."
    HandleEndsAll R22 "is dropped" "The first handle that is dropped ends the log."
    HandleEndsReaders R22 "is dropped" "A handle that is dropped ends the subscriptions of all others."
}
