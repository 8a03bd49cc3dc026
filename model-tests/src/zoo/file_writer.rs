//! A writer of one file that rotates: sound, unless a bug has it otherwise.
//!
//! It is written for the shortest text, not for speed: lines wait in memory, and whoever flushes
//! writes them.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
};

use super::{bugs::FileBug, file_reader::read_all};
use crate::{sim_disk::Storage, subject::case::Case};

pub(super) struct Writer<S: Storage> {
    storage: S,
    bug: Option<FileBug>,
    path: PathBuf,
    max_bytes: u64,
    file: Option<S::File>,
    len: u64,
    /// How much of the file is on the disk for certain.
    durable: u64,
    /// The lines after that, in case they have to be written anew.
    undurable: Vec<String>,
    /// A name in the directory has changed since it was synced.
    renamed: bool,
    /// A sync of the file has failed: no other one of it proves anything.
    suspect: bool,
    /// An error after which a broken writer does nothing any more.
    dead: Option<io::ErrorKind>,
    /// Held for as long as the log lives.
    lock: Option<S::File>,
}

impl<S: Storage> Writer<S> {
    pub(super) fn open(
        storage: S,
        path: PathBuf,
        case: &Case,
        bug: Option<FileBug>,
    ) -> io::Result<Self> {
        let mut writer = Self {
            storage,
            bug,
            path,
            max_bytes: case.max_file_bytes,
            file: None,
            len: 0,
            durable: 0,
            undurable: Vec::new(),
            renamed: false,
            suspect: false,
            dead: None,
            lock: None,
        };
        if writer.has(FileBug::RefusedWriterEmpties) {
            writer.empty()?;
        }
        writer.take_lock()?;
        match writer.attach() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) if writer.has(FileBug::FailsInAppend) => {}
            result => result?,
        }
        if writer.has(FileBug::FileAtOpen) {
            writer.file()?;
        }
        Ok(writer)
    }

    fn has(&self, bug: FileBug) -> bool {
        self.bug == Some(bug)
    }

    fn take_lock(&mut self) -> io::Result<()> {
        let on_the_log = self.has(FileBug::LocksTheLogItself);
        if self.has(FileBug::NoLock) || on_the_log && self.storage.stat_path(&self.path).is_err() {
            return Ok(());
        }
        let suffix = if on_the_log { "" } else { ".lock" };
        let lock = self
            .storage
            .try_lock(&suffixed(&self.path, suffix), 0o600)?;
        if lock.is_none() {
            return Err(io::Error::other("the log has another writer"));
        }
        self.lock = lock;
        Ok(())
    }

    /// Takes over the file that is there.
    fn attach(&mut self) -> io::Result<()> {
        if self.has(FileBug::ReopenTruncates) {
            self.empty()?;
        }
        let bytes = read_all(&self.storage, &self.path)?;
        let mut file = self.storage.open_append(&self.path)?;
        let keep = self.repair(&mut file, &bytes)?;
        self.len = if self.has(FileBug::ReopenForgetsSize) {
            0
        } else {
            keep
        };
        if !self.has(FileBug::TrustsWhatItFinds) {
            self.sync_file(&mut file)?;
            self.sync_names()?;
        }
        self.durable = keep;
        self.file = Some(file);
        if self.has(FileBug::RotatesAtStart) && keep > 0 {
            self.rotate()?;
        }
        Ok(())
    }

    fn empty(&self) -> io::Result<()> {
        match self.storage.open_append(&self.path) {
            Ok(mut file) => self.storage.truncate(&self.path, &mut file, 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sets a torn tail aside, and says how long the file is then.
    fn repair(&self, file: &mut S::File, bytes: &[u8]) -> io::Result<u64> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n');
        let whole = whole.map_or(0, |last| last + 1);
        let is_json = |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).is_ok();
        let lines = || bytes[..whole].split_inclusive(|byte| *byte == b'\n');
        let mut keep = whole;
        if self.has(FileBug::RefusesTornTail) && whole < bytes.len() {
            return Err(io::Error::other("the log is torn: repair it by hand"));
        }
        if self.has(FileBug::FusesTornTail) {
            keep = bytes.len();
        }
        if self.has(FileBug::RepairCutsAtDamage) {
            keep = lines()
                .take_while(|line| is_json(line))
                .map(<[u8]>::len)
                .sum();
        }
        let foreign = self.has(FileBug::EmptiesForeignFiles) && whole > 0 && !lines().any(is_json);
        if foreign {
            keep = 0;
        }
        if keep < bytes.len() {
            if !foreign && !self.has(FileBug::TornTailIsThrownAway) {
                self.set_aside(&bytes[keep..])?;
            }
            self.storage.truncate(&self.path, file, keep as u64)?;
        }
        Ok(keep as u64)
    }

    fn set_aside(&self, torn: &[u8]) -> io::Result<()> {
        let names = (1_u32..).map(|number| match number {
            1 => suffixed(&self.path, ".torn"),
            number => suffixed(&self.path, &format!(".torn.{number}")),
        });
        for name in names {
            if self.has(FileBug::SecondTornTailOverwrites) {
                self.remove_if_there(&name)?;
            }
            match self.storage.create_new(&name, 0o600) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                file => {
                    let mut file = file?;
                    write_all(&self.storage, &mut file, torn)?;
                    self.storage.sync(&mut file)?;
                    return self.sync_names();
                }
            }
        }
        Ok(())
    }

    fn remove_if_there(&self, name: &Path) -> io::Result<()> {
        match self.storage.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes what waits, and makes it durable.
    pub(super) fn store(&mut self, waiting: &mut VecDeque<String>) -> io::Result<()> {
        if let Some(error) = self.dead {
            return Err(error.into());
        }
        let result = self.try_to_store(waiting);
        if let Err(error) = &result {
            if self.suspect {
                // What was not durable is written anew.
                let lines = self.undurable.drain(..).rev();
                lines.for_each(|line| waiting.push_front(line));
            }
            let deadly = match self.bug {
                Some(FileBug::StopsAtFailedSync) => self.suspect,
                Some(FileBug::StopsAtFullDisk) => !self.suspect,
                _ => false,
            };
            self.dead = deadly.then_some(error.kind());
        }
        result
    }

    fn try_to_store(&mut self, waiting: &mut VecDeque<String>) -> io::Result<()> {
        if self.suspect {
            self.rebuild()?;
        }
        let mut written = Ok(());
        while let (Ok(()), Some(line)) = (&written, waiting.front().cloned()) {
            written = self.put(&line);
            if written.is_ok() || self.has(FileBug::LosesWhatDoesNotFit) {
                waiting.pop_front();
            }
        }
        if self.suspect {
            return written;
        }
        self.sync().and(written)
    }

    fn put(&mut self, line: &str) -> io::Result<()> {
        let len = line.len() as u64;
        // Lines before this one in its batch are not synced yet.
        let in_batch = !self.undurable.is_empty();
        let full = self.len > 0 && self.len + len > self.max_bytes;
        if full && !self.has(FileBug::NeverRotates) {
            if !self.has(FileBug::RotatesUnsynced) {
                self.sync()?;
            }
            match self.rotate() {
                Ok(()) if self.has(FileBug::RotationDropsEvent) => return Ok(()),
                Ok(()) if self.has(FileBug::RotationInBatchDropsEvent) && in_batch => {
                    return Ok(());
                }
                // What cannot be rotated grows.
                Err(_) if self.file.is_some() && !self.has(FileBug::StopsUnrotated) => {}
                result => result?,
            }
        }
        if len > self.max_bytes && self.has(FileBug::RefusesLongEvents) {
            return Ok(());
        }
        let mut line = line.to_owned();
        if self.has(FileBug::SplitsLines) {
            line = line.replace(',', ",\n");
        }
        if self.has(FileBug::ChopsLongEvents) && len > self.max_bytes {
            line.truncate(line.len() / 2);
        }
        if self.has(FileBug::WritesHeader) && self.len == 0 {
            line.insert_str(0, "{\"header\":1}\n");
        }
        self.file()?;
        self.write(&line)?;
        self.len += line.len() as u64;
        self.undurable.push(line);
        Ok(())
    }

    /// Appends the line, or nothing of it.
    fn write(&mut self, line: &str) -> io::Result<()> {
        let Some(mut file) = self.file.take() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let mut result = write_all(&self.storage, &mut file, line.as_bytes());
        if result.is_err() {
            let cut = self.storage.truncate(&self.path, &mut file, self.len);
            self.suspect |= cut.is_err();
        }
        if self.suspect {
            result = result.and(Err(io::ErrorKind::Other.into()));
        }
        self.file = Some(file);
        result
    }

    fn sync(&mut self) -> io::Result<()> {
        if let Some(mut file) = self.file.take() {
            let result = self.sync_file(&mut file);
            self.file = Some(file);
            self.suspect |= result.is_err() && !self.has(FileBug::AsksSyncTwice);
            result?;
        }
        if self.renamed {
            self.sync_names()?;
            self.renamed = false;
        }
        self.durable = self.len;
        self.undurable.clear();
        Ok(())
    }

    fn sync_file(&self, file: &mut S::File) -> io::Result<()> {
        if self.has(FileBug::NeverSyncs) {
            return Ok(());
        }
        self.storage.sync(file)
    }

    fn sync_names(&self) -> io::Result<()> {
        if self.has(FileBug::NeverSyncs) || self.has(FileBug::ForgetsTheDirectory) {
            return Ok(());
        }
        let dir = self.path.parent().unwrap_or(Path::new("/"));
        self.storage.sync_dir(dir)
    }

    /// The file anew, with what was durable.
    fn rebuild(&mut self) -> io::Result<()> {
        let mut bytes = read_all(&self.storage, &self.path)?;
        bytes.truncate(self.durable as usize);
        let name = suffixed(&self.path, ".tmp");
        self.remove_if_there(&name)?;
        let mut file = self.storage.create_new(&name, 0o600)?;
        write_all(&self.storage, &mut file, &bytes)?;
        self.storage.sync(&mut file)?;
        self.storage.rename(&name, &self.path)?;
        self.renamed = true;
        self.len = bytes.len() as u64;
        self.file = Some(file);
        self.suspect = false;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        if self.has(FileBug::RotationOverwrites) {
            self.storage.remove(&self.path)?;
        } else {
            let old = suffixed(&self.path, ".old");
            self.storage.rename(&self.path, &old)?;
        }
        self.file = None;
        (self.len, self.durable) = (0, 0);
        self.renamed = true;
        self.sync_names()
    }

    /// The file, made when it is first written to.
    fn file(&mut self) -> io::Result<()> {
        if self.file.is_some() {
            return Ok(());
        }
        self.file = Some(match self.storage.create_new(&self.path, 0o600) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.storage.open_append(&self.path)?
            }
            result => result?,
        });
        self.renamed = true;
        if self.has(FileBug::LocksTheLogItself) && self.lock.is_none() {
            self.take_lock()?;
        }
        Ok(())
    }
}

impl<S: Storage> Drop for Writer<S> {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            self.storage.unlock(lock);
        }
    }
}

fn write_all<S: Storage>(storage: &S, file: &mut S::File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match storage.write(file, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
