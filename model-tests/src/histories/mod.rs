//! Histories of single operations: made, played on a log and on the model, and shrunk to the
//! shortest that fails.

mod arbitrary;
pub(crate) mod ops;
pub(crate) mod play;
mod player;
pub(crate) mod search;
pub(crate) mod strategies;

pub use self::{
    arbitrary::histories,
    ops::{At, History, Op, Step},
    player::{PartedAt, Player},
};
