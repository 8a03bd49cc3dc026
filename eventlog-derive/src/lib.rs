//! `#[derive(Versioned)]` for the `eventlog` crate.
