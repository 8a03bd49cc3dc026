//! What others do to the files between two lives.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use eventlog::disk::{DiskConfig, FileLog, Storage as _};
use eventlog::writer::Records;
use model_tests::crashes::{PATH, path};
use model_tests::disk_model::Numbered;
use model_tests::sim_disk::{Random, SimDisk};

/// One kind of doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    MarksDeleted,
    MarksOlder,
    MarksCut,
    LogOlder,
    LogOlderWithFull,
    AllOlder,
    LogRemoved,
    FullRemoved,
    Swapped,
    LogCut,
    Appended,
    MarksOfAnother,
    /// Copies of the directory, which run in turns.
    SideBySide,
}

impl Disturbance {
    pub const ALL: [Self; 13] = [
        Self::MarksDeleted,
        Self::MarksOlder,
        Self::MarksCut,
        Self::LogOlder,
        Self::LogOlderWithFull,
        Self::AllOlder,
        Self::LogRemoved,
        Self::FullRemoved,
        Self::Swapped,
        Self::LogCut,
        Self::Appended,
        Self::MarksOfAnother,
        Self::SideBySide,
    ];

    /// Does it, with a copy of the files of some time ago. `free` is a number that no event has.
    pub fn apply(self, disk: &SimDisk, copy: &Files, random: &mut Random, free: &mut u64) {
        let (log, old, marks) = (path(""), path(".old"), path(".marks"));
        // Where power failed early in a first life, there is none yet.
        let _ = disk.create_dir(log.parent().unwrap());
        match self {
            Self::MarksDeleted => remove(disk, &marks),
            Self::MarksOlder => restore(disk, copy, &[marks]),
            Self::MarksCut => cut(disk, &marks, random),
            Self::LogOlder => restore(disk, copy, &[log]),
            Self::LogOlderWithFull => restore(disk, copy, &full(disk, copy, &[log])),
            Self::AllOlder => restore(disk, copy, &full(disk, copy, &[log, marks])),
            Self::LogRemoved => remove(disk, &log),
            Self::FullRemoved => remove(disk, &old),
            Self::Swapped => {
                let (one, other) = (disk.bytes(&log), disk.bytes(&old));
                put(disk, &log, other);
                put(disk, &old, one);
            }
            Self::LogCut => cut(disk, &log, random),
            Self::Appended => {
                let mut bytes = disk.bytes(&log).unwrap_or_default();
                for _ in 0..=random.below(4) {
                    *free += 1;
                    bytes.extend_from_slice(Numbered::new(*free, 30).line().as_bytes());
                }
                disk.put(&log, &bytes);
            }
            Self::SideBySide => unreachable!("done to whole disks"),
            Self::MarksOfAnother => {
                disk.put(&marks, &marks_of_another());
            }
        }
    }
}

fn marks_of_another() -> Vec<u8> {
    let disk = SimDisk::new();
    let (mut log, _) = FileLog::open(disk.clone(), &DiskConfig::new(PATH)).unwrap();
    let line = Numbered::new(1, 30).line();
    log.append_records(Records::new(line.as_bytes(), &[line.len()]))
        .unwrap();
    drop(log);
    disk.bytes(&path(".marks")).unwrap()
}

/// The log's files at one moment.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A copy of all files of the log.
pub fn copy(disk: &SimDisk) -> Files {
    let dir = path("");
    let dir = dir.parent().unwrap();
    let names = disk.list(dir).unwrap_or_default();
    let paths = names.iter().map(|name| dir.join(name));
    paths
        .filter_map(|path| Some((path.clone(), disk.bytes(&path)?)))
        .collect()
}

fn full(disk: &SimDisk, copied: &Files, with: &[PathBuf]) -> Vec<PathBuf> {
    let prefix = path(".old").display().to_string();
    let now = copy(disk);
    let all = now.keys().chain(copied.keys());
    let full = all.filter(|path| path.display().to_string().starts_with(&prefix));
    full.chain(with).cloned().collect()
}

fn restore(disk: &SimDisk, copy: &Files, paths: &[PathBuf]) {
    for path in paths {
        put(disk, path, copy.get(path).cloned());
    }
}

fn put(disk: &SimDisk, path: &Path, bytes: Option<Vec<u8>>) {
    match bytes {
        Some(bytes) => disk.put(path, &bytes),
        None => remove(disk, path),
    }
}

fn remove(disk: &SimDisk, path: &Path) {
    let _ = disk.remove(path);
    let _ = disk.sync_dir(path.parent().unwrap());
}

fn cut(disk: &SimDisk, path: &Path, random: &mut Random) {
    if let Some(mut bytes) = disk.bytes(path) {
        bytes.truncate(random.below(bytes.len() + 1));
        disk.put(path, &bytes);
    }
}
