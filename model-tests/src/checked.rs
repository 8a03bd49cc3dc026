//! A real log with the model beside it.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use crate::{
    model::{
        log::Model,
        reader::{Lags, Reader},
    },
    subject::{
        adapter::Event,
        log::{Log, Received, Replay, Subscription},
    },
};

/// A log that compares each of its answers with the model's, and panics where they part.
///
/// For your own tests and debug builds: put it where the log was, and every test that you already
/// have checks the laws as well. It keeps every event that it was ever given, and runs one
/// operation at a time, so it is not for production.
///
/// ```should_panic
/// use model_tests::{Checked, Log, Tick, zoo};
/// # use model_tests::{Case, Subject};
/// # let case = Case::new(1);
/// # let broken = zoo::NaiveSubject { bug: Some(zoo::Bug::OldestVersionOnly) }.open(&case).unwrap();
/// # let event = |version, pick| model_tests::Probed::new(Tick::new(version, pick), None);
/// let log = Checked::new(broken, 1, None);
/// log.append(event(5, 1));
/// log.append(event(5, 2));
/// log.replay_truncated(4); // panics: call 3, `replay_truncated(4)`: expected true, but false
/// ```
#[derive(Debug)]
pub struct Checked<E, L> {
    log: L,
    beside: Arc<Mutex<Beside<E>>>,
}

/// The model, and how many calls it has seen.
#[derive(Debug)]
struct Beside<E> {
    model: Model<E>,
    calls: u64,
    /// What each printed cursor stands for.
    cursors: Vec<(String, u64)>,
}

impl<E: Event, L: Log<E>> Checked<E, L> {
    /// Puts the model beside a log that is still empty and has these settings.
    ///
    /// ```
    /// use model_tests::Checked;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// let checked = Checked::new(log, 2, None); // capacity 2, as the log has it
    /// checked.append(event(7));
    /// assert_eq!(checked.events_since(0).len(), 1); // both say so
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    pub fn new(log: L, capacity: usize, base: Option<u64>) -> Self {
        let beside = Beside {
            model: Model::new(capacity, base),
            calls: 0,
            cursors: Vec::new(),
        };
        Self {
            log,
            beside: Arc::new(Mutex::new(beside)),
        }
    }

    /// The log itself.
    ///
    /// ```
    /// # use model_tests::Checked;
    /// # use model_tests::{Case, Log, Subject, zoo::NaiveSubject};
    /// # let subject = NaiveSubject { bug: None };
    /// # let log = subject.open(&Case::new(2))?;
    /// # let event = |version| subject.event(version, 0);
    /// let checked = Checked::new(log, 2, None);
    /// checked.append(event(7));
    /// // What the model knows nothing of: its metrics, say.
    /// assert_eq!(checked.log().events_since(0).len(), 1);
    /// # Ok::<(), model_tests::OpenError>(())
    /// ```
    pub fn log(&self) -> &L {
        &self.log
    }
}

impl<E> Beside<E> {
    fn lock(shared: &Mutex<Self>) -> MutexGuard<'_, Self> {
        let mut beside = shared.lock().unwrap_or_else(PoisonError::into_inner);
        beside.calls += 1;
        beside
    }

    /// The number of events up to a cursor; `None` if nothing is known of it.
    fn seen(&self, cursor: &str) -> Option<u64> {
        let known = self.cursors.iter().rev().find(|(text, _)| text == cursor);
        known.map(|(_, seen)| *seen)
    }

    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an expected answer is made to be compared"
    )]
    fn compare<T: PartialEq + Debug>(&self, call: &str, expected: T, actual: T) -> T {
        assert!(
            actual == expected,
            "the log parts from the model at call {}, `{call}`:\n  expected: {expected:?}\n  \
             actual:   {actual:?}",
            self.calls
        );
        actual
    }
}

impl<E: Event> Beside<E> {
    /// Compares replays, where `covered` says whether theirs may have its coverage.
    #[track_caller]
    fn compare_replay(
        &self,
        call: &str,
        mut ours: Replay<E>,
        theirs: Replay<E>,
        covered: bool,
    ) -> Replay<E> {
        if covered {
            ours.coverage = theirs.coverage;
        }
        self.compare(call, ours, theirs)
    }

    /// What a reader was given, by whichever way of a sound log.
    #[track_caller]
    fn compare_given(&self, call: &str, ours: &mut Reader, given: &Received<E>) {
        let expected = self.model.next(ours);
        if !self.model.accept(ours, given, Lags::Any, PartialEq::eq) {
            self.compare(call, expected, given.clone());
        }
    }
}

impl<E: Event, L: Log<E>> Log<E> for Checked<E, L> {
    fn append(&self, event: E) -> Option<u64> {
        let mut beside = Beside::lock(&self.beside);
        let seq = self.log.append(event.clone());
        let expected = beside.model.append(event);
        beside.compare("append", seq.map(|_| expected), seq)
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        let beside = Beside::lock(&self.beside);
        let call = format!("events_since({since})");
        beside.compare(
            &call,
            beside.model.events_since(since),
            self.log.events_since(since),
        )
    }

    fn replay_truncated(&self, since: u64) -> bool {
        let beside = Beside::lock(&self.beside);
        let call = format!("replay_truncated({since})");
        let expected = beside.model.replay_truncated(since);
        beside.compare(&call, expected, self.log.replay_truncated(since))
    }

    fn replay(&self, since: u64) -> Replay<E> {
        let beside = Beside::lock(&self.beside);
        let call = format!("replay({since})");
        let (ours, theirs) = (beside.model.replay(since), self.log.replay(since));
        let covered = beside.model.covers_since(since, theirs.coverage);
        beside.compare_replay(&call, ours, theirs, covered)
    }

    fn append_batch(&self, events: Vec<E>) {
        let mut beside = Beside::lock(&self.beside);
        self.log.append_batch(events.clone());
        for event in events {
            beside.model.append(event);
        }
    }

    fn append_with(&self, make: &mut dyn FnMut(Option<u64>) -> E) {
        let mut beside = Beside::lock(&self.beside);
        let mut copy = None;
        self.log.append_with(&mut |newest| {
            beside.compare("append_with", beside.model.newest(), newest);
            let event = make(newest);
            copy = Some(event.clone());
            event
        });
        if let Some(event) = copy {
            beside.model.append(event);
        }
    }

    fn cursor(&self) -> String {
        let mut beside = Beside::lock(&self.beside);
        let cursor = self.log.cursor();
        let seen = beside.model.history().len() as u64;
        beside.cursors.push((cursor.clone(), seen));
        cursor
    }

    fn replay_after(&self, cursor: &str) -> Replay<E> {
        let beside = Beside::lock(&self.beside);
        let call = format!("replay_after({cursor:?})");
        let seen = beside.seen(cursor);
        let (ours, theirs) = (
            beside.model.replay_after(seen),
            self.log.replay_after(cursor),
        );
        let covered = beside.model.covers_after(seen, theirs.coverage);
        beside.compare_replay(&call, ours, theirs, covered)
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<E>> {
        let beside = Beside::lock(&self.beside);
        let ours = beside.model.subscribe(since);
        self.follow(self.log.subscribe(since), ours)
    }

    fn resume(&self, cursor: &str) -> Box<dyn Subscription<E>> {
        let beside = Beside::lock(&self.beside);
        let ours = beside.model.resume(beside.seen(cursor));
        self.follow(self.log.resume(cursor), ours)
    }

    fn close(&self) {
        let mut beside = Beside::lock(&self.beside);
        self.log.close();
        beside.model.close();
    }
}

impl<E: Event, L: Log<E>> Checked<E, L> {
    fn follow(&self, theirs: Box<dyn Subscription<E>>, ours: Reader) -> Box<dyn Subscription<E>> {
        Box::new(CheckedReader {
            theirs,
            ours,
            beside: self.beside.clone(),
        })
    }
}

/// A subscription with the model's reader beside it.
struct CheckedReader<E> {
    theirs: Box<dyn Subscription<E>>,
    ours: Reader,
    beside: Arc<Mutex<Beside<E>>>,
}

impl<E: Event> Subscription<E> for CheckedReader<E> {
    fn try_recv(&mut self) -> Received<E> {
        let beside = Beside::lock(&self.beside);
        let given = self.theirs.try_recv();
        beside.compare_given("try_recv", &mut self.ours, &given);
        given
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        let beside = Beside::lock(&self.beside);
        let polled = self.theirs.poll_recv(context);
        // A reader may be pending for other reasons than that there is nothing.
        if let Poll::Ready(given) = &polled {
            beside.compare_given("poll_recv", &mut self.ours, given);
        }
        polled
    }

    fn is_live(&self) -> bool {
        let beside = Beside::lock(&self.beside);
        let live = self.theirs.is_live();
        let expected = beside.model.is_live(&self.ours).unwrap_or(live);
        beside.compare("is_live", expected, live)
    }

    fn cursor(&self) -> String {
        let mut beside = Beside::lock(&self.beside);
        let cursor = self.theirs.cursor();
        // Nothing is promised of a cursor that was taken before the first event of an incomplete
        // subscription, so nothing is known of it.
        if let Some(seen) = self.ours.seen() {
            beside.cursors.push((cursor.clone(), seen));
        }
        cursor
    }

    fn skip_to_newest(&mut self) -> u64 {
        let beside = Beside::lock(&self.beside);
        let skipped = self.theirs.skip_to_newest();
        if beside.model.accept_skip(&mut self.ours, skipped) {
            return skipped;
        }
        let expected = beside.model.skip_to_newest(&mut self.ours);
        beside.compare("skip_to_newest", expected, skipped)
    }
}
