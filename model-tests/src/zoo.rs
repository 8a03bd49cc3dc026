//! Broken logs, each with one bug, and the law that must find it: what proves that the laws bite.
//!
//! All but one are the same [`Naive`] log, a sound one as long as it has no [`Bug`]. The other is
//! the baseline, the module that `eventlog` replaces, as it was.

mod baseline;
mod bugs;
mod naive;
mod reader;

pub use baseline::{Baseline, BaselineSubject};
pub use bugs::{Bug, Row, rows};
pub use naive::{Naive, NaiveSubject};
