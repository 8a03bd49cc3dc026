//! Whether there may be something that a follower has not looked at.

use super::trail::Trail;
use crate::disk::storage::{FileId, Stat, Storage};

/// What stands at the log's path.
#[derive(PartialEq, Eq)]
pub(super) enum Seen {
    /// Nobody has looked yet whether there is nothing to read.
    Unknown,
    NoFile,
    /// This one, of which so many bytes were looked at.
    File(Option<FileId>, u64),
}

impl Seen {
    pub(super) fn at(stat: Option<&Stat>) -> Self {
        stat.map_or(Self::NoFile, |stat| Self::File(stat.id, stat.len))
    }
}

impl<S: Storage> Trail<S> {
    /// Whether there may be something that was not looked at yet.
    pub(super) fn may_have_more(&self) -> bool {
        self.seen != self.at_path()
    }

    /// What stands at the log's path now.
    pub(super) fn at_path(&self) -> Seen {
        let paths = self.paths.as_ref();
        let stat = paths.and_then(|paths| self.storage.stat_path(&paths.log).ok());
        Seen::at(stat.as_ref())
    }
}
