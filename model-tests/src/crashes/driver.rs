//! A writer that keeps the contract of a destination.

use eventlog::{
    disk::{DiskError, FileLog, Opened},
    writer::Records,
};

use super::script::{Script, Step};
use crate::{
    model::disk::Numbered,
    sim_disk::{disk::SimDisk, state::Note},
};

/// How often handing over is tried again before the driver gives up.
const ATTEMPTS: usize = 200;

/// Hands records to a log, again where an error asks for it, and tells the disk what it knows.
#[derive(Debug)]
pub struct Driver {
    disk: SimDisk,
    log: FileLog<SimDisk>,
    /// The number before that of the first record.
    before: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// How many records the log has taken and not forgotten.
    taken: usize,
    errors: usize,
}

impl Driver {
    /// Opens the log. The first record handed over has the number after `before`.
    ///
    /// ```
    /// # use model_tests::{crashes::{Driver, Script}, sim_disk::SimDisk};
    /// let (disk, script) = (SimDisk::new(), Script::generate(1, 0));
    /// let (driver, _) = Driver::open(&disk, &script, 0)?;
    /// assert_eq!(driver.durable(), 0);
    /// # Ok::<(), eventlog::disk::DiskError>(())
    /// ```
    ///
    /// # Errors
    /// As [`FileLog::open`].
    pub fn open(disk: &SimDisk, script: &Script, before: u64) -> Result<(Self, Opened), DiskError> {
        let (log, opened) = FileLog::open(disk.clone(), &script.config())?;
        Ok((Self::with(disk, log, before), opened))
    }

    /// Opens the log with its first record.
    ///
    /// ```
    /// # use model_tests::{crashes::{Driver, PATH, Script}, sim_disk::SimDisk};
    /// let (disk, script) = (SimDisk::new(), Script::generate(1, 0));
    /// let driver = Driver::detached(&disk, &script)?;
    /// assert_eq!(disk.bytes(PATH.as_ref()), None); // nothing is there yet
    /// # Ok::<(), eventlog::disk::DiskError>(())
    /// ```
    ///
    /// # Errors
    /// As [`FileLog::detached`].
    pub fn detached(disk: &SimDisk, script: &Script) -> Result<Self, DiskError> {
        Ok(Self::with(
            disk,
            FileLog::detached(disk.clone(), &script.config())?,
            0,
        ))
    }

    fn with(disk: &SimDisk, log: FileLog<SimDisk>, before: u64) -> Self {
        let (bytes, ends) = (Vec::new(), Vec::new());
        Self {
            disk: disk.clone(),
            log,
            before,
            bytes,
            ends,
            taken: 0,
            errors: 0,
        }
    }

    /// How many calls have failed.
    ///
    /// ```
    /// # use model_tests::{crashes::{Driver, Script}, sim_disk::{Fault, SimDisk}};
    /// let (disk, script) = (SimDisk::new(), Script::generate(1, 0));
    /// let (mut driver, _) = Driver::open(&disk, &script, 0)?;
    /// driver.append(&[30])?;
    /// disk.fail_next(Fault::Refuse(std::io::ErrorKind::StorageFull));
    /// driver.append(&[40])?; // is tried again
    /// assert_eq!(driver.errors(), 1);
    /// # Ok::<(), eventlog::disk::DiskError>(())
    /// ```
    #[must_use]
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many records are durable.
    ///
    /// ```
    /// # use model_tests::{crashes::{Driver, Script}, sim_disk::SimDisk};
    /// let (disk, script) = (SimDisk::new(), Script::generate(1, 0));
    /// let (mut driver, _) = Driver::open(&disk, &script, 0)?;
    /// driver.append(&[30, 40])?;
    /// driver.sync()?;
    /// assert_eq!(driver.durable(), 2);
    /// # Ok::<(), eventlog::disk::DiskError>(())
    /// ```
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.log.durable()
    }

    /// Does all of a script's steps.
    ///
    /// ```
    /// # use model_tests::{crashes::{Driver, Script, Step}, sim_disk::SimDisk};
    /// let (disk, script) = (SimDisk::new(), Script::generate(1, 0));
    /// let mut driver = Driver::detached(&disk, &script)?;
    /// driver.run(&[Step::Write(vec![30, 40]), Step::Sync])?;
    /// assert_eq!(driver.durable(), 2);
    /// # Ok::<(), eventlog::disk::DiskError>(())
    /// ```
    ///
    /// # Errors
    /// The last error, if the log does not come through.
    pub fn run(&mut self, steps: &[Step]) -> Result<(), DiskError> {
        for step in steps {
            match step {
                Step::Write(lens) => self.append(lens)?,
                Step::Sync => self.sync()?,
            }
        }
        Ok(())
    }

    /// Hands over records whose lines have these lengths.
    ///
    /// ```
    /// # use model_tests::{crashes::{Driver, PATH, Script}, sim_disk::SimDisk};
    /// let (disk, script) = (SimDisk::new(), Script::generate(1, 0));
    /// let (mut driver, _) = Driver::open(&disk, &script, 0)?;
    /// driver.append(&[30])?;
    /// assert_eq!(disk.bytes(PATH.as_ref()).map(|bytes| bytes.len()), Some(30));
    /// # Ok::<(), eventlog::disk::DiskError>(())
    /// ```
    ///
    /// # Errors
    /// The last error, if the log does not come through.
    pub fn append(&mut self, lens: &[usize]) -> Result<(), DiskError> {
        for len in lens {
            let number = self.before + self.ends.len() as u64 + 1;
            self.bytes
                .extend_from_slice(Numbered::new(number, *len).line().as_bytes());
            self.ends.push(self.bytes.len());
        }
        self.attempt(Self::hand_over)
    }

    /// Makes all records durable.
    ///
    /// ```
    /// # use model_tests::{crashes::{Driver, PATH, Script}, sim_disk::{Crash, SimDisk}};
    /// let (disk, script) = (SimDisk::new(), Script::generate(1, 0));
    /// let (mut driver, _) = Driver::open(&disk, &script, 0)?;
    /// driver.append(&[30])?;
    /// driver.sync()?;
    /// assert!(disk.crash(&Crash::LOST).bytes(PATH.as_ref()).is_some()); // outlives the power cut
    /// # Ok::<(), eventlog::disk::DiskError>(())
    /// ```
    ///
    /// # Errors
    /// The last error, if the log does not come through.
    pub fn sync(&mut self) -> Result<(), DiskError> {
        self.attempt(|driver| {
            driver.hand_over()?;
            driver.log.make_durable()
        })?;
        assert_eq!(
            self.durable(),
            self.ends.len() as u64,
            "all is durable after a sync"
        );
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), DiskError> {
        let records = Records::new(&self.bytes, &self.ends);
        self.log.append_records(records.skip(self.taken))?;
        self.taken = self.ends.len();
        Ok(())
    }

    fn attempt(
        &mut self,
        mut run: impl FnMut(&mut Self) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        let mut attempts = 0;
        loop {
            self.note();
            let durable = self.durable();
            let result = run(self);
            assert!(self.durable() >= durable, "what is durable stays so");
            self.note();
            let Err(error) = result else { return Ok(()) };
            self.errors += 1;
            attempts += 1;
            if attempts == ATTEMPTS {
                return Err(error);
            }
            self.taken = usize::try_from(self.durable()).unwrap_or(usize::MAX);
        }
    }

    fn note(&self) {
        self.disk.note(Note {
            handed: self.ends.len() as u64,
            durable: self.durable(),
        });
    }
}
