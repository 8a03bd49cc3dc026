//! The files of a log, as they stand at one instant.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::damage::{Damage, DamageKind};
use super::paths::Paths;
use super::{FileId, Storage};

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
/// tells which was met twice. If the newest file is another in the end, it is done again: files
/// that were opened before that are older than those behind older names.
pub(crate) fn open_all<S: Storage>(
    storage: &S,
    paths: &Paths,
) -> (Vec<LogFile<S::File>>, Vec<Damage>) {
    for attempt in 1.. {
        let (files, damage) = open_once(storage, paths);
        let newest = files.last().and_then(|file| file.id);
        // Between two files there is no current one, and the newest is a full one.
        let named = [paths.log.clone(), paths.old(1)]
            .iter()
            .filter_map(|path| storage.stat_path(path).ok())
            .find(|stat| stat.is_file)
            .and_then(|stat| stat.id);
        if newest == named || attempt == ATTEMPTS {
            return (files, damage);
        }
    }
    unreachable!("the last attempt returns")
}

fn open_once<S: Storage>(storage: &S, paths: &Paths) -> (Vec<LogFile<S::File>>, Vec<Damage>) {
    let mut files: Vec<LogFile<S::File>> = Vec::new();
    let mut damage = Vec::new();
    let numbers = numbers(storage, paths).unwrap_or_else(|error| {
        // Whether there are full files is not known, and neither what they hold.
        damage.push(unreadable(paths.dir.clone(), 0, error));
        BTreeSet::from([1])
    });
    let old = numbers.into_iter().map(|k| paths.old(k));
    for path in std::iter::once(paths.log.clone()).chain(old) {
        match open(storage, path.clone()) {
            Ok(file) if file.id.is_some() && files.iter().any(|other| other.id == file.id) => {}
            Ok(file) => files.push(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => damage.push(unreadable(path, 0, error)),
        }
    }
    files.reverse();
    damage.reverse();
    (files, damage)
}

/// The numbers of the full files, also of where each may move while they are opened. Only those:
/// a number may be as large as a date that somebody put behind the name.
fn numbers<S: Storage>(storage: &S, paths: &Paths) -> io::Result<BTreeSet<u32>> {
    let names = match storage.list(&paths.dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    Ok(names
        .iter()
        .filter_map(|name| paths.old_number(name))
        .flat_map(|k| [k, k.saturating_add(1)])
        .chain([1])
        .collect())
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

pub(crate) fn unreadable(file: PathBuf, offset: u64, error: io::Error) -> Damage {
    Damage {
        file,
        line: None,
        offset,
        len: 0,
        kind: DamageKind::Unreadable(error),
    }
}
