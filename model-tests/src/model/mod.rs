//! The specification: what a log answers, and what may be found on a disk.

pub mod disk;
mod leased;
pub(crate) mod log;
pub(crate) mod reader;

pub use self::{log::Model, reader::Reader};
