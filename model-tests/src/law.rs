//! What a law is.

use crate::{report::Class, subject::capability::Capability};

/// A law that every log must keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Law {
    /// Such as `R04`. Ids are never given twice.
    pub id: &'static str,
    /// The law in three or four words, as in the name of its test.
    pub name: &'static str,
    /// What must hold.
    pub statement: &'static str,
    /// What its users lose where it does not.
    pub why: &'static str,
    /// A bug on record that it would have stopped.
    pub bug: &'static str,
    /// What a log must have for the law to mean anything.
    pub needs: &'static [Capability],
    /// The laws that this one takes for granted: where one of them is broken, its answers say nothing
    /// of their own.
    pub assumes: &'static [&'static Law],
    /// What a run must have met before it counts.
    pub visits: &'static [Class],
}
