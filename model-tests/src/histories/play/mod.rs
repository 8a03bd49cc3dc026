//! Plays a history on a log and on the model, and compares every answer.

mod appends;
mod asks;
mod code;
mod made;
mod readers;
pub(crate) mod run;
mod step;
mod visit;
