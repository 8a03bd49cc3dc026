//! The files of a log, the oldest first, while a writer may rotate them.
//!
//! What makes the order a property and not a race: a full file keeps its number, numbers rise
//! without holes, and the lowest are removed first. So from a file with a number one can walk to the
//! next, and a file that was opened under `X` or `X.old` is met again under its number if it was
//! rotated meanwhile. Each step of the walk takes one more file of those that there are, so it comes
//! to an end however fast the writer is.
//!
//! A log may keep more files than a process may have open. Of those with names for good only the
//! oldest few, which go first, are held open; the others are opened when their turn comes.

use std::ffi::OsString;
use std::io;

use super::log_file::{LogFile, open};
use crate::disk::format::damage::{Damage, unreadable};
use crate::disk::format::paths::{LogFileName, Paths};
use crate::disk::storage::{FileId, Storage};

/// How many files with names for good are held open.
const HELD_OPEN: usize = 16;

/// Opens the files of a log, the oldest first; those that cannot be read are damage.
pub(crate) fn open_all<S: Storage>(
    storage: &S,
    paths: &Paths,
) -> (Vec<LogFile<S::File>>, Vec<Damage>) {
    let mut walk = Walk {
        storage,
        paths,
        files: Vec::new(),
        damage: Vec::new(),
        last_number: 0,
        may_miss: false,
    };
    walk.numbered();
    // In this order, so that the second is newer than the first whatever happens in between.
    let newest_full = walk.meet(LogFileName::NewestFull);
    let current = walk.meet(LogFileName::Current);
    // Between two files there is no current one, and the newest is a full one.
    let current = current.or_else(|| walk.meet(LogFileName::NewestFull));
    let numbered_before = walk.last_number;
    if let Some(file) = newest_full {
        walk.reach_newest_full(file, numbered_before);
    }
    match current {
        Some(file) => walk.reach_current(file, numbered_before),
        None => walk.reach_the_end(),
    }
    (walk.files, walk.damage)
}

struct Walk<'s, S: Storage> {
    storage: &'s S,
    paths: &'s Paths,
    files: Vec<LogFile<S::File>>,
    damage: Vec<Damage>,
    /// The highest number that was met; 0 if none was.
    last_number: u32,
    /// Whether there may have been files before the next one that are gone.
    may_miss: bool,
}

impl<S: Storage> Walk<'_, S> {
    /// Takes the files that have a number by now.
    fn numbered(&mut self) {
        let mut names = match self.listed() {
            Ok(names) => names,
            Err(error) => {
                // Whether there are full files is not known, and neither what they hold.
                let dir = self.paths.dir.clone();
                return self.damage.push(unreadable(dir, 0, &error));
            }
        };
        names.sort_unstable();
        for name in &names {
            if matches!(name, LogFileName::Earlier(_)) {
                self.take(*name);
            }
        }
        let mut numbers = numbers(&names);
        numbers.extend(
            numbers
                .first()
                .and_then(|lowest| self.lowest_below(*lowest)),
        );
        numbers.sort_unstable();
        for number in numbers {
            if number > self.last_number {
                self.may_miss |= self.last_is_gone();
                self.last_number = number - 1;
                self.number_up();
                self.last_number = self.last_number.max(number);
            }
        }
    }

    /// The lowest number that is there, going down from one that is: a name that is given while a
    /// directory is listed may be missing in the list.
    fn lowest_below(&self, number: u32) -> Option<u32> {
        let below = (self.last_number + 1..number).rev();
        below
            .take_while(|number| {
                LogFileName::numbered(*number).is_some_and(|name| self.exists(name))
            })
            .last()
    }

    /// Whether the file with the last number is there no more.
    fn last_is_gone(&self) -> bool {
        LogFileName::numbered(self.last_number).is_some_and(|last| !self.exists(last))
    }

    /// Takes the file of a name that was met.
    fn take(&mut self, name: LogFileName) {
        match self.meet(name) {
            Some(file) => self.push(file),
            // Removed since, unless it is there and cannot be read, which is told.
            None => self.may_miss |= !self.exists(name),
        }
    }

    /// Takes the files with the numbers after the last one.
    fn number_up(&mut self) {
        while let Some(name) = LogFileName::numbered(self.last_number + 1)
            && self.exists(name)
        {
            self.last_number += 1;
            self.take(name);
        }
    }

    /// As [`number_up`](Self::number_up), and notices where the last one was removed meanwhile, and
    /// perhaps others after it: then goes on with the lowest that is left.
    fn number_up_from_what_is_left(&mut self) {
        loop {
            self.number_up();
            let last = LogFileName::numbered(self.last_number);
            if last.is_some_and(|last| self.exists(last)) {
                return;
            }
            let names = self.listed().unwrap_or_default();
            let later = numbers(&names)
                .into_iter()
                .find(|number| *number > self.last_number);
            let lowest = later.map(|number| self.lowest_below(number).unwrap_or(number));
            self.may_miss |= self.last_number > 0 || lowest.is_some_and(|lowest| lowest > 1);
            match lowest {
                Some(lowest) => self.last_number = lowest - 1,
                None => return,
            }
        }
    }

    /// Takes the file that was `X.old`, and before it what got numbers meanwhile.
    fn reach_newest_full(&mut self, file: LogFile<S::File>, numbered_before: u32) {
        self.number_up_from_what_is_left();
        if !self.is_gone_among_later(&file, numbered_before) {
            // Where others are gone that had numbers meanwhile, they may have come after it, too.
            let may_miss = self.may_miss && file.is_removed(self.storage);
            self.push(file);
            self.may_miss |= may_miss;
        }
    }

    /// Whether the file, which was opened when numbers were given up to `numbered_before`, has been
    /// removed since, and files that got their numbers since are there: then it is older than some
    /// of these, or all, and it is not known where it belongs. What is missing is told.
    fn is_gone_among_later(&mut self, file: &LogFile<S::File>, numbered_before: u32) -> bool {
        let before = LogFileName::numbered(numbered_before);
        let paths = self.paths;
        let is_later = |met: &LogFile<S::File>| match paths.name_of(&met.path) {
            Some(name @ LogFileName::Numbered(_)) => Some(name) > before,
            _ => false,
        };
        let is_gone = !self.has(file.id) && file.is_removed(self.storage);
        if !is_gone || !self.files.iter().any(is_later) {
            return false;
        }
        for met in &mut self.files {
            met.may_miss |= is_later(met);
        }
        self.may_miss = true;
        true
    }

    /// Takes the file that was `X`, and before it what was rotated meanwhile.
    fn reach_current(&mut self, file: LogFile<S::File>, numbered_before: u32) {
        loop {
            self.number_up_from_what_is_left();
            if self.has(file.id) {
                return self.push(file);
            }
            if self.is_gone_among_later(&file, numbered_before) {
                return self.reach_the_end();
            }
            let full = self.meet(LogFileName::NewestFull);
            if full.is_none() && self.has_got_more_numbers() {
                continue;
            }
            let Some(full) = full.filter(|full| !self.has(full.id)) else {
                // The newest full file is the last one that was taken, or there is none.
                break;
            };
            // What was the newest full file before has a number by now, or is gone.
            if self.exists_after_last() {
                continue;
            }
            self.may_miss |= !self.last_has_its_number();
            if full.is(file.id) {
                break;
            }
            if self.id_at(LogFileName::Current) == file.id {
                self.push(full); // The one before.
                break;
            }
            if !self.exists_after_last() {
                // Both names have other files, and there are no numbers to tell their order.
                self.may_miss = true;
                break;
            }
        }
        self.push(file);
    }

    /// Takes what got its name since it was looked for.
    fn reach_the_end(&mut self) {
        loop {
            self.number_up_from_what_is_left();
            let full = self.meet(LogFileName::NewestFull);
            if full.is_none() && self.has_got_more_numbers() {
                continue;
            }
            let Some(full) = full.filter(|full| !self.has(full.id)) else {
                return;
            };
            if !self.exists_after_last() {
                self.may_miss |= !self.last_has_its_number();
                return self.push(full);
            }
        }
    }

    /// Where there is no newest full file: takes what got a number since numbers were looked for,
    /// as that file may have. Whether there was any.
    fn has_got_more_numbers(&mut self) -> bool {
        let taken = self.files.len();
        self.number_up_from_what_is_left();
        let has_more = self.files.len() > taken;
        self.may_miss |= !has_more && !self.last_has_its_number();
        has_more
    }

    /// Whether the file that was taken last has the last number, so that none after it is gone: the
    /// lowest go first.
    fn last_has_its_number(&self) -> bool {
        let Some(last) = self.files.last() else {
            return true;
        };
        let met = self.paths.name_of(&last.path);
        let earlier = met.filter(|name| matches!(name, LogFileName::Earlier(_)));
        let name = earlier.or(LogFileName::numbered(self.last_number));
        name.is_some_and(|name| last.is(self.id_at(name)))
    }

    fn exists_after_last(&self) -> bool {
        LogFileName::numbered(self.last_number + 1).is_some_and(|name| self.exists(name))
    }

    fn push(&mut self, mut file: LogFile<S::File>) {
        if let Some(met) = self.files.iter_mut().find(|met| met.is(file.id)) {
            met.hold(file);
        } else {
            file.may_miss = std::mem::take(&mut self.may_miss) && !self.files.is_empty();
            self.files.push(file);
        }
    }

    fn has(&self, id: Option<FileId>) -> bool {
        self.files.iter().any(|met| met.is(id))
    }

    fn exists(&self, name: LogFileName) -> bool {
        self.storage.stat_path(&self.paths.named(name)).is_ok()
    }

    fn id_at(&self, name: LogFileName) -> Option<FileId> {
        self.storage.stat_path(&self.paths.named(name)).ok()?.id
    }

    /// Meets a file; one that is there and cannot be read is damage, told once.
    fn meet(&mut self, name: LogFileName) -> Option<LogFile<S::File>> {
        let path = self.paths.named(name);
        let is_held = self.files.len() < HELD_OPEN || name >= LogFileName::NewestFull;
        let met = if is_held {
            open(self.storage, &path).map(|(file, id)| (Some(file), id))
        } else {
            self.storage.stat_path(&path).map(|stat| (None, stat.id))
        };
        match met {
            Ok((file, id)) => Some(LogFile::met(path, id, file)),
            Err(error) => {
                let is_told = self.damage.iter().any(|met| met.file == path);
                if error.kind() != io::ErrorKind::NotFound && !is_told {
                    self.damage.push(unreadable(path, 0, &error));
                }
                None
            }
        }
    }

    /// The full files whose names are met in the directory. One that is renamed meanwhile may be
    /// met under neither name.
    fn listed(&self) -> io::Result<Vec<LogFileName>> {
        let names = match self.storage.list(&self.paths.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names?,
        };
        let full = |name: &OsString| self.paths.full_file(name);
        Ok(names.iter().filter_map(full).collect())
    }
}

/// The numbers among these names, the lowest first.
fn numbers(names: &[LogFileName]) -> Vec<u32> {
    let number = |name: &LogFileName| match name {
        LogFileName::Numbered(number) => Some(*number),
        _ => None,
    };
    let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}
