//! A reader under watch, and where calls are told.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    call::Call,
    log::{Received, Subscription},
};
use crate::watch::Watch;

/// Where the calls on one log are told.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) watch: Arc<Watch>,
    pub(super) log: u64,
}

impl Told {
    pub(super) fn call<T>(
        &self,
        call: Call,
        say: impl FnOnce() -> String,
        run: impl FnOnce() -> T,
    ) -> T {
        let Some(transcript) = &self.watch.transcript else {
            return self.watch.call(call, run);
        };
        let line = transcript.begin(self.log, &say());
        let answer = self.watch.call(call, run);
        transcript.end(line);
        answer
    }

    /// As the log is called in scripts.
    pub(super) fn name(&self) -> String {
        format!("log{}", self.log)
    }
}

/// A reader whose calls are watched.
pub(super) struct WatchedReader<E> {
    /// There until it is dropped.
    reader: Option<Box<dyn Subscription<E>>>,
    told: Told,
}

impl<E: 'static> WatchedReader<E> {
    pub(super) fn new(reader: Box<dyn Subscription<E>>, told: Told) -> Self {
        Self {
            reader: Some(reader),
            told,
        }
    }

    #[expect(clippy::expect_used, reason = "only `drop` takes the reader")]
    fn reader(&self) -> &dyn Subscription<E> {
        self.reader.as_deref().expect("a reader that lives")
    }

    #[expect(clippy::expect_used, reason = "only `drop` takes the reader")]
    fn call<T>(&mut self, call: Call, run: impl FnOnce(&mut dyn Subscription<E>) -> T) -> T {
        let reader = self.reader.as_deref_mut().expect("a reader that lives");
        let say = || format!("reader of {}: {}();", self.told.name(), call.name());
        self.told.call(call, say, || run(reader))
    }
}

impl<E: 'static> Subscription<E> for WatchedReader<E> {
    fn try_recv(&mut self) -> Received<E> {
        self.call(Call::TryRecv, |reader| reader.try_recv())
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        self.call(Call::PollRecv, |reader| reader.poll_recv(context))
    }

    /// The one call that may take as long as it likes.
    fn blocking_recv(&mut self) -> Received<E> {
        self.call(Call::BlockingRecv, |reader| reader.blocking_recv())
    }

    fn is_live(&self) -> bool {
        let ask = || self.reader().is_live();
        self.told.watch.call(Call::IsLive, ask)
    }

    fn cursor(&self) -> String {
        let ask = || self.reader().cursor();
        self.told.watch.call(Call::Cursor, ask)
    }

    fn skip_to_newest(&mut self) -> u64 {
        self.call(Call::SkipToNewest, |reader| reader.skip_to_newest())
    }
}

impl<E> Drop for WatchedReader<E> {
    fn drop(&mut self) {
        let reader = self.reader.take();
        self.told.watch.call(Call::DropReader, || drop(reader));
    }
}
