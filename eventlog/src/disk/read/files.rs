//! The files of a log, as they stand at one instant.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};

use crate::disk::format::damage::{Damage, unreadable};
use crate::disk::format::paths::{LogFileName, Paths};
use crate::disk::storage::{FileId, Storage};

/// How often the files are listed anew when the log is rotated meanwhile.
const ATTEMPTS: usize = 100;

/// One open file of a log.
pub(crate) struct LogFile<F> {
    pub(crate) path: PathBuf,
    pub(crate) file: F,
    pub(crate) id: Option<FileId>,
}

/// Opens the files of a log, the oldest first; those that cannot be read are damage.
///
/// Rotation moves files to older names, so going from new to old misses none, and the identity
/// tells which was met twice. That holds as long as the newest file stays the newest, since no
/// other moves further than by one meanwhile; elsewhere it is done again.
pub(crate) fn open_all<S: Storage>(
    storage: &S,
    paths: &Paths,
) -> (Vec<LogFile<S::File>>, Vec<Damage>) {
    for attempt in 1.. {
        let mut found = Found::look(storage, paths);
        if found.is_whole() || attempt == ATTEMPTS {
            found.files.reverse();
            found.damage.reverse();
            return (found.files, found.damage);
        }
    }
    unreachable!("the last attempt returns")
}

/// What was met so far, the newest first.
struct Found<'s, S: Storage> {
    storage: &'s S,
    paths: &'s Paths,
    files: Vec<LogFile<S::File>>,
    damage: Vec<Damage>,
    /// The full files that were looked for.
    names: BTreeSet<LogFileName>,
}

impl<'s, S: Storage> Found<'s, S> {
    fn look(storage: &'s S, paths: &'s Paths) -> Self {
        let mut found = Self {
            storage,
            paths,
            files: Vec::new(),
            damage: Vec::new(),
            names: BTreeSet::from([LogFileName::NewestFull]),
        };
        found.add(paths.log.clone());
        if found.files.is_empty() {
            // Between two files there is no current one, and the newest is a full one.
            found.add(paths.old.clone());
        }
        match found.listed() {
            // Also where each may move meanwhile.
            Ok(listed) => {
                found.names.extend(LogFileName::after(&listed));
                for name in listed {
                    found.names.insert(name);
                    found.names.extend(match name {
                        LogFileName::Earlier(Reverse(k)) => LogFileName::earlier(k + 1),
                        LogFileName::NewestFull => LogFileName::earlier(2),
                        _ => None,
                    });
                }
            }
            // Whether there are full files is not known, and neither what they hold.
            Err(error) => found.damage.push(unreadable(paths.dir.clone(), 0, &error)),
        }
        for name in found.names.clone().into_iter().rev() {
            found.add(paths.named(name));
        }
        found
    }

    /// Opens the file at `path`, unless it was met already.
    fn add(&mut self, path: PathBuf) {
        match open(self.storage, path.clone()) {
            Ok(file) if file.id.is_some() && self.files.iter().any(|met| met.id == file.id) => {}
            Ok(file) => self.files.push(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) if self.is_damaged(&path) => {}
            Err(error) => self.damage.push(unreadable(path, 0, &error)),
        }
    }

    /// The full files whose names are met in the directory. Where one is renamed
    /// meanwhile, it may be met under neither name.
    fn listed(&self) -> io::Result<Vec<LogFileName>> {
        let names = match self.storage.list(&self.paths.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names?,
        };
        let full = |name: &OsString| self.paths.full_file(name);
        Ok(names.iter().filter_map(full).collect())
    }

    /// Whether no other file became the newest, and none was missed when the names were listed:
    /// it is met by a second listing.
    fn is_whole(&self) -> bool {
        let unmet = |name: &LogFileName| !self.names.contains(name);
        if self.listed().is_ok_and(|listed| listed.iter().any(unmet)) {
            return false;
        }
        let full = self.names.iter().rev();
        let old = full.map(|name| self.paths.named(*name));
        let newest = iter::once(self.paths.log.clone())
            .chain(old)
            .filter(|path| !self.is_damaged(path))
            .filter_map(|path| self.storage.stat_path(&path).ok())
            .find(|stat| stat.is_file)
            .and_then(|stat| stat.id);
        self.files.first().and_then(|file| file.id) == newest
    }

    fn is_damaged(&self, path: &Path) -> bool {
        self.damage.iter().any(|met| met.file == path)
    }
}

fn open<S: Storage>(storage: &S, path: PathBuf) -> io::Result<LogFile<S::File>> {
    // Looked at first, because opening a pipe would wait for its writer.
    if !storage.stat_path(&path)?.is_file {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    let file = storage.open_read(&path)?;
    let id = storage.stat(&file)?.id;
    Ok(LogFile { path, file, id })
}
