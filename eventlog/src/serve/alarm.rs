//! Being woken later, without a runtime: one thread for all feeds of the process, which is there
//! only while somebody waits for it.

use std::{
    collections::BTreeMap,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use crate::{sync::Mutex, waiters::wake_all};

static CLOCK: LazyLock<Mutex<Clock>> = LazyLock::new(Mutex::default);
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// How long the thread stays when nobody waits for it.
const LINGER: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Clock {
    alarms: BTreeMap<(Instant, u64), Waker>,
    thread: Option<Thread>,
}

/// The wish of one task to be woken.
pub(super) struct Alarm {
    id: u64,
    set: Option<(Instant, Waker)>,
}

impl Alarm {
    pub(super) fn new() -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            set: None,
        }
    }

    /// Has the task woken at `at`, or before: an alarm that is set already stays as it is, so that
    /// one that is put off again and again costs nothing. Where the system refuses a thread, it is
    /// not woken.
    pub(super) fn set(&mut self, at: Instant, now: Instant, context: &Context<'_>) {
        let is_set = self.set.as_ref().is_some_and(|(set, waker)| {
            *set > now && *set <= at && waker.will_wake(context.waker())
        });
        if is_set {
            return;
        }
        // Cloning and dropping a waker is a user's code, and is done without the lock.
        let waker = context.waker().clone();
        let before = self.set.replace((at, waker.clone()));
        let mut clock = CLOCK.lock();
        let _dropped_unlocked = before
            .as_ref()
            .and_then(|(before, _)| clock.alarms.remove(&(*before, self.id)));
        clock.alarms.insert((at, self.id), waker);
        let is_first = clock.alarms.keys().next() == Some(&(at, self.id));
        match &clock.thread {
            Some(thread) if is_first => thread.unpark(),
            Some(_) => {}
            None => {
                let thread = thread::Builder::new().name("eventlog-alarms".into());
                let thread = thread.spawn(run).map(|spawned| spawned.thread().clone());
                clock.thread = thread.ok();
            }
        }
        drop(clock);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some((at, _)) = &self.set {
            let _dropped_unlocked = CLOCK.lock().alarms.remove(&(*at, self.id));
        }
    }
}

fn run() {
    let mut has_lingered = false;
    loop {
        let now = Instant::now();
        let mut clock = CLOCK.lock();
        let later = clock.alarms.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut clock.alarms, later);
        let next = clock.alarms.keys().next().map(|(at, _)| *at);
        if next.is_none() && due.is_empty() && has_lingered {
            clock.thread = None;
            return;
        }
        drop(clock);
        has_lingered = next.is_none() && due.is_empty();
        wake_all(due.into_values());
        thread::park_timeout(next.map_or(LINGER, |at| at.saturating_duration_since(now)));
    }
}
