//! Appends, to a log and to the model.

use super::{code::list, made::Made, run::Run, visit};
use crate::{
    histories::ops::Step,
    model::log::Model,
    report::Class,
    subject::{adapter::Subject, log::Log},
    trial::Parted,
};

impl<S: Subject> Run<'_, S> {
    pub(super) fn append(&mut self, step: Step) -> Result<(), Parted> {
        let made = self.make(step);
        let call = || format!("log.append({})", made.code());
        self.write(|| format!("{};", call()));
        let theirs = self.call(call, |run| run.log.append(made.event.clone()))?;
        let ours = self.model.append(made.clone());
        self.retain();
        if theirs.is_some_and(|theirs| theirs != ours) {
            self.replace(|| format!("assert_eq!({}, Some({ours}));", call()));
            return Err(Parted::new(call(), Some(ours), theirs));
        }
        Ok(())
    }

    pub(super) fn append_batch(&mut self, steps: &[Step]) -> Result<(), Parted> {
        let mut ahead = self.model.clone();
        let mut batch = Vec::new();
        for step in steps {
            let made = make(self.subject, &ahead, *step, self.top);
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
        self.retain();
        Ok(())
    }

    pub(super) fn append_with(&mut self, step: Step) -> Result<(), Parted> {
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
        self.retain();
        Ok(())
    }

    pub(super) fn fill(&mut self, more: i8) -> Result<(), Parted> {
        let count = self.capacity.saturating_add_signed(isize::from(more));
        (0..count).try_for_each(|_| self.append(Step::Next))
    }

    fn make(&mut self, step: Step) -> Made<S::Event> {
        let made = make(self.subject, &self.model, step, self.top);
        visit::version(&mut self.report, &self.model, made.version);
        made
    }
}

fn make<S: Subject>(
    subject: &S,
    model: &Model<Made<S::Event>>,
    step: Step,
    top: u64,
) -> Made<S::Event> {
    let version = step.below(model.newest().or(model.base()).unwrap_or(0), top);
    let pick = model.history().len() as u32 + 1;
    Made {
        version,
        pick,
        event: subject.event(version, pick),
    }
}
