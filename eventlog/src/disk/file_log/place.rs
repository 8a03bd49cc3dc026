//! Whether somebody else moved or cut the file.

use std::io;

use super::site::Site;
use super::state::{Open, State, Step, Suspect};
use crate::disk::error::DiskError;
use crate::disk::storage::{Stat, Storage};
use crate::writer::notice::Notice;

/// What somebody else did to the current file.
enum Place {
    /// Nothing.
    Ours,
    /// It was renamed or appended to: what was written is still there.
    Moved,
    /// It was removed or cut: what was written may be gone.
    Lost,
}

impl<S: Storage> Open<S> {
    /// Notices what others did to the file. Where all is well, the log is detached from a file that
    /// is no longer its own, and all that was written to it is durable.
    pub(super) fn look(mut self, site: &Site<S>) -> Step<S> {
        let len = self.written.len;
        match site.place(&self.file, |held| held.len.cmp(&len).into()) {
            Err(error) => return (State::Open(self), Err(error)),
            Ok(Place::Ours) => return (State::Open(self), Ok(())),
            Ok(Place::Moved) if self.is_ahead() => {
                if let Err(error) = self.sync_file(site) {
                    return (State::Open(self), Err(error));
                }
                self.call_durable();
            }
            Ok(Place::Moved | Place::Lost) => {}
        }
        site.tell_moved();
        let result = if self.is_ahead() {
            Err(DiskError::Lost {
                path: site.paths.log.clone(),
            })
        } else {
            Ok(())
        };
        (self.held.detach(), result)
    }
}

impl<S: Storage> Suspect<S> {
    /// As [`Open::look`]. What lies past the durable bytes is about to be cut off anyway.
    pub(super) fn look(self, site: &Site<S>) -> Step<S> {
        let durable = self.durable.len;
        let place = site.place(&self.file, |held| {
            if held.len < durable {
                Place::Lost
            } else {
                Place::Ours
            }
        });
        match place {
            Err(error) => (State::Suspect(self), Err(error)),
            Ok(Place::Ours) => (State::Suspect(self), Ok(())),
            Ok(Place::Moved | Place::Lost) => {
                site.tell_moved();
                (self.held.detach(), Ok(()))
            }
        }
    }
}

impl From<std::cmp::Ordering> for Place {
    /// How much of the file is there, beside what was written.
    fn from(order: std::cmp::Ordering) -> Self {
        match order {
            std::cmp::Ordering::Less => Self::Lost,
            std::cmp::Ordering::Equal => Self::Ours,
            std::cmp::Ordering::Greater => Self::Moved,
        }
    }
}

impl<S: Storage> Site<S> {
    /// Where a file of the log is now; in its place, its length tells.
    fn place(
        &self,
        file: &S::File,
        by_len: impl FnOnce(Stat) -> Place,
    ) -> Result<Place, DiskError> {
        let path = &self.paths.log;
        let held = self
            .storage
            .stat(file)
            .map_err(DiskError::io("examine", path))?;
        let named = match self.storage.stat_path(path) {
            Ok(stat) => Some(stat),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(DiskError::io("examine", path)(error)),
        };
        Ok(match named {
            None if held.id.is_none() || held.links == 0 => Place::Lost,
            Some(_) if held.links == 0 => Place::Lost,
            None => Place::Moved,
            Some(named) if named.id != held.id => Place::Moved,
            Some(_) => by_len(held),
        })
    }

    fn tell_moved(&self) {
        self.notices.tell(&Notice::Moved {
            path: self.paths.log.clone(),
        });
    }
}
