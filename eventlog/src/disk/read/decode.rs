//! Lines into records and damage, for every reader.

use std::collections::VecDeque;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::forward::{Line, Lines};
use crate::disk::format::damage::{Damage, DamageKind};
use crate::disk::format::record::{Record, decode, record_start};

/// Where a whole line stands, and its bytes without the newline.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    pub(crate) file: &'a Path,
    /// From 1, where it is known.
    pub(crate) number: Option<u64>,
    pub(crate) offset: u64,
    /// Length in bytes without the newline.
    pub(crate) len: u64,
    /// `None` if there are more than `limit`.
    pub(crate) bytes: Option<&'a [u8]>,
    pub(crate) limit: usize,
}

impl Found<'_> {
    fn damage(&self, len: u64, kind: DamageKind) -> Damage {
        Damage {
            file: self.file.to_path_buf(),
            line: self.number,
            offset: self.offset,
            len,
            kind,
        }
    }

    /// What the line says: damage, a record, or damage and the record after it.
    pub(crate) fn decode<E: DeserializeOwned>(&self) -> (Option<Damage>, Option<Record<E>>) {
        let Some(bytes) = self.bytes else {
            let kind = DamageKind::TooLong { limit: self.limit };
            return (Some(self.damage(self.len, kind)), None);
        };
        let zeros = record_start(bytes);
        match decode(&bytes[zeros..]) {
            Ok(record) => {
                let damage = (zeros > 0).then(|| self.damage(zeros as u64, DamageKind::Zeros));
                (damage, Some(record))
            }
            Err(error) => {
                let reason = error.to_string();
                let kind = DamageKind::NotAnEvent { reason };
                (Some(self.damage(self.len, kind)), None)
            }
        }
    }
}

/// Adds what a line says.
pub(crate) fn push_line<E: DeserializeOwned>(
    items: &mut VecDeque<Result<Record<E>, Damage>>,
    file: &Path,
    line: &Line<'_>,
    limit: usize,
) {
    let found = Found {
        file,
        number: Some(line.number),
        offset: line.offset,
        len: line.len,
        bytes: line.bytes,
        limit,
    };
    let (damage, record) = found.decode();
    items.extend(damage.map(Err));
    items.extend(record.map(Ok));
}

/// The unfinished line at the end of a file that was read to its end.
pub(crate) fn torn_tail<F>(file: &Path, lines: &Lines<F>) -> Option<Damage> {
    let len = lines.unfinished();
    (len > 0).then(|| Damage {
        file: file.to_path_buf(),
        line: Some(lines.number() + 1),
        offset: lines.offset(),
        len,
        kind: DamageKind::TornTail,
    })
}
