//! What is judged: the adapter that a user writes, and the two that come with the crate.

pub(crate) mod adapter;
pub(crate) mod any;
pub(crate) mod asynchronous;
pub(crate) mod attempt;
pub(crate) mod awaited;
pub(crate) mod by_offset;
pub(crate) mod call;
pub(crate) mod capability;
pub(crate) mod case;
pub(crate) mod in_memory;
mod json_lines;
pub(crate) mod log;
pub(crate) mod on_disk;
pub(crate) mod pending;
pub(crate) mod probe;
pub mod sample;
pub(crate) mod waker;
pub(crate) mod watched;
mod watched_reader;

pub use self::{
    adapter::{Event, Following, Line, Subject},
    any::{AnyLog, AnySubject},
    asynchronous::{AsyncLog, AsyncSubject, AsyncSubscription, BoxFuture},
    attempt::{Attempt, append_until_done},
    awaited::{Awaited, AwaitedLog},
    by_offset::{ByOffset, OffsetLog, ReadFrom},
    capability::Capability,
    case::{Case, TestClock, weight},
    in_memory::{Ours, Tick},
    json_lines::{json_line, read_json_lines},
    log::{Lease, Log, Numbering, OpenError, Page, Received, Replay, Subscription},
    on_disk::{OnDisk, SamplesOnDisk},
    pending::PollFuture,
    probe::{Moment, Probe, Probed},
    sample::Sample,
};
