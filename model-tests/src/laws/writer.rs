//! What a durable writer must leave on the disk.
//!
//! It is judged by what stands in its files, on the strongest evidence that the log and the machine
//! allow: a simulated disk for logs that can be on one, and for all others the real kernel, with
//! processes that are killed, traced, limited and made to fail. Each report says which it was.

use super::declare::laws;
use crate::scenes::{damage, ends, faithful, files, full, lives, power, rotation, stalls, writers};

laws! {
    $ Writer __writer_laws;

    W01 "acknowledged is durable" {
        statement: "An event that was acknowledged is read back after any crash, or was rotated out \
            by later events that filled a file, or is counted by a gap line. How often a log syncs, \
            and what it acknowledges at all, is its own matter. A change of names may survive a power \
            cut without the one before it as long as the directory is not synced: a new file may be \
            there, and the rename that made room for it not. (The report says which crashes were \
            tried: killed processes, simulated power cuts, or power cuts on which the system calls of \
            a traced process were played again.)",
        why: "This is what an acknowledgement means; a caller that got one has gone on.",
        bug: "NATS 2.12.1 (Jepsen): 131,418 of 930,005 acknowledged messages were lost when power \
            failed everywhere at once.",
        needs: [Durable],
        assumes: [W03],
        visits: [Acknowledged, Reopened],
        judge: |trial| trial.scene(lives::acknowledged),
        test: w01_acknowledged_is_durable,
    }
    W02 "nothing is durable by being there" {
        statement: "After opening, nothing that is found in the file is called durable until it has \
            been fsynced again. So whatever follows it \
            and is acknowledged does not stand on sand. (Judged with power cuts, as W01.)",
        why: "After a crash of the process alone, what is read may be in the page cache only; a \
            power failure takes it after it was promised.",
        bug: "Kafka PR #8812: a recovered log was trusted without being flushed.",
        needs: [Durable],
        assumes: [W01],
        visits: [PowerCut],
        judge: |trial| trial.scene(power::found_is_not_durable),
        test: w02_nothing_is_durable_by_being_there,
    }
    W03 "holes are declared" {
        statement: "What is read back are the events that were appended, in their order; each hole \
            has a gap line that counts it, also one that a full backlog left. (Of a log that loses \
            nothing of a burst, whatever its backlog is, the report says that this was not judged.)",
        why: "A forensic file with a hole that it does not mention tells another story.",
        bug: "The baseline's writer logs `Lagged(n)` and goes on: the file has a hole and no trace.",
        needs: [Durable],
        visits: [History],
        judge: |trial| trial.scene(files::declared_holes),
        test: w03_holes_are_declared,
    }
    W04 "lines are whole" {
        statement: "After repair every line of the file is whole, also that of an event that is longer \
            than a file may be. A torn line may be reported, or be out of sight. (A line is what one \
            event or gap has in the file, in whatever form. The file is cut at every byte; an event \
            that was stored before the cut was over is whole.)",
        why: "One glued line makes two events unreadable, and the tools that read the rest stop.",
        bug: "eliza #30878 and octos #2006: the record after a torn one was fused with it and lost. \
            The baseline appends after a torn tail as well.",
        needs: [Durable],
        assumes: [W03, W01],
        visits: [Torn, Reopened],
        judge: |trial| trial.scene(damage::cut_anywhere),
        test: w04_lines_are_whole,
    }
    W05 "damage is reported, not removed" {
        statement: "A damaged line in the middle is reported and skipped, never truncated. A torn \
            tail is set aside, never glued to the next event, and never in the place of an earlier one; \
            a file that is no log is never emptied: opening it may be refused; where it is not, each \
            line that stood in it stands in some file of the directory afterwards. (Lines in the \
            middle are damaged where the files are JSON lines: in other forms a log may be unable \
            to tell where the next record begins.)",
        why: "After a flipped bit come good events; to cut there is to lose them all.",
        bug: "laurus #814: recovery stopped at the first bad record and dropped what followed.",
        needs: [Durable],
        assumes: [W01],
        visits: [Torn, OtherHands],
        judge: |trial| trial.scene(damage::damaged_anywhere),
        test: w05_damage_is_reported_not_removed,
    }
    W06 "a failed fsync is not asked twice" {
        statement: "After a failed fsync nothing is acknowledged until the bytes were written anew \
            and synced; and the writer goes on, by itself or when it is asked \
            again. (Judged with simulated faults, or with syncs that `strace` lets fail.)",
        why: "The kernel marks pages clean whose write failed: the next fsync says yes, and the \
            bytes are gone.",
        bug: "PostgreSQL's fsync bug of 2018: a retried fsync called lost data safe.",
        needs: [Durable],
        assumes: [W01],
        visits: [Faulted, PowerCut],
        judge: |trial| trial.scene(power::failed_syncs),
        test: w06_a_failed_fsync_is_not_asked_twice,
    }
    W07 "a full disk loses nothing" {
        statement: "While the disk is full nothing is lost that fits the backlog in memory, and the \
            writer resumes by itself or when it is asked again. What is as much as the log retains \
            always fits. (Judged with simulated faults, or with files that may not grow and a small file \
            system that is full.)",
        why: "Disks fill at night, and the events of that night are the ones that are asked for.",
        bug: "systemd #3968: the journal never resumed after it could not rotate for lack of space.",
        needs: [Durable],
        assumes: [W01],
        visits: [Faulted],
        judge: |trial| trial.scene(full::full_disk),
        test: w07_a_full_disk_loses_nothing,
    }
    W08 "rotation is atomic and bounded" {
        statement: "At every crash point of a rotation the reader finds a whole history; the current \
            file and each old one stay within the cap, unless one event alone is larger. A rotation takes at most \
            the oldest file. (The report says whether power was cut after each operation of several \
            rotations, and how, as W01; without that it stands on the files as they are between two \
            calls.)",
        why: "A rotation renames the only copy: between two steps nothing may be missing.",
        bug: "etcd #6368: a rename without an fsync of the directory. logforth #153: a reopened file \
            forgot its size and outgrew the cap. flexi_logger #150: a rotation overwrote a file.",
        needs: [Durable, Rotation],
        assumes: [W01],
        visits: [Rotated, Reopened, LongEvent],
        judge: |trial| trial.scene(rotation::rotated),
        test: w08_rotation_is_atomic_and_bounded,
    }
    W09 "no disk delays an append" {
        statement: "No fault or stall of the disk blocks, slows or crashes `append`. To open, \
            flush and shut down may wait or fail. (Judged with simulated faults, or with syncs that \
            `strace` lets stall and a small file system that is full.)",
        why: "The disk is for forensics; the process lives by the append.",
        bug: "okaywal: one failed sync left every follower hanging.",
        needs: [Durable],
        visits: [History],
        judge: |trial| trial.scene(stalls::no_delay),
        test: w09_no_disk_delays_an_append,
    }
    W10 "one writer per path" {
        statement: "A path has one writer, across rotations; a second one gets a clear error and \
            touches nothing, in this process or another. A writer that was killed keeps nobody away. (Nothing is demanded of empty files, such as a lock.)",
        why: "Two writers interleave halves of lines, and rotate each other's file away.",
        bug: "A lock on the log file itself goes with the renamed file: after the rotation a second \
            writer locks the new one.",
        needs: [Durable],
        assumes: [W01],
        visits: [Reopened, Rotated],
        judge: |trial| trial.scene(writers::one_at_a_time),
        test: w10_one_writer_per_path,
    }
    W11 "shutdown drains or says what it left" {
        statement: "A shutdown writes what is there, and at its deadline says exactly what is not \
            durable. (Where no shutdown can say that, only the first half is judged.)",
        why: "The last events before the end are those that a post-mortem needs.",
        bug: "tracing-appender #1941: what was dropped at the end was reported to nobody.",
        needs: [Durable],
        assumes: [W01],
        visits: [History],
        judge: |trial| trial.scene(full::shutdowns),
        test: w11_shutdown_drains_or_says_what_it_left,
    }
    W12 "followers survive rotations" {
        statement: "A reader that follows the file through 1,000 rotations sees each event once, or a \
            declared gap; and so it does where another hand truncates, copies, renames, removes or \
            replaces the file.",
        why: "`tail -f` across a rename is where a line is lost or read twice.",
        bug: "file-rotate #6: a reopened file was truncated under its readers.",
        needs: [Durable, Follow, Rotation],
        assumes: [W03, W01],
        visits: [Rotated],
        judge: |trial| trial.scene(rotation::followed),
        test: w12_followers_survive_rotations,
    }
    W13 "the bytes are the baseline's" {
        statement: "A run without losses leaves one line of `serde_json` per event and nothing else: \
            the very bytes that the baseline would have left.",
        why: "The tools that read the old files must read the new ones.",
        bug: "None on record: the law keeps it so.",
        needs: [Durable, JsonLines],
        visits: [Rotated],
        judge: |trial| trial.scene(files::same_bytes),
        test: w13_the_bytes_are_the_baselines,
    }
    W14 "no file before the first event" {
        statement: "There is no file for events before the first event: none of `Subject::files`. \
            A lock, and the directory, may be there from the moment of opening, as law W10 needs \
            one.",
        why: "An empty file says that there was a run; a directory that is only looked at must stay \
            as it is.",
        bug: "The baseline creates the file when the writer starts, against its own documentation.",
        needs: [Durable],
        visits: [History],
        judge: |trial| trial.scene(files::no_file_yet),
        test: w14_no_file_before_the_first_event,
    }
    W15 "events are read back as they were" {
        statement: "An event of whatever kind is read back equal to what was appended: floats of all \
            kinds, deep, long, maps, enums in each form; or it is refused, and that is told, by an \
            error of the flush or by a line in its place.",
        why: "A value that comes back as its neighbour, or not at all, is a history that did not happen.",
        bug: "Our own: of 4,000 floats 356 were read back as another one; NaN was written as `null`, \
            acknowledged, and could never be read again.",
        needs: [Durable],
        visits: [Acknowledged, Reopened],
        judge: |trial| trial.scene(faithful::every_kind),
        test: w15_events_are_read_back_as_they_were,
    }
    W16 "the last moments are stored" {
        statement: "What was appended is stored when the log is dropped, in a process that goes on, \
            returns from `main` or unwinds. What `exit`, `abort` and a kill leave is another matter.",
        why: "The last events before an end are those that a post-mortem needs, and nobody calls a \
            shutdown on the way out.",
        bug: "Our own: of 60 programs that returned from `main`, 24 left an incomplete file.",
        needs: [Durable, StoresOnDrop],
        assumes: [W01],
        visits: [Reopened],
        judge: |trial| trial.scene(ends::last_moments),
        test: w16_the_last_moments_are_stored,
    }
    W17 "a log that cannot be rotated is written" {
        statement: "Where a rotation cannot be done, writing goes on in the same file, with one \
            warning; it is tried again. (The warning is not judged. What hinders the rotation is a \
            directory in the place of a name that it needs; where none is known before, the report \
            says that this was not judged.)",
        why: "The size of a file is a wish; the events of the night when nothing could be renamed \
            are not.",
        bug: "Our own: a directory of mode 0555 stopped the log at 83 of 1,000 events, which waited \
            and were lost with the process.",
        needs: [Durable, Rotation],
        assumes: [W01],
        visits: [Faulted],
        judge: |trial| trial.scene(rotation::unrotated),
        test: w17_a_log_that_cannot_be_rotated_is_written,
    }
    W18 "a stalled disk has a bound" {
        statement: "What waits for a disk that stalls is bounded in bytes, however many events are \
            appended: what exceeds the bound is lost and counted. (Judged by the memory of a process \
            of its own, on a disk that stalls, to within 8 MiB. Whether all that is lost is \
            counted, law W03 judges.)",
        why: "A log that takes all memory while its disk stalls brings down what it should record.",
        bug: "Our own: with 128 MiB allowed, 2,018 MiB were held for a disk that stalled.",
        needs: [Durable],
        visits: [Faulted],
        judge: |trial| trial.scene(stalls::bounded),
        test: w18_a_stalled_disk_has_a_bound,
    }
}
