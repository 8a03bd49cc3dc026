//! Putting the full file aside.
//!
//! | crash after | what may be found |
//! | --- | --- |
//! | removing the oldest | it, or not |
//! | renaming `X.old` to a number | it under either name |
//! | syncing the directory | it under its number, and no `X.old` |
//! | renaming `X` to `X.old` | it under either name |
//! | syncing the directory | it as `X.old`, and no `X` |
//!
//! In each of these rows the names tell the order. The syncs are what keeps the rows apart: were
//! the second rename to reach the disk without the first, it would take a whole file along. There
//! is one per rename, whatever `keep` is.

use std::io;
use std::mem;
use std::path::Path;

use super::FileLog;
use super::site::Site;
use super::state::{Empty, Held, Names, Open, State, Step};
use crate::disk::error::DiskError;
use crate::disk::format::paths::LogFileName;
use crate::disk::storage::Storage;
use crate::writer::{notice::Notice, worker::chain};

impl<S: Storage> FileLog<S> {
    /// Puts the full file aside, or goes on in it where that is refused.
    pub(super) fn rotate(&mut self, open: Open<S>) -> Result<(), DiskError> {
        self.flush(open)?;
        let step = match self.take() {
            State::Open(open) => {
                self.marks
                    .rotating(&self.site, open.durable.sum, self.durable.seq);
                open.put_aside(&self.site)
            }
            // Somebody else has put it aside.
            state => (state, Ok(())),
        };
        match self.enter(step) {
            Err(error) if matches!(self.state, State::Open(_)) => {
                self.tell_rotation(Some(&error));
                Ok(())
            }
            result => {
                if matches!(self.state, State::Empty(_)) {
                    self.marks.rotated();
                    let path = self.site.paths.log.display();
                    tracing::debug!(%path, "a full file was put aside");
                    self.tell_rotation(None);
                }
                result
            }
        }
    }

    /// Tells once that the full file cannot be put aside, and once that it can be again.
    fn tell_rotation(&mut self, error: Option<&DiskError>) {
        if mem::replace(&mut self.rotation_fails, error.is_some()) == error.is_some() {
            return;
        }
        let path = self.site.paths.log.clone();
        self.site.notices.tell(&match error {
            Some(error) => Notice::RotationFailing {
                path,
                error: chain(error),
            },
            None => Notice::RotationResumed { path },
        });
    }
}

impl<S: Storage> Open<S> {
    /// Makes the current file, which is durable, the newest of the full ones. The next record
    /// starts another.
    ///
    /// Where that is refused, the current file stays as it is, and takes some more records before
    /// it is tried again.
    pub(super) fn put_aside(mut self, site: &Site<S>) -> Step<S> {
        if let Err(error) = self.held.put_aside(site) {
            self.refused_at = Some(self.written.len);
            return (State::Open(self), Err(error));
        }
        let mut held = self.held;
        let synced = held.sync(site);
        (State::Empty(Empty { held }), synced)
    }
}

impl<S: Storage> Held<S> {
    fn put_aside(&mut self, site: &Site<S>) -> Result<(), DiskError> {
        let paths = &site.paths;
        let mut full = match self.full.take() {
            Some(full) => full,
            None => site.full()?,
        };
        // Before others are removed: numbers go on rising also where few files are kept.
        let name = if site.keep > 1 && site.has_full_file()? {
            Some(site.free_name(&mut full)?)
        } else {
            None
        };
        let most = site.keep as usize - 1 - usize::from(name.is_some());
        while full.len() > most {
            // One at a time: without it, a later one could be gone and an earlier one there.
            self.sync(site)?;
            let Some(oldest) = full.pop_first() else {
                break;
            };
            site.remove(&paths.named(oldest))?;
            self.synced = false;
        }
        if let Some(name) = name {
            self.put(site, &paths.old, &paths.named(name))?;
            full.insert(name);
        }
        self.sync(site)?;
        self.put(site, &paths.log, &paths.old)?;
        self.full = Some(full);
        Ok(())
    }

    fn put(&mut self, site: &Site<S>, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.rename(site, from, to, "put a full file aside as")
    }
}

impl<S: Storage> Site<S> {
    fn full(&self) -> Result<Names, DiskError> {
        let dir = &self.paths.dir;
        let names = self.storage.list(dir).map_err(DiskError::io("list", dir))?;
        let full = names.iter().filter_map(|name| self.paths.full_file(name));
        Ok(full
            .filter(|name| *name != LogFileName::NewestFull)
            .collect())
    }

    fn has_full_file(&self) -> Result<bool, DiskError> {
        let old = &self.paths.old;
        match self.storage.stat_path(old) {
            Ok(stat) if stat.is_file => Ok(true),
            Ok(_) => Err(DiskError::io("put aside", old)(
                io::ErrorKind::IsADirectory.into(),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(DiskError::io("examine", old)(error)),
        }
    }

    /// The number after the highest. It is looked at anew where somebody else put a file
    /// there.
    fn free_name(&self, full: &mut Names) -> Result<LogFileName, DiskError> {
        let next = LogFileName::after(&*full);
        if let Some(name) = next
            && !self.exists(&self.paths.named(name))?
        {
            return Ok(name);
        }
        *full = self.full()?;
        LogFileName::after(&*full).ok_or_else(|| {
            let last = full.last().map(|name| self.paths.named(*name));
            let last = last.unwrap_or_else(|| self.paths.old.clone());
            DiskError::io("give a full file a number above that of", &last)(
                io::ErrorKind::AlreadyExists.into(),
            )
        })
    }
}
