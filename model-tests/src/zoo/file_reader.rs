//! Reads what the logs with a file have written.

use std::{fs, path::PathBuf};

use crate::subject::{
    adapter::{Following, Line},
    in_memory::Tick,
    log::OpenError,
};

/// The line of an event.
pub(super) fn line(event: &Tick) -> String {
    format!("{}\n", serde_json::json!(event))
}

/// Reads everything anew at each step and goes on after the line that was given last.
pub(super) fn follow_lines(files: Vec<PathBuf>, hides: bool) -> Following<Tick> {
    let mut given: Option<Line<Tick>> = None;
    Box::new(move || {
        let lines = read_lines(&files, false).unwrap_or_default();
        let found = lines.iter().rposition(|line| given.as_ref() == Some(line));
        let next = lines.into_iter().nth(found.map_or(0, |at| at + 1))?;
        if found.is_none() && given.is_some() && !hides {
            // What was given is gone, and what came after it may be.
            given = None;
            return Some(Line::Damage("lines were rotated away".into()));
        }
        given = Some(next.clone());
        Some(next)
    })
}

/// The lines of these files, the oldest first.
pub(super) fn read_lines(files: &[PathBuf], stops: bool) -> Result<Vec<Line<Tick>>, OpenError> {
    let mut lines = Vec::new();
    for file in files.iter().filter(|file| file.exists()) {
        for bytes in fs::read(file)?.split_inclusive(|byte| *byte == b'\n') {
            match serde_json::from_slice(bytes) {
                Ok(event) if bytes.ends_with(b"\n") => lines.push(Line::Event(event)),
                Ok(_) => lines.push(Line::Damage("the last line is torn".into())),
                Err(_) if stops => return Ok(lines),
                Err(error) => lines.push(Line::Damage(error.to_string())),
            }
        }
    }
    Ok(lines)
}
