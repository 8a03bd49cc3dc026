//! What is to be mended of a file.

use std::fs::File;
use std::io::Read;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use eventlog::disk::{DamageKind, lines, lines_from_end};
use serde::de::IgnoredAny;

use crate::input::MAX_LINE_BYTES;
use crate::lock::beside;
use crate::outcome::Stop;
use crate::trouble::short;

pub(super) struct Plan {
    name: String,
    len: u64,
    /// Where the last whole line ends. What comes after it is cut.
    pub(super) end: u64,
    /// Lines before that which are left out.
    pub(super) dropped: Vec<Range<u64>>,
    /// Damaged lines that stay.
    staying: usize,
    is_suspect: bool,
}

impl Plan {
    pub(super) fn of(path: &Path, drops_damaged: bool) -> Result<Self, Stop> {
        let unreadable = |error: std::io::Error| {
            Stop::NoLog(format!("{} cannot be read: {error}", path.display()))
        };
        let len = path.metadata().map_err(unreadable)?.len();
        let end = whole_end(path);
        if end == 0 && len > 0 && !begins_as_json(path).map_err(unreadable)? {
            return Err(Stop::NoLog(format!(
                "{} does not look like a log: none of its lines is JSON",
                path.display()
            )));
        }
        let damaged = damaged_lines(path, end);
        let (dropped, staying) = if drops_damaged {
            (damaged, 0)
        } else {
            (Vec::new(), damaged.len())
        };
        Ok(Self {
            name: short(path),
            len,
            end,
            dropped,
            staying,
            is_suspect: beside(path, ".suspect").exists(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.end == self.len && self.dropped.is_empty()
    }

    pub(super) fn text(&self, is_done: bool) -> Vec<String> {
        let verb = if is_done { "" } else { "would be " };
        let name = &self.name;
        let mut text = Vec::new();
        if self.end < self.len {
            let bytes = self.len - self.end;
            text.push(format!(
                "{name} at byte {}: an unfinished end of {bytes} bytes {verb}set aside in {name}.torn",
                self.end
            ));
        }
        for hole in &self.dropped {
            let bytes = hole.end - hole.start;
            text.push(format!(
                "{name} at byte {}: {bytes} damaged bytes {verb}left out",
                hole.start
            ));
        }
        if !self.dropped.is_empty() {
            text.push(format!(
                "what {name}.marks tell of times, checksums and cursors is lost with that"
            ));
        }
        if self.staying > 0 {
            let count = self.staying;
            text.push(format!(
                "{name}: {count} damaged places stay, which readers skip; --drop-damaged leaves \
                 them out"
            ));
        }
        if self.is_suspect {
            text.push(format!(
                "{name}.suspect: a sync has failed; the next writer copies the file, and this does not"
            ));
        }
        text
    }
}

/// Where the last whole line of the file ends: what a writer that opens it keeps.
fn whole_end(path: &Path) -> u64 {
    let mut end = 0;
    lines_from_end(path, MAX_LINE_BYTES, |line| match line {
        Ok(line) if line.file() != path => ControlFlow::Break(()),
        Ok(line) if is_whole(line.bytes) => {
            end = line.offset + line.bytes.len() as u64 + 1;
            ControlFlow::Break(())
        }
        // Nobody knows what it is, so it stays.
        Err(damage) if damage.file == path && matches!(damage.kind, DamageKind::TooLong { .. }) => {
            end = damage.offset + damage.len + 1;
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    end
}

fn damaged_lines(path: &Path, end: u64) -> Vec<Range<u64>> {
    let mut damaged: Vec<Range<u64>> = Vec::new();
    let mut lines = lines(path).max_line_bytes(MAX_LINE_BYTES);
    while let Some(line) = lines.next_line() {
        let start = match &line {
            Ok(line) => line.offset,
            Err(damage) => damage.offset,
        };
        // Where zeros were a whole line, its end goes with them.
        if let Some(hole) = damaged.last_mut()
            && hole.end + 1 == start
        {
            hole.end = start;
        }
        match line {
            Ok(line) if line.file() == path && !is_whole(line.bytes) => {
                damaged.push(line.offset..line.offset + line.bytes.len() as u64 + 1);
            }
            // What stands after zeros in their line stays.
            Err(damage) if damage.file == path && damage.kind == DamageKind::Zeros => {
                damaged.push(damage.offset..damage.offset + damage.len);
            }
            _ => {}
        }
    }
    damaged.retain(|hole| hole.start < end);
    damaged
}

fn is_whole(line: &[u8]) -> bool {
    let text = std::str::from_utf8(line);
    text.is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Whether the file may be the beginning of a first line, or what a file system left of one.
fn begins_as_json(path: &Path) -> std::io::Result<bool> {
    let mut first = [0];
    let read = File::open(path)?.read(&mut first)?;
    Ok(read == 0 || matches!(first[0], b'{' | b'[' | b'"' | b'0'..=b'9' | 0))
}
