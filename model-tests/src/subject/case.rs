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
    /// The bytes that no file exceeds, unless one event alone is longer. A log without such a bound
    /// lacks [`Capability::Rotation`](crate::Capability::Rotation).
    pub max_file_bytes: u64,
    /// The bytes of events that may wait in memory for a disk that stalls, beside those that the
    /// log retains. What exceeds them may be lost, and is counted.
    ///
    /// They are those of the records, as they will stand in the files. A log may count payloads or
    /// memory instead: nobody looks when exactly it begins to lose, only that what it takes stops
    /// growing (law W18).
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
///
/// ```
/// # use model_tests::{Tick, weight};
/// assert_eq!(weight(&Tick::new(7, 0)), weight(&Tick::new(7, 1))); // by its version alone
/// ```
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
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use model_tests::TestClock;
    /// let clock = TestClock::default();
    /// let hand = clock.clone(); // the same clock
    /// hand.put(60);
    /// assert_eq!(clock.now(), Duration::from_secs(60));
    /// ```
    pub fn put(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    /// What it says.
    ///
    /// ```
    /// # use model_tests::{Case, Ours, Subject, Tick};
    /// let case = Case::new(4);
    /// let clock = case.clock.clone();
    /// let ask = move || clock.now(); // what the log is given
    /// assert!(ask().is_zero());
    /// ```
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
    ///
    /// ```
    /// # use model_tests::Case;
    /// assert_eq!(Case::new(4).capacity, 4);
    /// ```
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
    ///
    /// ```
    /// # use model_tests::Case;
    /// assert_eq!(Case::new(4).with_base(100).base_version, Some(100));
    /// ```
    #[must_use]
    pub fn with_base(mut self, base: u64) -> Self {
        self.base_version = Some(base);
        self
    }

    /// The same, with files of at most so many bytes.
    ///
    /// ```
    /// # use model_tests::{Case, Log, OnDisk, Subject, Tick};
    /// let (subject, case) = (OnDisk(Tick::new), Case::new(4).with_files_of(50));
    /// let log = subject.open(&case)?;
    /// (1..=5).for_each(|version| _ = log.append(Tick::new(version, 0)));
    /// log.shutdown()?;
    /// assert!(subject.files(&case)?.len() > 1); // it has rotated
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    #[must_use]
    pub fn with_files_of(mut self, max_bytes: u64) -> Self {
        self.max_file_bytes = max_bytes;
        self
    }

    /// The same, where so many bytes of events may wait for the disk.
    ///
    /// ```
    /// # use model_tests::Case;
    /// assert_eq!(Case::new(4).with_waiting_bytes(1 << 20).max_waiting_bytes, 1 << 20);
    /// ```
    #[must_use]
    pub fn with_waiting_bytes(mut self, bytes: usize) -> Self {
        self.max_waiting_bytes = bytes;
        self
    }

    /// The same, where the events may [weigh](weight) so much together.
    ///
    /// ```
    /// # use model_tests::{Case, Log, Subject, weight, zoo::NaiveSubject};
    /// let subject = NaiveSubject { bug: None };
    /// let heavy = subject.event(7, 0);
    /// let log = subject.open(&Case::new(4).with_max_bytes(weight(&heavy)))?;
    /// [heavy.clone(), heavy].map(|event| log.append(event));
    /// assert_eq!(log.events_since(0).len(), 1);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// The same, where the events may be so old.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// let subject = NaiveSubject { bug: None };
    /// let case = Case::new(4).with_max_age(Duration::from_secs(10));
    /// let log = subject.open(&case)?;
    /// log.append(subject.event(7, 0));
    /// case.clock.put(11);
    /// assert!(log.events_since(0).is_empty());
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The same, on a simulated disk. Only for a subject that has
    /// [`Capability::Storage`](crate::Capability::Storage).
    ///
    /// ```
    /// # use model_tests::{Case, Log, OnDisk, Subject, Tick, sim_disk::SimDisk};
    /// let disk = SimDisk::new();
    /// let log = OnDisk(Tick::new).open(&Case::new(4).on_disk(disk.clone()))?;
    /// log.append(Tick::new(7, 0));
    /// log.shutdown()?;
    /// assert!(disk.operations() > 0); // the real one saw nothing of it
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    #[must_use]
    pub fn on_disk(mut self, disk: SimDisk) -> Self {
        self.disk = Some(disk);
        self
    }

    /// The same, at a simulated broker. Only for a subject that has
    /// [`Capability::Broker`](crate::Capability::Broker).
    ///
    /// ```
    /// # use model_tests::{Case, sim_broker::SimBroker};
    /// let case = Case::new(4).at_broker(SimBroker::new());
    /// assert!(case.broker().is_some());
    /// ```
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
    ///
    /// ```
    /// # use model_tests::Case;
    /// assert!(Case::new(4).broker().is_none()); // files
    /// ```
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
    /// ```
    /// # use model_tests::{Case, Log, OnDisk, Subject, Tick};
    /// let (subject, case) = (OnDisk(Tick::new), Case::new(4));
    /// let log = subject.open(&case)?;
    /// log.append(Tick::new(7, 0));
    /// log.flush()?;
    /// let left = case.killed()?; // without telling the log
    /// assert_eq!(subject.open(&left)?.events_since(0).len(), 1);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
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
    ///
    /// ```
    /// # use model_tests::{Case, Log, OnDisk, Subject, Tick, sim_disk::{Crash, SimDisk}};
    /// let (subject, case) = (OnDisk(Tick::new), Case::new(4).on_disk(SimDisk::new()));
    /// let log = subject.open(&case)?;
    /// log.append(Tick::new(7, 0));
    /// log.flush()?;
    /// let left = case.power_cut(&Crash::LOST).expect("its disk is simulated");
    /// assert_eq!(subject.read_back(&left)?.len(), 1);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    #[must_use]
    pub fn power_cut(&self, crash: &Crash) -> Option<Self> {
        let disk = self.disk.as_ref()?.crash(crash);
        Some(self.afresh().on_disk(disk))
    }

    /// The case's own directory; on a simulated disk, its root.
    ///
    /// ```
    /// # use model_tests::Case;
    /// let case = Case::new(4);
    /// let dir = case.dir()?.to_owned();
    /// assert!(dir.is_dir());
    /// drop(case);
    /// assert!(!dir.exists());
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
