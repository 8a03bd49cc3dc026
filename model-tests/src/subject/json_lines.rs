//! What most adapters of a log with JSON lines have in common.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{adapter::Line, log::OpenError};

/// Reads files of JSON lines, the oldest first: the [`read_back`](crate::Subject::read_back) of a log
/// that writes an event per line. A file that is not there has none, and what is no event is damage.
///
/// ```
/// # use model_tests::{Line, Tick, json_line, read_json_lines};
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("events.log");
/// std::fs::write(&path, json_line(&Tick::new(1, 0)) + "torn")?;
/// let lines = read_json_lines::<Tick>([dir.path().join("events.log.old"), path])?;
/// assert_eq!(lines[0], Line::Event(Tick::new(1, 0)));
/// assert!(matches!(&lines[1..], [Line::Damage(_)]));
/// # Ok::<(), model_tests::OpenError>(())
/// ```
///
/// # Errors
///
/// If a file that is there cannot be read.
pub fn read_json_lines<E: DeserializeOwned>(
    files: impl IntoIterator<Item = PathBuf>,
) -> Result<Vec<Line<E>>, OpenError> {
    let mut lines = Vec::new();
    for path in files {
        let bytes = bytes_of(&path)?;
        let of_file = bytes.split(|byte| *byte == b'\n');
        for line in of_file.filter(|line| !line.is_empty()) {
            lines.push(match serde_json::from_slice(line) {
                Ok(event) => Line::Event(event),
                Err(error) => Line::Damage(error.to_string()),
            });
        }
    }
    Ok(lines)
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, OpenError> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        other => Ok(other?),
    }
}

/// An event as a JSON line, with its newline: [`line`](crate::Subject::line).
///
/// ```
/// # use model_tests::{Tick, json_line};
/// assert_eq!(json_line(&Tick::new(1, 2)), "{\"version\":1,\"pick\":2}\n");
/// ```
///
/// # Panics
///
/// If JSON has no form for it, as for a map whose keys are no texts.
#[must_use]
pub fn json_line<E: Serialize>(event: &E) -> String {
    match serde_json::to_string(event) {
        Ok(json) => json + "\n",
        Err(error) => panic!("an event that JSON has no form for: {error}"),
    }
}
