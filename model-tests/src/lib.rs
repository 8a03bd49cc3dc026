//! The specification of `eventlog` as a naive model.

pub mod crashes;
pub mod disk_model;
pub mod naive_writer;
pub mod sim_disk;
