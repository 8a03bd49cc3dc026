//! Reads what the logs with a file have written.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::bugs::FileBug;
use crate::{
    sim_disk::{RealStorage, Storage},
    subject::{
        adapter::{Following, Line},
        sample::Sample,
    },
};

/// The line that counts lost events.
pub(super) fn gap_line(count: u64) -> String {
    format!("{{\"gap\":{count}}}\n")
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    gap: u64,
}

/// Reads everything anew at each step and goes on after the line that was given last.
pub(super) fn follow_lines(files: Vec<PathBuf>, bug: Option<FileBug>) -> Following<Sample> {
    let hides = matches!(
        bug,
        Some(FileBug::FollowsOneName | FileBug::HidesMissedFiles)
    );
    // The last two lines that were given: gap lines may be alike, but not after the same event.
    let mut given: Vec<Line<Sample>> = Vec::new();
    let mut next = VecDeque::new();
    Box::new(move || {
        if next.is_empty() {
            let lines = read_lines(&RealStorage, &files, None).unwrap_or_default();
            let found = place(&lines, &given);
            if found.is_none() && !given.is_empty() && !lines.is_empty() && !hides {
                // What was given is gone, and what came after it may be.
                given.clear();
                return Some(Line::Damage("lines were rotated away".into()));
            }
            next.extend(lines.into_iter().skip(found.map_or(0, |at| at + 1)));
        }
        let line = next.pop_front()?;
        given.push(line.clone());
        given.drain(..given.len().saturating_sub(2));
        Some(line)
    })
}

/// Where the last line that was given stands.
fn place(lines: &[Line<Sample>], given: &[Line<Sample>]) -> Option<usize> {
    let (last, before) = given.split_last()?;
    let fits = |at: &usize| {
        let previous = at.checked_sub(1).map(|at| &lines[at]);
        lines[*at] == *last
            && (before.is_empty() || previous.is_none() || previous == before.last())
    };
    (0..lines.len()).rev().find(fits)
}

/// Keeps its place in the one file as a number of lines, whatever becomes of the file.
pub(super) fn follow_by_place(file: PathBuf) -> Following<Sample> {
    let mut place = 0;
    Box::new(move || {
        let lines = read_lines(&RealStorage, std::slice::from_ref(&file), None);
        let next = lines.unwrap_or_default().into_iter().nth(place)?;
        place += 1;
        Some(next)
    })
}

/// The lines of these files, the oldest first.
pub(super) fn read_lines<E: DeserializeOwned, S: Storage>(
    storage: &S,
    files: &[PathBuf],
    bug: Option<FileBug>,
) -> io::Result<Vec<Line<E>>> {
    let mut lines = Vec::new();
    for file in files {
        let bytes = match read_all(storage, file) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) if error.kind() == ErrorKind::IsADirectory => continue,
            bytes => bytes?,
        };
        for bytes in bytes.split_inclusive(|byte| *byte == b'\n') {
            if bug == Some(FileBug::ReaderSkipsLongLines) && bytes.len() > 2048 {
                continue;
            }
            match line(bytes) {
                Line::Damage(_) if bug == Some(FileBug::ReaderStopsAtDamage) => return Ok(lines),
                line => lines.push(line),
            }
        }
    }
    Ok(lines)
}

fn line<E: DeserializeOwned>(bytes: &[u8]) -> Line<E> {
    if !bytes.ends_with(b"\n") {
        return Line::Damage("the last line is torn".into());
    }
    if let Ok(Gap { gap }) = serde_json::from_slice(bytes) {
        return Line::Gap(gap);
    }
    match serde_json::from_slice(bytes) {
        Ok(event) => Line::Event(event),
        Err(error) => Line::Damage(error.to_string()),
    }
}

/// All bytes of a file.
pub(super) fn read_all<S: Storage>(storage: &S, file: &Path) -> io::Result<Vec<u8>> {
    let file = storage.open_read(file)?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match storage.read_at(&file, bytes.len() as u64, &mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
