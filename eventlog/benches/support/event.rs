//! The events that are measured: six variants with 0 to 3 strings, and as many without any memory
//! of their own, whose cost is not diluted by what both sides pay for strings.

use eventlog::Versioned;
use serde::{Deserialize, Serialize};

/// An event that can be made of any version.
pub trait Sample: Versioned + Clone + Send + Sync + 'static {
    fn new(version: u64) -> Self;
}

impl Sample for Event {
    fn new(version: u64) -> Self {
        Self::new(version)
    }
}

/// As large as `Event`, and nothing on the heap.
#[derive(Clone, Serialize)]
pub enum Plain {
    Ticked {
        version: u64,
    },
    Opened {
        version: u64,
        window: u64,
    },
    Closed {
        version: u64,
        window: u64,
        code: i32,
    },
    Moved {
        version: u64,
        from: [u64; 2],
        to: [u64; 2],
    },
    Measured {
        version: u64,
        values: [u64; 6],
    },
    Sampled {
        version: u64,
        values: [u64; 8],
    },
}

impl Sample for Plain {
    fn new(version: u64) -> Self {
        match version % 6 {
            0 => Self::Ticked { version },
            1 => Self::Opened {
                version,
                window: version,
            },
            2 => Self::Closed {
                version,
                window: version,
                code: 1,
            },
            3 => Self::Moved {
                version,
                from: [version; 2],
                to: [1; 2],
            },
            4 => Self::Measured {
                version,
                values: [version; 6],
            },
            _ => Self::Sampled {
                version,
                values: [version; 8],
            },
        }
    }
}

impl Versioned for Plain {
    fn version(&self) -> u64 {
        match self {
            Self::Ticked { version }
            | Self::Opened { version, .. }
            | Self::Closed { version, .. }
            | Self::Moved { version, .. }
            | Self::Measured { version, .. }
            | Self::Sampled { version, .. } => *version,
        }
    }
}

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
