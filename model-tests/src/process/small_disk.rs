//! A small file system for a process alone, which can be filled.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use tempfile::TempDir;

use super::{
    parent::{Process, Start},
    tools,
};
use crate::{
    subject::{adapter::Subject, case::Case},
    trial::Trial,
};

const BYTES: u64 = 256 * 1024;
/// How much a file grows at once.
pub(crate) const PAGE: u64 = 4096;

/// A process whose directory is on a file system of 256 KiB.
pub(crate) struct SmallDisk {
    pub(crate) process: Process,
    at: TempDir,
}

impl SmallDisk {
    /// Starts the process with this case's settings. Says why where that cannot be.
    pub(crate) fn of<S: Subject>(trial: &Trial<'_, S>, case: &Case) -> Result<Self, String> {
        let at = tempfile::tempdir().map_err(|error| error.to_string())?;
        let under = mounted(at.path())?;
        let start = Start {
            under: &under,
            dir: Some(&at.path().join(DIR)),
            ..Start::PLAIN
        };
        let process = start.process(trial, case)?;
        Ok(Self { process, at })
    }

    /// A path on the file system, which only the process sees, seen from here.
    fn seen(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.process.id()));
        let at = self.at.path().strip_prefix("/").unwrap_or(self.at.path());
        root.join(at).join(name)
    }

    /// Leaves no room for another page.
    pub(crate) fn fill(&self) -> io::Result<()> {
        let mut ballast = File::create(self.seen(BALLAST))?;
        let page = [b'.'; PAGE as usize];
        loop {
            match ballast.write_all(&page) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Leaves room again.
    pub(crate) fn clear(&self) -> io::Result<()> {
        fs::remove_file(self.seen(BALLAST))
    }

    /// A copy of what the process has written: its file system goes with it.
    pub(crate) fn copy(&self, case: &Case) -> io::Result<Case> {
        case.afresh().at(self.seen(DIR)).killed()
    }
}

const DIR: &str = "log";
const BALLAST: &str = "ballast";

/// The words that give a process such a file system at this place.
fn mounted(at: &Path) -> Result<Vec<String>, String> {
    let script =
        "mount -t tmpfs -o size=$1 none \"$2\" && mkdir \"$2/$3\" && shift 3 && exec \"$@\"";
    let unshare = ["unshare".into(), apart()?.into(), "sh".into(), "-c".into()];
    let place = at.to_string_lossy().into_owned();
    let rest = [
        script.into(),
        "sh".into(),
        BYTES.to_string(),
        place,
        DIR.into(),
    ];
    Ok(unshare.into_iter().chain(rest).collect())
}

/// How a process can have mounts of its own here: as root, or as root of a user namespace.
fn apart() -> Result<&'static str, String> {
    static FOUND: OnceLock<Result<&'static str, String>> = OnceLock::new();
    let works = |how| {
        let mount = "mount -t tmpfs -o size=64k none /tmp";
        tools::run("unshare", &[how, "sh", "-c", mount]).map(|_| how)
    };
    FOUND
        .get_or_init(|| works("-m").or_else(|_| works("-rm")))
        .clone()
}
