//! Where the log is, and what its files hold.

use std::path::PathBuf;

use crate::{model::disk::Numbered, sim_disk::disk::SimDisk};

/// Where the log is on the simulated disk. Its directory is not there at first.
pub const PATH: &str = "/data/x.log";

/// The numbers of the records in a file's bytes.
#[must_use]
pub fn numbers(bytes: &[u8]) -> Vec<u64> {
    let lines = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.ends_with(b"\n"));
    lines
        .filter_map(|line| {
            let start = line
                .iter()
                .rposition(|byte| *byte == 0)
                .map_or(0, |zero| zero + 1);
            Some(
                serde_json::from_slice::<Numbered>(&line[start..])
                    .ok()?
                    .version,
            )
        })
        .collect()
}

/// The log's path, or that path with a suffix.
#[must_use]
pub fn path(suffix: &str) -> PathBuf {
    PathBuf::from(format!("{PATH}{suffix}"))
}

/// The files of the log, the oldest first, and whether the last of them is the current one.
#[must_use]
pub fn files(disk: &SimDisk, keep: u32) -> (Vec<Vec<u8>>, bool) {
    let olds = (1..=keep).rev().filter_map(|k| match k {
        1 => disk.bytes(&path(".old")),
        k => disk.bytes(&path(&format!(".old.{k}"))),
    });
    let mut files: Vec<_> = olds.collect();
    let current = disk.bytes(&path(""));
    let has_current = current.is_some();
    files.extend(current);
    (files, has_current)
}
