//! What comes while the destination is busy is serialised meanwhile, on a thread of its own.
//!
//! The lines are written ahead: the events stay in the ring's hold until the writer takes them, so
//! what is lost when the backlog overflows is the same with these lines as without. Of events after
//! a full batch some are serialised only to learn how long they are, so that the backlog's bound in
//! bytes is one of what really waits.

use std::{
    io, mem,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Wake, Waker},
    thread::{self, JoinHandle, Thread, ThreadId},
    time::Duration,
};

use serde::Serialize;

use super::{
    config::{Unfaithful, WriterConfig},
    line::write_line,
    lines::Lines,
    pending::MAX_BATCH_BYTES,
    records::Meta,
    sizes::Sizes,
};
use crate::{
    ring::{HoldId, Taken, caught_all},
    seq::Seq,
    shared::Shared,
    waiters::Ticket,
};

/// The name of each writer's second thread.
const THREAD_NAME: &str = "eventlog-ahead";

/// How many events are serialised at a time, and about how many bytes.
const STEP_EVENTS: u64 = 256;
const STEP_BYTES: usize = 64 << 10;

/// One of so many events after a full batch is serialised for its length.
const SAMPLE: usize = 17;

/// So many waiting events are worth waking the thread for; where there are fewer, the next one
/// wakes it.
const WORTH_WAKING: u64 = 64;

/// Events that come one by one are taken together after this time.
const NAP: Duration = Duration::from_millis(1);

/// The writer's side.
pub(super) struct Ahead<E> {
    shared: Arc<Shared<E>>,
    /// With which the next append finds the thread.
    ticket: Ticket,
    waker: Waker,
    state: Arc<Mutex<State>>,
    thread: Thread,
    /// Taken when it is joined.
    handle: Option<JoinHandle<()>>,
}

/// What both threads look at. No user code runs while one does.
struct State {
    destination: Phase,
    /// Whether the thread is at work, or will look again by itself.
    is_awake: bool,
    /// Lines of events that follow each other, up to `next`.
    lines: Lines,
    /// The first event that has no line yet, and is not taken.
    next: u64,
    /// Whether `next` gets no line: the batch is full, or the event has none like others.
    is_full: bool,
    sizes: Sizes,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Free,
    Busy,
    /// The writer has ended.
    Ended,
}

impl<E: Serialize + Send + Sync + 'static> Ahead<E> {
    /// Starts the thread, for events that `hold` keeps, from `next` on.
    pub(super) fn start(
        shared: &Arc<Shared<E>>,
        hold: HoldId,
        next: u64,
        config: &WriterConfig,
    ) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            destination: Phase::Free,
            is_awake: false,
            lines: Lines::default(),
            next,
            is_full: false,
            sizes: Sizes::default(),
        }));
        let encoder = Encoder {
            shared: shared.clone(),
            state: state.clone(),
            ticket: Ticket::default(),
            waker: None,
            hold,
            backlog_events: config.backlog_events as u64,
            backlog_bytes: config.backlog_bytes as u64,
            unfaithful: config.unfaithful,
            lines: Lines::default(),
            found_nothing: false,
        };
        let handle = thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || encoder.run())?;
        Ok(Self {
            shared: shared.clone(),
            ticket: Ticket::default(),
            waker: waker_of(handle.thread().clone()),
            state,
            thread: handle.thread().clone(),
            handle: Some(handle),
        })
    }
}

impl<E> Ahead<E> {
    /// The destination is busy from now on. Wakes the thread if there is enough to do, or has the
    /// next append wake it.
    pub(super) fn begin(&mut self) {
        let mut state = lock(&self.state);
        state.destination = Phase::Busy;
        let (is_awake, worth) = (state.is_awake, state.next + WORTH_WAKING);
        drop(state);
        if is_awake {
            return;
        }
        let (ticket, waker) = (&mut self.ticket, self.waker.clone());
        if !self.shared.wait(ticket, waker, |ring| ring.next() >= worth) {
            self.thread.unpark();
        }
    }

    /// The destination is not busy any more.
    pub(super) fn end(&mut self) {
        lock(&self.state).destination = Phase::Free;
        self.shared.leave(&mut self.ticket);
    }

    /// Hands over the lines that are written, in exchange for an empty buffer.
    pub(super) fn take(&self, lines: &mut Lines) {
        let mut state = lock(&self.state);
        mem::swap(&mut state.lines, lines);
        state.is_full = false;
    }

    /// All events before `next` are taken.
    pub(super) fn pass(&self, next: u64) {
        let mut state = lock(&self.state);
        state.next = state.next.max(next);
        state.sizes.forget_before(next);
    }

    pub(super) fn thread_id(&self) -> ThreadId {
        self.thread.id()
    }
}

impl<E> Drop for Ahead<E> {
    fn drop(&mut self) {
        lock(&self.state).destination = Phase::Ended;
        self.thread.unpark();
        // It catches what users' code throws.
        let _ = self.handle.take().map(JoinHandle::join);
        self.shared.leave(&mut self.ticket);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A waker for a thread that parks.
fn waker_of(thread: Thread) -> Waker {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    Waker::from(Arc::new(Unpark(thread)))
}

/// The thread's side.
struct Encoder<E> {
    shared: Arc<Shared<E>>,
    state: Arc<Mutex<State>>,
    ticket: Ticket,
    waker: Option<Waker>,
    hold: HoldId,
    backlog_events: u64,
    backlog_bytes: u64,
    unfaithful: Unfaithful,
    /// Those of one step.
    lines: Lines,
    found_nothing: bool,
}

enum Step {
    /// Look again, at once or after a while.
    Again,
    Nap,
    /// Until somebody wakes the thread.
    Sleep,
    End,
}

/// What a step wrote.
struct Written {
    /// How many bytes the step's events have, each.
    each: u64,
    /// Whether all of them have a line.
    all: bool,
}

impl<E: Serialize> Encoder<E> {
    fn run(mut self) {
        loop {
            match self.step() {
                Step::Again => {}
                Step::Nap => thread::park_timeout(NAP),
                Step::Sleep => thread::park(),
                Step::End => return self.shared.leave(&mut self.ticket),
            }
        }
    }

    fn step(&mut self) -> Step {
        let mut state = lock(&self.state);
        state.is_awake = state.destination == Phase::Busy;
        match state.destination {
            Phase::Busy => {}
            Phase::Free => return Step::Sleep,
            Phase::Ended => return Step::End,
        }
        let is_full = state.is_full;
        let from = if is_full {
            state.sizes.end().max(state.next)
        } else {
            state.next
        };
        drop(state);
        let shared = &self.shared;
        let mut taken = shared.with_time(|inner| inner.ring.peek(self.hold, from, STEP_EVENTS));
        if !taken.has_more() {
            return self.rest(from);
        }
        self.found_nothing = false;
        let first = taken.start();
        let written = if is_full {
            self.sample(&mut taken)
        } else {
            self.write(&mut taken)
        };
        let end = taken.start();
        // The writer may hold events last, so their `Drop` runs here.
        caught_all([taken]);
        self.hand_over(first..end, &written);
        self.lines.clear(2 * STEP_BYTES);
        Step::Again
    }

    /// There is nothing to do: looks once more after a while, then waits to be woken.
    fn rest(&mut self, from: u64) -> Step {
        self.found_nothing = !self.found_nothing;
        if self.found_nothing {
            return Step::Nap;
        }
        lock(&self.state).is_awake = false;
        let waker = self
            .waker
            .get_or_insert_with(|| waker_of(thread::current()));
        let (ticket, waker) = (&mut self.ticket, waker.clone());
        if self.shared.wait(ticket, waker, |ring| ring.next() > from) {
            Step::Sleep
        } else {
            Step::Again
        }
    }

    /// Writes the lines of these events, up to the first that has none like others.
    fn write(&mut self, taken: &mut Taken<E>) -> Written {
        let mut all = true;
        for (seq, entry) in taken.drain() {
            let written = write_line(&mut self.lines.bytes, &entry.event, self.unfaithful);
            if written != Ok(None) {
                all = false;
                break;
            }
            self.lines.end_line(Meta {
                seq: Seq::new(seq),
                version: entry.version,
                is_gap: false,
            });
            if self.lines.bytes.len() >= STEP_BYTES {
                break;
            }
        }
        let count = (self.lines.len() + usize::from(!all)) as u64;
        let each = self.lines.bytes.len() as u64 / count.max(1);
        self.lines.truncate(self.lines.len());
        Written { each, all }
    }

    /// Looks how long some of these events are.
    fn sample(&mut self, taken: &mut Taken<E>) -> Written {
        let (mut count, mut sum) = (0, 0);
        for (_, entry) in taken.drain().step_by(SAMPLE) {
            // What cannot be serialised has no length.
            let _ = write_line(&mut self.lines.bytes, &entry.event, self.unfaithful);
            sum += mem::take(&mut self.lines.bytes).len() as u64;
            count += 1;
        }
        Written {
            each: sum / count,
            all: false,
        }
    }

    /// Shows the writer what was written, unless it has taken these events meanwhile.
    fn hand_over(&self, events: Range<u64>, written: &Written) {
        let mut state = lock(&self.state);
        if !state.is_full && state.next <= events.start {
            // Events between were lost.
            let lines = 0..self.lines.len();
            if state.next < events.start && !state.lines.is_empty() {
                state.is_full = true;
            } else {
                state.lines.extend_from(&self.lines, lines);
                state.next = events.start + self.lines.len() as u64;
                state.is_full = !written.all || state.lines.bytes.len() >= MAX_BATCH_BYTES;
            }
        }
        if state.next <= events.end {
            state.sizes.push(events, written.each);
        }
        let oldest = self.shared.oldest();
        let fitting = state.sizes.fitting(oldest, self.backlog_bytes);
        drop(state);
        let limit = self.backlog_events.min(fitting);
        self.shared
            .with_time(|inner| inner.ring.limit_hold(self.hold, limit));
    }
}
