//! Readers of a log, and readers of the model.

use super::{
    code::{reader, received_code},
    run::{Following, Run},
};
use crate::{
    histories::ops::At,
    model::reader::Reader,
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
        self.cursors.push((text, self.model.history().len() as u64));
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
            run.cursors.push((text, seen));
            Ok(())
        })
        .map(drop)
    }

    pub(super) fn subscribe(&mut self, at: At) -> Result<(), Parted> {
        let since = at.version(&self.model);
        let call = format!("log.subscribe({since})");
        let ours = self.model.subscribe(since);
        self.follow(&call, ours, |run| run.log.subscribe(since))
    }

    pub(super) fn resume(&mut self, pick: u8) -> Result<(), Parted> {
        let Some((name, text, seen)) = self.cursor(pick) else {
            return Ok(());
        };
        self.report.visit(Class::Resumed);
        let call = format!("log.resume(&{name})");
        let ours = self.model.resume(Some(seen));
        self.follow(&call, ours, |run| run.log.resume(&text))
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
        self.readers.push(Following { name, theirs, ours });
        Ok(())
    }

    pub(super) fn recv(&mut self, index: usize) -> Result<(), Parted> {
        self.recv_one(index).map(drop)
    }

    /// Receives once; says whether there was something.
    pub(super) fn recv_one(&mut self, index: usize) -> Result<bool, Parted> {
        let call = format!("{}.try_recv()", reader(self.readers[index].name));
        let theirs = self.call(|| call.clone(), |run| run.readers[index].theirs.try_recv())?;
        let ours = self.model.recv(&mut self.readers[index].ours);
        self.write(|| format!("assert_eq!({call}, Received::{});", received_code(&ours)));
        let (same, class) = match (&ours, &theirs) {
            (Received::Event(ours), Received::Event(theirs)) => {
                (ours.event == *theirs, Class::Delivered)
            }
            (Received::Lagged(ours), Received::Lagged(theirs)) => (ours == theirs, Class::Lagged),
            (Received::Empty, Received::Empty) => (true, Class::CaughtUp),
            (Received::Closed, Received::Closed) => (true, Class::Closed),
            _ => (false, Class::Delivered),
        };
        self.report.visit(class);
        if !same {
            return Err(Parted::said(
                call,
                received_code(&ours),
                format!("{theirs:?}"),
            ));
        }
        Ok(!matches!(ours, Received::Empty | Received::Closed))
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
        let ours = self.model.skip_to_newest(&mut self.readers[index].ours);
        self.write(|| format!("assert_eq!({call}, {ours});"));
        if theirs != ours {
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
