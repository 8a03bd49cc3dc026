//! Recognising a file by its bytes.

use std::io;

use super::forward::FileLines;
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
    lines: &FileLines<S::File>,
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
        let same = same_start(&ours[..found], &theirs[..found]);
        common.lines += memchr::memchr_iter(b'\n', &ours[..same]).count() as u64;
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

/// How many bytes both start with.
fn same_start(one: &[u8], other: &[u8]) -> usize {
    if one == other {
        return one.len();
    }
    let pairs = one.iter().zip(other);
    pairs.take_while(|(one, other)| one == other).count()
}

/// The bytes before a place in a file, by which a later look tells whether it still is the same
/// file up to there: a file that is cut and written anew keeps its name and its identity.
pub(crate) struct BytesBefore {
    place: u64,
    bytes: Vec<u8>,
}

/// How many bytes are kept, at most.
const KEPT: u64 = 4096;

impl BytesBefore {
    /// Reads them.
    pub(crate) fn read<S: Storage>(storage: &S, file: &S::File, place: u64) -> io::Result<Self> {
        let mut before = Self {
            place,
            bytes: vec![0; usize::try_from(place.min(KEPT)).unwrap_or_default()],
        };
        let count = read_up_to(storage, file, before.start(), &mut before.bytes)?;
        before.bytes.truncate(count);
        Ok(before)
    }

    /// Where in the file they start.
    fn start(&self) -> u64 {
        self.place - self.place.min(KEPT)
    }

    /// After which line the file is another one by now; `None` if it is the same. Where nothing of
    /// what is known is left, that is its start.
    pub(crate) fn differs_after<S: Storage>(
        &self,
        storage: &S,
        file: &S::File,
    ) -> io::Result<Option<u64>> {
        let mut now = vec![0; self.bytes.len()];
        let count = read_up_to(storage, file, self.start(), &mut now)?;
        let common = same_start(&self.bytes, &now[..count]);
        if common == self.bytes.len() {
            return Ok(None);
        }
        let line = memchr::memrchr(b'\n', &self.bytes[..common]);
        Ok(Some(
            line.map_or(0, |newline| self.start() + newline as u64 + 1),
        ))
    }
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
