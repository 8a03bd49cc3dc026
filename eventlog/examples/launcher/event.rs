//! What happens in a launcher.

use eventlog::Versioned;
use serde::{Deserialize, Serialize};

/// One change of the launcher's state. The derive finds each variant's `version`, and refuses a
/// variant that has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Versioned)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    PhaseChanged {
        from: Phase,
        to: Phase,
        version: u64,
    },
    ProcessSpawned {
        id: u64,
        pid: u32,
        command: String,
        version: u64,
    },
    SpawnFailed {
        id: u64,
        command: String,
        error: String,
        version: u64,
    },
    ProcessExited {
        id: u64,
        code: Option<i32>,
        signal: Option<i32>,
        version: u64,
    },
    /// The launcher died before the process did; how that ended is not known.
    ProcessLost { id: u64, version: u64 },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    #[default]
    Stopped,
    Starting,
    Running,
    Draining,
}
