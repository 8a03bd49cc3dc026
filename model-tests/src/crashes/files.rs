//! Where the log is, and what its files hold.

use std::{ffi::OsString, path::PathBuf};

use eventlog::disk::Storage as _;

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
///
/// ```
/// # use model_tests::crashes::path;
/// assert!(path(".old").to_string_lossy().ends_with(".old"));
/// ```
#[must_use]
pub fn path(suffix: &str) -> PathBuf {
    PathBuf::from(format!("{PATH}{suffix}"))
}

/// The files of the log, the oldest first, and whether the last of them is the current one.
///
/// ```
/// # use model_tests::{crashes::{Driver, Script, files}, sim_disk::SimDisk};
/// let (disk, script) = (SimDisk::new(), Script::generate(1, 0));
/// let (mut driver, _) = Driver::open(&disk, &script, 0)?;
/// driver.append(&[30])?;
/// let (contents, has_current) = files(&disk);
/// assert!(contents.len() == 1 && has_current);
/// # Ok::<(), eventlog::disk::DiskError>(())
/// ```
#[must_use]
pub fn files(disk: &SimDisk) -> (Vec<Vec<u8>>, bool) {
    let names = disk.list(path("").with_file_name("").as_path());
    let names = names.unwrap_or_default();
    let numbered = |name: &OsString| {
        let (_, number) = name.to_str()?.split_once("x.log.old.")?;
        (number.len() == 10).then(|| number.to_owned())
    };
    let mut numbers: Vec<_> = names.iter().filter_map(numbered).collect();
    numbers.sort();
    let suffixes = numbers.iter().map(|number| format!(".old.{number}"));
    let suffixes = suffixes.chain([".old".to_owned()]);
    let mut files: Vec<_> = suffixes
        .filter_map(|suffix| disk.bytes(&path(&suffix)))
        .collect();
    let current = disk.bytes(&path(""));
    let has_current = current.is_some();
    files.extend(current);
    (files, has_current)
}
