//! What a durable writer must leave on the disk.
//!
//! It is judged by what stands in its files. The faults of a disk, and what it loses with the
//! power, are simulated by other tests, below the writer of `eventlog`.

use super::declare::laws;
use crate::scenes::{damage, files, rotation};

laws! {
    $ Writer __writer_laws;

    W01 "acknowledged is durable" {
        statement: "An event that was acknowledged is read back after any crash, or was rotated out \
            by later events.",
        why: "This is what an acknowledgement means; a caller that got one has gone on.",
        bug: "NATS 2.12.1 (Jepsen): 131,418 of 930,005 acknowledged messages were lost when power \
            failed everywhere at once.",
        needs: [Durable],
        visits: [Acknowledged, Reopened],
        judge: |trial| trial.scene(files::acknowledged),
        test: w01_acknowledged_is_durable,
    }
    W02 "nothing is durable by being there" {
        statement: "After opening, nothing that is found in the file is called durable until it has \
            been fsynced again. (Judged on the simulated disk, by `tests/crash.rs`.)",
        why: "After a crash of the process alone, what is read may be in the page cache only; a \
            power failure takes it after it was promised.",
        bug: "Kafka PR #8812: a recovered log was trusted without being flushed.",
        needs: [Durable],
        visits: [],
        elsewhere: "not judged here: it needs a disk that fails",
        test: w02_nothing_is_durable_by_being_there,
    }
    W03 "holes are declared" {
        statement: "What is read back are the events that were appended, in their order; each hole \
            has a gap line that counts it.",
        why: "A forensic file with a hole that it does not mention tells another story.",
        bug: "The baseline's writer logs `Lagged(n)` and goes on: the file has a hole and no trace.",
        needs: [Durable],
        visits: [History],
        judge: |trial| trial.scene(files::declared_holes),
        test: w03_holes_are_declared,
    }
    W04 "lines are whole" {
        statement: "After repair every line of the file is whole.",
        why: "One glued line makes two events unreadable, and the tools that read the rest stop.",
        bug: "eliza #30878 and octos #2006: the record after a torn one was fused with it and lost. \
            The baseline appends after a torn tail as well.",
        needs: [Durable],
        visits: [Torn, Reopened],
        judge: |trial| trial.scene(damage::cut_anywhere),
        test: w04_lines_are_whole,
    }
    W05 "damage is reported, not removed" {
        statement: "A damaged line in the middle is reported and skipped, never truncated. A torn \
            tail is set aside, never glued to the next event.",
        why: "After a flipped bit come good events; to cut there is to lose them all.",
        bug: "laurus #814: recovery stopped at the first bad record and dropped what followed.",
        needs: [Durable],
        visits: [Damaged, Reopened],
        judge: |trial| trial.scene(damage::damaged_anywhere),
        test: w05_damage_is_reported_not_removed,
    }
    W06 "a failed fsync is not asked twice" {
        statement: "After a failed fsync nothing is acknowledged until the bytes were written anew \
            and synced; and the writer goes on. (Judged on the simulated disk, by the tests of faults.)",
        why: "The kernel marks pages clean whose write failed: the next fsync says yes, and the \
            bytes are gone.",
        bug: "PostgreSQL's fsync bug of 2018: a retried fsync called lost data safe.",
        needs: [Durable],
        visits: [],
        elsewhere: "not judged here: it needs a disk that fails",
        test: w06_a_failed_fsync_is_not_asked_twice,
    }
    W07 "a full disk loses nothing" {
        statement: "While the disk is full nothing is lost that fits the backlog in memory, and the \
            writer resumes by itself. (Judged on the simulated disk, by `tests/crash.rs` and the tests of faults.)",
        why: "Disks fill at night, and the events of that night are the ones that are asked for.",
        bug: "systemd #3968: the journal never resumed after it could not rotate for lack of space.",
        needs: [Durable],
        visits: [],
        elsewhere: "not judged here: it needs a disk that fails",
        test: w07_a_full_disk_loses_nothing,
    }
    W08 "rotation is atomic and bounded" {
        statement: "At every crash point of a rotation the reader finds a whole history; the current \
            file and each old one stay within the cap, unless one event alone is larger.",
        why: "A rotation renames the only copy: between two steps nothing may be missing.",
        bug: "etcd #6368: a rename without an fsync of the directory. logforth #153: a reopened file \
            forgot its size and outgrew the cap. flexi_logger #150: a rotation overwrote a file.",
        needs: [Durable],
        visits: [Rotated, Reopened],
        judge: |trial| trial.scene(rotation::rotated),
        test: w08_rotation_is_atomic_and_bounded,
    }
    W09 "no disk delays an append" {
        statement: "No fault or stall of the disk blocks, slows or crashes `append`.",
        why: "The disk is for forensics; the process lives by the append.",
        bug: "okaywal: one failed sync left every follower hanging.",
        needs: [Durable],
        visits: [History],
        judge: |trial| trial.scene(files::no_place_to_write),
        test: w09_no_disk_delays_an_append,
    }
    W10 "one writer per path" {
        statement: "A path has one writer, across rotations; a second one gets a clear error and \
            touches nothing.",
        why: "Two writers interleave halves of lines, and rotate each other's file away.",
        bug: "A lock on the log file itself goes with the renamed file: after the rotation a second \
            writer locks the new one.",
        needs: [Durable],
        visits: [Reopened],
        judge: |trial| trial.scene(files::second_writer),
        test: w10_one_writer_per_path,
    }
    W11 "shutdown drains or says what it left" {
        statement: "A shutdown writes what is there, and at its deadline says exactly what is not \
            durable.",
        why: "The last events before the end are those that a post-mortem needs.",
        bug: "tracing-appender #1941: what was dropped at the end was reported to nobody.",
        needs: [Durable],
        visits: [History],
        judge: |trial| trial.scene(files::drained),
        test: w11_shutdown_drains_or_says_what_it_left,
    }
    W12 "followers survive rotations" {
        statement: "A reader that follows the file through 1,000 rotations sees each event once, or a \
            declared gap.",
        why: "`tail -f` across a rename is where a line is lost or read twice.",
        bug: "file-rotate #6: a reopened file was truncated under its readers.",
        needs: [Durable, Follow],
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
        statement: "There is no file before the first event.",
        why: "An empty file says that there was a run; a directory that is only looked at must stay \
            as it is.",
        bug: "The baseline creates the file when the writer starts, against its own documentation.",
        needs: [Durable],
        visits: [History],
        judge: |trial| trial.scene(files::no_file_yet),
        test: w14_no_file_before_the_first_event,
    }
    W17 "a log that cannot be rotated is written" {
        statement: "Where a rotation cannot be done, writing goes on in the same file, with one \
            warning; it is tried again. (Judged on the simulated disk and in a directory that may \
            not be written, by `tests/full_files.rs` and the tests of faults.)",
        why: "The size of a file is a wish; the events of the night when nothing could be renamed \
            are not.",
        bug: "Our own: a directory of mode 0555 stopped the log at 83 of 1,000 events, which waited \
            and were lost with the process.",
        needs: [Durable],
        visits: [],
        elsewhere: "not judged here: it needs a disk that refuses to rename",
        test: w17_a_log_that_cannot_be_rotated_is_written,
    }
}
