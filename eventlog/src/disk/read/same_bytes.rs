//! Recognising a file by its bytes.

use std::io;

use crate::disk::storage::{Storage, read_some};

/// How many bytes both start with.
pub(crate) fn same_start(one: &[u8], other: &[u8]) -> usize {
    if one == other {
        return one.len();
    }
    let pairs = one.iter().zip(other);
    pairs.take_while(|(one, other)| one == other).count()
}

/// After which line a file is another one by now than when these bytes were read before `place`;
/// `None` if it is the same. Where nothing of what is known is left, that is its start.
///
/// A file that is cut and written anew keeps its name and its identity.
pub(crate) fn differs_after<S: Storage>(
    storage: &S,
    file: &S::File,
    place: u64,
    bytes: &[u8],
) -> io::Result<Option<u64>> {
    let start = place - bytes.len() as u64;
    let mut now = vec![0; bytes.len()];
    let count = read_up_to(storage, file, start, &mut now)?;
    let common = same_start(bytes, &now[..count]);
    if common == bytes.len() {
        return Ok(None);
    }
    let line = memchr::memrchr(b'\n', &bytes[..common]);
    Ok(Some(line.map_or(0, |newline| start + newline as u64 + 1)))
}

/// Reads until the buffer is full or the file ends, and says how many bytes that were.
fn read_up_to<S: Storage>(
    storage: &S,
    file: &S::File,
    offset: u64,
    buffer: &mut [u8],
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_some(storage, file, offset + filled as u64, &mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}
