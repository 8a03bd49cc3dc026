//! A small log with a file: each append writes its line, unless a bug has it otherwise.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    mem,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::file_reader::{follow_lines, line, read_lines};
use crate::{
    subject::{
        adapter::{Following, Line, Subject},
        case::Case,
        in_memory::Tick,
        log::{Log, OpenError},
    },
    zoo::bugs::FileBug,
};

/// Opens [`FileLog`]s.
#[derive(Clone, Copy, Debug)]
pub struct FileSubject {
    /// What is wrong with them.
    pub bug: Option<FileBug>,
}

/// A log that only writes: what it retains in memory is no matter here.
#[derive(Debug)]
pub struct FileLog(Mutex<Writer>);

#[derive(Debug)]
struct Writer {
    bug: Option<FileBug>,
    path: PathBuf,
    max_bytes: u64,
    file: Option<File>,
    len: u64,
    /// Lines that a broken writer has not written yet.
    held_back: Vec<String>,
    capacity: usize,
    /// Held for as long as the log lives.
    lock: Option<File>,
}

impl Subject for FileSubject {
    type Event = Tick;
    type Log = FileLog;

    fn open(&self, case: &Case) -> Result<FileLog, OpenError> {
        let mut writer = Writer {
            bug: self.bug,
            path: path(case)?,
            max_bytes: case.max_file_bytes,
            file: None,
            len: 0,
            held_back: Vec::new(),
            capacity: case.capacity,
            lock: None,
        };
        writer.open()?;
        Ok(FileLog(Mutex::new(writer)))
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Tick>>, OpenError> {
        let stops = self.bug == Some(FileBug::ReaderStopsAtDamage);
        read_lines(&self.files(case)?, stops)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        Ok(vec![suffixed(&path(case)?, ".old"), path(case)?])
    }

    fn follow(&self, case: &Case) -> Result<Following<Tick>, OpenError> {
        let mut files = self.files(case)?;
        let one_name = self.bug == Some(FileBug::FollowsOneName);
        if one_name {
            files.remove(0);
        }
        let hides = one_name || self.bug == Some(FileBug::HidesMissedFiles);
        Ok(follow_lines(files, hides))
    }

    fn line(&self, event: &Tick) -> String {
        line(event)
    }
}

impl Log<Tick> for FileLog {
    fn append(&self, event: Tick) -> Option<u64> {
        let mut writer = self.writer();
        let result = writer.append(line(&event));
        match writer.bug {
            Some(FileBug::FailsInAppend) => {
                result.unwrap_or_else(|error| panic!("cannot write to the log: {error}"));
            }
            // A sound one would try again later; the laws that see that need a disk that heals.
            _ => drop(result),
        }
        None
    }

    fn events_since(&self, _: u64) -> Vec<Tick> {
        Vec::new()
    }

    fn replay_truncated(&self, _: u64) -> bool {
        false
    }

    fn flush(&self) -> Result<(), OpenError> {
        let mut writer = self.writer();
        if writer.bug != Some(FileBug::AcknowledgesBeforeWriting) {
            writer.write_held_back()?;
        }
        match &writer.file {
            Some(file) => Ok(file.sync_data()?),
            None => Ok(()),
        }
    }

    fn shutdown(self) -> Result<(), OpenError> {
        if self.writer().bug == Some(FileBug::ShutdownDropsBuffer) {
            return Ok(());
        }
        self.writer().write_held_back()?;
        self.flush()
    }
}

impl FileLog {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn has(&self, bug: FileBug) -> bool {
        self.bug == Some(bug)
    }

    fn open(&mut self) -> Result<(), OpenError> {
        if !self.has(FileBug::NoLock) {
            let lock = suffixed(&self.path, ".lock");
            let lock = OpenOptions::new().create(true).append(true).open(lock)?;
            lock.try_lock()?;
            self.lock = Some(lock);
        }
        if self.has(FileBug::ReopenTruncates) {
            File::create(&self.path)?;
        }
        match fs::read(&self.path) {
            Ok(bytes) => self.repair(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) if self.has(FileBug::FailsInAppend) => {}
            Err(error) => return Err(error.into()),
        }
        if self.has(FileBug::FileAtOpen) {
            self.file()?;
        }
        Ok(())
    }

    /// Sets a torn tail aside.
    fn repair(&mut self, bytes: &[u8]) -> Result<(), OpenError> {
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |last| last + 1);
        let mut keep = whole;
        if self.has(FileBug::RefusesTornTail) && whole < bytes.len() {
            return Err("the log is torn: repair it by hand".into());
        }
        if self.has(FileBug::FusesTornTail) {
            keep = bytes.len();
        }
        if self.has(FileBug::RepairCutsAtDamage) {
            let lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n');
            let good = lines.take_while(|line| serde_json::from_slice::<Tick>(line).is_ok());
            keep = good.map(<[u8]>::len).sum();
        }
        if keep < bytes.len() {
            fs::write(suffixed(&self.path, ".torn"), &bytes[keep..])?;
            OpenOptions::new()
                .write(true)
                .open(&self.path)?
                .set_len(keep as u64)?;
        }
        self.len = if self.has(FileBug::ReopenForgetsSize) {
            0
        } else {
            keep as u64
        };
        Ok(())
    }

    fn append(&mut self, line: String) -> io::Result<()> {
        match self.bug {
            Some(FileBug::AcknowledgesBeforeWriting | FileBug::ShutdownDropsBuffer) => {
                self.held_back.push(line);
                Ok(())
            }
            Some(FileBug::WritesBackwards) => {
                self.held_back.insert(0, line);
                Ok(())
            }
            Some(FileBug::DropsWhenBehind) => {
                // A queue that is not emptied in time.
                if self.held_back.len() < self.capacity {
                    self.held_back.push(line);
                }
                Ok(())
            }
            _ => self.write(&line),
        }
    }

    fn write_held_back(&mut self) -> io::Result<()> {
        let lines = mem::take(&mut self.held_back);
        lines.iter().try_for_each(|line| self.write(line))
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let len = line.len() as u64;
        let full = self.len > 0 && self.len + len > self.max_bytes;
        if full && !self.has(FileBug::NeverRotates) {
            self.rotate()?;
            if self.has(FileBug::RotationDropsEvent) {
                return Ok(());
            }
        }
        let line = if self.has(FileBug::SplitsLines) {
            line.replace(',', ",\n")
        } else {
            line.into()
        };
        if self.has(FileBug::WritesHeader) && self.len == 0 {
            self.file()?.write_all(b"{\"header\":1}\n")?;
        }
        self.file()?.write_all(line.as_bytes())?;
        self.len += len;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file = None;
        self.len = 0;
        if self.has(FileBug::RotationOverwrites) {
            return fs::remove_file(&self.path);
        }
        fs::rename(&self.path, suffixed(&self.path, ".old"))
    }

    /// The file, made when it is first written to.
    fn file(&mut self) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.path)?,
        };
        Ok(self.file.insert(file))
    }
}

fn path(case: &Case) -> Result<PathBuf, OpenError> {
    Ok(case.dir()?.join("naive.log"))
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
