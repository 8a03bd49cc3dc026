//! The operating system's file system.

use std::ffi::OsString;
#[cfg(not(windows))]
use std::fs::Metadata;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

#[cfg(any(unix, windows))]
use super::FileId;
use super::{Stat, Storage};

/// The operating system's file system, by `std::fs`.
///
/// On Unix and Windows, files have an identity; on Unix, directories are synced. Elsewhere a file
/// that was replaced is noticed only when it is missing or has become shorter, and a name becomes
/// durable when the system writes it.
///
/// On Windows a handle that may only append can cut nothing. There a file is opened for writing,
/// and each write asks for the end of the file, which the system finds in the same step. The
/// numbers of files are the 64 bits of NTFS; other file systems may have longer ones, which are
/// cut to that.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealStorage;

impl Storage for RealStorage {
    type File = File;

    fn open_read(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<File> {
        appending().open(path)
    }

    fn create_new(&self, path: &Path, mode: u32) -> io::Result<File> {
        let mut options = appending();
        options.create_new(true);
        set_mode(&mut options, mode);
        options.open(path)
    }

    fn try_lock(&self, path: &Path, mode: u32) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        set_mode(&mut options, mode);
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn unlock(&self, file: File) {
        // If it fails, closing the file gives the lock up, as soon as no child holds it open.
        let _ = file.unlock();
    }

    #[cfg(not(windows))]
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(file, bytes)
    }

    #[cfg(windows)]
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        use std::os::windows::fs::FileExt as _;
        // `WriteFile` takes an offset of all ones for the end of the file.
        file.seek_write(bytes, u64::MAX)
    }

    fn read_at(&self, mut file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        file.seek(SeekFrom::Start(offset))?;
        file.read(buffer)
    }

    fn truncate(&self, _path: &Path, file: &mut File, len: u64) -> io::Result<()> {
        // The file itself, and not what has its name by now: `appending` allows it everywhere.
        file.set_len(len)
    }

    fn sync(&self, file: &mut File) -> io::Result<()> {
        file.sync_data()
    }

    #[cfg(unix)]
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        match File::open(dir)?.sync_all() {
            // Some network file systems know no sync of a directory; names are durable there when
            // the server says so.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }

    #[cfg(not(unix))]
    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    #[cfg(not(windows))]
    fn stat(&self, file: &File) -> io::Result<Stat> {
        file.metadata().map(|metadata| stat_of(&metadata))
    }

    #[cfg(windows)]
    fn stat(&self, file: &File) -> io::Result<Stat> {
        let metadata = file.metadata()?;
        let information = winapi_util::file::information(file)?;
        Ok(Stat {
            id: Some(FileId {
                device: information.volume_serial_number(),
                number: information.file_index(),
            }),
            len: metadata.len(),
            links: information.number_of_links(),
            is_file: metadata.is_file(),
        })
    }

    #[cfg(not(windows))]
    fn stat_path(&self, path: &Path) -> io::Result<Stat> {
        fs::metadata(path).map(|metadata| stat_of(&metadata))
    }

    #[cfg(windows)]
    fn stat_path(&self, path: &Path) -> io::Result<Stat> {
        use std::os::windows::fs::OpenOptionsExt as _;
        // A handle that reads nothing is granted beside any other, and may be of a directory.
        const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
        let mut options = OpenOptions::new();
        options
            .access_mode(0)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
        self.stat(&options.open(path)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    #[cfg(unix)]
    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
        // A link to what is still to be made, or a directory that is.
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(path.to_path_buf());
        };
        match fs::read_link(path) {
            Ok(target) => self.real_path(&parent.join(target)),
            Err(_) => Ok(self.real_path(parent)?.join(name)),
        }
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(dir)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect()
    }
}

/// For reading, for appending, and to be cut.
fn appending() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    if cfg!(windows) {
        options.write(true);
    } else {
        options.append(true);
    }
    options
}

#[cfg(unix)]
fn set_mode(options: &mut OpenOptions, mode: u32) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(mode);
}

#[cfg(not(unix))]
fn set_mode(_options: &mut OpenOptions, _mode: u32) {}

#[cfg(unix)]
fn stat_of(metadata: &Metadata) -> Stat {
    use std::os::unix::fs::MetadataExt as _;
    Stat {
        id: Some(FileId {
            device: metadata.dev(),
            number: metadata.ino(),
        }),
        len: metadata.len(),
        links: metadata.nlink(),
        is_file: metadata.is_file(),
    }
}

#[cfg(not(any(unix, windows)))]
fn stat_of(metadata: &Metadata) -> Stat {
    Stat {
        id: None,
        len: metadata.len(),
        links: 1,
        is_file: metadata.is_file(),
    }
}
