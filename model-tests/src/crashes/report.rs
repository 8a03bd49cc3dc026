//! Many histories, all their crashes, one report.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::thread;

use super::check::{check, pictures};
use super::ending::{Ending, endings};
use super::floors::Floors;
use super::script::Script;
use crate::model::disk::Broken;

/// The laws that every crash is checked for.
pub const LAWS: [&str; 7] = ["W01", "W02", "W03", "W04", "W05", "W07", "W08"];

/// What was visited, and the first violation of each law.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How many histories were run.
    pub histories: u64,
    /// How many of them had faults.
    pub faulty: u64,
    /// How many operations were crashed after.
    pub operations: u64,
    /// How many disks were looked at, each the end of a life of the log.
    pub crashes: u64,
    /// The first violation of each law.
    pub violations: BTreeMap<&'static str, Violation>,
}

/// A broken law and the way there.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The law and what was seen.
    pub broken: Broken,
    /// The history.
    pub script: Script,
    /// The operation after which the history ended, and how; `None` if it did not come to its
    /// end.
    pub end: Option<(u64, Ending)>,
}

/// A test that fails, to be pasted.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, ending) = self.end.unwrap_or((1, Ending::Kill));
        writeln!(f, "{}\n\n#[test]\nfn replayed() {{", self.broken)?;
        writeln!(f, "let script = {};", self.script)?;
        write!(f, "check_one(&script, {operation}, {ending}).unwrap();\n}}")
    }
}

impl Report {
    /// Fails with a test to paste if a law was broken.
    ///
    /// ```
    /// # use model_tests::crashes::enumerate;
    /// enumerate(0..1, 1).assert_kept("W01"); // or panics with a test to paste
    /// ```
    ///
    /// # Panics
    /// If so, or if nothing was looked at.
    pub fn assert_kept(&self, law: &str) {
        assert!(self.crashes > 0, "no crash was looked at");
        if let Some(violation) = self.violations.get(law) {
            panic!("{violation}");
        }
    }

    fn add(&mut self, other: Self) {
        self.histories += other.histories;
        self.faulty += other.faulty;
        self.operations += other.operations;
        self.crashes += other.crashes;
        for (law, violation) in other.violations {
            self.violations.entry(law).or_insert(violation);
        }
    }

    fn visit(&mut self, script: &Script, seed: u64) {
        self.histories += 1;
        self.faulty += u64::from(!script.faults.is_empty());
        let pictures = match pictures(script) {
            Ok(pictures) => pictures,
            Err(broken) => return self.broken(broken, script, None),
        };
        let floors = Floors::of(script, &pictures);
        for picture in &pictures {
            self.operations += 1;
            for ending in endings(picture, seed ^ picture.operations) {
                self.crashes += 1;
                if let Err(broken) = check(script, &floors, picture, ending) {
                    self.broken(broken, script, Some((picture.operations, ending)));
                }
            }
        }
    }

    fn broken(&mut self, broken: Broken, script: &Script, end: Option<(u64, Ending)>) {
        let script = script.clone();
        let law = broken.law;
        self.violations.entry(law).or_insert(Violation {
            broken,
            script,
            end,
        });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} crashes after {} operations of {} histories ({} with faults), {} laws broken",
            self.crashes,
            self.operations,
            self.histories,
            self.faulty,
            self.violations.len()
        )
    }
}

/// Crashes the histories of these seeds after every operation; every second one has faults.
///
/// ```
/// # use model_tests::crashes::enumerate;
/// let report = enumerate(0..1, 1);
/// assert!(report.violations.is_empty() && report.crashes > report.operations);
/// ```
#[must_use]
pub fn enumerate(seeds: Range<u64>, rotations: usize) -> Report {
    let threads = thread::available_parallelism().map_or(2, |count| count.get() as u64);
    let visit = |thread: u64| {
        let mut report = Report::default();
        for seed in seeds.clone().filter(|seed| seed % threads == thread) {
            let mut script = Script::generate(seed, rotations);
            if seed / threads % 2 == 1 {
                script = script.with_faults(seed, 60);
            }
            report.visit(&script, seed);
        }
        report
    };
    let visit = &visit;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || visit(thread)))
            .collect();
        let mut report = Report::default();
        for worker in workers {
            match worker.join() {
                Ok(part) => report.add(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        report
    })
}
