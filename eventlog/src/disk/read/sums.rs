//! Checksums and lines of what lies in a file.

use std::io;

use crc32c::crc32c_append;

use crate::disk::storage::{Storage, read_exact};

const CHUNK: usize = 64 * 1024;

/// A place in a file, with the checksum of everything before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) offset: u64,
    /// How many newlines there are before this.
    pub(crate) lines: u64,
    pub(crate) crc: u32,
}

impl Sum {
    /// The place after these bytes, in which there are so many lines.
    pub(crate) fn push(&mut self, bytes: &[u8], lines: u64) {
        self.offset += bytes.len() as u64;
        self.lines += lines;
        self.crc = crc32c_append(self.crc, bytes);
    }

    /// The place at `end`, by reading what lies between.
    ///
    /// # Errors
    /// What the file system says; [`io::ErrorKind::UnexpectedEof`] if the file ends before that.
    pub(crate) fn read_to<S: Storage>(
        mut self,
        storage: &S,
        file: &S::File,
        end: u64,
    ) -> io::Result<Self> {
        let mut buffer = vec![0; CHUNK];
        while self.offset < end {
            let left = usize::try_from(end - self.offset).unwrap_or(usize::MAX);
            let piece = &mut buffer[..left.min(CHUNK)];
            read_exact(storage, file, self.offset, piece)?;
            let lines = memchr::memchr_iter(b'\n', piece).count() as u64;
            self.push(piece, lines);
        }
        Ok(self)
    }
}
