//! The specification of `eventlog` as a naive model.
