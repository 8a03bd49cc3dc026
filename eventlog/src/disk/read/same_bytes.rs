//! Recognising a file by its bytes.

use std::io;

use super::forward::Lines;
use crate::disk::storage::{Storage, read_some};

/// How much of what was read of a file another file starts with.
pub(crate) struct Common {
    pub(crate) lines: u64,
    /// In bytes, up to the end of the last common line.
    pub(crate) offset: u64,
    /// Whether the other file holds nothing else, and not all that was read.
    pub(crate) all_of_other: bool,
}

/// Compares what was read of `lines` with `other`, byte by byte.
pub(crate) fn common_lines<S: Storage>(
    storage: &S,
    lines: &Lines<S::File>,
    other: &S::File,
) -> io::Result<Common> {
    const PIECE: usize = 64 * 1024;
    let read = lines.offset();
    let (mut ours, mut theirs) = (vec![0; PIECE], vec![0; PIECE]);
    let mut common = Common {
        lines: 0,
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
        let pairs = ours[..found].iter().zip(&theirs[..found]);
        for (byte, at) in pairs
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a)
            .zip(compared + 1..)
        {
            if *byte == b'\n' {
                common.lines += 1;
                common.offset = at;
            }
        }
        if ours[..found] != theirs[..found] {
            break;
        }
        compared += found as u64;
    }
    Ok(common)
}
