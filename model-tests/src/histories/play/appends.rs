//! Appends, to a log and to the model.

use super::{
    code::list,
    made::Made,
    run::{Judge, Run},
    visit,
};
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
            let made = self.made(&ahead, *step);
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
        let made = self.made(&self.model, step);
        visit::version(&mut self.report, &self.model, made.version);
        made
    }

    fn made(&self, model: &Model<Made<S::Event>>, step: Step) -> Made<S::Event> {
        let newest = model.newest().or(model.base()).unwrap_or(0);
        let least = u64::from(self.judge == Judge::Retained);
        let version = step.below(newest, self.top).max(least);
        let pick = model.history().len() as u32 + 1;
        Made {
            version,
            pick,
            event: self.subject.event(version, pick),
        }
    }
}
