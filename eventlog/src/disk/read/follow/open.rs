//! The file that is being followed, and where its bytes go when a repair puts a copy in its place.

use std::collections::VecDeque;

use super::super::forward::{FileLines, MAX_LINE_BYTES};
use super::super::log_file::{LogFile, OpenFile};
use super::super::same_bytes::{BytesBefore, Common, common_lines};
use crate::disk::format::damage::{Damage, unreadable};
use crate::disk::storage::{FileId, Storage};

/// A file that is being followed.
pub(super) struct Open<F> {
    pub(super) id: Option<FileId>,
    pub(super) lines: FileLines<F>,
    /// What was before the place where the last look found the end.
    pub(super) before: Option<BytesBefore>,
}

impl<F> Open<F> {
    pub(super) fn after(open: OpenFile<F>, lines: u64, offset: u64) -> Self {
        Self {
            id: open.id,
            lines: FileLines::after(open, MAX_LINE_BYTES, Some(lines), offset),
            before: None,
        }
    }
}

/// Where the repaired copy of a file that left its path was found.
pub(super) enum Moved {
    None,
    /// The newest file is being filled with it.
    BeingWritten,
    At(usize, Common),
}

/// Finds the file that was made of the current one: it has the bytes that were read, as far
/// as they had become durable.
///
/// Where nothing else tells that no file is missing between, it must have them all: another
/// file may well start with the same lines.
pub(super) fn find_copy<S: Storage>(
    storage: &S,
    current: &Open<S::File>,
    files: &VecDeque<LogFile<S::File>>,
    follows_previous: bool,
) -> Result<Moved, Damage> {
    for (index, file) in files.iter().enumerate() {
        let common = file
            .with(storage, |other| {
                common_lines(storage, &current.lines, other)
            })?
            .map_err(|error| unreadable(file.path.clone(), 0, &error))?;
        if common.all_of_other && index + 1 == files.len() {
            return Ok(Moved::BeingWritten);
        }
        let in_place = follows_previous && index == 0;
        if common.offset > 0 && (in_place || common.offset == current.lines.offset()) {
            return Ok(Moved::At(index, common));
        }
    }
    Ok(Moved::None)
}
