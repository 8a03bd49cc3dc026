//! Starting a file, appending to it, and making durable what was appended.

use std::io;

use super::site::{Site, write_all};
use super::state::{Empty, Extent, Open, State, Step};
use crate::disk::error::DiskError;
use crate::disk::storage::Storage;
use crate::writer::records::Records;

impl<S: Storage> Empty<S> {
    /// Starts the file that the next record goes to. Where something stands in the way, the log is
    /// detached from the path, except the `last` time: a link that leads nowhere can neither be
    /// opened nor created, ever.
    pub(super) fn create(mut self, site: &Site<S>, last: bool) -> Step<S> {
        // Without its lock file the directory is not the one that was opened.
        if !last && !self.held.is_in_place(site) {
            return (self.held.detach(), Ok(()));
        }
        // A new file under a name whose old file is not safely aside could cost the old one.
        if let Err(error) = self.held.sync(site) {
            return (State::Empty(self), Err(error));
        }
        let path = &site.paths.log;
        match site.storage.create_new(path, site.mode) {
            Ok(file) => {
                self.held.synced = false;
                let open = Open::new(self.held, file, Extent::default());
                (State::Open(open), Ok(()))
            }
            Err(error) if !last && error.kind() == io::ErrorKind::AlreadyExists => {
                (self.held.detach(), Ok(()))
            }
            Err(error) => {
                let error = DiskError::io("create", path)(error);
                (State::Empty(self), Err(error))
            }
        }
    }
}

/// Records that were not all written.
pub(super) struct Partial {
    /// How many of them are in the file, whole.
    pub(super) whole: usize,
    pub(super) error: DiskError,
}

impl<S: Storage> Open<S> {
    /// How many of the records fit the file: at least one if it is empty, or was not to be put
    /// aside just now. Where it cannot be put aside it grows past its cap, by an eighth of that
    /// before it is tried again.
    pub(super) fn fit(&self, site: &Site<S>, records: Records<'_>) -> usize {
        let len = self.written.len;
        let cap = self.refused_at.map_or(site.max_bytes, |at| {
            at.saturating_add(site.max_bytes / 8).max(site.max_bytes)
        });
        let least = usize::from(len == 0 || self.refused_at == Some(len));
        records.within(cap.saturating_sub(len)).max(least)
    }

    /// Writes records.
    pub(super) fn append(
        mut self,
        site: &Site<S>,
        records: Records<'_>,
    ) -> (State<S>, Result<(), Partial>) {
        match write_all(&site.storage, &mut self.file, records.bytes()) {
            Ok(()) => {
                self.extend(site, records);
                if site.trusts_system {
                    self.call_durable();
                }
                (State::Open(self), Ok(()))
            }
            Err(stopped) => {
                let error = DiskError::io("write to", &site.paths.log)(stopped.source);
                self.keep_whole(site, records, stopped.written, error)
            }
        }
    }

    /// After a partial write: keeps the records that were written whole, and cuts off the rest.
    fn keep_whole(
        mut self,
        site: &Site<S>,
        records: Records<'_>,
        written: u64,
        error: DiskError,
    ) -> (State<S>, Result<(), Partial>) {
        let (whole, _) = records.split_at(records.within(written));
        let len = self.written.len + whole.bytes().len() as u64;
        if let Err(cut) = site.storage.truncate(&site.paths.log, &mut self.file, len) {
            let path = site.paths.log.display();
            tracing::debug!(error = %cut, %path, "cannot cut a partial line");
            let partial = Partial { whole: 0, error };
            return (State::Suspect(self.suspect()), Err(partial));
        }
        self.extend(site, whole);
        let whole = whole.len();
        (State::Open(self), Err(Partial { whole, error }))
    }

    fn extend(&mut self, site: &Site<S>, records: Records<'_>) {
        self.written.append(records, site.marks);
        self.synced = false;
    }

    /// Makes everything that was written durable, in this file or where somebody moved it to.
    pub(super) fn flush(mut self, site: &Site<S>) -> Step<S> {
        let synced = self.sync_file(site).and_then(|()| self.held.sync(site));
        if synced.is_err() {
            return (State::Open(self), synced);
        }
        let (mut state, result) = self.look(site);
        if let (State::Open(open), Ok(())) = (&mut state, &result) {
            open.call_durable();
        }
        (state, result)
    }

    pub(super) fn sync_file(&mut self, site: &Site<S>) -> Result<(), DiskError> {
        if self.synced {
            return Ok(());
        }
        if let Err(error) = site.storage.sync(&mut self.file) {
            site.mark_suspect();
            return Err(DiskError::io("sync", &site.paths.log)(error));
        }
        self.synced = true;
        Ok(())
    }
}
