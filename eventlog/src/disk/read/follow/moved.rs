//! Where a file went that left its path: under another name, or into the copy that a repair put in
//! its place.

use std::collections::VecDeque;

use super::super::log_file::LogFile;
use super::super::trace::Trace;
use super::common::{Common, common_lines};
use super::open::Open;
use super::trail::{Ahead, Trail};
use crate::disk::format::damage::{Damage, may_miss, unreadable};
use crate::disk::storage::Storage;

/// Where the repaired copy of a file that left its path was found.
enum Moved {
    None,
    /// The newest file is being filled with it.
    BeingWritten,
    At(usize, Common),
}

/// Finds the file that was made of the current one: it has the bytes that were read, as far
/// as they had become durable.
///
/// Where nothing else tells that no file is missing between, it must have them all: another
/// file may well start with the same lines.
fn find_copy<S: Storage>(
    storage: &S,
    current: &Open<S::File>,
    files: &VecDeque<LogFile<S::File>>,
    follows_previous: bool,
) -> Result<Moved, Damage> {
    for (index, file) in files.iter().enumerate() {
        let common = file
            .with(storage, |other| {
                common_lines(storage, &current.lines, other)
            })?
            .map_err(|error| unreadable(file.path.clone(), 0, &error))?;
        if common.all_of_other && index + 1 == files.len() {
            return Ok(Moved::BeingWritten);
        }
        let in_place = follows_previous && index == 0;
        if common.offset > 0 && (in_place || common.offset == current.lines.offset()) {
            return Ok(Moved::At(index, common));
        }
    }
    Ok(Moved::None)
}

impl<S: Storage> Trail<S> {
    /// Finds in the files of the log the place where the current file was left.
    pub(super) fn find_place(
        &mut self,
        mut files: VecDeque<LogFile<S::File>>,
        mut damage: Vec<Damage>,
    ) -> Result<Ahead, Damage> {
        let (Some(paths), Some(open)) = (&self.paths, &self.current) else {
            return Ok(Ahead::Nothing);
        };
        let position = |id| files.iter().position(|file| file.is(id));
        let current_at = position(open.id);
        let previous = self.previous.as_ref();
        let known_at = current_at.or_else(|| position(previous.and_then(|open| open.id)));
        let held = self.storage.stat(open.lines.file());
        if known_at.is_none() && held.is_ok_and(|stat| stat.links == 0) {
            // The oldest go first: what is there no more may be older, what is there is newer.
            files.retain(|file| !file.is_removed(&self.storage));
        }
        if let Some(at) = known_at {
            // What is older was read when it still could be.
            damage.retain(|found| paths.name_of(&found.file) > paths.name_of(&files[at].path));
        }
        let mut rest = files.split_off(known_at.map_or(0, |at| at + 1));
        if current_at.is_some() || rest.is_empty() {
            // What was appended to the current file before it was put aside is still to be read.
            let more = if rest.is_empty() {
                Ahead::Nothing
            } else {
                Ahead::More
            };
            self.next = rest;
            return self.go_past(damage, more);
        }
        let copy = find_copy(&self.storage, open, &rest, known_at.is_some())?;
        let (read, common) = match copy {
            Moved::BeingWritten => return Ok(Ahead::Nothing),
            Moved::At(index, common) => (index, Some(common)),
            Moved::None => (0, None),
        };
        rest.drain(..read);
        if common.is_none() {
            let nothing_read = open.lines.offset() == 0 && self.previous.is_none();
            let is_after_gap = rest.front().is_some_and(|file| file.may_miss);
            if (known_at.is_none() && !nothing_read) || is_after_gap {
                self.notices.push_back(may_miss(paths.log.clone()));
            }
        }
        self.next = rest;
        self.replace_current(common);
        self.go_past(damage, Ahead::More)
    }

    /// Goes on in the first of the files to come, after what it has in common with the current one.
    fn replace_current(&mut self, common: Option<Common>) {
        if common.is_none() {
            self.leave();
        }
        let read = common.map_or(0, |common| common.offset);
        let first = self.next.pop_front();
        match first.map(|file| self.open_after(file, read)) {
            Some(Ok(open)) => self.current = Some(open),
            Some(Err(damage)) => {
                self.notices.push_back(damage);
                self.take_next();
            }
            None => {}
        }
    }

    /// The file, after so many bytes.
    fn open_after(&self, file: LogFile<S::File>, bytes: u64) -> Result<Open<S::File>, Damage> {
        let open = file.into_open(&self.storage)?;
        let (read, lines) = Trace::read(&self.storage, &open.file, bytes)
            .map_err(|error| unreadable(open.path.clone(), 0, &error))?;
        Ok(Open::after(open, self.max_line_bytes, lines, read))
    }
}
