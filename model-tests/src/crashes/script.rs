//! A history as data: generated, run, printed.

use std::fmt;
use std::io::ErrorKind;

use eventlog::disk::DiskConfig;

use super::files::PATH;
use crate::{
    model::disk::DiskModel,
    sim_disk::{fault::Fault, random::Random},
};

/// A history of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Largest size of a file in bytes.
    pub max_bytes: u64,
    /// How many full files are kept.
    pub keep: u32,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What goes wrong, at which operation of the disk.
    pub faults: Vec<(u64, Fault)>,
}

/// One step of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Records whose lines have these lengths are handed over at once.
    Write(Vec<usize>),
    /// What was handed over is made durable.
    Sync,
}

impl Script {
    /// The history of a seed, with at least so many rotations.
    ///
    /// ```
    /// # use model_tests::crashes::Script;
    /// assert_eq!(Script::generate(7, 1), Script::generate(7, 1)); // the same each time
    /// assert_ne!(Script::generate(7, 1), Script::generate(8, 1));
    /// ```
    #[must_use]
    pub fn generate(seed: u64, rotations: usize) -> Self {
        let mut random = Random::new(seed);
        let max_bytes = 60 + random.below(200) as u64;
        let keep = [1, 1, 2, 3][random.below(4)];
        let mut model = DiskModel::new(max_bytes, keep);
        let mut steps = Vec::new();
        let mut number = 0;
        while model.rotations() < rotations {
            let lens: Vec<_> = (0..=random.below(5))
                .map(|_| line_len(&mut random))
                .collect();
            for len in &lens {
                number += 1;
                model.hand(number, *len as u64);
            }
            steps.push(Step::Write(lens));
            if random.below(4) > 0 {
                steps.push(Step::Sync);
            }
        }
        steps.push(Step::Sync);
        Self {
            max_bytes,
            keep,
            steps,
            faults: Vec::new(),
        }
    }

    /// The same with some faults among the first `operations`.
    ///
    /// ```
    /// # use model_tests::crashes::Script;
    /// let script = Script::generate(7, 1);
    /// assert!(script.faults.is_empty());
    /// assert!(!script.with_faults(7, 20).faults.is_empty());
    /// ```
    #[must_use]
    pub fn with_faults(mut self, seed: u64, operations: usize) -> Self {
        let mut random = Random::new(!seed);
        for _ in 0..=random.below(4) {
            let at = random.below(operations) as u64;
            // Faults that last for a few operations meet the repairs as well.
            for operation in at..=at + random.below(4) as u64 {
                self.faults.push((operation, fault(&mut random)));
            }
        }
        self
    }

    /// The settings of its log.
    ///
    /// ```
    /// # use model_tests::crashes::{PATH, Script};
    /// assert_eq!(Script::generate(7, 1).config().path(), PATH);
    /// ```
    #[must_use]
    pub fn config(&self) -> DiskConfig {
        DiskConfig::new(PATH)
            .max_bytes(self.max_bytes)
            .keep(self.keep)
    }

    /// The lengths of all its lines.
    ///
    /// ```
    /// # use model_tests::crashes::{Script, Step};
    /// let mut script = Script::generate(7, 0);
    /// script.steps = vec![Step::Write(vec![30, 40]), Step::Sync, Step::Write(vec![50])];
    /// assert!(script.lens().eq([30, 40, 50]));
    /// ```
    pub fn lens(&self) -> impl Iterator<Item = usize> {
        self.steps
            .iter()
            .flat_map(|step| match step {
                Step::Write(lens) => &lens[..],
                Step::Sync => &[],
            })
            .copied()
    }
}

fn line_len(random: &mut Random) -> usize {
    match random.below(20) {
        0 => 300,
        1..=4 => 60 + random.below(40),
        _ => 26 + random.below(20),
    }
}

fn fault(random: &mut Random) -> Fault {
    let seed = random.number();
    match random.below(10) {
        0 => Fault::Refuse(ErrorKind::StorageFull),
        1 => Fault::Refuse(ErrorKind::Interrupted),
        2 => Fault::Refuse(ErrorKind::QuotaExceeded),
        3 => Fault::Refuse(ErrorKind::ReadOnlyFilesystem),
        4 => Fault::Refuse(ErrorKind::Other),
        5 => Fault::Short(1 + random.below(30)),
        6 => Fault::SyncReverts(seed),
        _ => Fault::SyncDrops(seed),
    }
}

/// As Rust, to be pasted into a test.
impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Script {{")?;
        writeln!(
            f,
            "    max_bytes: {},\n    keep: {},",
            self.max_bytes, self.keep
        )?;
        writeln!(f, "    steps: vec![")?;
        for step in &self.steps {
            match step {
                Step::Write(lens) => writeln!(f, "        Step::Write(vec!{lens:?}),")?,
                Step::Sync => writeln!(f, "        Step::Sync,")?,
            }
        }
        writeln!(f, "    ],\n    faults: vec![")?;
        for (operation, fault) in &self.faults {
            match fault {
                Fault::Refuse(kind) => {
                    writeln!(
                        f,
                        "        ({operation}, Fault::Refuse(ErrorKind::{kind:?})),"
                    )?;
                }
                fault => writeln!(f, "        ({operation}, Fault::{fault:?}),")?,
            }
        }
        write!(f, "    ],\n}}")
    }
}
