//! The log on disk: JSON lines in a current file `X` and a few full ones.
//!
//! | name | what it is |
//! | --- | --- |
//! | `X` | the current file, one `serde_json` line an event |
//! | `X.old`, `X.old.2`, … | full files, the newest first |
//! | `X.lock` | locked by the one writer; never removed |
//! | `X.tmp` | a file in the making |
//! | `X.suspect` | the mark that a sync of `X` has failed, until `X` was rebuilt |
//! | `X.torn` | what the last repair cut from the end of `X`: bytes of a line never finished |
//!
//! [`FileLog`] appends, syncs, rotates and repairs; it is a [`Destination`] for [`Records`].
//! [`read`] gives the records back, [`read_last`] the newest of them, [`follow`] those to come.
//! All of it works on a [`Storage`], which is the operating system's file system unless a test
//! brings its own.

mod ack;
mod backward;
mod batch;
mod committer;
mod common;
mod config;
mod control;
mod damage;
mod destination;
mod error;
mod file_log;
mod files;
mod follow;
mod heal;
mod line;
mod lines;
mod paths;
mod reader;
mod real_storage;
mod recover;
mod retry;
mod run;
mod storage;
mod tail;
mod worker;
mod writer;

pub use ack::{Durable, NotDurable};
pub use config::{DiskConfig, SyncPolicy};
pub use control::WriterStats;
pub use damage::{Damage, DamageKind};
pub use destination::{Destination, Records};
pub use error::DiskError;
pub use file_log::{FileLog, Opened};
pub use follow::{Follow, follow};
pub use line::{Gap, GapReason, Record};
pub use reader::{Reader, read};
pub use real_storage::RealStorage;
pub use recover::Recovery;
pub use run::run_disk_writer;
pub use storage::{FileId, Stat, Storage};
pub use tail::{Tail, read_last};
pub use writer::DiskWriter;
