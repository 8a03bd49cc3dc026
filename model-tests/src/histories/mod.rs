//! Histories of single operations: made, played on a log and on the model, and shrunk to the
//! shortest that fails.

pub(crate) mod ops;
pub(crate) mod play;
pub(crate) mod search;
pub(crate) mod strategies;

pub use self::ops::{At, History, Op, Step};
