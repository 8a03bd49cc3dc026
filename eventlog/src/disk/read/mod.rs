//! The way back from the disk: all records, the newest, those to come, and a whole log.

pub(crate) mod all;
pub(crate) mod backward;
mod decode;
mod files;
pub(crate) mod follow;
pub(crate) mod forward;
pub(crate) mod last;
mod log_file;
pub(crate) mod recover;
mod same_bytes;
