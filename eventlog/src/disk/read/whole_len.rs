//! How far a file goes.

use std::io;

use super::{backward::Backward, forward::MAX_LINE_BYTES};
use crate::disk::{format::record::is_whole, storage::Storage};

/// How far the file goes up to the end of its last whole line. One that is too long to be looked
/// at may have been acknowledged, and counts as whole.
pub(crate) fn whole_len<S: Storage>(storage: &S, file: &S::File, len: u64) -> io::Result<u64> {
    let mut lines = Backward::new(storage, file, len, MAX_LINE_BYTES);
    while let Some(found) = lines.next()? {
        if found.terminated && found.bytes.is_none_or(is_whole) {
            return Ok(found.end);
        }
    }
    Ok(0)
}
