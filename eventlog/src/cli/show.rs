//! `show`: what stands in the log.

use std::path::Path;

use eventlog::disk::{Lines, Timeline};

use crate::args::{FilterArgs, ShowArgs, ViewArgs};
use crate::begin::{Floor, lines_since};
use crate::context::Context;
use crate::feed;
use crate::format::Printer;
use crate::from_end::{Matcher, last_matches};
use crate::input::{Source, visit_lines, visit_stream};
use crate::last_of::LastOf;
use crate::outcome::{Outcome, Stop, warn};
use crate::output::Output;
use crate::scan::{Found, Scan};
use crate::style::Paint;
use crate::when::Bound;

/// How many are shown of a log if nothing is asked for.
const LAST: usize = 20;

pub(crate) fn run(args: &ShowArgs) -> Result<Outcome, Stop> {
    if let Some(address) = feed::address(&args.path)? {
        return feed::show(&address, args);
    }
    let source = Source::at(&args.path)?;
    let mut scan = scan_of(&source, &args.filter, &args.view, args.context)?;
    match source {
        Source::Log(path) => {
            let lines = lines_of(&path, args, &scan)?;
            visit_lines(lines, &mut scan)?;
        }
        Source::Stream(stream) => match args.lines {
            None | Some(usize::MAX) => visit_stream(stream, &mut scan)?,
            Some(wanted) => {
                let mut last = LastOf::new(wanted, &mut scan);
                visit_stream(stream, &mut last)?;
                last.show()?;
            }
        },
    }
    scan.end()?;
    tell(scan.found);
    Ok(scan.found.outcome_of_showing())
}

/// What makes rows of lines.
pub(crate) fn scan_of(
    source: &Source,
    filter: &FilterArgs,
    view: &ViewArgs,
    context: usize,
) -> Result<Scan, Stop> {
    let timeline = match source {
        Source::Log(path) => Some(Timeline::of(path)),
        Source::Stream(_) if matches!(filter.since, Some(Bound::Cursor(_))) => {
            return Err(Stop::Usage(
                "a stream has no marks that tell where a cursor stands".into(),
            ));
        }
        Source::Stream(_) => None,
    };
    scan_with(timeline, filter, view, context)
}

/// The same, where there may be no files.
pub(crate) fn scan_with(
    timeline: Option<Timeline>,
    filter: &FilterArgs,
    view: &ViewArgs,
    context: usize,
) -> Result<Scan, Stop> {
    if matches!(filter.until, Some(Bound::Cursor(_))) {
        return Err(Stop::Usage("--until takes a time or a version".into()));
    }
    let mut output = Output::new();
    if view.full {
        output.columns = usize::MAX;
    }
    let paint = Paint::new(view.color);
    let printer = Printer::new(output, view.output, view.template.clone(), paint);
    let mut scan = Scan::new(timeline, filter, view.utc, printer);
    scan.context = Context::new(context);
    Ok(scan)
}

/// The lines that need to be looked at.
fn lines_of(path: &Path, args: &ShowArgs, scan: &Scan) -> Result<Lines, Stop> {
    let since = args.filter.since_by_marks();
    let wanted = args.lines.unwrap_or(if scan.filter.is_empty() {
        LAST
    } else {
        usize::MAX
    });
    if wanted == usize::MAX {
        return lines_since(path, since);
    }
    let floor = match since {
        Some(since) => Floor::of(path, since)?,
        None => None,
    };
    let matcher = Matcher {
        filter: &scan.filter,
        names: &scan.names,
        clock: &scan.clock,
    };
    Ok(last_matches(
        path,
        wanted,
        args.context,
        &matcher,
        floor.as_ref(),
    ))
}

/// Says what was met that is no event, where nobody might have seen it.
pub(crate) fn tell(found: Found) {
    let mut parts = Vec::new();
    let mut add = |count: u64, one: &str, many: &str| match count {
        0 => {}
        1 => parts.push(format!("1 {one}")),
        _ => parts.push(format!("{count} {many}")),
    };
    add(found.damage, "damaged place", "damaged places");
    add(found.torn, "unfinished line", "unfinished lines");
    add(
        found.unreadable,
        "file that cannot be read",
        "files that cannot be read",
    );
    add(found.gaps, "gap", "gaps");
    if !parts.is_empty() {
        warn(&format!("met on the way: {}", parts.join(", ")));
    } else if found.events == 0 {
        warn("no event matches");
    }
}
