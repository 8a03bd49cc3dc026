//! What is no whole line at the end of the file, and files that are no log at all.

use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use super::site::{COPY_BYTES, Site};
use crate::disk::error::DiskError;
use crate::disk::format::record::is_whole;
use crate::disk::read::whole_len::whole_len;
use crate::disk::storage::{Storage, read_exact};

/// How many bytes of a file are looked at to tell whether it is a log.
const HEAD_BYTES: u64 = 64 * 1024;

impl<S: Storage> Site<S> {
    /// Refuses a file that would have to be cut, and does not begin as a log does.
    ///
    /// Not asked where the log has been opened before and its writer may have died with the
    /// machine: a crash can leave anything in the place of bytes that were not synced.
    pub(super) fn refuse_foreign(&self) -> Result<(), DiskError> {
        let path = &self.paths.log;
        let file = self
            .storage
            .open_read(path)
            .map_err(DiskError::io("open", path))?;
        let len = self
            .storage
            .stat(&file)
            .map_err(DiskError::io("examine", path))?
            .len;
        let head = self.read_range(&file, 0, len.min(HEAD_BYTES))?;
        if begins_as_a_log(&head) || self.whole_len(&file, len)? == len {
            return Ok(());
        }
        Err(DiskError::NotALog { path: path.clone() })
    }

    /// As [`whole_len`].
    pub(super) fn whole_len(&self, file: &S::File, len: u64) -> Result<u64, DiskError> {
        whole_len(&self.storage, file, len).map_err(DiskError::io("read", &self.paths.log))
    }

    /// Saves a range of the file under a name of its own, whole or not at all, and says which.
    pub(super) fn set_aside(
        &self,
        file: &S::File,
        start: u64,
        end: u64,
    ) -> Result<PathBuf, DiskError> {
        let mut last = None;
        let mut number = 1;
        let to = loop {
            let path = self.paths.torn(number);
            if !self.exists(&path)? {
                break path;
            }
            last = Some(path);
            number += 1;
        };
        if let Some(last) = last
            && self.holds(&last, file, start, end)?
        {
            // The last repair ended before the file was cut.
            return Ok(last);
        }
        let mut torn = self.create_tmp()?;
        self.copy_range(file, start, end, &mut torn)?;
        self.sync_tmp(&mut torn)?;
        self.storage
            .rename(&self.paths.tmp, &to)
            .map_err(DiskError::io("set aside a torn line in", &to))?;
        self.sync_dir()?;
        Ok(to)
    }

    /// Whether the file at `path` has these bytes of another, and nothing else.
    fn holds(&self, path: &Path, file: &S::File, start: u64, end: u64) -> Result<bool, DiskError> {
        let found = self
            .storage
            .stat_path(path)
            .map_err(DiskError::io("examine", path))?;
        if !found.is_file || found.len != end - start {
            return Ok(false);
        }
        let kept = self
            .storage
            .open_read(path)
            .map_err(DiskError::io("open", path))?;
        let mut offset = start;
        while offset < end {
            let piece = self.read_range(file, offset, end.min(offset + COPY_BYTES))?;
            let mut other = vec![0; piece.len()];
            read_exact(&self.storage, &kept, offset - start, &mut other)
                .map_err(DiskError::io("read", path))?;
            if piece != other {
                return Ok(false);
            }
            offset += piece.len() as u64;
        }
        Ok(true)
    }
}

/// Whether a file that begins like this may be a log: some line is whole, or all of it is the
/// beginning of one.
fn begins_as_a_log(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    let unfinished = lines.next_back().unwrap_or_default();
    if lines.clone().any(is_whole) {
        return true;
    }
    lines.next().is_none() && begins_as_a_record(unfinished)
}

/// Zeros are what a file system leaves for bytes that it lost.
fn begins_as_a_record(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    let end = text
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    match serde_json::from_slice::<IgnoredAny>(&text[..end]) {
        Ok(_) => true,
        Err(error) => error.is_eof(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_told_from_other_files() {
        for log in [
            &b""[..],
            b"1\n",
            b"{\"version\":1,\"te",
            b"{\"version\":1}",
            b"{\"version\":1,\"te\0\0\0\0",
            b"\0\0\0\0",
            b"{\"ver\xff\xff\n{\"version\":2}\n{\"ver",
        ] {
            assert!(begins_as_a_log(log), "{}", log.escape_ascii());
        }
        for other in [
            &b"hello"[..],
            b"x",
            b"x\0",
            b"# notes\nto be kept",
            b"\x89PNG\r\n\x1a\n\0\0",
            b"<html>\n</html>\n",
        ] {
            assert!(!begins_as_a_log(other), "{}", other.escape_ascii());
        }
    }
}
