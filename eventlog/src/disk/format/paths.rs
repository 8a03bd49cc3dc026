//! The names that belong to one log.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The names that belong to the log `X`: `X`, `X.old`, `X.old.2`, …, `X.lock`, `X.tmp`,
/// `X.suspect`, `X.torn`.
///
/// Suffixes follow the whole file name, so that `a.log` and `a.txt` never share a file.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) log: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) lock: PathBuf,
    /// A file in the making.
    pub(crate) tmp: PathBuf,
    /// That it exists tells that a sync of the log has failed, and that what can be read of it may
    /// not be on the disk.
    pub(crate) suspect: PathBuf,
    pub(crate) torn: PathBuf,
}

impl Paths {
    /// Made absolute, so that a change of the working directory does not move the log.
    /// `None` if `path` names no file.
    pub(crate) fn new(path: &Path) -> Option<Self> {
        let absolute = std::path::absolute(path).ok()?;
        let dir = absolute.parent()?.to_path_buf();
        // Put together again, because a suffix must not follow a slash at the end.
        let log = dir.join(path.file_name()?);
        let with = |suffix| suffixed(&log, suffix);
        Some(Self {
            lock: with(".lock"),
            tmp: with(".tmp"),
            suspect: with(".suspect"),
            torn: with(".torn"),
            dir,
            log,
        })
    }

    /// The `k`-th newest of the full files, from 1.
    pub(crate) fn old(&self, k: u32) -> PathBuf {
        match k {
            1 => suffixed(&self.log, ".old"),
            _ => suffixed(&self.log, &format!(".old.{k}")),
        }
    }

    /// How many files of the log are newer than the one at `path`; `None` if it is no file of it.
    pub(crate) fn age(&self, path: &Path) -> Option<u32> {
        if path == self.log {
            return Some(0);
        }
        self.old_number(path.file_name()?)
    }

    /// Which full file has this name, if one has.
    pub(crate) fn old_number(&self, name: &OsStr) -> Option<u32> {
        let own = self.log.file_name()?.as_encoded_bytes();
        match name
            .as_encoded_bytes()
            .strip_prefix(own)?
            .strip_prefix(b".old")?
        {
            b"" => Some(1),
            rest => {
                let digits = std::str::from_utf8(rest.strip_prefix(b".")?).ok()?;
                let k = digits.parse().ok().filter(|k| *k >= 2)?;
                (self.old(k).file_name() == Some(name)).then_some(k)
            }
        }
    }
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_follow_the_whole_name() {
        let paths = Paths::new(Path::new("/d/a.log")).unwrap();
        assert_eq!(paths.old(1), Path::new("/d/a.log.old"));
        assert_eq!(paths.old(2), Path::new("/d/a.log.old.2"));
        assert_eq!(paths.lock, Path::new("/d/a.log.lock"));
        let number = |name: &str| paths.old_number(OsStr::new(name));
        assert_eq!(
            (number("a.log.old"), number("a.log.old.12")),
            (Some(1), Some(12))
        );
        for other in [
            "a.log",
            "a.log.old.1",
            "a.log.old.02",
            "a.log.old.x",
            "b.log.old",
            "a.old",
        ] {
            assert_eq!(number(other), None, "{other}");
        }
        assert!(Paths::new(Path::new("/")).is_none());
        assert_eq!(
            Paths::new(Path::new("/d/a.log/")).unwrap().old(1),
            paths.old(1)
        );
    }
}
