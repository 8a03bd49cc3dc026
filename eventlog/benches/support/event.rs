//! The event that is measured: six variants with 0 to 3 strings.

use eventlog::Versioned;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    Ticked {
        version: u64,
    },
    Opened {
        version: u64,
        title: String,
    },
    Closed {
        version: u64,
        reason: String,
    },
    Renamed {
        version: u64,
        from: String,
        to: String,
    },
    Moved {
        version: u64,
        item: String,
        place: String,
    },
    Spawned {
        version: u64,
        command: String,
        directory: String,
        user: String,
    },
}

impl Event {
    /// The variants in turn.
    pub fn new(version: u64) -> Self {
        match version % 6 {
            0 => Self::Ticked { version },
            1 => Self::Opened {
                version,
                title: format!("window {version}"),
            },
            2 => Self::Closed {
                version,
                reason: format!("the user closed {version}"),
            },
            3 => Self::Renamed {
                version,
                from: format!("old name of {version}"),
                to: format!("new name of {version}"),
            },
            4 => Self::Moved {
                version,
                item: format!("tab {version}"),
                place: format!("workspace {version}"),
            },
            _ => Self::Spawned {
                version,
                command: format!("/usr/bin/server --port {version}"),
                directory: format!("/home/user/projects/{version}"),
                user: "user".to_owned(),
            },
        }
    }
}

impl Versioned for Event {
    fn version(&self) -> u64 {
        match self {
            Self::Ticked { version }
            | Self::Opened { version, .. }
            | Self::Closed { version, .. }
            | Self::Renamed { version, .. }
            | Self::Moved { version, .. }
            | Self::Spawned { version, .. } => *version,
        }
    }
}
