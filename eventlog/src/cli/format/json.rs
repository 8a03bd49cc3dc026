//! A JSON object per line.

use std::borrow::Cow;
use std::fmt::Write;
use std::io;

use eventlog::{Coverage, Cursor};
use serde::Serialize;
use serde_json::json;

use crate::at::At;
use crate::clock::{Clock, Moment};
use crate::output::Output;
use crate::row::{Row, Said, Turn, Word};
use crate::text::harmless_json;

/// How much of what is no event is told.
const MAX_TEXT_BYTES: usize = 4 * 1024;

pub(super) fn row(row: &Row<'_>, clock: &Clock, output: &mut Output) -> io::Result<()> {
    let Some(mut line) = line(row, clock) else {
        return Ok(());
    };
    // On a terminal, what it would obey is spelt otherwise, which means the same.
    if output.is_terminal {
        return output.line(&harmless_json(&line));
    }
    line.push(b'\n');
    output.bytes(&line)
}

/// As the data of a server-sent event.
pub(super) fn sent(row: &Row<'_>, clock: &Clock, output: &mut Output) -> io::Result<()> {
    let Some(mut line) = line(row, clock) else {
        return Ok(());
    };
    if let Some(versions) = versions(row) {
        line.splice(1..1, versions.bytes());
    }
    // It would end the line there, and is nothing but space in JSON.
    for byte in &mut line {
        if *byte == b'\r' {
            *byte = b' ';
        }
    }
    output.bytes(b"data: ")?;
    output.bytes(&line)?;
    output.bytes(b"\n\n")
}

/// The numbers of a row as texts, the first fields of its object: a page rounds what is above 2^53.
fn versions(row: &Row<'_>) -> Option<String> {
    match row {
        Row::Event { event, .. } => {
            let version = event.version?;
            Some(format!("\"version\":\"{version}\","))
        }
        Row::Gap { gap, .. } => Some(format!(
            "\"count\":\"{}\",\"min_version\":\"{}\",\"max_version\":\"{}\",",
            gap.count, gap.min_version, gap.max_version
        )),
        _ => None,
    }
}

/// The object, without a newline.
fn line(row: &Row<'_>, clock: &Clock) -> Option<Vec<u8>> {
    Some(match row {
        Row::Event { line, moment, .. } => {
            let seq = clock.seq(line);
            let head = head("event", &line.at, *moment, seq, clock);
            joined(&head, line.bytes)
        }
        Row::Gap { line, moment, .. } => {
            let seq = clock.seq(line);
            let head = head("gap", &line.at, *moment, seq, clock);
            joined(&head, line.bytes)
        }
        Row::Trouble(trouble, bytes) => {
            let shown = &bytes[..bytes.len().min(MAX_TEXT_BYTES)];
            object(&Broken {
                kind: "damage",
                file: trouble.file.to_string_lossy(),
                line: trouble.line,
                offset: trouble.offset,
                len: trouble.len,
                damage: trouble.what.word(),
                text: &trouble.text,
                bytes: String::from_utf8_lossy(shown),
            })
        }
        Row::Life(life) => {
            let place = &life.mark.place;
            let (epoch, pid) = match life.mark.kind {
                eventlog::disk::MarkKind::Opened { epoch, pid, .. } => (epoch, pid),
                _ => (None, None),
            };
            object(&Turned {
                kind: if life.turn == Turn::Closed {
                    "closed"
                } else {
                    "opened"
                },
                file: place.file.to_string_lossy(),
                line: place.line,
                offset: place.offset,
                time: life.mark.time.map(|time| clock.full(time)),
                epoch: epoch.map(|epoch| epoch.to_string()),
                pid,
                after_closing: match life.turn {
                    Turn::Reopened => Some(true),
                    Turn::Restarted => Some(false),
                    Turn::Opened | Turn::Closed => None,
                },
            })
        }
        Row::Word(word) => object(&Told::of(word)),
        Row::Break => return None,
    })
}

/// Its fields in their order, the kind first, as in the rows of events.
fn object(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).unwrap_or_default()
}

#[derive(Serialize)]
struct Broken<'a> {
    kind: &'static str,
    file: Cow<'a, str>,
    line: Option<u64>,
    offset: u64,
    len: u64,
    damage: &'static str,
    text: &'a str,
    bytes: Cow<'a, str>,
}

/// The log was opened or closed.
#[derive(Serialize)]
struct Turned<'a> {
    kind: &'static str,
    file: Cow<'a, str>,
    line: Option<u64>,
    offset: u64,
    time: Option<String>,
    epoch: Option<String>,
    pid: Option<u32>,
    after_closing: Option<bool>,
}

/// Numbers in it are texts, as the feed has them.
#[derive(Serialize)]
struct Told {
    kind: &'static str,
    cursor: Cursor,
    #[serde(flatten)]
    coverage: Option<Coverage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
}

impl Told {
    fn of(word: &Word) -> Self {
        let (kind, coverage) = match word.said {
            Said::Reset(coverage) => ("reset", Some(coverage)),
            Said::Live => ("live", None),
        };
        // `Ahead` has a field of that name, which says the same.
        let is_ahead = matches!(coverage, Some(Coverage::Ahead { .. }));
        let newest = word.newest.filter(|_| !is_ahead);
        Self {
            kind,
            cursor: word.cursor,
            coverage,
            newest: newest.map(|newest| newest.to_string()),
        }
    }
}

/// Everything up to the event, which follows as it stands.
fn head(
    kind: &str,
    at: &At<'_>,
    moment: Option<Moment>,
    seq: Option<u64>,
    clock: &Clock,
) -> String {
    let file = json!(at.file().to_string_lossy());
    let line = json!(at.number());
    let place = match at.cursor() {
        Some(cursor) => format!("\"cursor\":\"{cursor}\""),
        None => format!("\"line\":{line},\"offset\":{}", at.offset()),
    };
    let mut head = format!("{{\"kind\":\"{kind}\",\"file\":{file},{place}");
    if let Some(moment) = moment {
        let (time, word) = (clock.full(moment.best()), moment.word());
        let _ = write!(head, ",\"time\":\"{time}\",\"time_is\":\"{word}\"");
    }
    if let Some(seq) = seq {
        let _ = write!(head, ",\"seq\":{seq}");
    }
    head.push_str(",\"event\":");
    head
}

fn joined(head: &str, event: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(head.len() + event.len() + 2);
    line.extend_from_slice(head.as_bytes());
    line.extend_from_slice(event);
    line.push(b'}');
    line
}
