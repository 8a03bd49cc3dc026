//! The log on disk: JSON lines in a current file `X` and a few full ones.
//!
//! | name | what it is |
//! | --- | --- |
//! | `X` | the current file, one `serde_json` line per event |
//! | `X.old` | the newest full file |
//! | `X.old.0000000001`, … | older full files, the oldest first, with [`keep`](DiskConfig::keep) above 1 |
//! | `X.old.2`, … | still older ones, the newest first, that an earlier version left |
//! | `X.lock` | locked by the one writer; never removed |
//! | `X.marks`, `X.marks.tmp` | what stands where: [marks](#marks) |
//! | `X.tmp` | a file in the making |
//! | `X.suspect` | the mark that a sync of `X` has failed, until `X` was rebuilt |
//! | `X.torn`, `X.torn.2`, … | what repairs cut from the end of `X`: bytes of lines never finished; none is overwritten or removed |
//!
//! Where `X` is a link, all of these belong to the file that it leads to, and stand beside that. A
//! link to a file that is not there yet is followed as well.
//!
//! [`DiskWriter`] writes a log's events. [`read`] gives the records back, [`read_last`] the newest
//! of them, [`follow`] those to come, and [`lines()`] what stands in the files, unparsed;
//! [`EventLog::recover`](crate::EventLog::recover) brings the whole log back.
//!
//! # Marks
//!
//! The lines of the log are events and nothing else. What a line cannot say stands in `X.marks`, one
//! JSON object per line: when it was written, which number it has, of which life of the log it is,
//! and whether it is still the same.
//!
//! ```json
//! {"mark":"opened","prev":"00000000","epoch":"9f86d081884c7d64","file":1,"line":0,"offset":0,"seq":0,
//!  "sum":"00000000","fresh":true,"at":1795646400123,"pid":4711,"self":"77e0a4c1"}
//! {"mark":"committed","prev":"77e0a4c1","file":1,"line":119,"offset":17776,"seq":119,
//!  "sum":"e3069283","at":1795646401130,"self":"0a71f3d2"}
//! ```
//!
//! | field | meaning |
//! | --- | --- |
//! | `mark` | `opened`: a writer opened the log; `committed`: everything up to here is durable; `rotated`: the file is full; `closed`: the writer ended |
//! | `file`, `line`, `offset` | the place: the file's number, counted through rotations, and how many lines and bytes of it stand before |
//! | `seq` | number of the last event before the place; not there where the writer does not number events |
//! | `sum` | CRC-32C of the file from its first byte up to the place |
//! | `at` | milliseconds since 1970, as the clock said; it may fall |
//! | `epoch`, `live`, `durable`, `fresh` | of an opening: the life that begins; up to which number the life before is left for those who saw events before and after they were durable; whether nothing is known of what stands before |
//! | `pid` | for people only |
//! | `prev`, `self` | CRC-32C of the line before and of this one up to here: a file of marks counts up to the first line that does not follow |
//!
//! Marks are never needed. They can be deleted at any time, and where they are wrong or cannot be
//! written no event is lost or misread: only times, checksums and the cursors of earlier lives go.
//! [`DiskConfig::marks`] turns them off.
//!
//! What they promise to a [`Cursor`](crate::Cursor) of an earlier life, in a log that was
//! [recovered](crate::EventLog::recover):
//!
//! | how the life ended | of `writer.subscribe` | of `log.subscribe`, `log.replay` |
//! | --- | --- | --- |
//! | in good order | complete | complete |
//! | killed, after a second without events | complete | complete |
//! | killed | complete | foreign if it stands in the last second |
//! | power cut | complete; truncated at worst, at the end of a file just rotated | foreign behind the newest mark that is left |
//!
//! That holds with a sync for every batch or every interval; with
//! [`SyncPolicy::Never`] every cursor may be foreign after a power cut. Whoever restores, deletes or
//! appends to the files costs cursors, not events. What cannot be noticed is that somebody *edits*
//! lines behind the newest mark, at most the last second of a life that was killed.

mod config;
#[cfg(feature = "tokio")]
mod drop_in;
mod error;
mod file_log;
mod format;
mod read;
mod spawn;
mod storage;

pub use config::{ConfigError, DiskConfig};
#[cfg(feature = "tokio")]
pub use drop_in::{run_disk_writer, run_disk_writer_with};
pub use error::{DiskError, SpawnError};
pub use format::damage::{Damage, DamageKind};
pub use format::record::Record;
pub use read::all::{Reader, read};
pub use read::beyond::{DiskReplay, replay_after};
pub use read::follow::{Follow, FollowStream, ResumeError, follow};
pub use read::from_end::lines_from_end;
pub use read::last::{Tail, read_last};
pub use read::line::{Place, RawLine};
pub use read::lines::{Lines, lines};
pub use read::marked::{MarkAt, MarkKind};
pub use read::placed::{Placed, WithPlaces};
pub use read::position::{Position, PositionError};
pub use read::recover::{RecoverError, Recovery};
pub use read::timeline::{Stamp, Time, Timeline};
pub use spawn::DiskWriter;

pub use crate::writer::{
    Flush, Gap, GapReason, Level, NotStored, Notice, Stored, SyncPolicy, Unfaithful, WriterStats,
};

/// What a simulated disk needs. Outside of `SemVer`: it changes without notice.
#[cfg(feature = "unstable-storage")]
#[doc(hidden)]
pub use {
    file_log::{FileLog, Opened},
    storage::{FileId, RealStorage, Stat, Storage},
};
