//! What was read of a file, kept as little as it takes to know it again.

use std::io;

use crc32c::{crc32c, crc32c_append};

use super::sums::Sum;
use crate::disk::storage::{Storage, read_exact};

/// The checksum of a file up to a place, and the last bytes before that.
#[derive(Clone, Default)]
pub(crate) struct Trace {
    len: u64,
    crc: u32,
    /// The last bytes; those before the last [`KEPT`] go from time to time.
    end: Vec<u8>,
}

/// How many of the last bytes count, at most.
pub(crate) const KEPT: usize = 4096;

impl Trace {
    /// Of the first `len` bytes of a file, and how many lines they are.
    pub(crate) fn read<S: Storage>(
        storage: &S,
        file: &S::File,
        len: u64,
    ) -> io::Result<(Self, u64)> {
        let sum = Sum::default().read_to(storage, file, len)?;
        Ok((Self::up_to(storage, file, sum)?, sum.lines))
    }

    /// Of what lies before a place whose checksum is known, without reading it all.
    pub(crate) fn up_to<S: Storage>(storage: &S, file: &S::File, sum: Sum) -> io::Result<Self> {
        let mut end = vec![0; kept_of(sum.offset)];
        read_exact(storage, file, sum.offset - end.len() as u64, &mut end)?;
        Ok(Self {
            len: sum.offset,
            crc: sum.crc,
            end,
        })
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.crc = crc32c_append(self.crc, bytes);
        let bytes = &bytes[bytes.len().saturating_sub(KEPT)..];
        if self.end.len() + bytes.len() > 2 * KEPT {
            let kept = KEPT - bytes.len();
            self.end.drain(..self.end.len() - kept.min(self.end.len()));
        }
        self.end.extend_from_slice(bytes);
    }

    /// How many bytes were read.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The checksum of all that was read.
    pub(crate) fn sum(&self) -> u32 {
        self.crc
    }

    /// The last bytes, up to [`KEPT`].
    pub(crate) fn end(&self) -> &[u8] {
        &self.end[self.end.len().saturating_sub(KEPT)..]
    }

    /// The checksum of the last bytes.
    pub(crate) fn end_sum(&self) -> u32 {
        crc32c(self.end())
    }
}

/// How many last bytes count of so many.
pub(crate) fn kept_of(len: u64) -> usize {
    usize::try_from(len).map_or(KEPT, |len| len.min(KEPT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::storage::RealStorage;

    #[test]
    fn pieces_of_any_length_leave_the_same_as_reading_it_whole() {
        let mut pushed = Trace::default();
        let mut all = Vec::new();
        for (index, len) in [0, 1, 4095, 1, 4096, 4097, 3, 9000, 2000, 3000, 3000, 5]
            .into_iter()
            .enumerate()
        {
            let piece = vec![u8::try_from(index).unwrap(); len];
            pushed.push(&piece);
            all.extend_from_slice(&piece);
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("x");
            std::fs::write(&path, [&all[..], b"more"].concat()).unwrap();
            let file = RealStorage.open_read(&path).unwrap();
            let (read, _) = Trace::read(&RealStorage, &file, all.len() as u64).unwrap();
            assert_eq!(pushed.end(), &all[all.len().saturating_sub(KEPT)..]);
            assert_eq!(pushed.end(), read.end(), "{index}");
            let sums = [&pushed, &read].map(|trace| (trace.len(), trace.sum(), trace.end_sum()));
            assert_eq!(sums[0], sums[1], "{index}");
            assert!(pushed.end.len() <= 2 * KEPT);
        }
    }
}
