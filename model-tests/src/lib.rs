//! The specification of an event log as a naive model, its laws, and the suite that judges any log
//! by them.

#![allow(
    clippy::cast_possible_truncation,
    reason = "what is counted here are the events of small histories"
)]
#![allow(
    clippy::unnecessary_box_returns,
    reason = "violations travel in results, which are to stay small"
)]

#[doc(hidden)]
pub use eventlog;

mod check;
mod checked;
mod conformance;
pub mod crashes;
pub mod disk_model;
mod engine;
mod histories;
pub mod laws;
mod model;
pub mod naive_writer;
mod on_disk;
mod ops;
mod ours;
mod patience;
mod probe;
mod report;
mod run;
pub mod sim_disk;
mod subject;
mod waker;
pub mod zoo;

pub use check::{Budget, Violation, check};
pub use checked::Checked;
#[doc(hidden)]
pub use conformance::__run;
pub use eventlog::{Coverage, Versioned};
pub use laws::Law;
pub use model::{Model, Reader};
pub use on_disk::OnDisk;
pub use ops::{At, History, Op, Step};
pub use ours::{Ours, Tick};
pub use probe::{Moment, Probe, Probed};
pub use report::{Class, Report};
pub use subject::{
    Capability, Case, Event, Following, Line, Log, OpenError, Received, Replay, Subject,
    Subscription,
};

/// The examples of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
