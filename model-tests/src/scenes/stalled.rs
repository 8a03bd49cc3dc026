//! A process whose disk stalls: the simulated one that its log is on, or by `strace` the real one.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::files::works;
use crate::{
    process::{
        parent::{Answer, Process, Start, stalled, traced},
        replay::{self, stalls},
        tools,
    },
    report::Report,
    subject::{adapter::Subject, capability::Capability, case::Case},
    trial::{Parted, Trial},
};

/// A process whose log is open, and whose syncs stall for longer than any patience.
pub(super) struct Stalled {
    pub(super) process: Process,
    /// The trace of its syncs, where they stall because of that.
    traces: TempDir,
    /// How many syncs of each thread do not stall.
    pub(super) spared: usize,
}

impl Stalled {
    fn trace(traces: &TempDir) -> PathBuf {
        traces.path().join("syncs")
    }

    /// Opens the log in the process; `None` where that cannot be.
    pub(super) fn open<S: Subject>(
        trial: &Trial<'_, S>,
        case: &Case,
        what: &'static str,
        report: &mut Report,
    ) -> Result<Option<Self>, Parted> {
        let simulated = trial.budget.has(Capability::Storage);
        let traces = works("tracing", || Ok(tempfile::tempdir()?))?;
        let spared = if simulated {
            Ok(0)
        } else {
            syncs_of_opening(trial, case)?
        };
        let started = spared.and_then(|spared| {
            let under = stalled(&Self::trace(&traces), spared);
            let start = Start {
                under: if simulated { &[] } else { &under },
                simulated,
                stalls: !simulated,
                ..Start::PLAIN
            };
            Ok((start.process(trial, case)?, spared))
        });
        let (mut process, spared) = match started {
            Ok(started) => started,
            Err(why) => {
                report.leaves_out(what, why);
                return Ok(None);
            }
        };
        match process.ask_for("open", trial.budget.patience) {
            Answer::Ok => {}
            // To wait for the disk when opening is allowed.
            Answer::Silence => {
                report.leaves_out(what, "opening waits for the disk, now more often, now less");
                return Ok(None);
            }
            other => {
                let step = "open before the disk stalls";
                return Err(Parted::said(step, "no error", other.to_string()));
            }
        }
        process.works("stall", "of a simulated disk")?;
        Ok(Some(Self {
            process,
            traces,
            spared,
        }))
    }

    /// Has a flush begin, and waits until it has met the stall or returned. Says whether it has met
    /// it.
    pub(super) fn flush(&mut self, flushes: u64, patience: Duration) -> Result<bool, Parted> {
        self.process.works("flushing", "on a disk that stalls")?;
        let began = Instant::now();
        while began.elapsed() < patience {
            if stalls(&Self::trace(&self.traces), self.spared) {
                return Ok(true);
            }
            if self.process.ask("flushed") == Answer::Number(flushes) {
                return Ok(false);
            }
        }
        Ok(false)
    }
}

/// How many syncs opening a new log takes.
fn syncs_of_opening<S: Subject>(
    trial: &Trial<'_, S>,
    case: &Case,
) -> Result<Result<usize, String>, Parted> {
    if let Err(why) = tools::strace() {
        return Ok(Err(why));
    }
    let case = case.afresh();
    let traces = works("tracing", || Ok(tempfile::tempdir()?))?;
    let trace = traces.path().join("calls");
    let under = traced(&trace, &[]);
    let start = Start {
        under: &under,
        ..Start::PLAIN
    };
    match start.process(trial, &case) {
        Ok(mut process) => {
            process.works("open", "to count its syncs")?;
            process.kill();
            Ok(replay::syncs(&trace))
        }
        Err(why) => Ok(Err(why)),
    }
}
