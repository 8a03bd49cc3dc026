//! Laws W03, W06, W07, W09–W11, W13 and W14 of the disk writer as a whole: a log, a thread, and a
//! destination that does what the test tells it, or a real directory.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod account;
#[cfg(feature = "tokio")]
mod drop_in;
mod failing;
mod faithful;
mod files;
mod gaps;
mod handles;
mod last_words;
mod script;
mod warnings;
mod whispers;
