//! What a verification found, for people and for programs.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::lock::{Holder, beside};
use crate::outcome::{Outcome, Stop};
use crate::output::Output;
use crate::text::clean;
use crate::trouble::{Trouble, What, short};

/// How many troubles are told one by one.
const MAX_TOLD: usize = 100;

pub(super) struct Report {
    files: Vec<FileReport>,
    troubles: Vec<Trouble>,
    /// How many more there are.
    untold: usize,
    has_unreadable: bool,
    is_damaged: bool,
    pub(super) marks: usize,
    leftovers: Vec<(PathBuf, &'static str)>,
    holder: Option<Holder>,
}

#[derive(Default)]
pub(super) struct FileReport {
    path: PathBuf,
    pub(super) bytes: u64,
    pub(super) events: u64,
    /// Gap lines, and how many events they count.
    pub(super) gaps: u64,
    pub(super) lost: u64,
    pub(super) damage: u64,
    pub(super) first_version: Option<u64>,
    pub(super) last_version: Option<u64>,
    /// Of each event beside the one before it.
    pub(super) falls: u64,
    pub(super) repeats: u64,
    pub(super) skips: u64,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            files: Vec::new(),
            troubles: Vec::new(),
            untold: 0,
            has_unreadable: false,
            is_damaged: false,
            marks: 0,
            leftovers: Vec::new(),
            holder: None,
        }
    }

    /// Of the file that is read, which is mostly the same as before.
    pub(super) fn file(&mut self, path: &Path) -> &mut FileReport {
        let is_it = |file: &FileReport| file.path.as_os_str() == path.as_os_str();
        let at = self.files.iter().rposition(is_it).unwrap_or_else(|| {
            self.files.push(FileReport {
                path: path.to_path_buf(),
                ..FileReport::default()
            });
            self.files.len() - 1
        });
        &mut self.files[at]
    }

    pub(super) fn trouble(&mut self, trouble: Trouble) {
        if trouble.what == What::Unreadable {
            // Met by who reads the lines, and again by who compares the marks.
            let is_it = |told: &Trouble| told.what == trouble.what && told.file == trouble.file;
            if self.troubles.iter().any(is_it) {
                return;
            }
            self.has_unreadable = true;
        } else {
            self.is_damaged = true;
            self.file(&trouble.file).damage += 1;
        }
        if self.troubles.len() < MAX_TOLD {
            self.troubles.push(trouble);
        } else {
            self.untold += 1;
        }
    }

    /// What stands beside the log and should not, and who writes it.
    pub(super) fn look_beside(&mut self, path: &Path) {
        let leftovers = [
            (
                ".suspect",
                "a sync failed; what can be read may not be on the disk",
            ),
            (".tmp", "a copy that was never finished"),
            (".marks.tmp", "marks that were never finished"),
            (".torn", "unfinished lines that a repair set aside"),
        ];
        let found = leftovers.map(|(ending, what)| (beside(path, ending), what));
        self.leftovers = found
            .into_iter()
            .filter(|(path, _)| path.exists())
            .collect();
        self.holder = Some(Holder::of(path));
    }

    pub(super) fn outcome(&self, is_strict: bool) -> Outcome {
        if self.has_unreadable {
            Outcome::Unreadable
        } else if self.is_damaged {
            Outcome::Damaged
        } else if is_strict && self.files.iter().any(|file| file.gaps > 0) {
            Outcome::Gaps
        } else {
            Outcome::Clean
        }
    }

    pub(super) fn print(&self, outcome: Outcome, is_fast: bool) -> Result<(), Stop> {
        let mut output = Output::new();
        let width = self
            .files
            .iter()
            .map(|file| short(&file.path).chars().count())
            .max();
        let width = width.unwrap_or(0).max("FILE".len());
        output.line(&format!(
            "{:width$}  {:>10}  {:>9}  {:>5}  {:>7}  VERSIONS",
            "FILE", "BYTES", "EVENTS", "GAPS", "DAMAGED"
        ))?;
        for file in &self.files {
            let versions = match (file.first_version, file.last_version) {
                (Some(first), Some(last)) => format!("{first} to {last}"),
                _ if is_fast => "not read".to_owned(),
                _ => "none".to_owned(),
            };
            let line = format!(
                "{:width$}  {:>10}  {:>9}  {:>5}  {:>7}  {versions}",
                clean(&short(&file.path)),
                file.bytes,
                file.events,
                file.gaps,
                file.damage
            );
            output.line(&line)?;
        }
        for line in self.remarks() {
            output.line(&clean(&line))?;
        }
        for trouble in &self.troubles {
            output.line(&clean(&format!("!! {}: {}", trouble.place(), trouble.text)))?;
        }
        if self.untold > 0 {
            output.line(&format!("!! and {} more", self.untold))?;
        }
        output.line(match outcome {
            Outcome::Unreadable => "NOT VERIFIED: something could not be read",
            Outcome::Damaged => "DAMAGED",
            Outcome::Gaps => "GAPS",
            Outcome::Clean | Outcome::Nothing => "INTACT",
        })?;
        output.flush()?;
        Ok(())
    }

    fn remarks(&self) -> Vec<String> {
        let sum = |of: fn(&FileReport) -> u64| self.files.iter().map(of).sum::<u64>();
        let mut lines = Vec::new();
        let lost = sum(|file| file.lost);
        if lost > 0 {
            lines.push(format!("gaps: {lost} events were never written"));
        }
        let order = [
            (sum(|file| file.falls), "fall"),
            (sum(|file| file.repeats), "repeat"),
            (sum(|file| file.skips), "skip"),
        ];
        for (count, what) in order {
            if count > 0 {
                lines.push(format!("versions {what} in {count} places, which is legal"));
            }
        }
        match self.marks {
            0 => lines.push("marks: none that fit, so no checksums".to_owned()),
            marks => lines.push(format!("marks: {marks}")),
        }
        for (path, what) in &self.leftovers {
            lines.push(format!("{}: {what}", short(path)));
        }
        if let Some(holder) = self.holder {
            lines.push(format!("written by: {}", holder.text()));
        }
        lines
    }

    pub(super) fn print_json(&self, outcome: Outcome) -> Result<(), Stop> {
        let files = self.files.iter().map(|file| {
            json!({
                "file": file.path.to_string_lossy(),
                "bytes": file.bytes,
                "events": file.events,
                "gaps": file.gaps,
                "lost": file.lost,
                "damaged": file.damage,
                "first_version": file.first_version,
                "last_version": file.last_version,
                "falls": file.falls,
                "repeats": file.repeats,
                "skips": file.skips,
            })
        });
        let troubles = self.troubles.iter().map(|trouble| {
            json!({
                "file": trouble.file.to_string_lossy(),
                "line": trouble.line,
                "offset": trouble.offset,
                "len": trouble.len,
                "damage": trouble.what.word(),
                "text": trouble.text,
            })
        });
        let report = json!({
            "result": match outcome {
                Outcome::Unreadable => "unreadable",
                Outcome::Damaged => "damaged",
                Outcome::Gaps => "gaps",
                Outcome::Clean | Outcome::Nothing => "intact",
            },
            "files": files.collect::<Vec<Value>>(),
            "damage": troubles.collect::<Vec<Value>>(),
            "more_damage": self.untold,
            "marks": self.marks,
            "leftovers": self.leftovers.iter().map(|(path, _)| short(path)).collect::<Vec<_>>(),
            "writer": self.holder.and_then(Holder::pid),
        });
        let mut output = Output::new();
        output.line(&report.to_string())?;
        output.flush()?;
        Ok(())
    }
}
