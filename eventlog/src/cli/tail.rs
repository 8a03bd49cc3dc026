//! `tail`: the end of the log, and what comes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use eventlog::disk::{self, Follow, Timeline};
use serde::de::IgnoredAny;

use crate::args::TailArgs;
use crate::input::{Source, Visit};
use crate::last_of::LastOf;
use crate::lock::beside;
use crate::outcome::{Outcome, Stop, warn};
use crate::position::PositionFile;
use crate::scan::{Limits, Scan};
use crate::show::{scan_of, tell};
use crate::story::Story;

/// How often it is looked for new marks at least.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &TailArgs) -> Result<Outcome, Stop> {
    let source = source(args)?;
    let mut marks = Marks::of(args);
    let mut scan = scan_of(&source, &args.filter, &args.view, 0)?;
    scan.limits = Limits {
        events: args.exit_after,
        damage: args.until_damage,
    };
    marks.newest = scan.story.newest();
    let mut follow = disk::follow::<IgnoredAny>(&args.path);
    let mut file = args.position_file.as_deref().map(PositionFile::new);
    let position = match &file {
        Some(file) => file.read()?,
        None => None,
    };
    if let Some(position) = &position {
        let resumed = follow.resuming(position);
        follow = resumed.map_err(|error| Stop::NoLog(error.to_string()))?;
        // What happened before is told already.
        scan.story = Story::default();
    } else if args.lines < usize::MAX {
        // Never more than will be shown: the position is after all of it.
        let wanted = args
            .exit_after
            .and_then(|wanted| usize::try_from(wanted).ok());
        let wanted = wanted.map_or(args.lines, |wanted| wanted.min(args.lines));
        let mut last = LastOf::new(wanted, &mut scan);
        while visit_next(&mut follow, &mut last)? {}
        last.show()?;
    }
    let mut tail = Tail {
        args,
        follow,
        scan,
        file: file.as_mut(),
        marks,
    };
    tail.note_position()?;
    let outcome = tail.run()?;
    tail.scan.printer.finish(&tail.scan.clock)?;
    if !args.follow {
        tell(tail.scan.found);
    }
    Ok(outcome)
}

fn source(args: &TailArgs) -> Result<Source, Stop> {
    match Source::at(&args.path) {
        Ok(Source::Stream(_)) => {
            let text = "tail reads a log; `eventlog show -` follows a pipe as long as it is open";
            Err(Stop::Usage(text.to_owned()))
        }
        Err(_) if args.follow && !args.path.exists() => {
            warn(&format!("waiting for {}", args.path.display()));
            Ok(Source::Log(args.path.clone()))
        }
        source => source,
    }
}

/// Hands the next line on. False if there is none yet.
fn visit_next(follow: &mut Follow<IgnoredAny>, visit: &mut impl Visit) -> Result<bool, Stop> {
    match follow.next_line() {
        Some(Ok(line)) => visit.line(line.into())?,
        Some(Err(damage)) => visit.trouble((&damage).into(), &[])?,
        None => return Ok(false),
    }
    Ok(true)
}

struct Tail<'a> {
    args: &'a TailArgs,
    follow: Follow<IgnoredAny>,
    scan: Scan,
    file: Option<&'a mut PositionFile>,
    marks: Marks,
}

impl Tail<'_> {
    fn run(&mut self) -> Result<Outcome, Stop> {
        loop {
            if let Some(outcome) = self.scan.is_done() {
                return Ok(outcome);
            }
            if visit_next(&mut self.follow, &mut self.scan)? {
                if self.file.is_some() {
                    self.note_position()?;
                }
                continue;
            }
            self.scan.tell_turns()?;
            self.note_position()?;
            if !self.args.follow {
                return Ok(self.scan.found.outcome_of_showing());
            }
            self.follow.wait(LOOK);
            self.marks.look(&mut self.scan);
        }
    }

    /// First the output, then the position after it.
    fn note_position(&mut self) -> Result<(), Stop> {
        self.scan.printer.finish(&self.scan.clock)?;
        match &mut self.file {
            Some(file) => file.write(self.follow.position()),
            None => Ok(()),
        }
    }
}

/// The marks of a log that is being written.
struct Marks {
    log: PathBuf,
    path: PathBuf,
    /// How long their file was, and when it was changed.
    seen: Option<(u64, SystemTime)>,
    /// Of the newest turn that was there.
    newest: Option<SystemTime>,
}

impl Marks {
    fn of(args: &TailArgs) -> Self {
        let path = beside(&args.path, ".marks");
        Self {
            log: args.path.clone(),
            seen: stamp(&path),
            path,
            newest: None,
        }
    }

    /// Takes up what is new in them.
    fn look(&mut self, scan: &mut Scan) {
        let found = stamp(&self.path);
        if found.is_none() || found == self.seen {
            return;
        }
        self.seen = found;
        let timeline = Timeline::of(&self.log);
        let mut story = Story::of(&timeline);
        story.forget_until(self.newest);
        self.newest = self.newest.max(story.newest());
        scan.story.add(story);
        scan.clock.renew(timeline);
    }
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let found = path.metadata().ok()?;
    Some((found.len(), found.modified().ok()?))
}
