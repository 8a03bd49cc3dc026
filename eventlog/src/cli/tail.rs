//! `tail`: the end of the log, and what comes.

use eventlog::disk::{self, Follow, Position};
use serde::de::IgnoredAny;

use crate::args::TailArgs;
use crate::feed;
use crate::input::{MAX_LINE_BYTES, Source};
use crate::last_of::LastOf;
use crate::live::{LOOK, Marks, visit_next};
use crate::outcome::{Outcome, Stop, warn};
use crate::position::PositionFile;
use crate::scan::{Limits, Scan};
use crate::show::{scan_of, tell};
use crate::story::Story;

pub(crate) fn run(args: &TailArgs) -> Result<Outcome, Stop> {
    if let Some(address) = feed::address(&args.path)? {
        return feed::tail(&address, args);
    }
    let source = source(args)?;
    let mut marks = Marks::of(&args.path);
    let mut scan = scan_of(&source, &args.filter, &args.view, 0)?;
    scan.limits = limits(args);
    marks.has(&scan);
    let mut follow = disk::follow::<IgnoredAny>(&args.path).max_line_bytes(MAX_LINE_BYTES);
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
        let mut last = LastOf::new(wanted(args), &mut scan);
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

pub(crate) fn limits(args: &TailArgs) -> Limits {
    Limits {
        events: args.exit_after,
        damage: args.until_damage,
    }
}

/// With how many it begins. Never more than will be shown: the position is after all of it.
pub(crate) fn wanted(args: &TailArgs) -> usize {
    let most = args
        .exit_after
        .and_then(|wanted| usize::try_from(wanted).ok());
    most.map_or(args.lines, |most| most.min(args.lines))
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

struct Tail<'a> {
    args: &'a TailArgs,
    follow: Follow<IgnoredAny>,
    scan: Scan,
    file: Option<&'a mut PositionFile<Position>>,
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
