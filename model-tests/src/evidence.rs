//! What a verdict stands on, and what could not be judged.

use std::fmt;

/// Where a law was judged. No law claims more than this has seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Evidence {
    /// The files of a log that runs, copied: what a killed process leaves. A copy sees what is in
    /// the page cache, so it says nothing of a power cut.
    CopiedFiles,
    /// A process of its own that was killed with SIGKILL.
    KilledProcess,
    /// A process of its own that ended by itself.
    EndedProcess,
    /// Power cuts of a [`SimDisk`](crate::sim_disk::SimDisk) that the log was on.
    SimulatedPowerCut,
    /// Faults of a [`SimDisk`](crate::sim_disk::SimDisk) that the log was on.
    SimulatedFaults,
    /// The system calls of a process of its own, traced by `strace` and played on a
    /// [`SimDisk`](crate::sim_disk::SimDisk) whose power was cut.
    TracedPowerCut,
    /// System calls of a process of its own that `strace` let fail or stall.
    InjectedFaults,
    /// A process of its own whose files may not grow, by `RLIMIT_FSIZE`, until they may.
    LimitedFiles,
    /// A process of its own on a small file system that was full, until it had room again.
    FullFileSystem,
    /// Files on the real disk, as the log left them.
    RealFiles,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CopiedFiles => "copied files",
            Self::KilledProcess => "killed process",
            Self::EndedProcess => "ended process",
            Self::SimulatedPowerCut => "simulated power cut",
            Self::SimulatedFaults => "simulated faults",
            Self::TracedPowerCut => "power cut after traced system calls",
            Self::InjectedFaults => "injected faults",
            Self::LimitedFiles => "files that may not grow",
            Self::FullFileSystem => "full file system",
            Self::RealFiles => "files as they were left",
        })
    }
}

/// A part of a law that was not judged.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub struct NotJudged {
    /// What was not tried.
    pub what: &'static str,
    /// What was lacking.
    pub why: String,
}

impl fmt::Display for NotJudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, why } = self;
        write!(f, "{what}: {why}")
    }
}
