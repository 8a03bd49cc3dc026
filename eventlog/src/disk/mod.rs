//! The log on disk: JSON lines in a current file `X` and a few full ones.
//!
//! | name | what it is |
//! | --- | --- |
//! | `X` | the current file, one `serde_json` line per event |
//! | `X.old` | the newest full file |
//! | `X.old.0000000001`, … | older full files, the oldest first, with [`keep`](DiskConfig::keep) above 1 |
//! | `X.old.2`, … | still older ones, the newest first, that an earlier version left |
//! | `X.lock` | locked by the one writer; never removed |
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
pub use read::follow::{Follow, follow};
pub use read::last::{Tail, read_last};
pub use read::line::{Place, RawLine};
pub use read::lines::{Lines, lines};
pub use read::placed::{Placed, WithPlaces};
pub use read::recover::{RecoverError, Recovery};
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
