//! A log and the model, side by side, and the record of what was done to both.

use std::{
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{made::Made, visit};
use crate::{
    histories::ops::{History, pick_of},
    model::{
        log::Model,
        reader::{Lags, Reader, Window},
    },
    report::Report,
    subject::{adapter::Subject, capability::Capability, case::Case, log::Subscription},
    trial::{Budget, Parted, guarded, panic_text},
};

/// What of the answers is compared: what the law in question speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Judge {
    /// All of it.
    Exact,
    /// Only that events come in the order in which they were appended.
    Order,
    /// All of it, where no version is 0.
    Retained,
    /// Which events a replay has.
    Events,
    /// Which version is the newest.
    Instant,
    /// Whether a replay is truncated, and through which version.
    Truncation,
    /// Whether a question is ahead of the log.
    Ahead,
    /// On dense versions: the comparison of the oldest version with the one asked for.
    OldestVersion,
    /// What readers get whom no eviction overtakes.
    Seam,
    /// What readers get once an eviction has overtaken them.
    Lag,
    /// Whether readers are live.
    Live,
}

/// A log and the model, side by side.
pub(crate) struct Run<'a, S: Subject> {
    pub(super) subject: &'a S,
    pub(super) judge: Judge,
    pub(super) capacity: usize,
    pub(super) log: S::Log,
    pub(super) model: Model<Made<S::Event>>,
    pub(super) readers: Vec<Following<S::Event>>,
    pub(super) cursors: Vec<Saved>,
    /// The highest version there is.
    pub(super) top: u64,
    pub(super) lags: Lags,
    pub(crate) report: Report,
    code: Option<Vec<String>>,
    /// Dropped last: the log may have files in its directory.
    case: Case,
}

/// A cursor, and the place in the history that it stands for.
#[derive(Clone, Debug)]
pub(super) struct Saved {
    pub(super) text: String,
    pub(super) seen: u64,
    pub(super) window: Option<Window>,
}

/// A reader of the log and one of the model, which must get the same.
pub(super) struct Following<E> {
    pub(super) name: usize,
    pub(super) theirs: Box<dyn Subscription<E>>,
    pub(super) ours: Reader,
    /// An eviction came before it.
    pub(super) overtaken: bool,
    /// What it gets is another law's matter.
    pub(super) forgotten: bool,
}

impl<'a, S: Subject> Run<'a, S> {
    /// Opens a log for a history. With `record`, each step is written down as code.
    pub(crate) fn open(
        (subject, budget): (&'a S, &Budget),
        (judge, top): (Judge, u64),
        history: &History,
        record: bool,
    ) -> Result<Self, Parted> {
        let mut case = Case::new(history.capacity);
        case.base_version = history.base;
        let open = format!("open with a capacity of {}", case.capacity);
        let opened = guarded(&open, || subject.open(&case))?;
        let log = opened.map_err(|error| Parted::said(open, "an open log", error.to_string()))?;
        let once = budget.has(Capability::LagOnce);
        let mut run = Self {
            subject,
            judge,
            capacity: history.capacity,
            log,
            model: Model::new(history.capacity, history.base),
            readers: Vec::new(),
            cursors: Vec::new(),
            top,
            lags: if once { Lags::Once } else { Lags::Any },
            report: Report::default(),
            code: record.then(Vec::new),
            case,
        };
        visit::settings(&mut run.report, history);
        run.write(|| {
            let base = history
                .base
                .map_or(String::new(), |base| format!(".with_base({base})"));
            format!(
                "let case = Case::new({}){base};\n    \
                 let log = &subject.open(&case).unwrap() as &dyn Log<_>;",
                history.capacity
            )
        });
        Ok(run)
    }

    /// How many events were appended.
    pub(in crate::histories) fn appended(&self) -> usize {
        self.model.history().len()
    }

    /// The steps so far, as the body of a test.
    pub(crate) fn code(&self) -> String {
        self.code
            .iter()
            .flatten()
            .fold(String::new(), |mut code, line| {
                let _ = writeln!(code, "    {line}");
                code
            })
    }

    pub(super) fn cursor(&self, pick: u8) -> Option<(String, Saved)> {
        let index = usize::from(pick).checked_rem(self.cursors.len())?;
        let saved = pick_of(&self.cursors, pick)?;
        Some((format!("cursor{index}"), saved.clone()))
    }

    /// Lets the model retain what the subject says that it does.
    pub(super) fn retain(&mut self) {
        let appended = self.model.history().len() as u64;
        self.model
            .retain(self.subject.retains(&self.case, appended));
    }

    /// Runs the log's code; a panic in it is where it parts.
    pub(super) fn call<T>(
        &mut self,
        call: impl Fn() -> String,
        run: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, Parted> {
        match catch_unwind(AssertUnwindSafe(|| run(self))) {
            Ok(answer) => Ok(answer),
            Err(panic) => {
                let line = format!("{};", call());
                if self
                    .code
                    .as_ref()
                    .is_some_and(|code| code.last() != Some(&line))
                {
                    self.write(|| line);
                }
                Err(Parted::said(call(), "no panic", panic_text(panic.as_ref())))
            }
        }
    }

    pub(super) fn write(&mut self, line: impl FnOnce() -> String) {
        if let Some(code) = &mut self.code {
            code.push(line());
        }
    }

    pub(super) fn replace(&mut self, line: impl FnOnce() -> String) {
        if let Some(code) = &mut self.code {
            code.pop();
            code.push(line());
        }
    }
}
