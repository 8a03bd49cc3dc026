//! A subject under watch: every call is known from its beginning to its end.
//!
//! A method that the traits get is passed on here as well, or the laws find the subject lacking.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    adapter::{Following, Line, Subject},
    attempt::Attempt,
    call::Call,
    case::Case,
    log::{Lease, Log, Numbering, OpenError, Page, Replay, Subscription},
    probe::Probe,
    watched_reader::{Told, WatchedReader},
};
use crate::{transcript::Transcript, watch::Watch};

/// A subject whose calls are watched.
pub(crate) struct Watched<S> {
    subject: Arc<S>,
    watch: Arc<Watch>,
}

impl<S> Watched<S> {
    pub(crate) fn new(subject: Arc<S>, watch: Arc<Watch>) -> Self {
        Self { subject, watch }
    }
}

impl<S: Subject> Subject for Watched<S> {
    type Event = S::Event;
    type Log = WatchedLog<S::Log>;

    fn open(&self, case: &Case) -> Result<Self::Log, OpenError> {
        let open = |transcript: &Transcript| transcript.open(case.is_fresh());
        let number = self.watch.transcript.as_ref().map_or(0, open);
        let told = Told {
            watch: self.watch.clone(),
            log: number,
        };
        let name = told.name();
        let say = || format!("let {name} = subject.open(&Case::new({}));", case.capacity);
        let log = told.call(Call::Open, say, || self.subject.open(case))?;
        Ok(WatchedLog {
            log: Some(log),
            told,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Self::Event {
        let make = || self.subject.event(version, pick);
        self.watch.call(Call::Event, make)
    }

    fn probed_event(&self, version: u64, probe: &Probe) -> Self::Event {
        let make = || self.subject.probed_event(version, probe);
        self.watch.call(Call::ProbedEvent, make)
    }

    fn extreme_event(&self, version: u64, pick: u32) -> Option<Self::Event> {
        let make = || self.subject.extreme_event(version, pick);
        self.watch.call(Call::ExtremeEvent, make)
    }

    fn retains(&self, case: &Case, appended: u64) -> u64 {
        let ask = || self.subject.retains(case, appended);
        self.watch.call(Call::Settings, ask)
    }

    fn segment(&self, case: &Case) -> usize {
        self.watch
            .call(Call::Settings, || self.subject.segment(case))
    }

    fn reader_pins(&self, case: &Case) -> usize {
        self.watch
            .call(Call::Settings, || self.subject.reader_pins(case))
    }

    fn shows_within(&self) -> Duration {
        let ask = || self.subject.shows_within();
        self.watch.call(Call::Settings, ask)
    }

    fn handle(&self, case: &Case, log: &Self::Log) -> Result<Option<Self::Log>, OpenError> {
        let open = |transcript: &Transcript| transcript.open(case.is_fresh());
        let told = Told {
            watch: self.watch.clone(),
            log: self.watch.transcript.as_ref().map_or(0, open),
        };
        let (name, of) = (told.name(), log.told.name());
        let say = || format!("let {name} = subject.handle(&case, &{of});");
        let further = told.call(Call::Handle, say, || self.subject.handle(case, log.log()))?;
        Ok(further.map(|log| WatchedLog {
            log: Some(log),
            told,
        }))
    }

    fn numbering(&self, case: &Case) -> Result<Box<dyn Numbering>, OpenError> {
        let open = |transcript: &Transcript| transcript.open(case.is_fresh());
        let told = Told {
            watch: self.watch.clone(),
            log: self.watch.transcript.as_ref().map_or(0, open),
        };
        let name = told.name();
        let say = || {
            let capacity = case.capacity;
            format!("let {name} = subject.numbering(&Case::new({capacity}));")
        };
        let log = told.call(Call::Numbering, say, || self.subject.numbering(case))?;
        Ok(Box::new(WatchedNumbering { log, told }))
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Self::Event>>, OpenError> {
        let read = || self.subject.read_back(case);
        let watched = || self.watch.call(Call::ReadBack, read);
        match &self.watch.transcript {
            Some(transcript) => transcript.on_files("subject.read_back(&case);", watched),
            None => watched(),
        }
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        self.watch.call(Call::Files, || self.subject.files(case))
    }

    fn follow(&self, case: &Case) -> Result<Following<Self::Event>, OpenError> {
        let mut next = self
            .watch
            .call(Call::Follow, || self.subject.follow(case))?;
        let watch = self.watch.clone();
        Ok(Box::new(move || watch.call(Call::FollowNext, &mut next)))
    }

    fn line(&self, event: &Self::Event) -> String {
        self.watch.call(Call::Line, || self.subject.line(event))
    }
}

/// A log that numbers its events, whose calls are watched.
struct WatchedNumbering {
    log: Box<dyn Numbering>,
    told: Told,
}

impl Numbering for WatchedNumbering {
    fn push(&self, payload: u32) -> u64 {
        let say = || format!("{}.push({payload});", self.told.name());
        self.told.call(Call::Append, say, || self.log.push(payload))
    }

    fn retained(&self) -> Vec<(u64, u32)> {
        let say = || format!("{}.retained();", self.told.name());
        self.told
            .call(Call::EventsSince, say, || self.log.retained())
    }
}

impl Drop for WatchedNumbering {
    fn drop(&mut self) {
        if let Some(transcript) = &self.told.watch.transcript {
            transcript.close(self.told.log);
        }
    }
}

/// A log whose calls are watched.
pub(crate) struct WatchedLog<L> {
    /// There until it is dropped or shut down.
    log: Option<L>,
    told: Told,
}

impl<L> WatchedLog<L> {
    #[expect(
        clippy::expect_used,
        reason = "only `shutdown` and `drop` take the log"
    )]
    fn log(&self) -> &L {
        self.log.as_ref().expect("a log that was not shut down")
    }

    fn call<T>(
        &self,
        call: Call,
        arguments: impl FnOnce() -> String,
        run: impl FnOnce(&L) -> T,
    ) -> T {
        let say = || format!("{}.{}({});", self.told.name(), call.name(), arguments());
        self.told.call(call, say, || run(self.log()))
    }

    fn follow<E: 'static>(
        &self,
        call: Call,
        argument: impl FnOnce() -> String,
        open: impl FnOnce(&L) -> Box<dyn Subscription<E>>,
    ) -> Box<dyn Subscription<E>> {
        let reader = self.call(call, argument, open);
        Box::new(WatchedReader::new(reader, self.told.clone()))
    }
}

impl<E: std::fmt::Debug + 'static, L: Log<E>> Log<E> for WatchedLog<L> {
    fn append(&self, event: E) -> Option<u64> {
        let text = self
            .told
            .watch
            .transcript
            .is_some()
            .then(|| format!("{event:?}"));
        self.call(
            Call::Append,
            || text.unwrap_or_default(),
            |log| log.append(event),
        )
    }

    fn try_append(&self, event: E) -> Attempt {
        let is_told = self.told.watch.transcript.is_some();
        let text = is_told.then(|| format!("{event:?}"));
        self.call(
            Call::TryAppend,
            || text.unwrap_or_default(),
            |log| log.try_append(event),
        )
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        self.call(
            Call::EventsSince,
            || since.to_string(),
            |log| log.events_since(since),
        )
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.call(
            Call::ReplayTruncated,
            || since.to_string(),
            |log| log.replay_truncated(since),
        )
    }

    fn replay(&self, since: u64) -> Replay<E> {
        self.call(Call::Replay, || since.to_string(), |log| log.replay(since))
    }

    fn append_batch(&self, events: Vec<E>) {
        let text = self
            .told
            .watch
            .transcript
            .is_some()
            .then(|| format!("{events:?}"));
        self.call(
            Call::AppendBatch,
            || text.unwrap_or_default(),
            |log| log.append_batch(events),
        );
    }

    fn append_with(&self, make: &mut dyn FnMut(Option<u64>) -> E) {
        self.call(
            Call::AppendWith,
            || "|newest| …".into(),
            |log| log.append_with(make),
        );
    }

    fn cursor(&self) -> String {
        self.call(Call::Cursor, String::new, Log::cursor)
    }

    fn replay_after(&self, cursor: &str) -> Replay<E> {
        self.call(
            Call::ReplayAfter,
            || format!("{cursor:?}"),
            |log| log.replay_after(cursor),
        )
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<E>> {
        self.follow(
            Call::Subscribe,
            || since.to_string(),
            |log| log.subscribe(since),
        )
    }

    fn subscribe_stored(&self, since: u64) -> Box<dyn Subscription<E>> {
        self.follow(
            Call::SubscribeStored,
            || since.to_string(),
            |log| log.subscribe_stored(since),
        )
    }

    fn resume(&self, cursor: &str) -> Box<dyn Subscription<E>> {
        self.follow(
            Call::Resume,
            || format!("{cursor:?}"),
            |log| log.resume(cursor),
        )
    }

    fn lease(&self, events: u64) -> Box<dyn Lease> {
        self.call(Call::Lease, || events.to_string(), |log| log.lease(events))
    }

    fn page(&self, since: u64, events: usize) -> Page<E> {
        self.call(
            Call::Page,
            || format!("{since}, {events}"),
            |log| log.page(since, events),
        )
    }

    fn page_after(&self, cursor: &str, events: usize) -> Page<E> {
        self.call(
            Call::PageAfter,
            || format!("{cursor:?}, {events}"),
            |log| log.page_after(cursor, events),
        )
    }

    fn subscribe_if(&self, since: u64, keeps: fn(&E) -> bool) -> Box<dyn Subscription<E>> {
        self.follow(
            Call::SubscribeIf,
            || format!("{since}, keeps"),
            |log| log.subscribe_if(since, keeps),
        )
    }

    fn close(&self) {
        self.call(Call::Close, String::new, Log::close);
    }

    fn flush(&self) -> Result<(), OpenError> {
        self.call(Call::Flush, String::new, Log::flush)
    }

    fn shutdown(mut self) -> Result<(), OpenError> {
        let Some(log) = self.log.take() else {
            return Ok(());
        };
        let say = || format!("{}.shutdown();", self.told.name());
        self.told.call(Call::Shutdown, say, || log.shutdown())
    }

    fn shutdown_within(mut self, timeout: Duration) -> Result<(), Vec<u64>> {
        let Some(log) = self.log.take() else {
            return Ok(());
        };
        let say = || format!("{}.shutdown_within({timeout:?});", self.told.name());
        self.told
            .call(Call::ShutdownWithin, say, || log.shutdown_within(timeout))
    }
}

impl<L> Drop for WatchedLog<L> {
    fn drop(&mut self) {
        let log = self.log.take();
        self.told.watch.call(Call::DropLog, || drop(log));
        if let Some(transcript) = &self.told.watch.transcript {
            transcript.close(self.told.log);
        }
    }
}
