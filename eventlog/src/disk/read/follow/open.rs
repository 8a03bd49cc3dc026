//! The file that is being followed.

use super::super::forward::FileLines;
use super::super::log_file::OpenFile;
use super::super::trace::Trace;
use crate::disk::storage::FileId;

/// A file that is being followed.
pub(super) struct Open<F> {
    pub(super) id: Option<FileId>,
    pub(super) lines: FileLines<F>,
}

impl<F> Open<F> {
    /// After what was read of it, which is so many lines; with a limit for how long lines may be.
    pub(super) fn after(open: OpenFile<F>, limit: usize, lines: u64, read: Trace) -> Self {
        Self {
            id: open.id,
            lines: FileLines::after(open, limit, lines, read),
        }
    }
}
