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
//! # When the disk is full
//!
//! *You see* one [`Notice::Failing`] and, as long as it lasts, the reason in
//! [`WriterStats::failing`](WriterStats). [`append`](crate::EventLog::append) goes on as ever: events
//! wait in memory, first in the ring and then in the [backlog](DiskConfig::backlog_events), and
//! whoever waits for [`durable`](crate::writer::Writer::durable) waits. The same goes for every other
//! fault of the disk.
//!
//! *What to do:* free some room. Writing is tried again by itself, at least every
//! [`retry_max`](DiskConfig::retry_max) (30 s unless set otherwise), and [`Notice::Resumed`] says that
//! it works; nothing has to be started anew. What exceeds the backlog before that is lost:
//! [`NotStored::Lost`] says so to whoever waits for it, [`Notice::Gap`] to you, and a [`Gap`] line to
//! all readers.
//!
//! ```
//! # use std::{sync::mpsc, time::Duration};
//! use eventlog::{EventLog, disk::{DiskConfig, DiskWriter, Notice}};
//! # use eventlog::Versioned as _;
//! # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("events.log");
//! # let (pager, _calls) = mpsc::channel();
//! let config = DiskConfig::new(&path)
//!     .backlog_events(3_600_000) // an hour, at 1,000 per second
//!     .on_notice(move |notice| match notice {
//!         Notice::Failing { .. } | Notice::Gap { .. } => _ = pager.send(notice.to_string()),
//!         _ => {}
//!     });
//! let log = EventLog::new(None);
//! let writer = DiskWriter::spawn(&log, config)?;
//!
//! let seq = log.append(Tick(1));
//! match tokio::time::timeout(Duration::from_secs(30), writer.durable(seq)).await {
//!     Ok(stored) => _ = stored?,
//!     // It may still be stored later, so the caller is told "not yet", and not "no".
//!     Err(_) => eprintln!("not yet: {:?}", writer.stats().failing),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # When the process ends
//!
//! In good order, [`shutdown`](crate::writer::Writer::shutdown) stores what was appended, and dropping
//! the writer waits for it for a moment: [the end of a process](crate::writer::Writer#the-end-of-a-process).
//! After a kill, a crash or a power cut, everything is there that was called
//! [durable](crate::writer::Writer::durable). *You see* at most one unfinished line at the end of the
//! current file, which was acknowledged to nobody ([`DamageKind::TornTail`]).
//!
//! *What to do:* [recover](crate::EventLog::recover), and hand the same settings to the writer: it sets
//! the unfinished line aside and goes on.
//!
//! ```
//! # use eventlog::{EventLog, disk::{DiskConfig, DiskWriter}};
//! # #[derive(serde::Serialize, serde::Deserialize, Clone, PartialEq, Debug)]
//! # struct Tick(u64);
//! # impl eventlog::Versioned for Tick { fn version(&self) -> u64 { self.0 } }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("events.log");
//! std::fs::write(&path, "7\n8\n9")?; // killed while it wrote
//! let config = DiskConfig::new(&path);
//! let (log, recovery) = EventLog::<Tick>::recover(&config)?;
//! assert_eq!((recovery.events, recovery.torn_bytes), (2, 1));
//!
//! let writer = DiskWriter::spawn(&log, config)?;
//! writer.durable(log.append(Tick(9))).await?; // again, and whole
//! assert_eq!(std::fs::read_to_string(&path)?, "7\n8\n9\n");
//! assert_eq!(log.events_since(7), [Tick(8), Tick(9)]);
//! # Ok(())
//! # }
//! ```
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
