//! What the marks say of a log's earlier lives, as far as the files bear them out.
//!
//! The newest mark decides: if the files do not fit it, none of them counts, and the log begins a
//! new history. Where they fit it, the lines behind it are those of the last life, or somebody
//! else's; so they are believed only by those whose events cannot have been lost. The lines before
//! it are known back to the first thing that does not add up.

use std::{cmp::Reverse, io, path::Path};

use super::{
    backward::Backward,
    forward::MAX_LINE_BYTES,
    last::{Counts, LineAt},
    log_file::LogFile,
    sums::Sum,
    whole_len::whole_len,
};
use crate::{
    cursor::Epoch,
    disk::{
        format::{
            marks::{Kind, Mark, Marks, Point},
            paths::Paths,
            record::is_whole,
        },
        storage::{Storage, open_if_there},
    },
    lineage::{Earlier, Trusted},
    writer::gap::Gap,
};

/// What a writer needs to go on with a history.
#[derive(Debug)]
pub(crate) struct Inherited {
    pub(crate) marks: Marks,
    /// Where the current file ends.
    pub(crate) end: Point,
    /// The last event of the last life that is left for those who saw it live, or durable.
    pub(crate) live: u64,
    pub(crate) durable: u64,
    /// Whether what stands behind the newest mark is that life's, and says how many events it is.
    pub(crate) is_sure: bool,
}

/// What a recovery leaves to the writer that goes on.
#[derive(Debug)]
pub(crate) struct Handover<F> {
    /// The lock, which has been held since before the files were read.
    pub(crate) lock: Option<F>,
    pub(crate) inherited: Option<Inherited>,
}

impl<F> Default for Handover<F> {
    fn default() -> Self {
        Self {
            lock: None,
            inherited: None,
        }
    }
}

/// What is known of the lives before.
pub(crate) struct History {
    /// The number of the last event.
    pub(crate) end: u64,
    pub(crate) earlier: Vec<Earlier>,
    pub(crate) trusted: Trusted,
    pub(crate) inherited: Inherited,
}

/// Looks for the history of a log whose newest lines are these, the oldest first. `None` if there is
/// none that the files bear out.
///
/// # Errors
/// What the file system says.
pub(crate) fn find<S: Storage>(
    storage: &S,
    paths: &Paths,
    marks: Marks,
    lines: &[LineAt],
) -> io::Result<Option<History>> {
    let search = Search {
        storage,
        paths,
        marks: marks.list(),
        lines,
    };
    let Some((newest, seq)) = search.newest() else {
        return Ok(None);
    };
    let current = search.open(&paths.log)?;
    let Some(fit) = search.fit(newest, current.as_ref())? else {
        return Ok(None);
    };
    let tail = match &current {
        Some(current) => search.tail(current, fit.from)?,
        None => Vec::new(),
    };
    let Some(end) = total(seq, &tail) else {
        return Ok(None);
    };
    let durable = if newest.kind == Kind::Committed && fit.is_current {
        let whole = tail.iter().position(|line| *line == Counts::Damaged);
        total(seq, &tail[..whole.unwrap_or(tail.len())]).unwrap_or(seq)
    } else {
        seq
    };
    let Some(from) = search.trusted(&fit, &tail, seq, end, current.as_ref())? else {
        return Ok(None);
    };
    let place = search.place(&fit, newest.at, current.as_ref(), end)?;
    let earlier = lives(marks.list(), seq, durable);
    let is_sure = !tail.contains(&Counts::Damaged) && (fit.is_current || tail.is_empty());
    let unknown = marks.list().iter().filter(|mark| mark.fresh);
    let counted_from = unknown.filter_map(|mark| mark.at.seq).max();
    let trusted = Trusted {
        from,
        counted_from: if is_sure {
            counted_from.unwrap_or(0)
        } else {
            u64::MAX
        },
    };
    Ok(Some(History {
        end,
        earlier,
        trusted,
        inherited: Inherited {
            marks,
            end: place,
            live: seq,
            durable,
            is_sure,
        },
    }))
}

/// Which number each of the log's files has in the marks, in the order of `files`, the oldest first.
/// `None` where no mark surely speaks of it.
pub(crate) fn matching_files<S: Storage>(
    storage: &S,
    paths: &Paths,
    marks: &[Mark],
    files: &[LogFile<S::File>],
) -> Vec<Option<u64>> {
    let search = Search {
        storage,
        paths,
        marks,
        lines: &[],
    };
    let fit = marks.last().and_then(|newest| {
        let current = search.open(&paths.log).ok()?;
        search.fit(newest, current.as_ref()).ok()?
    });
    let Some(fit) = fit else {
        return vec![None; files.len()];
    };
    let mut number = fit.file;
    let mut numbers: Vec<_> = files
        .iter()
        .rev()
        .map(|file| {
            if file.path == paths.log {
                return fit.is_current.then_some(number);
            }
            number = number.wrapping_sub(1);
            let full = search.end_of(number)?;
            let len = file
                .with(storage, |open| storage.stat(open))
                .ok()?
                .ok()?
                .len;
            (len == full.offset).then_some(number)
        })
        .collect();
    numbers.reverse();
    numbers
}

struct Search<'a, S: Storage> {
    storage: &'a S,
    paths: &'a Paths,
    marks: &'a [Mark],
    lines: &'a [LineAt],
}

/// A file, up to the end of its last whole line.
struct Whole<F> {
    file: F,
    /// How long the file is, and up to where it is whole.
    len: u64,
    end: u64,
}

/// How the files fit the newest mark.
struct Fit {
    /// The number of the current file.
    file: u64,
    /// Whether the newest mark speaks of the current file. If not, no mark does.
    is_current: bool,
    /// Up to where the current file has marks.
    from: u64,
}

impl<S: Storage> Search<'_, S> {
    /// The newest mark, if it knows numbers.
    fn newest(&self) -> Option<(&Mark, u64)> {
        let newest = self.marks.last()?;
        Some((newest, newest.at.seq?))
    }

    fn open(&self, path: &Path) -> io::Result<Option<Whole<S::File>>> {
        let Some(file) = open_if_there(self.storage, path)? else {
            return Ok(None);
        };
        let len = self.storage.stat(&file)?.len;
        let end = whole_len(self.storage, &file, len)?;
        Ok(Some(Whole { file, len, end }))
    }

    fn fit(&self, newest: &Mark, current: Option<&Whole<S::File>>) -> io::Result<Option<Fit>> {
        let at = newest.at;
        let marked = Fit {
            file: at.file,
            is_current: true,
            from: at.offset,
        };
        let unmarked = |file| Fit {
            file,
            is_current: false,
            from: 0,
        };
        if at.offset == 0 {
            let old = self.open(&self.paths.old)?;
            let fits = match (self.end_of(at.file.wrapping_sub(1)), old) {
                (Some(full), Some(old)) => {
                    old.len == full.offset && self.has(&self.paths.old, &old, full)?
                }
                (None, None) => true,
                _ => false,
            };
            return Ok(fits.then(|| unmarked(at.file)));
        }
        if let Some(current) = current
            && (newest.kind != Kind::Rotated || current.len == at.offset)
            && self.has(&self.paths.log, current, at)?
        {
            return Ok(Some(marked));
        }
        if newest.kind == Kind::Rotated
            && let Some(old) = self.open(&self.paths.old)?
            && old.len == at.offset
            && self.has(&self.paths.old, &old, at)?
        {
            return Ok(Some(unmarked(at.file.saturating_add(1))));
        }
        Ok(None)
    }

    /// Where the file of this number ended when it was put aside.
    fn end_of(&self, file: u64) -> Option<Point> {
        let last = self.marks.iter().rfind(|mark| mark.at.file == file)?;
        (last.kind == Kind::Rotated).then_some(last.at)
    }

    /// Whether the file has the bytes that a mark speaks of: those from the last mark before on, or
    /// from that before the oldest line that is of interest.
    fn has(&self, path: &Path, whole: &Whole<S::File>, at: Point) -> io::Result<bool> {
        if whole.end < at.offset {
            return Ok(false);
        }
        let oldest = self.lines.iter().find(|line| *line.file == *path);
        let oldest = oldest.map_or(at.offset, |line| line.start);
        let before = self.marks.iter().rfind(|mark| {
            mark.at.file == at.file && mark.at.offset < at.offset && mark.at.offset <= oldest
        });
        let from = before.map_or(Sum::default(), |mark| mark.at.into());
        let found = from.read_to(self.storage, &whole.file, at.offset)?;
        Ok(found == Sum::from(at))
    }

    /// What the lines of the current file say that stand behind its newest mark, the oldest first.
    fn tail(&self, current: &Whole<S::File>, from: u64) -> io::Result<Vec<Counts>> {
        let of_current = self.of(&self.paths.log, current.end);
        let known: Vec<_> = of_current.filter(|line| line.start >= from).collect();
        let known_from = known.first().map_or(current.end, |line| line.start);
        let mut tail = self.count(&current.file, from, known_from)?;
        tail.extend(known.iter().map(|line| line.counts));
        Ok(tail)
    }

    /// The lines of a file that are of interest.
    fn of(&self, path: &Path, end: u64) -> impl DoubleEndedIterator<Item = &LineAt> {
        self.lines
            .iter()
            .filter(move |line| *line.file == *path && line.end <= end)
    }

    /// What the lines between two places say, the oldest first.
    fn count(&self, file: &S::File, from: u64, to: u64) -> io::Result<Vec<Counts>> {
        let mut counts = Vec::new();
        let mut lines = Backward::new(self.storage, file, to, MAX_LINE_BYTES);
        while let Some(line) = lines.next()?.filter(|line| line.start >= from) {
            counts.push(match line.bytes {
                Some(bytes) => match Gap::parse(bytes) {
                    Some(gap) => Counts::Lost(gap.count),
                    None if is_whole(bytes) => Counts::Event,
                    None => Counts::Damaged,
                },
                None => Counts::Damaged,
            });
            if line.start == from {
                break;
            }
        }
        counts.reverse();
        Ok(counts)
    }

    /// The first number from which on no event is missing up to the end. `None` if the numbers of
    /// the file that the newest mark speaks of do not add up.
    fn trusted(
        &self,
        fit: &Fit,
        tail: &[Counts],
        seq: u64,
        end: u64,
        current: Option<&Whole<S::File>>,
    ) -> io::Result<Option<u64>> {
        let mut walk = Walk { number: end };
        if let Some(current) = current {
            let lines = self.of(&self.paths.log, current.end).rev();
            let file = fit.is_current.then_some(fit.file);
            match walk.through(lines, &self.marks_of(file)) {
                Met::Contradiction => return Ok(None),
                Met::Break => return Ok(Some(walk.number + 1)),
                Met::Start => {}
            }
            if !fit.is_current && !tail.is_empty() {
                // Nobody knows where it comes from.
                return Ok(Some(seq.saturating_add(2)));
            }
        }
        let mut file = fit.file;
        for path in self.full_files() {
            file = file.wrapping_sub(1);
            let Some(full) = self.end_of(file) else { break };
            let Some(whole) = self.open(path)? else { break };
            let fits = full.seq == Some(walk.number)
                && whole.len == full.offset
                && self.has(path, &whole, full)?;
            if !fits {
                break;
            }
            let lines = self.of(path, whole.end).rev();
            let before = walk.number;
            match walk.through(lines, &self.marks_of(Some(file))) {
                Met::Contradiction => return Ok(Some(before.saturating_add(1))),
                Met::Break => break,
                Met::Start => {}
            }
        }
        Ok(Some(walk.number.saturating_add(1)))
    }

    /// The full files that have lines of interest, the newest first.
    fn full_files(&self) -> Vec<&Path> {
        let mut files: Vec<&Path> = self.lines.iter().map(|line| &*line.file).collect();
        files.dedup();
        files.retain(|path| *path != self.paths.log);
        files.reverse();
        files
    }

    /// The marks of a file, the newest first.
    fn marks_of(&self, file: Option<u64>) -> Vec<&Mark> {
        let marks = self.marks.iter().rev();
        let mut marks: Vec<_> = marks.filter(|mark| Some(mark.at.file) == file).collect();
        marks.sort_by_key(|mark| Reverse(mark.at.offset));
        marks
    }

    /// Where the current file ends.
    fn place(
        &self,
        fit: &Fit,
        newest: Point,
        current: Option<&Whole<S::File>>,
        end: u64,
    ) -> io::Result<Point> {
        let from = if fit.is_current {
            newest.into()
        } else {
            Sum::default()
        };
        let sum = match current {
            Some(current) => from.read_to(self.storage, &current.file, current.end)?,
            None => from,
        };
        Ok(Point {
            file: fit.file,
            line: sum.lines,
            offset: sum.offset,
            seq: Some(end),
            sum: sum.crc,
        })
    }
}

/// A way back through lines, with the number of the event before the place.
struct Walk {
    number: u64,
}

/// What ended it.
enum Met {
    /// The beginning of what is known of the file.
    Start,
    /// Something before which nothing is known.
    Break,
    /// A mark that says another number.
    Contradiction,
}

impl Walk {
    /// Goes back through lines, the newest first, of a file with these marks, the newest first.
    fn through<'l>(&mut self, lines: impl Iterator<Item = &'l LineAt>, marks: &[&Mark]) -> Met {
        let mut marks = marks.iter().peekable();
        let mut at = None;
        for line in lines {
            while let Some(mark) = marks.next_if(|mark| mark.at.offset >= line.end) {
                if mark.at.offset == line.end && mark.at.seq != Some(self.number) {
                    return Met::Contradiction;
                }
                if mark.fresh {
                    return Met::Break;
                }
            }
            if marks.peek().is_some_and(|mark| mark.at.offset > line.start) {
                return Met::Contradiction;
            }
            if line.counts != Counts::Event {
                return Met::Break;
            }
            let Some(number) = self.number.checked_sub(1) else {
                return Met::Contradiction;
            };
            self.number = number;
            at = Some(line.start);
        }
        let mut here = marks.take_while(|mark| at == Some(mark.at.offset));
        let numbers = |mark: &&&Mark| mark.at.seq == Some(self.number);
        match here.find(|mark| mark.fresh || !numbers(mark)) {
            Some(mark) if !numbers(&mark) => Met::Contradiction,
            Some(_) => Met::Break,
            None => Met::Start,
        }
    }
}

/// The number after all of these.
fn total(seq: u64, lines: &[Counts]) -> Option<u64> {
    let mut counts = lines.iter().map(|line| line.events());
    counts.try_fold(seq, u64::checked_add)
}

/// For each life how much of it is left, if `live` and `durable` are that of the last one.
fn lives(marks: &[Mark], live: u64, durable: u64) -> Vec<Earlier> {
    let openings: Vec<_> = marks
        .iter()
        .filter(|mark| mark.kind == Kind::Opened)
        .collect();
    let mut lives: Vec<Earlier> = Vec::new();
    // What a later life did not find is gone for all that were before it.
    let mut left = Some((live, durable));
    for opened in openings.iter().rev() {
        let Some((live, durable)) = left else { break };
        if let Some(epoch) = opened.epoch.filter(|epoch| *epoch != Epoch::NONE)
            && !lives.iter().any(|life| life.epoch == epoch)
        {
            lives.push(Earlier {
                epoch,
                live,
                durable,
            });
        }
        left = opened.live.zip(opened.durable).map(|found| {
            let durable_left = found.1.min(durable);
            (found.0.min(durable_left), durable_left)
        });
    }
    lives
}
