//! What a log is asked, and what the model answers.

use super::{
    code::{assert_events, events, in_order, list, same},
    made::Made,
    run::{Judge, Run},
    visit,
};
use eventlog::Coverage;

use crate::{
    report::Class,
    subject::{
        adapter::Subject,
        log::{Log, Replay},
    },
    trial::Parted,
};

impl<S: Subject> Run<'_, S> {
    pub(super) fn events_since(&mut self, since: u64) -> Result<(), Parted> {
        visit::question(&mut self.report, &self.model, self.capacity, since);
        let call = || format!("log.events_since({since})");
        let theirs = self.call(call, |run| run.log.events_since(since))?;
        if self.judge == Judge::Order {
            return in_order(self.model.history(), &theirs).map_err(|expected| {
                self.write(|| format!("assert_eq!({}, vec!{});", call(), list(&expected)));
                Parted::new(call(), events(&expected), theirs)
            });
        }
        let ours = self.model.events_since(since);
        if !same(&ours, &theirs) {
            self.write(|| assert_events(&call(), &ours));
            return Err(Parted::new(call(), events(&ours), theirs));
        }
        Ok(())
    }

    pub(super) fn replay_truncated(&mut self, since: u64) -> Result<(), Parted> {
        visit::question(&mut self.report, &self.model, self.capacity, since);
        let call = || format!("log.replay_truncated({since})");
        let theirs = self.call(call, |run| run.log.replay_truncated(since))?;
        let ours = if self.judge == Judge::OldestVersion {
            let oldest = self.model.retained().first();
            oldest.is_some_and(|oldest| oldest.version > since.saturating_add(1))
        } else {
            self.model.replay_truncated(since)
        };
        self.report.visit(if ours {
            Class::Truncated
        } else {
            Class::Complete
        });
        if theirs != ours {
            let not = if ours { "" } else { "!" };
            self.write(|| format!("assert!({not}{});", call()));
            return Err(Parted::new(call(), ours, theirs));
        }
        Ok(())
    }

    pub(super) fn replay(&mut self, since: u64) -> Result<(), Parted> {
        visit::question(&mut self.report, &self.model, self.capacity, since);
        let call = format!("log.replay({since})");
        let theirs = self.call(|| call.clone(), |run| run.log.replay(since))?;
        let covered = self.model.covers_since(since, theirs.coverage);
        self.compare(&call, &self.model.replay(since), &theirs, covered)
    }

    pub(super) fn replay_after(&mut self, pick: u8) -> Result<(), Parted> {
        let Some((name, saved)) = self.cursor(pick) else {
            return Ok(());
        };
        visit::filling(&mut self.report, self.model.history().len(), self.capacity);
        let call = format!("log.replay_after(&{name})");
        let theirs = self.call(|| call.clone(), |run| run.log.replay_after(&saved.text))?;
        let seen = Some(saved.seen);
        let covered = self.model.covers_after(seen, theirs.coverage);
        self.compare(&call, &self.model.replay_after(seen), &theirs, covered)
    }

    fn compare(
        &mut self,
        call: &str,
        ours: &Replay<Made<S::Event>>,
        theirs: &Replay<S::Event>,
        covered: bool,
    ) -> Result<(), Parted> {
        if let Some(class) = Class::of_coverage(ours.coverage) {
            self.report.visit(class);
        }
        let events = || same(&ours.events, &theirs.events);
        let is_ahead = |coverage| matches!(coverage, Coverage::Ahead { .. });
        let either_is_ahead = is_ahead(ours.coverage) || is_ahead(theirs.coverage);
        let equal = match self.judge {
            Judge::Order => in_order(self.model.history(), &theirs.events).is_ok(),
            Judge::Events => events(),
            Judge::Truncation | Judge::OldestVersion => covered || either_is_ahead,
            Judge::Instant => ours.newest == theirs.newest,
            Judge::Ahead => covered || !either_is_ahead,
            _ => events() && covered && ours.newest == theirs.newest,
        };
        if equal {
            return Ok(());
        }
        let events = self::events;
        let coverage = if covered {
            theirs.coverage
        } else {
            ours.coverage
        };
        self.write(|| {
            format!(
                "let answer = {call};\n    {}\n    \
                 assert_eq!(answer.coverage, Coverage::{:?});\n    \
                 assert_eq!(answer.newest, {:?});",
                assert_events("answer.events", &ours.events),
                coverage,
                ours.newest
            )
        });
        let expected = Replay {
            events: events(&ours.events),
            coverage,
            newest: ours.newest,
        };
        Err(Parted::new(call, expected, theirs))
    }
}
