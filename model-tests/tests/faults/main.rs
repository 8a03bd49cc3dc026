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
/// What the suite asks of the machine for strangers' logs.
#[allow(dead_code, reason = "these tests use a part of it")]
#[path = "../../src/process/tools.rs"]
mod tools;
mod writing;
