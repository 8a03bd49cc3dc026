//! The way back from the disk: all records, the newest, those to come, and a whole log.

pub(crate) mod all;
pub(crate) mod backward;
mod decode;
mod files;
pub(crate) mod follow;
pub(crate) mod forward;
pub(crate) mod history;
pub(crate) mod last;
mod log_file;
pub(crate) mod marks;
pub(crate) mod recover;
mod same_bytes;
pub(crate) mod sums;
pub(crate) mod whole_len;
