//! The marks of a log, from their file.

use std::io;
use std::path::Path;

use crate::disk::{
    format::marks::Marks,
    storage::{Storage, open_if_there, read_exact},
};

/// No file of marks is longer.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The valid beginning of a file of marks, and whether that is all of it. A file that is not there
/// has none.
pub(crate) fn read_marks<S: Storage>(storage: &S, path: &Path) -> io::Result<(Marks, bool)> {
    let Some(file) = open_if_there(storage, path)? else {
        return Ok((Marks::default(), true));
    };
    let len = storage.stat(&file)?.len;
    if len > MAX_BYTES {
        return Ok((Marks::default(), false));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
    read_exact(storage, &file, 0, &mut bytes)?;
    Ok(Marks::parse(&bytes))
}
