//! One event's line.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::Serialize;

use super::{config::Unfaithful, faithful::Watch, gap::Gap};

/// Adds the event's line without its newline, and says why it would not be read back as it is, if
/// so. Of an event that nests without end there may be no text.
///
/// # Errors
/// Why the event cannot be serialised; then nothing is added.
pub(super) fn write_line(
    bytes: &mut Vec<u8>,
    event: &impl Serialize,
    unfaithful: Unfaithful,
) -> Result<Option<String>, String> {
    let start = bytes.len();
    let written = catch_unwind(AssertUnwindSafe(|| {
        let mut watch = match unfaithful {
            Unfaithful::Refuse => Watch::stopping_at_bottomless_ones(),
            Unfaithful::Write => Watch::default(),
        };
        let writer = &mut *bytes;
        let mut serializer = serde_json::Serializer::with_formatter(writer, &mut watch);
        let written = event.serialize(&mut serializer);
        if watch.has_stopped() {
            bytes.truncate(start);
        } else {
            written.map_err(|error| error.to_string())?;
        }
        let verdict = watch.verdict(event, &bytes[start..]);
        if watch.has_raw() {
            flatten(&mut bytes[start..]);
        }
        Ok(verdict)
    }))
    .unwrap_or_else(|payload| {
        // The payload may panic in its own drop.
        mem::forget(payload);
        Err("its `Serialize` implementation panicked".to_owned())
    });
    match &written {
        Ok(_) => tell_from_gap(bytes, start),
        Err(_) => bytes.truncate(start),
    }
    written
}

/// JSON that an event brings along may hold line breaks between its tokens, where a space means
/// the same and keeps the line whole.
fn flatten(line: &mut [u8]) {
    for byte in line.iter_mut().filter(|byte| **byte == b'\n') {
        *byte = b' ';
    }
}

/// An event that looks like a gap line would be read as one. Its key is spelt in another way
/// that means the same.
fn tell_from_gap(bytes: &mut Vec<u8>, start: usize) {
    let line = &bytes[start..];
    if Gap::parse(line).is_some()
        && let Some(letter) = line.iter().position(|byte| *byte == b'e')
    {
        let letter = start + letter;
        bytes.splice(letter..=letter, *b"\\u0065");
    }
}
