//! The judge: plays a history on a log and on the model, and compares every answer.

use std::{
    any::Any,
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
};

use eventlog::Versioned;

mod asks;
mod code;
mod readers;
mod visit;

use code::list;

use crate::{
    Case, Class, History, Log, Model, Op, Reader, Report, Step, Subject, Subscription,
    check::Parted, ops::pick_of,
};

/// What is demanded of `events_since` and `replay_truncated`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Judge {
    /// What the model answers.
    Exact,
    /// Only that events come in the order in which they were appended.
    Order,
    /// On dense versions: the comparison of the oldest version with the one asked for.
    OldestVersion,
}

/// An event and what it was made of, so that it can be written down as code.
#[derive(Clone, Debug)]
pub(crate) struct Made<E> {
    version: u64,
    pick: u32,
    event: E,
}

impl<E> Versioned for Made<E> {
    fn version(&self) -> u64 {
        self.version
    }
}

impl<E> Made<E> {
    fn code(&self) -> String {
        format!("subject.event({}, {})", self.version, self.pick)
    }
}

/// A log and the model, side by side.
pub(crate) struct Run<'a, S: Subject> {
    subject: &'a S,
    judge: Judge,
    capacity: usize,
    log: S::Log,
    model: Model<Made<S::Event>>,
    readers: Vec<Following<S::Event>>,
    cursors: Vec<(String, u64)>,
    pub(crate) report: Report,
    code: Option<Vec<String>>,
    /// Dropped last: the log may have files in its directory.
    _case: Case,
}

struct Following<E> {
    name: usize,
    theirs: Box<dyn Subscription<E>>,
    ours: Reader,
}

impl<'a, S: Subject> Run<'a, S> {
    /// Opens a log for a history. With `record`, each step is written down as code.
    pub(crate) fn open(
        subject: &'a S,
        judge: Judge,
        history: &History,
        record: bool,
    ) -> Result<Self, Parted> {
        let mut case = Case::new(history.capacity);
        case.base_version = history.base;
        let open = format!("open with {case:?}");
        let opened = guarded(&open, || subject.open(&case))?;
        let log = opened.map_err(|error| Parted::said(&open, "an open log", error.to_string()))?;
        let mut run = Self {
            subject,
            judge,
            capacity: history.capacity,
            log,
            model: Model::new(history.capacity, history.base),
            readers: Vec::new(),
            cursors: Vec::new(),
            report: Report::default(),
            code: record.then(Vec::new),
            _case: case,
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

    /// Does one operation and compares what is said.
    pub(crate) fn step(&mut self, op: &Op) -> Result<(), Parted> {
        match op {
            Op::Append(step) => self.append(*step),
            Op::AppendBatch(steps) => self.append_batch(steps),
            Op::AppendWith(step) => self.append_with(*step),
            Op::Fill(more) => self.fill(*more),
            Op::EventsSince(at) => self.events_since(at.version(&self.model)),
            Op::ReplayTruncated(at) => self.replay_truncated(at.version(&self.model)),
            Op::Replay(at) => self.replay(at.version(&self.model)),
            Op::SaveCursor => self.save_cursor(),
            Op::SaveReaderCursor(pick) => self.save_reader_cursor(*pick),
            Op::ReplayAfter(pick) => self.replay_after(*pick),
            Op::Subscribe(at) => self.subscribe(*at),
            Op::Resume(pick) => self.resume(*pick),
            Op::Recv(pick) => self.with_reader(*pick, Self::recv).map(drop),
            Op::SkipToNewest(pick) => self.with_reader(*pick, Self::skip_to_newest).map(drop),
            Op::Unsubscribe(pick) => self.unsubscribe(*pick),
            Op::Close => self.close(),
            Op::Drain => (0..self.readers.len()).try_for_each(|index| self.drain(index)),
        }
    }

    fn append(&mut self, step: Step) -> Result<(), Parted> {
        let made = self.make(step);
        let call = || format!("log.append({})", made.code());
        self.write(|| format!("{};", call()));
        let theirs = self.call(call, |run| run.log.append(made.event.clone()))?;
        let ours = self.model.append(made.clone());
        if theirs.is_some_and(|theirs| theirs != ours) {
            self.replace(|| format!("assert_eq!({}, Some({ours}));", call()));
            return Err(Parted::new(call(), Some(ours), theirs));
        }
        Ok(())
    }

    fn append_batch(&mut self, steps: &[Step]) -> Result<(), Parted> {
        let mut ahead = self.model.clone();
        let mut batch = Vec::new();
        for step in steps {
            let made = make(self.subject, &ahead, *step);
            visit::version(&mut self.report, &ahead, made.version);
            ahead.append(made.clone());
            batch.push(made);
        }
        if batch.len() > 1 {
            self.report.visit(Class::Batch);
        }
        let call = || format!("log.append_batch(vec!{})", list(&batch));
        self.write(|| format!("{};", call()));
        let events = batch.iter().map(|made| made.event.clone()).collect();
        self.call(call, |run| run.log.append_batch(events))?;
        self.model = ahead;
        Ok(())
    }

    fn append_with(&mut self, step: Step) -> Result<(), Parted> {
        let made = self.make(step);
        let ours = self.model.newest();
        let mut theirs = None;
        let call = || format!("log.append_with(&mut |newest| {})", made.code());
        self.write(|| {
            format!(
                "log.append_with(&mut |newest| {{\n        assert_eq!(newest, {ours:?});\n        \
                 {}\n    }});",
                made.code()
            )
        });
        self.call(call, |run| {
            run.log.append_with(&mut |newest| {
                theirs = Some(newest);
                made.event.clone()
            });
        })?;
        if theirs != Some(ours) {
            return Err(Parted::new(
                format!("the closure of {}", call()),
                Some(ours),
                theirs,
            ));
        }
        self.model.append(made);
        Ok(())
    }

    fn fill(&mut self, more: i8) -> Result<(), Parted> {
        let count = self.capacity.saturating_add_signed(isize::from(more));
        (0..count).try_for_each(|_| self.append(Step::Next))
    }

    fn make(&mut self, step: Step) -> Made<S::Event> {
        let made = make(self.subject, &self.model, step);
        visit::version(&mut self.report, &self.model, made.version);
        made
    }

    fn cursor(&self, pick: u8) -> Option<(String, String, u64)> {
        let index = usize::from(pick).checked_rem(self.cursors.len())?;
        let (text, seen) = pick_of(&self.cursors, pick)?;
        Some((format!("cursor{index}"), text.clone(), *seen))
    }

    /// Runs the log's code; a panic in it is where it parts.
    fn call<T>(
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

    fn write(&mut self, line: impl FnOnce() -> String) {
        if let Some(code) = &mut self.code {
            code.push(line());
        }
    }

    fn replace(&mut self, line: impl FnOnce() -> String) {
        if let Some(code) = &mut self.code {
            code.pop();
            code.push(line());
        }
    }
}

fn make<S: Subject>(subject: &S, model: &Model<Made<S::Event>>, step: Step) -> Made<S::Event> {
    let version = step.from(model.newest().or(model.base()).unwrap_or(0));
    let pick = model.history().len() as u32 + 1;
    Made {
        version,
        pick,
        event: subject.event(version, pick),
    }
}

/// Runs the subject's code; a panic in it is where it parts.
pub(crate) fn guarded<T>(call: &str, run: impl FnOnce() -> T) -> Result<T, Parted> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|panic| Parted::said(call, "no panic", panic_text(panic.as_ref())))
}

pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a panic: {}", text.unwrap_or("of a value that is no text"))
}
