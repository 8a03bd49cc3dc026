//! What the tests write, and the check that it is all there.

use std::{fmt::Debug, path::Path, time::Duration};

use eventlog::{
    Versioned,
    disk::{self, Damage, DamageKind, DiskConfig, Record},
};
use serde::{Deserialize, Serialize};

/// More than any correct run takes; only a hang gets there.
pub const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Versioned)]
pub struct Step {
    pub version: u64,
    pub text: String,
}

/// An event of about 100 bytes.
pub fn step(version: u64) -> Step {
    sized(version, 70)
}

pub fn sized(version: u64, bytes: usize) -> Step {
    Step {
        version,
        text: "x".repeat(bytes),
    }
}

pub fn config(path: &Path) -> DiskConfig {
    DiskConfig::new(path)
        .retry_min(Duration::from_millis(1))
        .retry_max(Duration::from_millis(50))
}

/// Asserts that the versions on disk are `1..=n`, each once, with no gap and no damage but a torn
/// tail. Returns `n`.
pub fn dense(path: &Path) -> u64 {
    let mut next = 1;
    for record in disk::read::<Step>(path) {
        match record {
            Ok(Record::Event(step)) => {
                assert_eq!(step.version(), next, "in {}", path.display());
                next += 1;
            }
            Err(Damage {
                kind: DamageKind::TornTail,
                ..
            }) => {}
            other => panic!("after version {}: {other:?}", next - 1),
        }
    }
    next - 1
}

/// Asserts that everything up to `acknowledged` is on disk.
pub fn holds(path: &Path, acknowledged: impl TryInto<u64, Error: Debug>) {
    let (found, acknowledged) = (dense(path), acknowledged.try_into().unwrap());
    assert!(
        found >= acknowledged,
        "{found} on disk, {acknowledged} acknowledged"
    );
}
