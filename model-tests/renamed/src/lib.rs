//! A user of `eventlog` that knows it only under another name.
//!
//! Each derive is told so with `#[versioned(crate = ...)]`. That this compiles is half of the
//! test: one path in the output that still said `::eventlog` would find nothing.

use log_of_events::{AsVersion, Versioned};

/// Every way in which a version is read.
#[derive(Versioned)]
#[versioned(crate = log_of_events, field = seq)]
pub enum Event<V> {
    /// By name, through a bound on the parameter.
    Opened {
        /// The version.
        seq: V,
    },
    /// By a mark.
    Moved(#[version] Revision, String),
    /// By delegation.
    #[versioned(transparent)]
    Saved(Saved),
    /// By a function.
    Imported {
        /// The version.
        #[version(with = distance)]
        row: i64,
    },
}

/// A struct, and the path from the root.
#[derive(Versioned)]
#[versioned(crate = ::log_of_events)]
pub struct Saved {
    /// The version.
    pub version: u64,
}

/// A newtype.
#[derive(AsVersion)]
#[versioned(crate = log_of_events)]
pub struct Revision(pub u64);

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "`with` hands out references"
)]
fn distance(row: &i64) -> u64 {
    row.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_reading_works_under_another_name() {
        let moved: Event<u8> = Event::Moved(Revision(2), String::new());
        let saved: Event<u8> = Event::Saved(Saved { version: 3 });
        let imported: Event<u8> = Event::Imported { row: -4 };
        assert_eq!(Event::Opened { seq: 1_u8 }.version(), 1);
        assert_eq!(moved.version(), 2);
        assert_eq!(saved.version(), 3);
        assert_eq!(imported.version(), 4);
    }
}
