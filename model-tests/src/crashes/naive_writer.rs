//! The writer that comes to mind first, to show that the simulated disk finds its bugs.

use std::io;
use std::path::{Path, PathBuf};

use eventlog::disk::Storage;

use crate::{
    crashes::files::{PATH, path},
    sim_disk::{disk::SimDisk, storage::SimFile},
};

/// One write and one sync per event; rotation by rename; errors are shrugged off. These are the
/// steps of the baseline: no lock, no repair, no sync of the directory, a byte counter that
/// starts anew whether the rename worked or not.
pub struct NaiveWriter {
    disk: SimDisk,
    path: PathBuf,
    max_bytes: usize,
    file: Option<SimFile>,
    len: usize,
    written: usize,
    believed_durable: usize,
}

impl NaiveWriter {
    /// Opens the log for appending.
    ///
    /// ```
    /// # use model_tests::{naive_writer::NaiveWriter, sim_disk::SimDisk};
    /// # use model_tests::sim_disk::Storage;
    /// let disk = SimDisk::new();
    /// disk.create_dir("/data".as_ref())?;
    /// let writer = NaiveWriter::open(&disk, 1_000)?;
    /// assert_eq!(writer.believed_durable(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the file can be neither opened nor created.
    pub fn open(disk: &SimDisk, max_bytes: usize) -> io::Result<Self> {
        let path = PathBuf::from(PATH);
        let file = open_for_append(disk, &path)?;
        let len = disk.bytes(&path).map_or(0, |bytes| bytes.len());
        let disk = disk.clone();
        let (written, believed_durable) = (0, 0);
        Ok(Self {
            disk,
            path,
            max_bytes,
            file: Some(file),
            len,
            written,
            believed_durable,
        })
    }

    /// Writes one line. What fails is dropped, as a warning would say.
    ///
    /// ```
    /// # use model_tests::{crashes::PATH, naive_writer::NaiveWriter, sim_disk::SimDisk};
    /// # use model_tests::sim_disk::Storage;
    /// # let disk = SimDisk::new();
    /// # disk.create_dir("/data".as_ref())?;
    /// # disk.sync_dir("/".as_ref())?;
    /// let mut writer = NaiveWriter::open(&disk, 1_000)?;
    /// writer.append("1\n");
    /// assert_eq!(disk.bytes(PATH.as_ref()).as_deref(), Some(&b"1\n"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn append(&mut self, line: &str) {
        if self.len + line.len() > self.max_bytes {
            let _ = self.disk.rename(&self.path, &path(".old"));
            // A writer that cannot open the next file stops for good.
            self.file = open_for_append(&self.disk, &self.path).ok();
            self.len = 0;
        }
        let Some(file) = &mut self.file else { return };
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match self.disk.write(file, rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
        self.written += 1;
        self.len += line.len();
        if self.disk.sync(file).is_ok() {
            self.believed_durable = self.written;
        }
    }

    /// How many lines a successful sync made it believe to be durable.
    ///
    /// ```
    /// # use model_tests::{crashes::PATH, naive_writer::NaiveWriter, sim_disk::{Crash, SimDisk}};
    /// # use model_tests::sim_disk::Storage;
    /// # let disk = SimDisk::new();
    /// # disk.create_dir("/data".as_ref())?;
    /// # disk.sync_dir("/".as_ref())?;
    /// let mut writer = NaiveWriter::open(&disk, 1_000)?;
    /// writer.append("1\n");
    /// // The bytes were synced, but nobody synced the name of the file.
    /// assert_eq!(writer.believed_durable(), 1);
    /// assert_eq!(disk.crash(&Crash::LOST).bytes(PATH.as_ref()), None);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn believed_durable(&self) -> usize {
        self.believed_durable
    }
}

fn open_for_append(disk: &SimDisk, path: &Path) -> io::Result<SimFile> {
    match disk.open_append(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => disk.create_new(path, 0o644),
        result => result,
    }
}
