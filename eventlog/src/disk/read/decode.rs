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

    /// What the line says: a record, or damage, and perhaps a record after it.
    pub(crate) fn decode<E: DeserializeOwned>(&self) -> Result<Record<E>, Box<Damaged<E>>> {
        let Some(bytes) = self.bytes else {
            let kind = DamageKind::TooLong { limit: self.limit };
            return Err(Box::new((self.damage(self.len, kind), None)));
        };
        decode(bytes).map_err(|error| Box::new(self.look_after_zeros(bytes, error)))
    }

    /// Only a line that cannot be read may have any zeros, so the others are not looked through.
    #[cold]
    fn look_after_zeros<E>(&self, bytes: &[u8], mut error: serde_json::Error) -> Damaged<E>
    where
        E: DeserializeOwned,
    {
        let zeros = record_start(bytes);
        if zeros > 0 {
            match decode(&bytes[zeros..]) {
                Ok(record) => {
                    let damage = self.damage(zeros as u64, DamageKind::Zeros);
                    return (damage, Some(record));
                }
                Err(after) => error = after,
            }
        }
        let reason = error.to_string();
        let kind = DamageKind::NotAnEvent { reason };
        (self.damage(self.len, kind), None)
    }
}

/// What is damaged, and the record that follows it on the same line.
pub(crate) type Damaged<E> = (Damage, Option<Record<E>>);

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
    match found.decode() {
        Ok(record) => items.push_back(Ok(record)),
        Err(damaged) => {
            let (damage, record) = *damaged;
            items.push_back(Err(damage));
            items.extend(record.map(Ok));
        }
    }
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
