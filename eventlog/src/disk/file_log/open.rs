//! Taking possession of the path: directory, lock, and the end of the file.

use std::io;

use super::block_tail::BLOCK;
use super::site::Site;
use super::state::{Detached, Empty, Extent, Held, Open, State, Step};
use crate::disk::error::DiskError;
use crate::disk::format::paths::Paths;
use crate::disk::{read::sums::Sum, storage::Storage};
use crate::writer::notice::Notice;

/// What opening a log found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// Size in bytes of the current file that was found, after the repair. All of it is durable.
    pub bytes: u64,
    /// How many bytes of an unfinished or unreadable end were set aside, in `<path>.torn` or, where
    /// that is taken, `<path>.torn.2` and so on.
    pub torn_bytes: u64,
    /// Whether the file was copied, because its last writer died while the disk was failing and
    /// what can be read may not be on the disk.
    pub rewritten: bool,
}

/// The current file as it was found and repaired.
struct Found<F> {
    file: F,
    durable: Extent,
    opened: Opened,
}

impl<S: Storage> Detached<S> {
    /// Takes possession of the path, as it stands now.
    pub(super) fn attach(mut self, site: &Site<S>) -> Step<S, Opened> {
        let found = match self.examine(site) {
            Ok(found) => found,
            Err(error) => return (State::Detached(self), Err(error)),
        };
        let opened = found.as_ref().map(|found| &found.opened);
        tracing::debug!(path = %site.paths.log.display(), ?opened, "an event log was opened");
        let held = Held {
            lock: self.lock,
            synced: true,
            full: None,
        };
        let Some(found) = found else {
            return (State::Empty(Empty { held }), Ok(Opened::default()));
        };
        let open = Open::new(held, found.file, found.durable);
        let state = if found.opened.rewritten {
            State::Suspect(open.suspect())
        } else {
            State::Open(open)
        };
        (state, Ok(found.opened))
    }

    /// Takes the lock, and brings in order what the last writer left. Where something else stands at
    /// the path, it is left alone and nothing is put beside it.
    fn examine(&mut self, site: &Site<S>) -> Result<Option<Found<S::File>>, DiskError> {
        let Paths {
            log,
            lock,
            tmp,
            marks_tmp,
            suspect,
            ..
        } = &site.paths;
        let was_opened_before = self.is_first && site.exists(lock)?;
        if site.is_file()? && !was_opened_before {
            site.refuse_foreign()?;
        }
        site.make_dirs()?;
        self.take_lock(site)?;
        for tmp in [tmp, marks_tmp] {
            if site.exists(tmp)? {
                // A copy whose writer died takes up room.
                site.remove(tmp)?;
            }
        }
        let is_suspect = site.exists(suspect)?;
        let found = if site.exists(log)? {
            Some(site.open_existing(is_suspect, self.left)?)
        } else {
            if is_suspect {
                site.remove(suspect)?;
            }
            None
        };
        // Whoever wrote last may have died between changing a name and syncing it.
        site.sync_dir()?;
        Ok(found)
    }
}

impl<S: Storage> Site<S> {
    pub(super) fn sync_dir(&self) -> Result<(), DiskError> {
        let dir = &self.paths.dir;
        self.storage
            .sync_dir(dir)
            .map_err(DiskError::io("sync directory", dir))
    }

    /// Whether there is a file at the path.
    fn is_file(&self) -> Result<bool, DiskError> {
        let path = &self.paths.log;
        match self.storage.stat_path(path) {
            Ok(stat) if stat.is_file => Ok(true),
            Ok(_) => Err(DiskError::NotAFile { path: path.clone() }),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(DiskError::io("examine", path)(error)),
        }
    }

    fn open_existing(&self, suspect: bool, left: Option<Sum>) -> Result<Found<S::File>, DiskError> {
        let path = self.paths.log.clone();
        let examine = || DiskError::io("examine", &path);
        self.is_file()?;
        let mut file = self
            .storage
            .open_append(&path)
            .map_err(DiskError::io("open", &path))?;
        let found = self.storage.stat(&file).map_err(examine())?.len;
        let len = self.whole_len(&file, found)?;
        if len < found {
            let torn = self.set_aside(&file, len, found)?;
            self.storage
                .truncate(&path, &mut file, len)
                .map_err(DiskError::io("cut", &path))?;
            self.notices.tell(&Notice::TornTail {
                path: path.clone(),
                torn,
                bytes: found - len,
            });
        }
        let mut durable = Extent {
            len: len / BLOCK * BLOCK,
            ..Extent::default()
        };
        durable.extend(&self.read_range(&file, durable.len, len)?);
        durable.sum = match left.filter(|left| left.offset == len) {
            Some(left) => left,
            None if self.marks => Sum::default()
                .read_to(&self.storage, &file, len)
                .map_err(DiskError::io("read", &path))?,
            None => Sum::default(),
        };
        if let Err(error) = self.storage.sync(&mut file) {
            self.mark_suspect();
            return Err(DiskError::io("sync", &path)(error));
        }
        Ok(Found {
            file,
            durable,
            opened: Opened {
                bytes: len,
                torn_bytes: found - len,
                rewritten: suspect,
            },
        })
    }
}

/// A file in the place of a directory is an error of making the directories.
fn is_missing(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}
