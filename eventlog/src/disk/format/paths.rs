//! The names that belong to one log.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::disk::storage::Storage;

/// The names that belong to the log `X`: `X`, `X.old`, `X.old.0000000001`, …, `X.lock`, `X.tmp`,
/// `X.suspect`, `X.torn`, `X.marks`, `X.marks.tmp`.
///
/// Suffixes follow the whole file name, so that `a.log` and `a.txt` never share a file.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) log: PathBuf,
    pub(crate) dir: PathBuf,
    /// The newest full file.
    pub(crate) old: PathBuf,
    pub(crate) lock: PathBuf,
    /// A file in the making.
    pub(crate) tmp: PathBuf,
    /// That it exists tells that a sync of the log has failed, and that what can be read of it may
    /// not be on the disk.
    pub(crate) suspect: PathBuf,
    /// When what stands where, of which life it is, and its checksums.
    pub(crate) marks: PathBuf,
    /// Marks in the making. (`X.tmp` is the rebuild's.)
    pub(crate) marks_tmp: PathBuf,
}

/// Which file of a log a name says. The order is that of their records: the older a file, the
/// smaller.
///
/// A full file is `X.old` as long as it is the newest of them. Then it gets a number that it keeps,
/// one above the highest there is, so that the order does not depend on when one looks. The number
/// has ten digits, the first of them 0: a name that ends in a time in seconds is somebody else's.
///
/// Earlier versions called the second newest `X.old.2`, the one before it `X.old.3`, and so on, and
/// renamed them all with each rotation. Up to 9999 such names are read, as the oldest files. Larger
/// numbers, such as the date in `X.old.20240101`, are somebody else's, and are left alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum LogFileName {
    /// `X.old.2` and so on: the larger, the older.
    Earlier(Reverse<u32>),
    /// `X.old.0000000001` and so on.
    Numbered(u32),
    /// `X.old`.
    NewestFull,
    /// `X`.
    Current,
}

/// The largest number that earlier versions are believed to have reached.
const MAX_EARLIER: u32 = 9_999;
/// The largest number that begins with a 0.
const MAX_NUMBER: u32 = 999_999_999;
const DIGITS: usize = 10;

impl LogFileName {
    /// The name that earlier versions gave to the `k`-th newest full file.
    pub(crate) fn earlier(k: u32) -> Option<Self> {
        (2..=MAX_EARLIER)
            .contains(&k)
            .then_some(Self::Earlier(Reverse(k)))
    }

    pub(crate) fn numbered(number: u32) -> Option<Self> {
        (1..=MAX_NUMBER)
            .contains(&number)
            .then_some(Self::Numbered(number))
    }

    /// The name for good of a full file that comes after all of these.
    pub(crate) fn after<'n>(names: impl IntoIterator<Item = &'n Self>) -> Option<Self> {
        let numbers = names.into_iter().filter_map(|name| match name {
            Self::Numbered(number) => Some(*number),
            _ => None,
        });
        Self::numbered(numbers.max().unwrap_or(0) + 1)
    }
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
            old: with(".old"),
            lock: with(".lock"),
            tmp: with(".tmp"),
            suspect: with(".suspect"),
            marks: with(".marks"),
            marks_tmp: with(".marks.tmp"),
            dir,
            log,
        })
    }

    /// As [`new`](Self::new), of the real file: two links to one file then share its names, and a
    /// rotation moves the file and not the link.
    pub(crate) fn on<S: Storage>(storage: &S, path: &Path) -> Option<Self> {
        let given = Self::new(path)?;
        match storage.real_path(&given.log) {
            Ok(real) => Self::new(&real),
            Err(_) => Some(given),
        }
    }

    /// Where the `k`-th unfinished line is set aside, from 1.
    pub(crate) fn torn(&self, k: u32) -> PathBuf {
        match k {
            1 => suffixed(&self.log, ".torn"),
            _ => suffixed(&self.log, &format!(".torn.{k}")),
        }
    }

    pub(crate) fn named(&self, name: LogFileName) -> PathBuf {
        match name {
            LogFileName::Current => self.log.clone(),
            LogFileName::NewestFull => self.old.clone(),
            LogFileName::Numbered(number) => suffixed(&self.old, &format!(".{number:010}")),
            LogFileName::Earlier(Reverse(k)) => suffixed(&self.old, &format!(".{k}")),
        }
    }

    /// Which file of the log is at `path`; `None` if none is.
    pub(crate) fn name_of(&self, path: &Path) -> Option<LogFileName> {
        if path == self.log {
            return Some(LogFileName::Current);
        }
        self.full_file(path.file_name()?)
    }

    /// Which full file has this name in the log's directory, if one has.
    pub(crate) fn full_file(&self, name: &OsStr) -> Option<LogFileName> {
        let own = self.old.file_name()?.as_encoded_bytes();
        let rest = name.as_encoded_bytes().strip_prefix(own)?;
        if rest.is_empty() {
            return Some(LogFileName::NewestFull);
        }
        let digits = std::str::from_utf8(rest.strip_prefix(b".")?).ok()?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = digits.parse().ok()?;
        match digits.len() {
            DIGITS => LogFileName::numbered(number),
            _ if digits.starts_with('0') => None,
            _ => LogFileName::earlier(number),
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
        assert_eq!(paths.old, Path::new("/d/a.log.old"));
        assert_eq!(paths.lock, Path::new("/d/a.log.lock"));
        assert!(Paths::new(Path::new("/")).is_none());
        assert_eq!(Paths::new(Path::new("/d/a.log/")).unwrap().old, paths.old);
    }

    #[test]
    fn names_are_told_from_those_of_others_and_ordered_by_age() {
        let paths = Paths::new(Path::new("/d/a.log")).unwrap();
        let from_old_to_new = [
            "a.log.old.9999",
            "a.log.old.12",
            "a.log.old.2",
            "a.log.old.0000000001",
            "a.log.old.0999999999",
            "a.log.old",
            "a.log",
        ];
        let name = |name: &str| paths.name_of(&paths.dir.join(name));
        let names: Vec<_> = from_old_to_new.map(|text| name(text).unwrap()).into();
        assert!(names.is_sorted(), "{names:?}");
        for (name, text) in names.iter().zip(from_old_to_new) {
            assert_eq!(paths.named(*name), paths.dir.join(text));
        }
        for other in [
            "a.log.old.0",
            "a.log.old.1",
            "a.log.old.02",
            "a.log.old.+2",
            "a.log.old.x",
            "a.log.old.20240101",
            "a.log.old.0000000000",
            "a.log.old.1700000000",
            "a.log.old.00000000001",
            "b.log.old",
            "a.old",
        ] {
            assert_eq!(name(other), None, "{other}");
        }
    }

    #[test]
    fn the_next_number_is_one_above_the_highest() {
        use LogFileName::{NewestFull, Numbered};
        let earlier = LogFileName::earlier(7).unwrap();
        assert_eq!(LogFileName::after(&[]), Some(Numbered(1)));
        assert_eq!(
            LogFileName::after(&[Numbered(3), Numbered(8), earlier, NewestFull]),
            Some(Numbered(9))
        );
        assert_eq!(LogFileName::after(&[Numbered(MAX_NUMBER)]), None);
    }
}
