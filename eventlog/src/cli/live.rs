//! A log that is being written: its next lines, and its next marks.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use eventlog::disk::{Follow, Timeline};
use serde::de::IgnoredAny;

use crate::input::Visit;
use crate::lock::beside;
use crate::outcome::Stop;
use crate::scan::Scan;
use crate::story::Story;

/// How often it is looked for new marks at least.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// Hands the next line on. False if there is none yet.
pub(crate) fn visit_next(
    follow: &mut Follow<IgnoredAny>,
    visit: &mut impl Visit,
) -> Result<bool, Stop> {
    match follow.next_line() {
        Some(Ok(line)) => visit.line(line.into())?,
        Some(Err(damage)) => visit.trouble((&damage).into(), &[])?,
        None => return Ok(false),
    }
    Ok(true)
}

/// The marks of a log that is being written.
pub(crate) struct Marks {
    log: PathBuf,
    path: PathBuf,
    /// How long their file was, and when it was changed.
    seen: Option<(u64, SystemTime)>,
    /// Of the newest turn that was there.
    newest: Option<SystemTime>,
}

impl Marks {
    pub(crate) fn of(log: &Path) -> Self {
        let path = beside(log, ".marks");
        Self {
            log: log.to_path_buf(),
            seen: stamp(&path),
            path,
            newest: None,
        }
    }

    /// What a scan has already that was made after this.
    pub(crate) fn has(&mut self, scan: &Scan) {
        self.newest = scan.story.newest();
    }

    /// Takes up what is new in them. Says whether there is anything.
    pub(crate) fn look(&mut self, scan: &mut Scan) -> bool {
        let found = stamp(&self.path);
        if found.is_none() || found == self.seen {
            return false;
        }
        self.seen = found;
        let timeline = Timeline::of(&self.log);
        let mut story = Story::of(&timeline);
        story.forget_until(self.newest);
        self.newest = self.newest.max(story.newest());
        scan.story.add(story);
        scan.clock.renew(timeline);
        true
    }
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let found = path.metadata().ok()?;
    Some((found.len(), found.modified().ok()?))
}
