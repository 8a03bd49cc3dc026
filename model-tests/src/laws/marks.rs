//! What outlives a restart: cursors, and what is known of the files.

use super::declare::laws;
use crate::scenes::lineage;

laws! {
    $ Marks __marks_laws;

    M01 "marks are never needed" {
        statement: "Without what a log keeps beside its events (times, numbers, checksums), or with \
            that of another time or of another log, no event is lost, misread or reordered: only \
            times, checksums and the cursors of earlier lives go. (Judged on `eventlog`'s own files, \
            in `tests/lineage` and `eventlog`'s tests of its writer.)",
        why: "Files are restored, copied and cleaned up by people who know nothing of each other.",
        bug: "None on record: the law keeps it so.",
        needs: [],
        visits: [],
        elsewhere: "not judged here: only the log itself knows what it keeps beside its events",
        test: m01_marks_are_never_needed,
    }
    M02 "a cursor outlives a restart only with what it saw" {
        statement: "A cursor of an earlier life is `Complete` only if exactly the events that came \
            after it follow; if what its holder saw was lost, it is not. That holds through lives \
            that end in good order and by a kill, before and after a flush, and where files of some \
            time ago are put back. A log may refuse every cursor of an earlier life. (Judged by \
            copies of the files; `eventlog` itself also by power cuts.)",
        why: "A number that is given a second time makes a subscriber skip events that it never saw, \
            and nothing tells it.",
        bug: "Our own: with the same epoch after a clean end, 488 of 4,000 histories with a restored \
            backup had a wrong `Complete`.",
        needs: [Durable, Cursor],
        visits: [Reopened],
        judge: |trial| trial.scene(lineage::cursors_of_earlier_lives),
        test: m02_a_cursor_outlives_a_restart_only_with_what_it_saw,
    }
    M03 "a flipped byte is found" {
        statement: "In what has checksums, a byte that was changed is found, also where the line is \
            still JSON, and the stretch is named. (Judged on `eventlog`'s own files, in its tests of \
            the disk.)",
        why: "A digit that flips in a log is evidence of what did not happen.",
        bug: "Our own, until there were marks: a flipped digit was read as an event.",
        needs: [],
        visits: [],
        elsewhere: "not judged here: only the log itself knows what it has checksums of",
        test: m03_a_flipped_byte_is_found,
    }
}
