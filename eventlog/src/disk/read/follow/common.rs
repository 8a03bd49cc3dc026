//! What a file and the copy of it have in common.

use std::io;

use super::super::forward::FileLines;
use super::super::same_bytes::same_start;
use crate::disk::storage::{Storage, read_some};

/// How much of what was read of a file another file starts with.
pub(super) struct Common {
    /// In bytes, up to the end of the last common line.
    pub(super) offset: u64,
    /// Whether the other file holds nothing else, and not all that was read.
    pub(super) all_of_other: bool,
}

/// Compares what was read of `lines` with `other`, byte by byte.
pub(super) fn common_lines<S: Storage>(
    storage: &S,
    lines: &FileLines<S::File>,
    other: &S::File,
) -> io::Result<Common> {
    const PIECE: usize = 64 * 1024;
    let read = lines.offset();
    let (mut ours, mut theirs) = (vec![0; PIECE], vec![0; PIECE]);
    let mut common = Common {
        offset: 0,
        all_of_other: false,
    };
    let mut compared = 0;
    while compared < read {
        let want = usize::try_from(read - compared).map_or(PIECE, |left| left.min(PIECE));
        let count = read_some(storage, lines.file(), compared, &mut ours[..want])?;
        let found = read_some(storage, other, compared, &mut theirs[..count])?;
        if found == 0 {
            common.all_of_other = count > 0;
            break;
        }
        let same = same_start(&ours[..found], &theirs[..found]);
        if let Some(newline) = memchr::memrchr(b'\n', &ours[..same]) {
            common.offset = compared + newline as u64 + 1;
        }
        if same < found {
            break;
        }
        compared += found as u64;
    }
    Ok(common)
}
