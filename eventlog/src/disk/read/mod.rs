//! The way back from the disk: all lines and records, the newest, those to come, and a whole log.

pub(crate) mod all;
pub(crate) mod backward;
pub(crate) mod beyond;
mod decode;
mod files;
pub(crate) mod follow;
pub(crate) mod forward;
pub(crate) mod from_end;
pub(crate) mod history;
pub(crate) mod last;
pub(crate) mod line;
pub(crate) mod lines;
mod log_file;
pub(crate) mod marked;
pub(crate) mod marks;
pub(crate) mod placed;
pub(crate) mod position;
pub(crate) mod recover;
mod same_bytes;
pub(crate) mod sums;
pub(crate) mod timeline;
mod trace;
pub(crate) mod whole_len;
