//! The disk writer on a real kernel with real faults: killed processes, full and limited disks,
//! directories that cannot be written or go away, system calls that fail.
//!
//! Each test runs where it can. Where it cannot, it says so and why on standard error.

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(unix)]

mod child;
mod directories;
mod kill;
mod limits;
mod loop_device;
mod strace;
mod system;
mod writing;
