//! Appends that may be refused, of which nobody knows what became of them, or which show late.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{adapter::Event, log::Log};
use crate::trial::Budget;

/// What an append says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// It is done; with the event's number, if the log numbers its events.
    Done(Option<u64>),
    /// Nothing was appended, and nothing of it will be: try again.
    Busy,
    /// It was appended or it was not: the answer was lost, or too late.
    Unknown,
}

/// How often a log is looked at before its bound counts as passed, however busy the machine is.
const LOOKS: u64 = 16;
const PAUSE: Duration = Duration::from_micros(200);

/// Looks until `found`, at least until a log has had the time that it needs, and at most for
/// `longest`.
pub(crate) fn look_until(
    within: Duration,
    longest: Duration,
    mut found: impl FnMut() -> bool,
) -> bool {
    let began = Instant::now();
    // Of what shows at once, the first look says all.
    let least = if within.is_zero() { 1 } else { LOOKS };
    for looks in 1.. {
        if found() {
            return true;
        }
        if looks >= least && began.elapsed() >= longest.max(within) {
            break;
        }
        if looks < LOOKS {
            thread::yield_now();
        } else {
            thread::sleep(PAUSE);
        }
    }
    false
}

/// Appends by [`Log::try_append`] until it is done: the [`append`](Log::append) of a log that may be
/// busy, lose an answer, or show an append only `within` some time.
///
/// It tries again while the log is busy. Where the outcome is unknown, or the event may show late, it
/// looks for it by [`events_since`](Log::events_since). That never shows an event of version 0: so of
/// such a one the log has to know the outcome, and to show what it does at once.
///
/// ```
/// # use model_tests::{Attempt, Log, Tick, append_until_done};
/// use std::{sync::{Mutex, atomic::{AtomicU32, Ordering}}, time::Duration};
///
/// struct Far(Mutex<Vec<Tick>>, AtomicU32);
///
/// impl Log<Tick> for Far {
///     fn append(&self, event: Tick) -> Option<u64> {
///         append_until_done(self, &event, Duration::ZERO)
///     }
///
///     fn try_append(&self, event: Tick) -> Attempt {
///         match self.1.fetch_add(1, Ordering::Relaxed) % 3 {
///             0 => Attempt::Busy,
///             1 => Attempt::Unknown, // it has been lost
///             _ => {
///                 self.0.lock().unwrap().push(event);
///                 Attempt::Done(None)
///             }
///         }
///     }
///
///     fn events_since(&self, _: u64) -> Vec<Tick> {
///         self.0.lock().unwrap().clone()
///     }
/// }
///
/// let far = Far(Mutex::default(), AtomicU32::new(0));
/// far.append(Tick::new(1, 0));
/// assert_eq!(far.events_since(0), [Tick::new(1, 0)]);
/// ```
///
/// # Panics
///
/// If the log is busy for longer than [`Budget::patience`].
pub fn append_until_done<E: Event>(
    log: &(impl Log<E> + ?Sized),
    event: &E,
    within: Duration,
) -> Option<u64> {
    let (began, patience) = (Instant::now(), Budget::default().patience);
    let before = event.version().checked_sub(1);
    let shows = || {
        let found = |since| log.events_since(since).contains(event);
        look_until(within, within, || before.is_none_or(found))
    };
    loop {
        match log.try_append(event.clone()) {
            Attempt::Done(number) => {
                if !within.is_zero() {
                    shows();
                }
                return number;
            }
            Attempt::Unknown if shows() => return None,
            Attempt::Unknown => {}
            Attempt::Busy => thread::yield_now(),
        }
        assert!(
            began.elapsed() < patience,
            "the log was busy, or lost what it was given, for {patience:?}"
        );
    }
}
