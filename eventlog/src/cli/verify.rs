//! `verify`: whether the log is what was written.

mod report;

use std::path::{Path, PathBuf};

use eventlog::disk::{Gap, Timeline};
use serde::Deserialize;
use serde::de::IgnoredAny;

use self::report::{FileReport, Report};
use crate::args::VerifyArgs;
use crate::at::Line;
use crate::event::{Event, Names};
use crate::input::{Source, Visit, all_lines, visit_lines, visit_stream};
use crate::lock::beside;
use crate::outcome::{Outcome, Stop};
use crate::progress::Progress;
use crate::trouble::{Trouble, What};

pub(crate) fn run(args: &VerifyArgs) -> Result<Outcome, Stop> {
    let source = Source::at(&args.path)?;
    let mut check = Check {
        names: Names {
            type_field: None,
            version_field: args.version_field.clone(),
        },
        is_fast: args.fast,
        report: Report::new(),
        progress: Progress::of(bytes_of(&source)),
        last: None,
    };
    match source {
        Source::Log(path) => {
            visit_lines(all_lines(&path), &mut check)?;
            check.verify_marks(&path);
            check.report.look_beside(&path);
        }
        Source::Stream(stream) => visit_stream(stream, &mut check)?,
    }
    let Check {
        report, progress, ..
    } = check;
    drop(progress);
    let outcome = report.outcome(args.strict);
    if args.json {
        report.print_json(outcome)?;
    } else {
        report.print(outcome, args.fast)?;
    }
    Ok(outcome)
}

/// As far as it can be known without reading.
fn bytes_of(source: &Source) -> u64 {
    match source {
        Source::Log(path) => path.metadata().map_or(0, |found| found.len()),
        Source::Stream(_) => 0,
    }
}

struct Check {
    names: Names,
    is_fast: bool,
    report: Report,
    progress: Progress,
    /// The version of the last event that has one.
    last: Option<u64>,
}

impl Visit for Check {
    fn line(&mut self, line: Line<'_>) -> Result<(), Stop> {
        self.progress.add(line.bytes.len() as u64 + 1);
        let file = self.report.file(line.at.file());
        file.bytes += line.bytes.len() as u64 + 1;
        if let Some(gap) = Gap::parse(line.bytes) {
            file.gaps += 1;
            file.lost = file.lost.saturating_add(gap.count);
            self.last = self.last.max(Some(gap.max_version));
            return Ok(());
        }
        match read(line.bytes, self.is_fast, &self.names) {
            Ok(version) => {
                file.events += 1;
                if let Some(version) = version {
                    note_version(file, &mut self.last, version);
                }
            }
            Err(error) => {
                let trouble = Trouble::no_event(&line.at, line.bytes.len(), &error);
                self.report.trouble(trouble);
            }
        }
        Ok(())
    }

    fn trouble(&mut self, trouble: Trouble, _: &[u8]) -> Result<(), Stop> {
        self.progress.add(trouble.len);
        self.report.trouble(trouble);
        Ok(())
    }
}

impl Check {
    fn verify_marks(&mut self, path: &Path) {
        let timeline = Timeline::of(path);
        self.report.marks = timeline.marks().count();
        let marks = beside(path, ".marks");
        let len = marks.metadata().map_or(0, |found| found.len());
        if self.report.marks == 0 && len > 0 {
            self.report.trouble(misfit(marks, len));
        }
        for damage in timeline.verify() {
            self.report.trouble((&damage).into());
        }
    }
}

/// Where the newest mark does not fit, none counts, and nothing could be found by its checksum.
fn misfit(marks: PathBuf, len: u64) -> Trouble {
    Trouble {
        file: marks,
        line: None,
        offset: 0,
        len,
        what: What::Altered,
        text:
            "the newest mark does not fit the log: what stands before it is not what was written, \
               or the files are others; if that was meant, remove the marks"
                .to_owned(),
    }
}

/// Whether the line is whole, and its version, where that is to be known.
fn read(line: &[u8], is_fast: bool, names: &Names) -> Result<Option<u64>, serde_json::Error> {
    let Ok(text) = std::str::from_utf8(line) else {
        // This says which byte is no text.
        return Event::parse(line, names).map(|event| event.version);
    };
    if is_fast {
        return serde_json::from_str::<IgnoredAny>(text).map(|_| None);
    }
    if names.version_field.is_none()
        && let Ok(Versioned {
            version: Some(version),
        }) = serde_json::from_str(text)
    {
        return Ok(Some(version));
    }
    // Wherever else it may be.
    Event::parse(line, names).map(|event| event.version)
}

/// Where almost every event has its version.
#[derive(Deserialize)]
struct Versioned {
    version: Option<u64>,
}

fn note_version(file: &mut FileReport, last: &mut Option<u64>, version: u64) {
    if let Some(last) = *last {
        file.falls += u64::from(version < last);
        file.repeats += u64::from(version == last);
        file.skips += u64::from(version > last.saturating_add(1));
    }
    file.first_version = file.first_version.or(Some(version));
    file.last_version = Some(version);
    *last = Some(version);
}
