//! Where to begin, where the marks can tell it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use eventlog::disk::{Lines, MarkAt, MarkKind, Timeline};
use eventlog::{Cursor, Epoch};

use crate::input::{MAX_LINE_BYTES, all_lines};
use crate::outcome::Stop;
use crate::when::Bound;

/// A place before which nothing needs to be looked at.
pub(crate) struct Floor {
    file: PathBuf,
    offset: u64,
}

impl Floor {
    /// Where this bound is, if the marks tell it.
    pub(crate) fn of(path: &Path, since: Bound) -> Result<Option<Self>, Stop> {
        match since {
            Bound::Time(time) => Ok(last_before(&Timeline::of(path), time)),
            Bound::Cursor(cursor) => match lines_after(path, cursor)?.next_line() {
                Some(Ok(line)) => Ok(Some(Self {
                    file: line.file().to_path_buf(),
                    offset: line.offset,
                })),
                _ => Ok(None),
            },
            Bound::Version(_) => Ok(None),
        }
    }

    /// Whether a line that was come to from the end is the first after it, or stands before it.
    pub(crate) fn reaches(&self, file: &Path, offset: u64) -> bool {
        offset <= self.offset && file.as_os_str() == self.file.as_os_str()
    }
}

/// The last mark that is surely before this time, in the order of the log.
fn last_before(timeline: &Timeline, time: SystemTime) -> Option<Floor> {
    let is_before = |mark: &MarkAt| mark.time.is_some_and(|made| made < time);
    let last = timeline.marks().take_while(is_before).last()?;
    Some(Floor {
        file: last.place.file.to_path_buf(),
        offset: last.place.offset,
    })
}

/// The lines since this bound, as far as the marks tell where that is; otherwise all of them.
pub(crate) fn lines_since(path: &Path, since: Option<Bound>) -> Result<Lines, Stop> {
    let lines = match since {
        Some(Bound::Time(time)) => Timeline::of(path).since(time),
        Some(Bound::Cursor(cursor)) => lines_after(path, cursor)?,
        Some(Bound::Version(_)) | None => return Ok(all_lines(path)),
    };
    Ok(lines.max_line_bytes(MAX_LINE_BYTES))
}

/// The lines after a cursor of a life that the marks tell of.
fn lines_after(path: &Path, cursor: Cursor) -> Result<Lines, Stop> {
    let timeline = Timeline::of(path);
    let unknown = || {
        Stop::NoLog(format!(
            "the marks of {} do not tell where the cursor {cursor} stands; its version may help: \
             --since {}",
            path.display(),
            cursor.version().saturating_add(1)
        ))
    };
    if !is_of_a_life(&timeline, cursor) {
        return Err(unknown());
    }
    timeline.after(cursor.seq()).ok_or_else(unknown)
}

/// Whether the life of the cursor is known, and what it has seen was left when the next began.
fn is_of_a_life(timeline: &Timeline, cursor: Cursor) -> bool {
    let opening = |mark: MarkAt| match mark.kind {
        MarkKind::Opened { epoch, .. } => Some((epoch, mark.seq)),
        _ => None,
    };
    let openings: Vec<(Option<Epoch>, _)> = timeline.marks().filter_map(opening).collect();
    let is_own = |(epoch, _): &(Option<Epoch>, _)| *epoch == Some(cursor.epoch());
    let Some(at) = openings.iter().position(is_own) else {
        return false;
    };
    match openings.get(at + 1) {
        Some((_, left)) => left.is_some_and(|left| cursor.seq() <= left),
        None => true,
    }
}
