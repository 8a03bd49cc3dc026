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
pub mod drop_in;
mod evidence;
mod histories;
mod law;
pub mod laws;
mod model;
mod outcome;
mod process;
pub mod recorded;
mod report;
mod scenes;
pub mod sim_broker;
pub mod sim_disk;
mod subject;
mod text;
mod transcript;
mod trial;
mod watch;
pub mod zoo;

pub use check::{check, check_all, check_laws};
pub use checked::Checked;
#[doc(hidden)]
pub use conformance::__run;
pub use crashes::naive_writer;
pub use eventlog::{Coverage, Versioned};
pub use evidence::{Evidence, NotJudged};
pub use histories::{At, History, Op, PartedAt, Player, Step, histories};
pub use law::Law;
pub use model::{Model, Reader, disk as disk_model};
pub use outcome::{Outcome, Ruling};
pub use process::serve;
pub use report::{Class, Report};
pub use subject::{
    AnyLog, AnySubject, AsyncLog, AsyncSubject, AsyncSubscription, Attempt, Awaited, AwaitedLog,
    BoxFuture, ByOffset, Capability, Case, Event, Following, Lease, Line, Log, Moment, Numbering,
    OffsetLog, OnDisk, OpenError, Ours, Page, PollFuture, Probe, Probed, ReadFrom, Received,
    Replay, Sample, SamplesOnDisk, Subject, Subscription, TestClock, Tick, append_until_done,
    json_line, read_json_lines, sample, weight,
};
pub use trial::{Budget, Violation};

/// The examples of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
