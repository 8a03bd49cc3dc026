//! Any subject behind one type, so that the laws are compiled once and not once for each subject.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use super::{
    adapter::{Event, Following, Line, Subject},
    attempt::Attempt,
    case::Case,
    log::{Lease, Log, Numbering, OpenError, Page, Replay, Subscription},
    probe::Probe,
};

/// Any subject whose events are `E`. The engines and scenes are compiled for each type of subject,
/// which takes a minute or so: who judges many wraps them, and they are one.
///
/// ```
/// use model_tests::{AnySubject, Case, Log, Ours, Probed, Subject, Tick};
///
/// let some: [AnySubject<Probed<Tick>>; 2] =
///     [AnySubject::new(Ours(Tick::new)), AnySubject::new(Ours(|version, _| Tick::new(version, 0)))];
/// for subject in some {
///     let log = subject.open(&Case::new(2))?;
///     log.append(subject.event(7, 0));
/// }
/// # Ok::<(), model_tests::OpenError>(())
/// ```
pub struct AnySubject<E>(Arc<dyn Any<E>>);

/// The log of an [`AnySubject`].
pub struct AnyLog<E>(Box<dyn Opened<E>>);

trait Any<E>: Send + Sync {
    fn open(&self, case: &Case) -> Result<AnyLog<E>, OpenError>;
    fn numbering(&self, case: &Case) -> Result<Box<dyn Numbering>, OpenError>;
    fn event(&self, version: u64, pick: u32) -> E;
    fn probed_event(&self, version: u64, probe: &Probe) -> E;
    fn extreme_event(&self, version: u64, pick: u32) -> Option<E>;
    fn retains(&self, case: &Case, appended: u64) -> u64;
    fn segment(&self, case: &Case) -> usize;
    fn reader_pins(&self, case: &Case) -> usize;
    fn shows_within(&self) -> Duration;
    fn handle(&self, case: &Case, log: &AnyLog<E>) -> Result<Option<AnyLog<E>>, OpenError>;
    fn read_back(&self, case: &Case) -> Result<Vec<Line<E>>, OpenError>;
    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError>;
    fn follow(&self, case: &Case) -> Result<Following<E>, OpenError>;
    fn line(&self, event: &E) -> String;
}

impl<S: Subject> Any<S::Event> for S {
    fn open(&self, case: &Case) -> Result<AnyLog<S::Event>, OpenError> {
        Ok(AnyLog(Box::new(Subject::open(self, case)?)))
    }

    fn numbering(&self, case: &Case) -> Result<Box<dyn Numbering>, OpenError> {
        Subject::numbering(self, case)
    }

    fn event(&self, version: u64, pick: u32) -> S::Event {
        Subject::event(self, version, pick)
    }

    fn probed_event(&self, version: u64, probe: &Probe) -> S::Event {
        Subject::probed_event(self, version, probe)
    }

    fn extreme_event(&self, version: u64, pick: u32) -> Option<S::Event> {
        Subject::extreme_event(self, version, pick)
    }

    fn retains(&self, case: &Case, appended: u64) -> u64 {
        Subject::retains(self, case, appended)
    }

    fn segment(&self, case: &Case) -> usize {
        Subject::segment(self, case)
    }

    fn reader_pins(&self, case: &Case) -> usize {
        Subject::reader_pins(self, case)
    }

    fn shows_within(&self) -> Duration {
        Subject::shows_within(self)
    }

    fn handle(
        &self,
        case: &Case,
        log: &AnyLog<S::Event>,
    ) -> Result<Option<AnyLog<S::Event>>, OpenError> {
        let log = log.0.itself().downcast_ref();
        let log = log.ok_or("a log of another subject")?;
        let handle = Subject::handle(self, case, log)?;
        Ok(handle.map(|handle| AnyLog(Box::new(handle))))
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<S::Event>>, OpenError> {
        Subject::read_back(self, case)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        Subject::files(self, case)
    }

    fn follow(&self, case: &Case) -> Result<Following<S::Event>, OpenError> {
        Subject::follow(self, case)
    }

    fn line(&self, event: &S::Event) -> String {
        Subject::line(self, event)
    }
}

/// A log, with the calls that end it.
trait Opened<E>: Send + Sync {
    fn log(&self) -> &dyn Log<E>;
    fn itself(&self) -> &dyn std::any::Any;
    fn shutdown(self: Box<Self>) -> Result<(), OpenError>;
    fn shutdown_within(self: Box<Self>, timeout: Duration) -> Result<(), Vec<u64>>;
}

impl<E, L: Log<E>> Opened<E> for L {
    fn log(&self) -> &dyn Log<E> {
        self
    }

    fn itself(&self) -> &dyn std::any::Any {
        self
    }

    fn shutdown(self: Box<Self>) -> Result<(), OpenError> {
        Log::shutdown(*self)
    }

    fn shutdown_within(self: Box<Self>, timeout: Duration) -> Result<(), Vec<u64>> {
        Log::shutdown_within(*self, timeout)
    }
}

impl<E: Event> AnySubject<E> {
    /// This subject.
    ///
    /// ```
    /// # use model_tests::{AnySubject, Case, Log, Ours, Subject, Tick, zoo::NaiveSubject};
    /// // Two kinds of logs in one list.
    /// let subjects = [AnySubject::new(Ours(Tick::new)), AnySubject::new(NaiveSubject { bug: None })];
    /// for subject in subjects {
    ///     let log = subject.open(&Case::new(4))?;
    ///     log.append(subject.event(7, 0));
    ///     assert_eq!(log.events_since(6).len(), 1);
    /// }
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    pub fn new(subject: impl Subject<Event = E>) -> Self {
        Self(Arc::new(subject))
    }
}

impl<E> Clone for AnySubject<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E> fmt::Debug for AnySubject<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnySubject").finish_non_exhaustive()
    }
}

impl<E: Event> Subject for AnySubject<E> {
    type Event = E;
    type Log = AnyLog<E>;

    fn open(&self, case: &Case) -> Result<AnyLog<E>, OpenError> {
        self.0.open(case)
    }

    fn numbering(&self, case: &Case) -> Result<Box<dyn Numbering>, OpenError> {
        self.0.numbering(case)
    }

    fn event(&self, version: u64, pick: u32) -> E {
        self.0.event(version, pick)
    }

    fn probed_event(&self, version: u64, probe: &Probe) -> E {
        self.0.probed_event(version, probe)
    }

    fn extreme_event(&self, version: u64, pick: u32) -> Option<E> {
        self.0.extreme_event(version, pick)
    }

    fn retains(&self, case: &Case, appended: u64) -> u64 {
        self.0.retains(case, appended)
    }

    fn segment(&self, case: &Case) -> usize {
        self.0.segment(case)
    }

    fn reader_pins(&self, case: &Case) -> usize {
        self.0.reader_pins(case)
    }

    fn shows_within(&self) -> Duration {
        self.0.shows_within()
    }

    fn handle(&self, case: &Case, log: &AnyLog<E>) -> Result<Option<AnyLog<E>>, OpenError> {
        self.0.handle(case, log)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<E>>, OpenError> {
        self.0.read_back(case)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        self.0.files(case)
    }

    fn follow(&self, case: &Case) -> Result<Following<E>, OpenError> {
        self.0.follow(case)
    }

    fn line(&self, event: &E) -> String {
        self.0.line(event)
    }
}

impl<E: Event> Log<E> for AnyLog<E> {
    fn append(&self, event: E) -> Option<u64> {
        self.0.log().append(event)
    }

    fn try_append(&self, event: E) -> Attempt {
        self.0.log().try_append(event)
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        self.0.log().events_since(since)
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.0.log().replay_truncated(since)
    }

    fn replay(&self, since: u64) -> Replay<E> {
        self.0.log().replay(since)
    }

    fn append_batch(&self, events: Vec<E>) {
        self.0.log().append_batch(events);
    }

    fn append_with(&self, make: &mut dyn FnMut(Option<u64>) -> E) {
        self.0.log().append_with(make);
    }

    fn cursor(&self) -> String {
        self.0.log().cursor()
    }

    fn replay_after(&self, cursor: &str) -> Replay<E> {
        self.0.log().replay_after(cursor)
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<E>> {
        self.0.log().subscribe(since)
    }

    fn subscribe_stored(&self, since: u64) -> Box<dyn Subscription<E>> {
        self.0.log().subscribe_stored(since)
    }

    fn resume(&self, cursor: &str) -> Box<dyn Subscription<E>> {
        self.0.log().resume(cursor)
    }

    fn lease(&self, events: u64) -> Box<dyn Lease> {
        self.0.log().lease(events)
    }

    fn page(&self, since: u64, events: usize) -> Page<E> {
        self.0.log().page(since, events)
    }

    fn page_after(&self, cursor: &str, events: usize) -> Page<E> {
        self.0.log().page_after(cursor, events)
    }

    fn subscribe_if(&self, since: u64, keeps: fn(&E) -> bool) -> Box<dyn Subscription<E>> {
        self.0.log().subscribe_if(since, keeps)
    }

    fn close(&self) {
        self.0.log().close();
    }

    fn flush(&self) -> Result<(), OpenError> {
        self.0.log().flush()
    }

    fn shutdown(self) -> Result<(), OpenError> {
        self.0.shutdown()
    }

    fn shutdown_within(self, timeout: Duration) -> Result<(), Vec<u64>> {
        self.0.shutdown_within(timeout)
    }
}
