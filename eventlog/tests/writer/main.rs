//! Laws W03, W06, W07, W09–W11, W13, W14 and S07 of the disk writer as a whole: a log, a thread, and
//! a destination that does what the test tells it, or a real directory.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod account;
mod ahead;
mod bridge;
#[cfg(feature = "tokio")]
mod drop_in;
mod failing;
mod faithful;
mod files;
mod gaps;
mod handles;
mod last_words;
mod marks;
mod script;
#[cfg(feature = "tokio")]
mod settings;
mod stored;
mod stored_any;
mod told;
mod warnings;
mod whispers;
