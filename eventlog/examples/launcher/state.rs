//! What the events add up to.

use std::collections::BTreeMap;

use eventlog::Versioned;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Phase};

/// The launcher's state. The launcher and its subscribers all compute it with the same `apply`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub version: u64,
    pub phase: Phase,
    pub processes: BTreeMap<u64, Process>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    pub command: String,
    pub status: Status,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Running {
        pid: u32,
    },
    Failed {
        error: String,
    },
    Exited {
        code: Option<i32>,
        signal: Option<i32>,
    },
    Lost,
}

impl State {
    pub fn apply(&mut self, event: &Event) {
        self.version = event.version();
        match event {
            Event::PhaseChanged { to, .. } => self.change_phase(*to),
            Event::ProcessSpawned {
                id, pid, command, ..
            } => {
                self.start(*id, command, Status::Running { pid: *pid });
            }
            Event::SpawnFailed {
                id, command, error, ..
            } => {
                self.start(
                    *id,
                    command,
                    Status::Failed {
                        error: error.clone(),
                    },
                );
            }
            Event::ProcessExited {
                id, code, signal, ..
            } => {
                self.end(
                    *id,
                    Status::Exited {
                        code: *code,
                        signal: *signal,
                    },
                );
            }
            Event::ProcessLost { id, .. } => self.end(*id, Status::Lost),
        }
    }

    /// The processes that no event has ended yet.
    pub fn running(&self) -> Vec<u64> {
        let is_running = |process: &Process| matches!(process.status, Status::Running { .. });
        self.processes
            .iter()
            .filter(|(_, process)| is_running(process))
            .map(|(id, _)| *id)
            .collect()
    }

    /// A new start forgets what has ended, or the table would grow with every run.
    fn change_phase(&mut self, phase: Phase) {
        self.phase = phase;
        if phase == Phase::Starting {
            self.processes
                .retain(|_, process| matches!(process.status, Status::Running { .. }));
        }
    }

    fn start(&mut self, id: u64, command: &str, status: Status) {
        self.processes.insert(
            id,
            Process {
                command: command.to_owned(),
                status,
            },
        );
    }

    fn end(&mut self, id: u64, status: Status) {
        if let Some(process) = self.processes.get_mut(&id) {
            process.status = status;
        }
    }
}
