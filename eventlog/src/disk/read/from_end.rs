//! The newest lines, as many as somebody wants.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::backward::Backward;
use super::files::open_all;
use super::line::RawLine;
use super::lines::Lines;
use super::log_file::LogFile;
use crate::disk::format::damage::{Damage, no_file_name, unreadable};
use crate::disk::format::paths::Paths;
use crate::disk::storage::{RealStorage, Storage};

/// Reads the log at `path` from its end, without parsing it, until `visit` breaks; gives the lines
/// from that one on, in their order. No more of the files is read than that needs.
///
/// `visit` is given the lines, the newest first, and the damage that stands in place of some.
/// Neither have a number, and those that come of it have none in the first of their files, since
/// what stands before was not read. Where `visit` never breaks, all lines are given. Lines of more
/// than `max_line_bytes` are damage, as [`Lines::max_line_bytes`] says it.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// use std::ops::ControlFlow;
///
/// std::fs::write(&path, "1\n2\n3\n")?;
/// let mut wanted = 2;
/// let mut lines = eventlog::disk::lines_from_end(&path, 1 << 20, |_| {
///     wanted -= 1;
///     if wanted == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
/// });
/// assert_eq!(lines.next_line().unwrap()?.bytes, b"2");
/// assert_eq!(lines.next_line().unwrap()?.bytes, b"3");
/// assert!(lines.next_line().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn lines_from_end(
    path: impl AsRef<Path>,
    max_line_bytes: usize,
    mut visit: impl FnMut(Result<RawLine<'_>, Damage>) -> ControlFlow<()>,
) -> Lines {
    let storage = RealStorage;
    let (files, mut damage) = match Paths::on(&storage, path.as_ref()) {
        Some(paths) => open_all(&storage, &paths),
        None => (Vec::new(), vec![no_file_name(path.as_ref())]),
    };
    let (mut first, mut begin) = (0, None);
    for (index, file) in files.iter().enumerate().rev() {
        begin = find_begin(&storage, file, max_line_bytes, &mut visit);
        if begin.is_some() {
            // What cannot be read stands before it, as far as anybody knows.
            first = index;
            damage.clear();
            break;
        }
    }
    let files = files.into_iter().skip(first).collect();
    let lines = match begin {
        Some(offset) => Lines::of_files(storage, files, (offset, 0), damage).without_numbers(),
        None => Lines::of_files(storage, files, (0, 0), damage),
    };
    lines.max_line_bytes(max_line_bytes)
}

/// Where in the file `visit` broke.
fn find_begin<S: Storage>(
    storage: &S,
    file: &LogFile<S::File>,
    limit: usize,
    visit: &mut impl FnMut(Result<RawLine<'_>, Damage>) -> ControlFlow<()>,
) -> Option<u64> {
    let path = Arc::from(&*file.path);
    let found = file.with(storage, |open| {
        let len = storage.stat(open)?.len;
        let mut lines = Backward::new(storage, open, len, limit);
        while let Some(line) = lines.next()? {
            for item in line.found(&path, limit) {
                if visit(item).is_break() {
                    return Ok(Some(line.start));
                }
            }
        }
        Ok(None)
    });
    let damage = match found {
        Ok(Ok(begin)) => return begin,
        Ok(Err(error)) => unreadable(path.to_path_buf(), 0, &error),
        Err(damage) => damage,
    };
    // The lines that are given tell it again at its place.
    visit(Err(damage)).is_break().then_some(0)
}
