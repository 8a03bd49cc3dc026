//! The settings of one log under judgement, and where its files are.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use eventlog::Versioned;

use tempfile::TempDir;

use crate::{
    sim_broker::SimBroker,
    sim_disk::{crash::Crash, disk::SimDisk},
};

/// The settings of one case, and its directory.
///
/// The directory is made when it is first asked for, is empty then, and is removed with the case,
/// after the log.
#[derive(Debug)]
pub struct Case {
    /// How many events the log retains.
    pub capacity: usize,
    /// The version that a subscriber must have seen before the first event; `None` leaves it to the
    /// log.
    pub base_version: Option<u64>,
    /// The bytes that no file exceeds, unless one event alone is longer.
    pub max_file_bytes: u64,
    /// The bytes of events that may wait in memory for a disk that stalls, beside those that the
    /// log retains. What exceeds them may be lost, and is counted.
    pub max_waiting_bytes: usize,
    /// What the retained events may [weigh](weight) together, if that is limited.
    pub max_bytes: Option<u64>,
    /// How old they may be by the [clock](Case::clock), if that is limited.
    pub max_age: Option<Duration>,
    /// What tells the log the time.
    pub clock: TestClock,
    dir: OnceLock<Dir>,
    disk: Option<SimDisk>,
    broker: Option<SimBroker>,
}

/// What an event weighs in a log that limits the weight.
#[must_use]
pub fn weight(event: &impl Versioned) -> u64 {
    weight_of(event.version())
}

pub(crate) fn weight_of(version: u64) -> u64 {
    version % 8
}

/// A clock that stands where it is put.
#[derive(Clone, Debug, Default)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    /// Puts it to so many seconds.
    pub fn put(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    /// What it says.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// The directory of a case.
#[derive(Debug)]
enum Dir {
    /// Removed with the case.
    Own(TempDir),
    /// Of another process, which removes it.
    Given(PathBuf),
}

impl Case {
    /// A log of `capacity` events.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            base_version: None,
            max_file_bytes: 8 * 1024 * 1024,
            max_waiting_bytes: 128 * 1024 * 1024,
            max_bytes: None,
            max_age: None,
            clock: TestClock::default(),
            dir: OnceLock::new(),
            disk: None,
            broker: None,
        }
    }

    /// The same, for a log whose first event comes after version `base`.
    #[must_use]
    pub fn with_base(mut self, base: u64) -> Self {
        self.base_version = Some(base);
        self
    }

    /// The same, with files of at most so many bytes.
    #[must_use]
    pub fn with_files_of(mut self, max_bytes: u64) -> Self {
        self.max_file_bytes = max_bytes;
        self
    }

    /// The same, where so many bytes of events may wait for the disk.
    #[must_use]
    pub fn with_waiting_bytes(mut self, bytes: usize) -> Self {
        self.max_waiting_bytes = bytes;
        self
    }

    /// The same, where the events may [weigh](weight) so much together.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// The same, where the events may be so old.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The same, on a simulated disk. Only for a subject that has
    /// [`Capability::Storage`](crate::Capability::Storage).
    #[must_use]
    pub fn on_disk(mut self, disk: SimDisk) -> Self {
        self.disk = Some(disk);
        self
    }

    /// The same, at a simulated broker. Only for a subject that has
    /// [`Capability::Broker`](crate::Capability::Broker).
    #[must_use]
    pub fn at_broker(mut self, broker: SimBroker) -> Self {
        self.broker = Some(broker);
        self
    }

    /// The same, in a directory that is there already and is left there.
    pub(crate) fn at(self, dir: PathBuf) -> Self {
        Self {
            dir: OnceLock::from(Dir::Given(dir)),
            ..self
        }
    }

    /// The simulated disk that the log is to be on: its files are opened, written, read back and
    /// followed through [`Storage`](crate::sim_disk::Storage). `None` for the real one.
    ///
    /// ```
    /// use model_tests::{Case, sim_disk::{Crash, SimDisk, Storage}};
    ///
    /// let case = Case::new(4).on_disk(SimDisk::new());
    /// let disk = case.disk().expect("it was given one");
    /// let path = case.dir()?.join("x.log");
    /// let mut file = disk.create_new(&path, 0o600)?;
    /// disk.write(&mut file, b"an event\n")?;
    /// disk.sync(&mut file)?;
    /// // The name of the file is not on the disk yet.
    /// assert_eq!(disk.crash(&Crash::LOST).bytes(&path), None);
    /// disk.sync_dir(case.dir()?)?;
    /// assert!(disk.crash(&Crash::LOST).bytes(&path).is_some());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn disk(&self) -> Option<&SimDisk> {
        self.disk.as_ref()
    }

    /// The simulated broker that the log is to be written to, in place of files: it is opened there,
    /// and read back from there. `None` for files.
    #[must_use]
    pub fn broker(&self) -> Option<&SimBroker> {
        self.broker.as_ref()
    }

    /// Whether nobody can have written there yet.
    pub(crate) fn is_fresh(&self) -> bool {
        self.dir.get().is_none() && self.disk.is_none() && self.broker.is_none()
    }

    /// Another case of the same settings, with nothing in it.
    pub(crate) fn afresh(&self) -> Self {
        Self {
            base_version: self.base_version,
            max_file_bytes: self.max_file_bytes,
            max_waiting_bytes: self.max_waiting_bytes,
            max_bytes: self.max_bytes,
            max_age: self.max_age,
            clock: self.clock.clone(),
            ..Self::new(self.capacity)
        }
    }

    /// Another case with the files of this one as they are now: what a killed process leaves.
    ///
    /// # Errors
    ///
    /// If they cannot be copied.
    pub fn killed(&self) -> io::Result<Self> {
        let left = self.afresh();
        if let Some(disk) = &self.disk {
            return Ok(left.on_disk(disk.kill()));
        }
        for entry in fs::read_dir(self.dir()?)? {
            let entry = entry?;
            let to = left.dir()?.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                fs::create_dir(to)?;
            } else {
                fs::copy(entry.path(), to)?;
            }
        }
        Ok(left)
    }

    /// Another case with what a power cut leaves of this one's simulated disk; `None` on a real
    /// one.
    #[must_use]
    pub fn power_cut(&self, crash: &Crash) -> Option<Self> {
        let disk = self.disk.as_ref()?.crash(crash);
        Some(self.afresh().on_disk(disk))
    }

    /// The case's own directory; on a simulated disk, its root.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn dir(&self) -> io::Result<&Path> {
        if self.disk.is_some() {
            return Ok(Path::new("/"));
        }
        if self.dir.get().is_none() {
            // The second of two threads drops its own directory, which is still empty.
            let _ = self.dir.set(Dir::Own(tempfile::tempdir()?));
        }
        match self.dir.get() {
            Some(Dir::Own(dir)) => Ok(dir.path()),
            Some(Dir::Given(dir)) => Ok(dir),
            None => Err(io::Error::other("the case has no directory")),
        }
    }
}
