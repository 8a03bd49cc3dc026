//! Broken logs, each with one bug, and the law that must find it: what proves that the laws bite.
//!
//! [`Naive`] is a log in memory and [`FileLog`] one with a file; both are sound as long as they
//! have no bug. Beside them stands the baseline, the module that `eventlog` replaces, as it was.

mod baseline;
mod baseline_writer;
mod broker_log;
mod bugs;
mod far_log;
mod file_log;
mod file_reader;
mod file_writer;
mod naive;
mod stored_log;

pub use self::{
    baseline::{Baseline, BaselineSubject},
    baseline_writer::{BaselineWriter, BaselineWriterSubject},
    broker_log::BrokerSubject,
    bugs::{
        BrokerBug, Bug, FarBug, FileBug, Row, StoredBug, broker_rows, far_rows, file_rows, rows,
        stored_rows,
    },
    far_log::{FarLog, FarSubject},
    file_log::{FileLog, FileSubject, LossyFileSubject},
    naive::{Naive, NaiveSubject},
    stored_log::{StoredLog, StoredSubject},
};
