//! Who writes the log, found out without disturbing anybody.

use std::path::{Path, PathBuf};

/// The path of the file beside the log with this ending. A link's are beside what it leads to.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut name = real.into_os_string();
    name.push(ending);
    name.into()
}

/// Who holds the lock of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    Nobody,
    /// A process, and its id where that can be seen.
    Process(Option<u32>),
    /// This system does not tell without taking the lock, which could keep a writer from starting.
    Unknown,
}

impl Holder {
    pub(crate) fn of(path: &Path) -> Self {
        let lock = beside(path, ".lock");
        if lock.exists() {
            holder(&lock)
        } else {
            Self::Nobody
        }
    }

    pub(crate) fn text(self) -> String {
        match self {
            Self::Nobody => "nobody".to_owned(),
            Self::Process(Some(pid)) => format!("process {pid}{}", name(pid)),
            Self::Process(None) => "a process that cannot be seen from here".to_owned(),
            Self::Unknown => "not known on this system".to_owned(),
        }
    }

    pub(crate) fn pid(self) -> Option<u32> {
        match self {
            Self::Process(pid) => pid,
            Self::Nobody | Self::Unknown => None,
        }
    }
}

/// ` (launcher)`
fn name(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
    name.map_or_else(|_| String::new(), |name| format!(" ({})", name.trim()))
}

/// Linux lists all locks: `1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234567 0 EOF`.
#[cfg(target_os = "linux")]
fn holder(lock: &Path) -> Holder {
    use std::os::unix::fs::MetadataExt;
    let (Ok(locks), Ok(file)) = (std::fs::read_to_string("/proc/locks"), lock.metadata()) else {
        return Holder::Unknown;
    };
    let inode = file.ino().to_string();
    let mut held = locks.lines().filter_map(|line| {
        let mut words = line
            .split_whitespace()
            .skip_while(|word| *word != "WRITE")
            .skip(1);
        let pid: i64 = words.next()?.parse().ok()?;
        (words.next()?.rsplit(':').next()? == inode).then_some(pid)
    });
    match held.next() {
        // Of a process in another container the number is not told.
        Some(pid) => Holder::Process(u32::try_from(pid).ok().filter(|pid| *pid > 0)),
        None => Holder::Nobody,
    }
}

#[cfg(not(target_os = "linux"))]
fn holder(_: &Path) -> Holder {
    Holder::Unknown
}
