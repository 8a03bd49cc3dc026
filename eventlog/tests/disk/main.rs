//! The log on a real file system: written, rotated, read back, followed and recovered.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod follow;
mod positions;
mod raw_lines;
mod reading;
mod recover;
mod waiting;

// `FileLog` is outside of SemVer, and public with this feature only.
#[cfg(feature = "unstable-storage")]
mod follow_rotation;
#[cfg(feature = "unstable-storage")]
mod lines;
#[cfg(feature = "unstable-storage")]
mod rotation;
#[cfg(feature = "unstable-storage")]
mod timeline;
