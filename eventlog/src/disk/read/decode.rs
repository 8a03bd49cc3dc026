//! Lines into records, for every reader.

use serde::de::DeserializeOwned;

use super::line::RawLine;
use crate::disk::format::damage::{Damage, DamageKind};
use crate::disk::format::record::{Record, decode};

/// What a line says: a record, or damage.
#[inline]
pub(crate) fn record<E: DeserializeOwned>(line: &RawLine<'_>) -> Result<Record<E>, Damage> {
    decode(line.bytes).map_err(|error| not_an_event(line, &error))
}

#[cold]
fn not_an_event(line: &RawLine<'_>, error: &serde_json::Error) -> Damage {
    Damage {
        file: line.file().to_path_buf(),
        line: line.number,
        offset: line.offset,
        len: line.bytes.len() as u64,
        kind: DamageKind::NotAnEvent {
            reason: error.to_string(),
        },
    }
}
