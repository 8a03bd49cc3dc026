//! Readers of a log, and readers of the model.

use super::{
    code::{reader, received_code},
    made::Made,
    run::{Following, Judge, Run, Saved},
};
use crate::{
    histories::ops::At,
    model::reader::{Lags, Reader},
    report::Class,
    subject::{
        adapter::Subject,
        log::{Log, Received, Subscription},
    },
    trial::{Parted, guarded},
};

impl<S: Subject> Run<'_, S> {
    pub(super) fn save_cursor(&mut self) -> Result<(), Parted> {
        self.write_cursor("log");
        let text = self.call(|| "log.cursor()".into(), |run| run.log.cursor())?;
        let seen = self.model.history().len() as u64;
        self.cursors.push(Saved {
            text,
            seen,
            window: None,
        });
        Ok(())
    }

    pub(super) fn save_reader_cursor(&mut self, pick: u8) -> Result<(), Parted> {
        self.with_reader(pick, |run, index| {
            let Some(seen) = run.readers[index].ours.seen() else {
                return Ok(());
            };
            let name = reader(run.readers[index].name);
            run.write_cursor(&name);
            let call = || format!("{name}.cursor()");
            let text = run.call(call, |run| run.readers[index].theirs.cursor())?;
            let window = run.readers[index].ours.window();
            run.cursors.push(Saved { text, seen, window });
            Ok(())
        })
        .map(drop)
    }

    pub(super) fn subscribe(&mut self, at: At) -> Result<(), Parted> {
        let since = at.below(&self.model, self.top);
        let call = format!("log.subscribe({since})");
        let ours = self.model.subscribe(since);
        self.follow(&call, ours, |run| run.log.subscribe(since))
    }

    pub(super) fn resume(&mut self, pick: u8) -> Result<(), Parted> {
        let Some((name, saved)) = self.cursor(pick) else {
            return Ok(());
        };
        self.report.visit(Class::Resumed);
        let call = format!("log.resume(&{name})");
        let ours = self.model.resume_within(Some(saved.seen), saved.window);
        self.follow(&call, ours, |run| run.log.resume(&saved.text))
    }

    pub(super) fn follow(
        &mut self,
        call: &str,
        ours: Reader,
        open: impl FnOnce(&Self) -> Box<dyn Subscription<S::Event>>,
    ) -> Result<(), Parted> {
        let name = self.readers.last().map_or(0, |last| last.name + 1);
        self.write(|| format!("let mut {} = {call};", reader(name)));
        let theirs = self.call(|| call.to_owned(), |run| open(run))?;
        self.readers.push(Following {
            name,
            theirs,
            ours,
            overtaken: false,
            forgotten: false,
        });
        Ok(())
    }

    pub(super) fn recv(&mut self, index: usize) -> Result<(), Parted> {
        self.recv_one(index).map(drop)
    }

    /// Receives once; says whether there was something.
    pub(super) fn recv_one(&mut self, index: usize) -> Result<bool, Parted> {
        if self.is_another_laws(index) {
            return Ok(false);
        }
        let call = format!("{}.try_recv()", reader(self.readers[index].name));
        let theirs = self.call(|| call.clone(), |run| run.readers[index].theirs.try_recv())?;
        let ours = self.model.next(&self.readers[index].ours);
        let expected = self.expected(index, &ours);
        let event = self.model.next_event(&self.readers[index].ours).cloned();
        let same = |made: &Made<S::Event>, event: &S::Event| made.event == *event;
        let following = &mut self.readers[index];
        let accepted = self
            .model
            .accept(&mut following.ours, &theirs, self.lags, same);
        self.report.visit(match theirs {
            Received::Event(_) => Class::Delivered,
            Received::Empty => Class::CaughtUp,
            Received::Lagged(_) => Class::Lagged,
            Received::Closed => Class::Closed,
        });
        if accepted {
            let given = match (&theirs, event) {
                (Received::Event(_), Some(event)) => Received::Event(event),
                (Received::Lagged(lost), _) => Received::Lagged(*lost),
                _ => ours,
            };
            self.write(|| format!("assert_eq!({call}, Received::{});", received_code(&given)));
            return Ok(!matches!(theirs, Received::Empty | Received::Closed));
        }
        // A loss that is told where there is none is told wrongly, too.
        let lag = following.overtaken || matches!(theirs, Received::Lagged(_));
        let mine = match self.judge {
            Judge::Lag => lag,
            Judge::Seam => !lag,
            Judge::Live => false,
            _ => true,
        };
        if !mine {
            following.forgotten = true;
            return Ok(false);
        }
        self.write(|| format!("assert_eq!({call}, Received::{});", received_code(&ours)));
        Err(Parted::said(call, expected, format!("{theirs:?}")))
    }

    /// Whether what this reader gets next is not the matter of the law in question.
    fn is_another_laws(&mut self, index: usize) -> bool {
        let following = &mut self.readers[index];
        if self.model.is_overtaken(&following.ours) {
            if !following.overtaken {
                self.report.visit(Class::Overtaken);
            }
            following.overtaken = true;
            following.forgotten |= self.judge == Judge::Seam;
        }
        following.forgotten
    }

    /// What a reader may be given next, in words.
    fn expected(&self, index: usize, ours: &Received<Made<S::Event>>) -> String {
        let event = self.model.next_event(&self.readers[index].ours);
        match (ours, event, self.lags) {
            (Received::Lagged(lost), Some(kept), Lags::Any) => {
                format!("Lagged(1..={lost}), or Event({}), kept", kept.code())
            }
            _ => received_code(ours),
        }
    }

    pub(super) fn is_live(&mut self, index: usize) -> Result<(), Parted> {
        if self.is_another_laws(index) {
            return Ok(());
        }
        let call = format!("{}.is_live()", reader(self.readers[index].name));
        let theirs = self.call(|| call.clone(), |run| run.readers[index].theirs.is_live())?;
        let Some(ours) = self.model.is_live(&self.readers[index].ours) else {
            return Ok(());
        };
        if ours {
            self.report.visit(Class::Live);
        }
        if theirs != ours {
            let not = if ours { "" } else { "!" };
            self.write(|| format!("assert!({not}{call});"));
            return Err(Parted::new(call, ours, theirs));
        }
        Ok(())
    }

    pub(super) fn drain(&mut self, index: usize) -> Result<(), Parted> {
        while self.recv_one(index)? {}
        Ok(())
    }

    pub(super) fn skip_to_newest(&mut self, index: usize) -> Result<(), Parted> {
        self.report.visit(Class::Skipped);
        let call = format!("{}.skip_to_newest()", reader(self.readers[index].name));
        let theirs = self.call(
            || call.clone(),
            |run| run.readers[index].theirs.skip_to_newest(),
        )?;
        let following = &mut self.readers[index];
        if following.forgotten {
            return Ok(());
        }
        let before = following.ours.clone();
        let accepted = self.model.accept_skip(&mut following.ours, theirs);
        let ours = self.model.skip_to_newest(&mut before.clone());
        let given = if accepted { theirs } else { ours };
        self.write(|| format!("assert_eq!({call}, {given});"));
        if !accepted {
            return Err(Parted::new(call, ours, theirs));
        }
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, pick: u8) -> Result<(), Parted> {
        self.with_reader(pick, |run, index| {
            let gone = run.readers.remove(index);
            run.write(|| format!("drop({});", reader(gone.name)));
            guarded("dropping a subscription", || drop(gone.theirs))
        })
        .map(drop)
    }

    pub(super) fn close(&mut self) -> Result<(), Parted> {
        self.write(|| "log.close();".into());
        self.call(|| "log.close()".into(), |run| run.log.close())?;
        self.model.close();
        Ok(())
    }

    pub(super) fn with_reader<T: Default>(
        &mut self,
        pick: u8,
        act: impl FnOnce(&mut Self, usize) -> Result<T, Parted>,
    ) -> Result<T, Parted> {
        match usize::from(pick).checked_rem(self.readers.len()) {
            Some(index) => act(self, index),
            None => Ok(T::default()),
        }
    }

    fn write_cursor(&mut self, of: &str) {
        let name = self.cursors.len();
        self.write(|| format!("let cursor{name} = {of}.cursor();"));
    }
}
