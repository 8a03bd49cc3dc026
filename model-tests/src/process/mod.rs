//! The subject in a process of its own, for what cannot be seen from inside: a process that is
//! killed, ends, or runs on a kernel whose calls fail, stall and are traced.
//!
//! The process is this very program, started again with one test: it comes to the same
//! [`check`](crate::check()), finds that it is a child, and does what its parent says, one order
//! a line on its standard input, one answer a line on its standard output.

pub(crate) mod child;
pub(crate) mod files;
pub(crate) mod parent;
pub(crate) mod replay;
pub(crate) mod small_disk;
pub(crate) mod tools;
mod trace;

pub use child::serve;
