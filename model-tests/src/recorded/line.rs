//! A line of a recorded history.

use serde::{Deserialize, Serialize};

/// What a client did or saw. The [module](super) says what the fields mean.
///
/// ```
/// use model_tests::recorded::{Line, Outcome};
///
/// let line = Line::Append {
///     client: "w1".into(),
///     event: "w1-7".into(),
///     outcome: Outcome::Unknown,
///     number: None,
///     version: None,
/// };
/// assert_eq!(
///     line.to_string(),
///     r#"{"did":"append","client":"w1","event":"w1-7","outcome":"unknown"}"#
/// );
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "lowercase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the module says it, as it is written")]
pub enum Line {
    /// It appended an event.
    Append {
        client: String,
        event: String,
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
    },
    /// It began to read.
    Start {
        client: String,
        from: From,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        coverage: Option<Answered>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missed: Option<u64>,
    },
    /// It was given an event.
    Read {
        client: String,
        event: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u64>,
    },
    /// It was told that so many events are lost to it.
    Lost { client: String, count: u64 },
    /// It has read all there is, after the last append of all clients.
    End { client: String },
}

/// What became of an append.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Acknowledged.
    Done,
    /// Certainly not appended.
    Refused,
    /// Appended or not.
    Unknown,
}

/// Where a reading starts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// At the oldest event that there is.
    Oldest,
    /// At what is appended next.
    Now,
    /// After this event, which an earlier reading got.
    After(String),
    /// At the events above this version.
    Since(u64),
}

/// What a log says of a start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answered {
    /// Nothing is missing.
    Complete,
    /// Something is.
    Truncated,
    /// The place is not known.
    Foreign,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}
