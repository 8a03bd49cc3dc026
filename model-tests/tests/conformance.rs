//! The suite on `eventlog`, for three different event types.

use eventlog::Versioned;
use model_tests::conformance;
use serde::{Deserialize, Serialize};

/// One variant.
#[derive(Versioned, Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Beat {
    Beat { version: u64, number: u32 },
}

/// Variants of different sizes, with and without an allocation.
#[derive(Versioned, Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Launch {
    Spawned {
        version: u64,
        pid: u32,
        command: String,
    },
    Exited {
        version: u64,
        pid: u32,
        code: Option<i32>,
    },
    Renamed {
        version: u64,
        from: String,
        to: String,
    },
}

fn launch(version: u64, pick: u32) -> Launch {
    let name = || format!("process {pick} \u{1f980}\n\"quoted\"");
    match pick % 3 {
        0 => Launch::Spawned {
            version,
            pid: pick,
            command: name(),
        },
        1 => Launch::Exited {
            version,
            pid: pick,
            code: pick.is_multiple_of(2).then_some(-1),
        },
        _ => Launch::Renamed {
            version,
            from: name(),
            to: String::new(),
        },
    }
}

/// Equal events for equal versions, nested, and nothing to tell picks apart.
#[derive(Versioned, Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tree {
    Leaf { version: u64 },
    Node { version: u64, below: Vec<Tree> },
}

conformance!(one_variant => event Beat, |version, number| Beat::Beat { version, number });
conformance!(strings => event Launch, launch);
conformance!(nested => event Tree, |version, pick| match pick % 2 {
    0 => Tree::Leaf { version },
    _ => Tree::Node { version, below: vec![Tree::Leaf { version: 0 }] },
});

/// An event that no file can hold.
#[derive(Versioned, Clone, PartialEq, Debug)]
struct Bare {
    version: u64,
    pick: u32,
}

conformance!(
    without_files => event Bare, |version, pick| Bare { version, pick },
    lacks: [Durable, Subscribe, Probe]
);
