//! One file of a log, which may be opened when its turn comes.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::format::damage::{Damage, may_miss, unreadable};
use crate::disk::storage::{FileId, Storage};

/// One file of a log.
pub(crate) struct LogFile<F> {
    pub(crate) path: PathBuf,
    pub(crate) id: Option<FileId>,
    /// `None` until its turn comes, where there are many.
    file: Option<F>,
    /// Whether files between the one before and this one may have been removed unread.
    pub(crate) may_miss: bool,
}

impl<F> LogFile<F> {
    /// The file that was met at `path`, with `file` if it is held open.
    pub(crate) fn met(path: PathBuf, id: Option<FileId>, file: Option<F>) -> Self {
        Self {
            path,
            id,
            file,
            may_miss: false,
        }
    }

    pub(crate) fn is(&self, id: Option<FileId>) -> bool {
        self.id.is_some() && self.id == id
    }

    /// Holds the file open that was met once more.
    pub(crate) fn hold(&mut self, again: Self) {
        self.file = self.file.take().or(again.file);
    }

    /// Lends the file to `look`. Where it is gone or cannot be read, the error is what stands in
    /// its place.
    pub(crate) fn with<S, R>(&self, storage: &S, look: impl FnOnce(&F) -> R) -> Result<R, Damage>
    where
        S: Storage<File = F>,
    {
        match &self.file {
            Some(file) => Ok(look(file)),
            None => self.reopen(storage).map(|file| look(&file)),
        }
    }

    /// The file, to be read. Errors as for [`with`](Self::with).
    pub(crate) fn into_open<S>(mut self, storage: &S) -> Result<OpenFile<F>, Damage>
    where
        S: Storage<File = F>,
    {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.reopen(storage)?,
        };
        let Self { path, id, .. } = self;
        Ok(OpenFile { path, id, file })
    }

    /// The file, opened once more.
    pub(crate) fn reopened<S: Storage<File = F>>(&self, storage: &S) -> Option<OpenFile<F>> {
        let file = self.reopen(storage).ok()?;
        Some(OpenFile {
            path: self.path.clone(),
            id: self.id,
            file,
        })
    }

    fn reopen<S: Storage<File = F>>(&self, storage: &S) -> Result<F, Damage> {
        match open(storage, &self.path) {
            Ok((file, id)) if self.id.is_none() || self.id == id => Ok(file),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(unreadable(self.path.clone(), 0, &error))
            }
            _ => Err(may_miss(self.path.clone())),
        }
    }

    /// Whether it has no name any more, or another file has it.
    pub(crate) fn is_removed<S: Storage<File = F>>(&self, storage: &S) -> bool {
        match &self.file {
            Some(file) => storage.stat(file).is_ok_and(|stat| stat.links == 0),
            None => match storage.stat_path(&self.path) {
                Ok(stat) => self.id != stat.id,
                Err(error) => error.kind() == io::ErrorKind::NotFound,
            },
        }
    }
}

/// A file of a log that is being read.
pub(crate) struct OpenFile<F> {
    pub(crate) path: PathBuf,
    pub(crate) id: Option<FileId>,
    pub(crate) file: F,
}

/// Opens a regular file for reading, and says which it is.
pub(crate) fn open<S: Storage>(storage: &S, path: &Path) -> io::Result<(S::File, Option<FileId>)> {
    // Looked at first, because opening a pipe would wait for its writer.
    if !storage.stat_path(path)?.is_file {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    let file = storage.open_read(path)?;
    let id = storage.stat(&file)?.id;
    Ok((file, id))
}
