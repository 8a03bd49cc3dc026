//! The few file operations that the log needs, as a trait.
//!
//! Small enough that a simulated disk can tell the truth about each of them: what is still only in
//! memory after it, and what a crash may leave.

mod real;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

pub use real::RealStorage;

/// What tells two files apart, whatever their names.
///
/// An open file's identity is not given to another file as long as it stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The device, or the volume.
    pub device: u64,
    /// The file's number on it.
    pub number: u64,
}

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Its identity; `None` where the platform has none that can be asked for.
    pub id: Option<FileId>,
    /// Size in bytes.
    pub len: u64,
    /// How many names it has; 0 for an open file that was removed.
    pub links: u64,
    /// True for a regular file, false for a directory or anything else.
    pub is_file: bool,
}

/// The file operations that the log is made of. Paths are absolute.
///
/// No operation is retried in here, and none hides an error: short writes, interruptions and
/// failed syncs are for the caller to handle.
pub trait Storage: Send + 'static {
    /// An open file.
    type File: Send + 'static;

    /// Opens an existing file for reading.
    ///
    /// # Errors
    /// What the file system says; `NotFound` if there is none.
    fn open_read(&self, path: &Path) -> io::Result<Self::File>;

    /// Opens an existing file for reading and for appending at its end.
    ///
    /// # Errors
    /// What the file system says; `NotFound` if there is none.
    fn open_append(&self, path: &Path) -> io::Result<Self::File>;

    /// Creates a file as [`open_append`](Self::open_append) would open it, with these Unix
    /// permission bits.
    ///
    /// # Errors
    /// What the file system says; `AlreadyExists` if there is one.
    fn create_new(&self, path: &Path, mode: u32) -> io::Result<Self::File>;

    /// Opens or creates a file and takes its lock, which lasts as long as the file stays open.
    /// `None` if somebody else holds it.
    ///
    /// # Errors
    /// What the file system says.
    fn try_lock(&self, path: &Path, mode: u32) -> io::Result<Option<Self::File>>;

    /// Closes a locked file and gives up its lock at once, also where a child process that was
    /// just forked still has the file open.
    fn unlock(&self, file: Self::File);

    /// Appends some of `bytes` to the file and says how many.
    ///
    /// # Errors
    /// What the file system says; then nothing was written.
    fn write(&self, file: &mut Self::File, bytes: &[u8]) -> io::Result<usize>;

    /// Reads some bytes at `offset` and says how many; 0 at the end of the file.
    ///
    /// # Errors
    /// What the file system says.
    fn read_at(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Cuts the file, which is at `path`, to `len` bytes.
    ///
    /// # Errors
    /// What the file system says.
    fn truncate(&self, path: &Path, file: &mut Self::File, len: u64) -> io::Result<()>;

    /// Makes the file's bytes and size durable, but not its name.
    ///
    /// # Errors
    /// What the file system says. After an error nothing written since the last sync is certain,
    /// and syncing again proves nothing: the system may have dropped the bytes.
    fn sync(&self, file: &mut Self::File) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// What the file system says.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// What is known of an open file.
    ///
    /// # Errors
    /// What the file system says.
    fn stat(&self, file: &Self::File) -> io::Result<Stat>;

    /// What is known of the file that has this name now.
    ///
    /// # Errors
    /// What the file system says; `NotFound` if there is none.
    fn stat_path(&self, path: &Path) -> io::Result<Stat>;

    /// Renames a file, replacing what has the new name.
    ///
    /// # Errors
    /// What the file system says; then both names are as they were.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name.
    ///
    /// # Errors
    /// What the file system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Where a path leads that may be or go through links, also where nothing is there yet.
    ///
    /// # Errors
    /// What the file system says.
    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_path_buf())
    }

    /// Creates one directory.
    ///
    /// # Errors
    /// What the file system says; `AlreadyExists` if there is one.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory.
    ///
    /// # Errors
    /// What the file system says.
    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>>;
}

/// As [`Storage::open_read`]; `None` if there is no such file.
pub(crate) fn open_if_there<S: Storage>(storage: &S, path: &Path) -> io::Result<Option<S::File>> {
    match storage.open_read(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// As [`Storage::read_at`], and again where a signal interrupts it.
pub(crate) fn read_some<S: Storage>(
    storage: &S,
    file: &S::File,
    offset: u64,
    buffer: &mut [u8],
) -> io::Result<usize> {
    loop {
        match storage.read_at(file, offset, buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Fills the buffer, however many reads that takes. [`io::ErrorKind::UnexpectedEof`] if the file
/// ends before that.
pub(crate) fn read_exact<S: Storage>(
    storage: &S,
    file: &S::File,
    offset: u64,
    buffer: &mut [u8],
) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_some(storage, file, offset + filled as u64, &mut buffer[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(())
}
